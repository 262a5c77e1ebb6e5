"""Cells of a column out of a JSON file, typed one by one.

A cell is a number, a whole number, a flag, a word, a list or a geometry, by what its column is for;
anything else is bad, and nothing is guessed from text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.json.geometry import geometry_text
from tvilling.datasets.readers.json.values import FLOATS, WHOLES, Foreign, RawTable
from tvilling.sciml.io.escape import printable

MAX_WORD = 10_000  # characters
MAX_WHOLE = 2**62
DATES = ("datetime", "timedelta", "period")
BLANK = type(None)


@dataclass(frozen=True)
class CellKind:
    """What the cells of a column may be.

    Attributes
    ----------
    expected
        In words, for messages.
    types
        Types of which every value is good.
    good
        Whether any other cell is.
    build
        The column of good cells; it is also given the type that the file declares.
    """

    expected: str
    types: frozenset[type]
    good: Callable[[Any], bool]
    build: Callable[[list[Any], str], Any]


def bad_rows(kind: CellKind, cells: list[Any]) -> list[int]:
    """Rows whose cells are not of `kind`."""
    if kind.types.issuperset(map(type, cells)):
        return []
    return [
        row
        for row, cell in enumerate(cells)
        if type(cell) not in kind.types and not kind.good(cell)
    ]


def shown(cell: Any) -> str:
    """A cell as messages show it."""
    if isinstance(cell, Foreign):
        return printable(f"an object of {cell.module}.{cell.name}", 120)
    if isinstance(cell, RawTable):
        return "a table"
    return printable(repr(cell) if isinstance(cell, str) else str(cell), 60)


def is_word(cell: Any) -> bool:
    """Whether a text can be stored and shown: no NUL, no half of a character, not endless."""
    if not isinstance(cell, str) or len(cell) > MAX_WORD or "\0" in cell:
        return False
    return cell.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in cell)


def loose(cells: list[Any], declared: str) -> Any:
    """A column whose meaning is not known: flags, numbers, or whatever plain data it holds."""
    types = set(map(type, cells))
    if types == {bool} or (not types and declared == "bool"):
        return np.array(cells, bool)
    numeric = declared in WHOLES | FLOATS
    if types <= {int, float, BLANK} and (numeric or (types and BLANK not in types)):
        return _numbers(cells, declared)
    values = np.empty(len(cells), object)
    values[:] = [None if isinstance(cell, Foreign | RawTable) else cell for cell in cells]
    return values


def _numbers(cells: list[Any], declared: str) -> np.ndarray:
    if declared in WHOLES and all(type(cell) is int for cell in cells):
        return _wholes(cells, declared)
    values = np.array([np.nan if cell is None else cell for cell in cells], float)
    return values.astype(declared) if declared in FLOATS - {"float"} else values


def _wholes(cells: list[Any], declared: str) -> np.ndarray:
    """Whole numbers in the type that the file declares, where all of them fit into it."""
    values = np.array([int(cell) for cell in cells], np.int64)
    if declared not in WHOLES:
        return values
    if not len(values):
        return values.astype(declared)
    limits = np.iinfo(declared)
    fits = limits.min <= values.min() and values.max() <= limits.max
    return values.astype(declared) if fits else values


def _wholes_or_blank(cells: list[Any], declared: str) -> Any:
    if not any(_is_blank(cell) for cell in cells) and declared in WHOLES:
        return _wholes(cells, declared)
    values = [None if _is_blank(cell) else int(cell) for cell in cells]
    return pd.array(values, dtype="Int64")


def _flags(cells: list[Any], declared: str) -> np.ndarray:
    return np.array(cells, bool)


def _flags_or_blank(cells: list[Any], declared: str) -> np.ndarray:
    if any(_is_blank(cell) for cell in cells):
        return np.array([np.nan if _is_blank(cell) else bool(cell) for cell in cells], object)
    return np.array(cells, bool)


def _words(cells: list[Any], declared: str) -> np.ndarray:
    return np.array([None if _is_blank(cell) else cell for cell in cells], object)


def _lists(cells: list[Any], declared: str) -> np.ndarray:
    values = np.empty(len(cells), object)
    values[:] = cells
    return values


def _geometries(cells: list[Any], declared: str) -> np.ndarray:
    return np.array([geometry_text(cell) for cell in cells], object)


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)


def _is_whole(cell: Any) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return False
    return abs(cell) < MAX_WHOLE and cell == int(cell)


def _is_flag(cell: Any) -> bool:
    return isinstance(cell, bool) or (isinstance(cell, int | float) and cell in (0, 1))


def _is_name(cell: Any) -> bool:
    return _is_blank(cell) or is_word(cell) or isinstance(cell, bool | int | float)


def _kind(
    expected: str, types: tuple[type, ...], good: Callable[[Any], bool], build: Callable[..., Any]
) -> CellKind:
    return CellKind(expected, frozenset(types), good, build)


NUMBER = _kind("a number", (int, float, BLANK), lambda cell: False, _numbers)
WHOLE = _kind("a whole number", (), _is_whole, _wholes)
WHOLE_OR_BLANK = _kind(
    "a whole number or no value",
    (BLANK,),
    lambda cell: _is_blank(cell) or _is_whole(cell),
    _wholes_or_blank,
)
FLAG = _kind("true or false", (bool,), _is_flag, _flags)
FLAG_OR_BLANK = _kind(
    "true, false or no value",
    (bool, BLANK),
    lambda cell: _is_blank(cell) or _is_flag(cell),
    _flags_or_blank,
)
WORD = _kind("text", (BLANK,), _is_name, _words)
LIST = _kind("a list", (list, BLANK), _is_blank, _lists)
GEOMETRY = _kind("a GeoJSON geometry", (), lambda cell: True, _geometries)
