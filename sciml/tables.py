"""Tables as a user hands them over: columns with unit, range and default, and their faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

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
        if column.required:
            return _constant(table, column), [
                f"{source}: column {column.name} [{column.unit}] is missing"
            ]
        return _constant(table, column), []
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
    faults = [
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
    return pd.Series([column.default] * len(table), index=table.index)


def _rows(bad: pd.Series, table: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """Label and position of the rows marked in `bad`, the first few of them."""
    names = table["name"] if "name" in table.columns else None
    for position in np.flatnonzero(bad.to_numpy())[:MAX_FAULTS_PER_COLUMN]:
        name = (
            "" if names is None or pd.isna(names.iloc[position]) else f" ({names.iloc[position]})"
        )
        yield f"row {position + 2}{name}", int(position)


def _more(bad: pd.Series, source: str, column: Column) -> list[str]:
    rest = int(bad.sum()) - MAX_FAULTS_PER_COLUMN
    return [f"{source}: {rest} more rows with a bad {column.name}"] if rest > 0 else []


def _range(column: Column) -> str:
    return f"expected {column.low:g} to {column.high:g} {column.unit}"


def _read_float(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    number = pd.to_numeric(given, errors="coerce").astype(float)
    blank = given.isna() | (given.astype(str).str.strip() == "")
    unreadable = number.isna() & ~blank & (given.astype(str).str.strip().str.lower() != "nan")
    missing = number.isna() & ~unreadable & column.required
    outside = number.notna() & ~number.between(column.low, column.high)
    faults = [
        f"{source}, {row}: {column.name} is {given.iloc[at]!r}, expected a number [{column.unit}]"
        for row, at in _rows(unreadable, table)
    ]
    faults += [
        f"{source}, {row}: {column.name} has no value, {_range(column)}"
        for row, at in _rows(missing, table)
    ]
    faults += [
        f"{source}, {row}: {column.name} is {number.iloc[at]:g} {column.unit}, {_range(column)}"
        for row, at in _rows(outside, table)
    ]
    for bad in (unreadable, missing, outside):
        faults += _more(bad, source, column)
    return number.fillna(column.default) if not column.required else number, faults


def _read_text(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    text = given.map(lambda value: "" if pd.isna(value) else str(value).strip())
    missing = (text == "") & column.required
    faults = [f"{source}, {row}: {column.name} has no value" for row, _ in _rows(missing, table)]
    if isinstance(column.default, str) and column.default:
        text = text.where(text != "", column.default)
    return text, faults + _more(missing, source, column)


TRUE, FALSE = {"true", "1", "1.0", "yes"}, {"false", "0", "0.0", "no"}


def _read_bool(
    given: pd.Series, table: pd.DataFrame, column: Column, source: str
) -> tuple[pd.Series, list[str]]:
    text = given.map(lambda value: "" if pd.isna(value) else str(value).strip().lower())
    bad = ~text.isin(TRUE | FALSE | {""})
    faults = [
        f"{source}, {row}: {column.name} is {given.iloc[at]!r}, expected true or false"
        for row, at in _rows(bad, table)
    ]
    value = text.map(lambda word: bool(column.default) if word == "" else word in TRUE)
    return value.astype(bool), faults + _more(bad, source, column)
