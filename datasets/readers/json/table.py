"""Tables of a JSON file as `pandas` frames: laid out in any way that pandas writes, typed by cell.

What a column is for is given by a schema; a column that is in none is kept as plain data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.json.cells import (
    DATES,
    GEOMETRY,
    LIST,
    WORD,
    CellKind,
    bad_rows,
    is_word,
    loose,
    shown,
)
from tvilling.datasets.readers.json.foreign import foreign_faults
from tvilling.datasets.readers.json.values import Foreign, RawTable, plain
from tvilling.datasets.readers.power_grid.labels import element, elements
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable
from tvilling.sciml.io.json_text import parse_json

Schema = Mapping[str, CellKind]
MAX_INDEX = 10_000_000  # tables are looked up in arrays of this length
MAX_CELLS = 6_000_000  # of all tables of a file
MAX_FAULTS_PER_COLUMN = 20
PLAIN = {int, float, bool, type(None)}
SOURCES = "pandapower.timeseries."  # modules of what controllers read profiles from
LAYOUTS = "expected one of split, columns, index, records"


@dataclass
class Findings:
    """What there is to say about a file while it is read."""

    source: str
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cells: int = 0

    def count(self, cells: "Cells") -> None:
        """Add up the cells of all tables, of which a file may hold `MAX_CELLS`.

        Raises
        ------
        InputError
            There are more.
        """
        self.cells += len(cells.index) * len(cells.columns)
        if self.cells > MAX_CELLS:
            raise InputError(self.source, [f"holds tables of more than {MAX_CELLS} cells"])

    def check(self) -> None:
        """Raise with every fault found so far.

        Raises
        ------
        InputError
            There is one.
        """
        if self.faults:
            raise InputError(self.source, self.faults)


@dataclass(frozen=True)
class Cells:
    """Cells of a table by column, and what its rows are called."""

    index: Sequence[Any]
    columns: dict[str, list[Any]]


def read_table(
    found: Findings, kind: str, value: Any, schema: Schema, units: Mapping[str, str]
) -> pd.DataFrame | None:
    """The table `kind` of a file, None where it cannot be read; every fault is noted in `found`.

    Parameters
    ----------
    value
        What the file holds in its place.
    schema
        Kind of each column that is known.
    units
        What is expected of a column in words, where that is more than its kind.
    """
    if not isinstance(value, RawTable):
        found.faults.append(f"{kind}: is {_called(value)}, expected a table")
        return None
    try:
        cells = _cells(found.source, kind, value)
        index = _index(cells.index)
    except InputError as fault:
        found.faults += fault.faults
        return None
    except _LayoutError as fault:
        found.faults.append(f"{kind}: {fault}")
        return None
    found.count(cells)
    rows = pd.DataFrame({"name": _names(cells)}, index=index)
    columns = {}
    for name, column in cells.columns.items():
        if not PLAIN.issuperset(map(type, column)) and (foreign := foreign_faults(column)):
            found.faults += [f"{kind}: column {name} {fault}" for fault in foreign]
            continue
        declared = value.types.get(name, "")
        known = schema.get(name)
        if known is None:
            columns[name] = _loose(found, kind, name, column, declared)
            continue
        faults = _faults(rows, kind, name, column, known, declared, units.get(name, known.expected))
        found.faults += faults
        if not faults:
            columns[name] = known.build(column, declared)
            found.notes += _lost(rows, kind, name, column, columns[name])
    return pd.DataFrame(columns, index=index)


def retyped(
    found: Findings, kind: str, table: pd.DataFrame, schema: Schema, units: Mapping[str, str]
) -> pd.DataFrame:
    """`table` with the columns of its schema that still hold objects typed as well."""
    names = [name for name in table if name in schema and table[name].dtype == object]
    for name in names:
        if schema[name] in (WORD, GEOMETRY, LIST):
            continue
        cells, known = table[name].tolist(), schema[name]
        expected = units.get(name, known.expected)
        faults = _faults(table, kind, name, cells, known, "", expected)
        found.faults += faults
        if not faults:
            table = table.assign(**{name: known.build(cells, "")})
    return table


def object_names(found: Findings, kind: str, value: RawTable) -> tuple[int, list[str]]:
    """Rows of a table that is not read, and names of the objects in it; faults where damaged."""
    try:
        cells = _cells(found.source, kind, replace(value, levels=False))
    except InputError as fault:
        found.faults += fault.faults
        return 0, []
    except _LayoutError as fault:
        found.faults.append(f"{kind}: {fault}")
        return 0, []
    found.count(cells)
    objects = [cell for column in cells.columns.values() for cell in column]
    found.faults += [f"{kind}: {fault}" for fault in foreign_faults([list(cells.index), objects])]
    foreign = [cell for cell in objects if isinstance(cell, Foreign)]
    inside = [each for cell in foreign for each in _data_sources(found, cell)]
    names = sorted({each.name for each in (*foreign, *inside)})
    return len(cells.index), [printable(name, 60) for name in names[:10]]


def _data_sources(found: Findings, cell: Foreign) -> list[Foreign]:
    """What a controller takes its profiles from, such as a `DFData`."""
    content = cell.content
    if isinstance(content, str) and SOURCES in content:
        content = parse_json(content, found.source, cell.name)
    members = plain(content) if isinstance(content, dict) else {}
    values = members.values() if isinstance(members, dict) else ()
    return [
        each for each in values if isinstance(each, Foreign) and each.module.startswith(SOURCES)
    ]


class _LayoutError(ValueError):
    """A table that is not laid out as pandas writes one."""


def _cells(source: str, kind: str, table: RawTable) -> Cells:
    """Cells of a table in any of pandas' layouts, with plain data in them."""
    if table.unknown:
        raise _LayoutError(f"has the option {shown(table.unknown[0])}, which pandas never writes")
    if table.levels:
        raise _LayoutError("rows or columns have names of several levels, expected one")
    content = table.content
    if isinstance(content, str):
        content = parse_json(content, source, kind)
    if table.orient == "split" and isinstance(content, dict):
        return _split(content)
    if table.orient == "columns" and isinstance(content, dict):
        return _by_column(content)
    if table.orient == "index" and isinstance(content, dict):
        return _by_row(list(content), list(content.values()))
    if table.orient == "records" and isinstance(content, list):
        return _by_row(range(len(content)), content)
    raise _LayoutError(f"its layout is {shown(table.orient)} of {_called(content)}, {LAYOUTS}")


