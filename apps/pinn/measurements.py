"""Readings from a CSV, for a problem: which column is what, and every fault."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from tvilling.pinns.conditions import Measured
    from tvilling.pinns.problem import Problem

HEADING = re.compile(r"\s*([^\s\[]+)\s*(?:\[(.*)\])?\s*")
MOST_CELLS = 100  # in a row
TOLD = 5  # rows at fault that are told one by one, a column


def read_measurements(file: Path, problem: "Problem") -> "tuple[Measured, ...]":
    """Readings of the unknowns of `problem`; an empty cell is no reading.

    The header has the names of all coordinates and of one unknown or more, as they are declared
    or with the unit behind, `x_m [m]`. Lines that begin with # are comments.

    Raises
    ------
    InputError
        With every column and every cell that is missing, unknown, unreadable or out of range.
    """
    from tvilling.pinns.conditions import Measured

    table = _table(file)
    units = {axis.name: axis.unit for axis in problem.inputs.axes}
    units |= {item.name: item.unit for item in problem.unknowns}
    faults = _headings(table, units)
    columns = [str(name) for name in table.columns]
    unknowns = [item.name for item in problem.unknowns if item.name in columns]
    faults += [
        f"column {name} is missing, a coordinate" for name in problem.inputs.names
        if name not in columns
    ]  # fmt: skip
    if not unknowns:
        known = ", ".join(item.name for item in problem.unknowns)
        faults.append(f"no column is an unknown; there are {known}")
    if not len(table):
        faults.append("there is no row")
    numbers, unreadable = _numbers(table, [name for name in columns if name in units])
    faults += unreadable + _out_of_range(numbers, problem)
    if faults:
        raise InputError(str(file), faults)
    return tuple(_measured(numbers, name, problem, Measured) for name in unknowns)


def _measured(
    numbers: Mapping[str, np.ndarray],
    name: str,
    problem: "Problem",
    make: "type[Measured]",
) -> "Measured":
    there = np.isfinite(numbers[name])
    points = {axis: numbers[axis][there] for axis in problem.inputs.names}
    return make(name, points, numbers[name][there])


def _table(file: Path) -> "pd.DataFrame":
    """All cells as text."""
    import pandas as pd

    try:
        rows = pd.read_csv(
            file,
            header=None,
            names=range(MOST_CELLS),
            dtype=str,
            comment="#",
            skip_blank_lines=True,
            encoding="utf-8-sig",
        )
    except (OSError, ValueError) as error:  # pandas' own faults are values too
        told = getattr(error, "strerror", None) or str(error)
        raise InputError(str(file), [f"cannot be read: {told}"]) from None
    return _under_header(rows, file)


def _under_header(rows: "pd.DataFrame", file: Path) -> "pd.DataFrame":
    """The first row as names of the columns; no other may have more cells."""
    width = int(rows.iloc[0].notna().sum()) if len(rows) else 0
    beyond = rows.iloc[:, width:].notna().any(axis=1).to_numpy()
    faults = [
        f"reading {row} has more than the {width} cells of the header"
        for row in np.flatnonzero(beyond)[:TOLD]
    ]
    if len(rows) and rows.iloc[0, width:].notna().any():
        faults = ["a column of the header has no name"]
    if faults:
        raise InputError(str(file), faults)
    table = rows.iloc[1:, :width].reset_index(drop=True)
    table.columns = rows.iloc[0, :width]
    return table


def _headings(table: "pd.DataFrame", units: Mapping[str, str]) -> list[str]:
    """Faults of the header; a unit that is right is taken from the names."""
    faults, plain = [], []
    for heading in map(str, table.columns):
        found = HEADING.fullmatch(heading)
        name, unit = found.groups() if found else (heading, None)
        plain.append(name)
        if name not in units:
            faults.append(f"column {name!r} is unknown; there are {', '.join(units)}")
        elif unit is not None and unit != units[name]:
            faults.append(f"column {name} is in {unit}, expected {units[name]}")
    faults += [f"column {name} is there twice" for name in {*plain} if plain.count(name) > 1]
    table.columns = plain
    return faults


def _numbers(table: "pd.DataFrame", names: list[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Columns as numbers, not finite where a cell is empty, and what is no number."""
    found, faults = {}, []
    for name in dict.fromkeys(names):
        column = table.loc[:, name]
        cells = column.iloc[:, 0] if column.ndim > 1 else column
        values = np.full(len(cells), math.nan)
        bad = []
        for row, cell in enumerate(cells):
            if isinstance(cell, str):
                try:
                    values[row] = float(cell)
                except ValueError:
                    bad.append((row, cell))
                    continue
                if not math.isfinite(values[row]):
                    bad.append((row, cell))
        faults += [f"reading {row + 1}: {name} is {cell!r}, expected a number" for row, cell in
                   bad[:TOLD]]  # fmt: skip
        if len(bad) > TOLD:
            faults.append(f"{len(bad) - TOLD} more of {name} are no numbers")
        found[name] = values
    return found, faults


def _out_of_range(numbers: Mapping[str, np.ndarray], problem: "Problem") -> list[str]:
    """Coordinates outside the domain, or missing beside a reading."""
    faults = []
    for axis in problem.inputs.axes:
        values = numbers.get(axis.name, np.array([]))
        outside = np.flatnonzero(~((values >= axis.low) & (values <= axis.high)))
        for row in outside[:TOLD]:
            told = "missing" if math.isnan(values[row]) else f"{values[row]:g} {axis.unit}"
            faults.append(
                f"reading {row + 1}: {axis.name} is {told}, "
                f"expected {axis.low:g} to {axis.high:g} {axis.unit}"
            )
        if len(outside) > TOLD:
            faults.append(f"{len(outside) - TOLD} more of {axis.name} are outside")
    return faults
