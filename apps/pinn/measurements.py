"""Readings from a CSV, for a problem: which column is what, and every fault."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.csv_table import read_cells
from tvilling.sciml.io.decimals import NUMBER

if TYPE_CHECKING:
    import pandas as pd

    from tvilling.pinns.problem.conditions import Measured
    from tvilling.pinns.problem.statement import Problem

HEADING = re.compile(r"\s*([^\s\[]+)\s*(?:\[(.*)\])?\s*")
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
    from tvilling.pinns.problem.conditions import Measured

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
    """All cells as text, with decimal points."""
    cells, faults = read_cells(file, lambda name: True, comment="#")
    if faults:  # which name the file, as this error does
        raise InputError(str(file), [one.removeprefix(f"{file.name}, ") for one in faults])
    return cells.reset_index(drop=True)


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
            values[row] = float(cell) if NUMBER.fullmatch(cell) else math.nan
            if cell and not math.isfinite(values[row]):
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