def _split(content: dict[str, Any]) -> Cells:
    names, index, data = (content.get(part) for part in ("columns", "index", "data"))
    if not (isinstance(names, list) and isinstance(index, list) and isinstance(data, list)):
        raise _LayoutError("expected lists of columns, index and data")
    if len(index) != len(data):
        raise _LayoutError(f"has {len(data)} rows and an index of {len(index)}")
    width = len(names)
    for row, cells in enumerate(data):
        if not isinstance(cells, list) or len(cells) != width:
            count = f"{len(cells)} cells" if isinstance(cells, list) else _called(cells)
            raise _LayoutError(f"row {shown(index[row])}: has {count}, expected {width}")
    columns = zip(*data, strict=True) if data else ([] for _ in names)
    return Cells(index, _named(names, [_column(list(column)) for column in columns]))


def _column(cells: list[Any]) -> list[Any]:
    """Cells as plain data; most columns hold nothing else."""
    return cells if PLAIN.issuperset(map(type, cells)) else plain(cells)


def _by_column(content: dict[str, Any]) -> Cells:
    for name, column in content.items():
        if not isinstance(column, dict):
            raise _LayoutError(f"column {shown(name)} is {_called(column)}, expected its rows")
    index = list(dict.fromkeys(label for column in content.values() for label in column))
    columns = [[plain(column.get(label)) for label in index] for column in content.values()]
    return Cells(index, _named(list(content), columns))


