"""Comma-separated files: every column checked, every fault told together."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.csv_table import read_cells
from tvilling.sciml.io.tables import MAX_FAULTS_PER_COLUMN, Column, read_table, row_label


def read_csv(
    path: Path,
    columns: tuple[Column, ...],
    times: Mapping[str, str] | None = None,
    once: str = "",
) -> pd.DataFrame:
    """Rows of a CSV file with exactly `columns`, typed.

    Parameters
    ----------
    path
        A UTF-8 file with one header line.
    columns
        What each column holds. All must be there and no other; a blank number is NaN.
    times
        Text columns that hold a time, with their `strptime` format.
    once
        Name of a column in which no value may stand twice.

    Raises
    ------
    InputError
        With every fault: file, row, value and what was expected.
    """
    table = read_rows(open_csv(path, columns), columns, path.name, times)
    twice = table.index[table[once].duplicated()] if once else []
    if len(twice):
        faults = [
            f"{path.name}, {row_label(table, at)}: {once} {table[once].iloc[at]} stands twice"
            for at in twice[:MAX_FAULTS_PER_COLUMN]
        ]
        raise InputError(path.name, faults + _more(len(twice), f"{path.name}: {once}"))
    return table


def open_csv(path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    """The cells of a CSV file as text; the header gives the names of the columns.

    Numbers of `columns` have a decimal point, whatever sign the file has; the index is the line
    in the file less two.

    Raises
    ------
    InputError
        When there is no such file, or it is empty, not UTF-8 or not a table.
    """
    numbers = {column.name for column in columns if column.kind == "float"}
    try:
        cells, faults = read_cells(path, numbers.__contains__)
    except InputError as error:
        faults = [f"{path.name}: {fault}" for fault in error.faults]
        raise InputError(str(path), faults) from error
    if faults:
        raise InputError(str(path), faults)
    return cells


def read_rows(
    cells: pd.DataFrame,
    columns: tuple[Column, ...],
    source: str,
    times: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """`cells` with exactly `columns`, typed, as `read_csv` gives them; `source` names the file."""
    faults = [
        f"{source}: column {column.name}{f' [{column.unit}]' if column.unit else ''} is missing"
        for column in columns
        if column.name not in cells.columns
    ]
    table, found = read_table(cells, columns, source)
    faults += found
    for name, form in (times or {}).items():
        if name in cells.columns:
            table[name], found = _read_times(table[name], form, source)
            faults += found
    if not faults and table.empty:
        faults = [f"{source}: no rows behind the header"]
    if faults:
        raise InputError(source, faults)
    return table


def count_missing(table: pd.DataFrame) -> int:
    """Cells without a value in the columns of numbers."""
    return int(table.select_dtypes("float").isna().to_numpy().sum())


def _read_times(text: pd.Series, form: str, source: str) -> tuple[pd.Series, list[str]]:
    time = pd.to_datetime(text, format=form, errors="coerce").astype("datetime64[ns]")
    bad = np.flatnonzero(time.isna())
    faults = [
        f"{source}, row {text.index[at] + 2}: {text.name} is {text.iloc[at]!r}, "
        f"expected a time like {form}"
        for at in bad[:MAX_FAULTS_PER_COLUMN]
    ]
    return time, faults + _more(len(bad), f"{source}: {text.name}")


def _more(count: int, place: str) -> list[str]:
    rest = count - MAX_FAULTS_PER_COLUMN
    return [f"{place}: {rest} more such rows"] if rest > 0 else []
