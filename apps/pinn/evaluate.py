"""`tvilling pinn evaluate`: values of a kept solution on a grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.pinn.labelled import within
from tvilling.apps.pinn.library import Tell, entry_of
from tvilling.apps.pinn.train import SOLUTION, SUMMARY
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.strict_json import read_json

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

    from tvilling.pinns.fields.domain import Axis

MAX_POINTS = 10_000_000
SHOWN = 30
FORM = "expected a number, numbers with commas, or LOW:HIGH:COUNT"


def run_evaluate(
    folder: Path,
    coordinates: Sequence[str],
    csv: Path | None = None,
    tell: Tell = lambda stage: None,
) -> "xr.Dataset":
    """Values of the solution in `folder` over the grid that `coordinates` span.

    Parameters
    ----------
    coordinates
        Each `name=number`, `name=a,b,c` or `name=low:high:count`.
    csv
        New file for the values, one row a point.

    Raises
    ------
    InputError
        With every coordinate that is missing, unknown, unreadable or outside its range.
    """
    name = _problem_name(folder)
    check_sums(folder)
    faults = [f"{csv} exists; choose another file"] if csv is not None and csv.exists() else []
    if csv is not None and not csv.parent.is_dir():
        faults.append(f"{csv.parent} is no folder")
    tell(f"{name}: setting up")
    problem = entry_of(name).example()
    axes, more = read_coordinates(coordinates, problem.inputs.axes)
    if faults + more:
        raise InputError("pinn evaluate", faults + more)
    from tvilling.pinns.solution.store import load_solution

    tell("reading the solution")
    solution = load_solution(folder / SOLUTION, problem)
    tell("evaluating")
    data = within(problem, solution.evaluate(**axes))
    if csv is not None:
        table = frame_of(data)
        table.columns = [f"{name} [{data[name].units}]" for name in table.columns]
        table.to_csv(csv, index=False)
    return data


def read_coordinates(
    texts: Sequence[str], axes: "Sequence[Axis]"
) -> tuple[dict[str, Any], list[str]]:
    """Values by coordinate, and every fault."""
    import numpy as np

    known = {axis.name: axis for axis in axes}
    found: dict[str, Any] = {}
    faults, named = [], set()
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            faults.append(f"{name!r} is no coordinate; there are {', '.join(known)}")
            continue
        if name in named:
            faults.append(f"{name} is given twice")
        named.add(name)
        try:
            values = _numbers(value)
        except ValueError:
            faults.append(f"{name} is {value!r}, {FORM}")
            continue
        faults += known[name].leaving(values)
        found[name] = values
    faults += [
        f"{axis.name} is missing, expected {axis.low:g} to {axis.high:g} {axis.unit}"
        for axis in axes
        if axis.name not in named
    ]
    count = float(np.prod([float(values.size) for values in found.values()]))
    if count > MAX_POINTS:
        faults.append(f"the grid has {count:,.0f} points, expected at most {MAX_POINTS:,}")
    return found, faults


def frame_of(data: "xr.Dataset") -> "pd.DataFrame":
    """One row a point: coordinates, then unknowns."""
    table: pd.DataFrame = data.to_dataframe(dim_order=list(data.dims)).reset_index()
    return table[[*map(str, data.dims), *map(str, data.data_vars)]]


def values_table(data: "xr.Dataset") -> "tuple[Table, int]":
    """The first rows for the terminal, and how many there are."""
    from tvilling.apps.shared.terminal import plain_table

    frame = frame_of(data)
    table = plain_table()
    for name in frame.columns:
        table.add_column(f"{name}\n[{data[name].units}]", justify="right")
    for row in frame.head(SHOWN).itertuples(index=False):
        table.add_row(*(f"{value:.6g}" for value in row))
    return table, len(frame)


def _numbers(text: str) -> Any:
    """`3`, `1,2,5` or `0:10:11`.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    import numpy as np

    if ":" in text:
        low, high, count = text.split(":")
        if not 1 <= int(count) <= MAX_POINTS:
            raise ValueError(count)
        values = np.linspace(float(low), float(high), int(count))
    else:
        values = np.array([float(part) for part in text.split(",")])
    if not np.all(np.isfinite(values)):
        raise ValueError(text)
    return values


def _problem_name(folder: Path) -> str:
    """Which problem of the library a run folder is of."""
    try:
        name = read_json(folder / SUMMARY)["problem"]
    except (InputError, KeyError, TypeError):
        raise InputError(
            str(folder), [f"is no run folder of pinn train: {SUMMARY} cannot be read"]
        ) from None
    return str(name)