def _by_row(index: Sequence[Any], rows: Sequence[Any]) -> Cells:
    for label, row in zip(index, rows, strict=True):
        if not isinstance(row, dict):
            raise _LayoutError(f"row {shown(label)} is {_called(row)}, expected its cells")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Cells(index, _named(names, [[plain(row.get(name)) for row in rows] for name in names]))


def _named(names: list[Any], columns: list[list[Any]]) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = {}
    for name, column in zip(names, columns, strict=True):
        if not is_word(name):
            raise _LayoutError(f"a column is called {shown(name)}, expected text")
        if name in named:
            raise _LayoutError(f"column {shown(name)} is given twice")
        named[name] = column
    return named


def _index(labels: Sequence[Any]) -> pd.Index:
    """The labels of rows as whole numbers from 0, each once."""
    wholes = [_label(label) for label in labels]
    index = pd.Index(np.array(wholes, np.int64))
    if not index.is_unique:
        twice = ", ".join(str(label) for label in index[index.duplicated()].unique()[:10])
        raise _LayoutError(f"index {twice} stands more than once")
    return index


def _label(label: Any) -> int:
    if isinstance(label, str) and label.isascii() and label.isdigit() and len(label) < 10:
        label = int(label)
    whole = isinstance(label, int | float) and not isinstance(label, bool) and label == label // 1
    if not whole or not 0 <= label <= MAX_INDEX:
        raise _LayoutError(f"index is {shown(label)}, expected a whole number of 0 to {MAX_INDEX}")
    return int(label)


def _names(cells: Cells) -> list[Any]:
    given = cells.columns.get("name", [None] * len(cells.index))
    return [name if is_word(name) else None for name in given]


def _faults(
    rows: pd.DataFrame,
    kind: str,
    name: str,
    cells: list[Any],
    known: CellKind,
    declared: str,
    expected: str,
) -> list[str]:
    if declared.startswith(DATES):
        return [f"{kind}: column {name} is of type {shown(declared)}, expected {expected}"]
    bad = bad_rows(known, cells)
    faults = [
        f"{element(rows, kind, row)}: {name} {_is(cells[row])}, expected {expected}"
        for row in bad[:MAX_FAULTS_PER_COLUMN]
    ]
    more = len(bad) - len(faults)
    return faults + ([f"{kind}: {more} more rows with such a {name}"] if more else [])


def _is(cell: Any) -> str:
    blank = cell is None or (isinstance(cell, float) and cell != cell)
    return "has no value" if blank else f"is {shown(cell)}"


def _lost(rows: pd.DataFrame, kind: str, name: str, cells: list[Any], built: Any) -> list[str]:
    """A note on cells that have a value and came to none, which only geometries do."""
    if built.dtype != object:
        return []
    lost = np.array(
        [new is None and old not in (None, "") for old, new in zip(cells, built, strict=True)], bool
    )
    if not lost.any():
        return []
    return [f"{name} is no point or line in GeoJSON and left out: {elements(rows, kind, lost)}"]


def _loose(found: Findings, kind: str, name: str, cells: list[Any], declared: str) -> Any:
    """A column that is in no schema, and a note on what of it is no plain data."""
    objects = [cell for cell in cells if isinstance(cell, Foreign | RawTable)]
    if objects:
        names = sorted({each.name if isinstance(each, Foreign) else "table" for each in objects})
        listed = ", ".join(shown(each)[1:-1] for each in names[:10])
        found.notes.append(f"objects in column {name} of table {kind} are not read: {listed}")
    if any(isinstance(cell, str) and not is_word(cell) for cell in cells):
        found.faults.append(f"{kind}: column {name} holds what is no text")
    return loose(cells, declared)


def _called(value: Any) -> str:
    """What a value is, in a word."""
    if isinstance(value, Foreign):
        return shown(value)
    words = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "a flag"}
    return words.get(type(value), "a number")
