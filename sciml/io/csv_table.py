"""Tables in text files: one way to read CSV, however a spreadsheet wrote it.

Cells are separated by commas, or by semicolons or tabs; then a number may have either decimal
sign, which is decided once for a file (`tvilling.sciml.io.decimals`). With commas between the
cells it is the point. The first line names the columns; a line `sep=;` before it is taken.
"""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from tvilling.sciml.io.decimals import Decimals, decide
from tvilling.sciml.io.files import read_text

MAX_CSV_BYTES = 40_000_000
MAX_LINE = 2_000_000
MAX_COLUMNS = 20_000
MAX_FAULTS = 20
SEPARATORS = (";", "\t", ",")


def read_cells(
    path: Path,
    is_number: Callable[[str], bool],
    comment: str = "",
    max_bytes: int = MAX_CSV_BYTES,
) -> tuple[pd.DataFrame, list[str]]:
    """Cells of the CSV file `path` as text, and its faults.

    Parameters
    ----------
    is_number
        Whether a column of that name holds numbers; theirs get a decimal point.
    comment
        Lines that begin with it are passed over.
    max_bytes
        Of the file.

    Returns
    -------
    DataFrame
        Indexed by the line in the file less two, as `row_label` wants it. Blank lines are left
        out, cells have no blanks around them.
    list
        One fault a row that has not as many cells as the header, a column without a name, a
        decimal sign that is not clear.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    text = read_text(path, max_bytes)
    return parse_cells(text, path.name, is_number, comment)


def parse_cells(
    text: str, name: str, is_number: Callable[[str], bool], comment: str = ""
) -> tuple[pd.DataFrame, list[str]]:
    """As `read_cells`, of a text that came out of the file `name`."""
    separator, skipped = separator_of(text, comment)
    try:
        rows = list(_rows(text, separator, comment, skipped))
    except csv.Error as fault:
        return pd.DataFrame(), [f"{name}: cannot be read as a table: {fault}"]
    if not rows:
        return pd.DataFrame(), [f"{name}: has no header"]
    (_, header), *body = rows
    width = _width(header, body)
    if width > MAX_COLUMNS:
        return pd.DataFrame(), [f"{name}: {width:,} columns, expected at most {MAX_COLUMNS:,}"]
    header = header[:width]
    faults = [
        f"{name}, row {line}: {len(row)} cells, expected {width}"
        for line, row in body
        if len(row) < width or any(row[width:])
    ]
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"{name}: {len(faults) - MAX_FAULTS} more such rows"]
    if "" in header:
        faults.append(f"{name}: column {header.index('') + 1} has no name")
    cells = [(row + [""] * width)[:width] for _, row in body]
    index = [line - 2 for line, _ in body]
    table = pd.DataFrame(cells, columns=pd.Index(header, dtype=object), index=index, dtype=object)
    table = table.loc[:, [one != "" for one in header]]
    return table if separator == "," else _with_points(table, name, is_number, faults), faults


def separator_of(text: str, comment: str = "") -> tuple[str, int]:
    """What stands between cells, and how many lines come before the header that say so."""
    for number, line in enumerate(io.StringIO(text)):
        if not line.strip() or (comment and line.startswith(comment)):
            continue
        told = line.strip().lower().removeprefix("sep=")
        if told in SEPARATORS and line.lower().startswith("sep="):
            return told, number + 1
        return next((one for one in SEPARATORS if _outside_quotes(line, one)), ","), number
    return ",", 0


def _outside_quotes(line: str, separator: str) -> bool:
    """Whether `separator` stands in `line`, and not in quotes."""
    return any(separator in part for part in line[:MAX_LINE].split('"')[::2])


def _rows(text: str, separator: str, comment: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank with the line in which it ends, counted from one."""
    lines = _lines(text, comment, skipped)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _lines(text: str, comment: str, skipped: int) -> Iterator[str]:
    """The lines of a text; those that are passed over are blank."""
    for number, line in enumerate(io.StringIO(text)):
        if len(line) > MAX_LINE:
            raise csv.Error(f"line {number + 1} has {len(line):,} characters")
        passed = number < skipped or (comment and line.startswith(comment))
        yield "\n" if passed else line


def _width(header: list[str], body: list[tuple[int, list[str]]]) -> int:
    """Number of columns, without those at the end that are blank in every row."""
    width = len(header)
    while width and not header[width - 1] and not any(any(row[width - 1 :]) for _, row in body):
        width -= 1
    return width


def _with_points(
    table: pd.DataFrame, name: str, is_number: Callable[[str], bool], faults: list[str]
) -> pd.DataFrame:
    """`table` with decimal points in its columns of numbers; what is not clear is a fault."""
    at = [k for k, column in enumerate(table.columns) if is_number(str(column))]
    decimals: Decimals = decide(
        (f"row {line + 2}: {table.columns[k]}", cell)
        for k in at
        for line, cell in zip(table.index, table.iloc[:, k], strict=True)
    )
    if decimals.fault:
        faults.append(f"{name}, {decimals.fault}")
        return table
    numbers = set(at)
    columns = [
        table.iloc[:, k].map(decimals.plain) if k in numbers else table.iloc[:, k]
        for k in range(table.shape[1])
    ]
    return pd.concat(columns, axis=1) if columns else table
