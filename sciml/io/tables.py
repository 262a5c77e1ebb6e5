"""Tables as a user hands them over: columns with unit, range and default, and their faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tvilling.sciml.io.decimals import NUMBER

NOT_FINITE = {"nan", "inf", "infinity"}
MAX_FAULTS_PER_COLUMN = 20


@dataclass(frozen=True)
class Column:
    """One column of a table: what it holds, in which unit and range, and what if it is absent."""

    name: str
    unit: str
    description: str
    kind: Literal["float", "str", "bool"] = "float"
    low: float = -np.inf
    high: float = np.inf
    required: bool = False
    default: float | str | bool = np.nan  # NaN: left open, where the description says what then


def read_column(table: pd.DataFrame, column: Column, source: str) -> tuple[pd.Series, list[str]]:
    """`column` of `table` with its type and default, and its faults.

    `source` names the table in the faults. Rows are told by the column `name` where there is one.
    """
    if column.name not in table.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        missing = [f"{source}: column {column.name}{unit} is missing"] if column.required else []
        return _constant(table, column), missing
    given = table[column.name]
    if column.kind == "str":
        return _read_text(given, table, column, source)
    if column.kind == "bool":
        return _read_bool(given, table, column, source)
    return _read_float(given, table, column, source)


def read_table(
    table: pd.DataFrame, columns: tuple[Column, ...], source: str
) -> tuple[pd.DataFrame, list[str]]:
    """`table` with exactly `columns`, typed and filled, and every fault found on the way.

    A column that is not in the list is a fault: it is misspelt or means something that would be
    dropped in silence.
    """
    known = {column.name for column in columns}
    twice = table.columns.duplicated()
    faults = [f"{source}: column {name} stands more than once" for name in table.columns[twice]]
    table = table.loc[:, ~twice]
    faults += [
        f"{source}: column {name} is not known; known are {', '.join(c.name for c in columns)}"
        for name in table.columns
        if name not in known
    ]
    out = {}
    for column in columns:
        out[column.name], found = read_column(table, column, source)
        faults += found
    result = pd.DataFrame(out, index=table.index)
    if "name" in known and "name" in table.columns:
        faults += [
            f"{source}: name {name} stands {count} times; names must be unique"
            for name, count in result["name"].value_counts().items()
            if count > 1 and name
        ]
    return result, faults


def _constant(table: pd.DataFrame, column: Column) -> pd.Series:
    dtype = {"float": float, "str": object, "bool": bool}[column.kind]
    return pd.Series([_default(column)] * len(table), index=table.index, dtype=dtype)


def _default(column: Column) -> float | str | bool:
    """What a blank means: NaN, the empty text or False where the column names nothing else."""
    if column.kind == "str":
        return column.default if isinstance(column.default, str) else ""
    if column.kind == "bool":
        return column.default is True
    return column.default


def row_label(table: pd.DataFrame, position: int) -> str:
    """How messages name a row: its line in a file whose header is line 1, and its name."""
    index = table.index[position]
    line = int(index) + 2 if isinstance(index, int | np.integer) else position + 2
    name = table["name"].iloc[position] if "name" in table.columns else ""
    return f"row {line}" if pd.isna(name) or name == "" else f"row {line} ({name})"


def _rows(bad: pd.Series | np.ndarray, table: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """Label and position of the rows marked in `bad`, the first few of them."""
    for position in np.flatnonzero(bad)[:MAX_FAULTS_PER_COLUMN]:
        yield row_label(table, int(position)), int(position)


def _more(bad: pd.Series | np.ndarray, source: str, column: Column) -> list[str]:
    rest = int(bad.sum()) - MAX_FAULTS_PER_COLUMN
    return [f"{source}: {rest} more rows with a bad {column.name}"] if rest > 0 else []


def _range(column: Column) -> str:
    if not np.isfinite([column.low, column.high]).any():
        return "expected a finite number"
    return f"expected {column.low:g} to {column.high:g} {column.unit}".rstrip()


def _read_float(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    number, unreadable = _numbers(given)
    empty = np.isnan(number)
    missing = empty & ~unreadable & column.required
    outside = ~empty & ~((column.low <= number) & (number <= column.high) & np.isfinite(number))
    outside &= number != column.default  # an already filled table stays valid
    faults = [
        f"{source}, {row}: {column.name} is {given.iloc[at]!r}, expected a number [{column.unit}]"
        for row, at in _rows(unreadable, table)
    ]
    faults += [
        f"{source}, {row}: {column.name} has no value, {_range(column)}"
        for row, at in _rows(missing, table)
    ]
    faults += [
        f"{source}, {row}: {column.name} is {number[at]:g} {column.unit}, {_range(column)}"
        for row, at in _rows(outside, table)
    ]
    for bad in (unreadable, missing, outside):
        faults += _more(bad, source, column)
    if not column.required:
        number = np.where(empty, column.default, number)
    return pd.Series(number, index=given.index, name=given.name), faults


def _numbers(given: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Cells as numbers, NaN where there is none, and which hold something else."""
    if isinstance(given.dtype, np.dtype) and given.dtype.kind in "fiu":
        return given.to_numpy(float, copy=True), np.zeros(len(given), bool)
    number = pd.to_numeric(given, errors="coerce").to_numpy(float, na_value=np.nan, copy=True)
    if given.dtype == bool:
        number[:] = np.nan
    if given.dtype == object:  # text: to_numeric may miss the last digit, float does not
        number[[not _is_number(value) for value in given]] = np.nan
        readable = np.flatnonzero(~np.isnan(number))
        cells = given.to_numpy()
        number[readable] = [float(cells[at]) for at in readable]
    text = [str(value).strip().lower() for value in given]
    blank = given.isna().to_numpy() | np.array([word in ("", "nan") for word in text], bool)
    return number, np.isnan(number) & ~blank


def _is_number(value: object) -> bool:
    """Whether a cell holds a number, or a word for what is none; true is no 1, nor is 1_000."""
    if isinstance(value, str):
        text = value.strip()
        return NUMBER.fullmatch(text) is not None or text.lower().lstrip("+-") in NOT_FINITE
    return not isinstance(value, bool | np.bool_)


def _read_text(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    text = given.map(_as_text)
    missing = (text == "") & column.required
    faults = [f"{source}, {row}: {column.name} has no value" for row, _ in _rows(missing, table)]
    return text.where(text != "", _default(column)), faults + _more(missing, source, column)


def _as_text(value: object) -> str:
    """Text of a cell: blanks are empty, and a whole number has no `.0` behind it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


TRUE, FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def _read_bool(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    text = given.map(lambda value: _as_text(value).lower())
    bad = ~text.isin(TRUE | FALSE | {""})
    faults = [
        f"{source}, {row}: {column.name} is {given.iloc[at]!r}, expected true or false"
        for row, at in _rows(bad, table)
    ]
    value = text.map(lambda word: _default(column) if word == "" else word in TRUE)
    return value.astype(bool), faults + _more(bad, source, column)
