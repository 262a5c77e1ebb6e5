"""MATPOWER cases as text (`.m`) or as MATLAB data (`.mat`): the tables as they are written.

A `.m` file is a program. Read are assignments of numbers, of arithmetic with numbers and of words
to the fields of the case, and lines behind them that scale or set columns. Any other statement
could change the tables, so it is refused with its line; so are conditions and loops.

R. D. Zimmerman, C. E. Murillo-Sánchez, MATPOWER User's Manual, appendix B "Data File Format".
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.datasets.readers.matpower.arithmetic import ExpressionError, evaluate, split_cells
from tvilling.datasets.readers.matpower.m_file_conversions import (
    ADVICE,
    Tables,
    convert,
    cut,
    squeezed,
    variable,
)
from tvilling.datasets.readers.matpower.mat_file import read_mat
from tvilling.datasets.readers.matpower.matlab_text import (
    STRAY,
    Statement,
    statements,
    without_comments,
    words,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_text

MAX_BYTES = 60_000_000
MAX_ROWS, MAX_ROW = 1_000_000, 20_000  # rows of a matrix, characters of a row
MAX_SHOWN, MAX_FAULTS = 20, 100  # faults of a matrix, of a file
HEAD = re.compile(r"function\s+(\w{1,60})\s*=\s*\w+[^\S\n]*(?:\(([^()\n]{0,200})\))?")
ROW = re.compile(r"[^;\n]+|\n")
BLOCK = re.compile(r"(if|for|parfor|while|switch|try)\b")
BLOCK_END = re.compile(r"end(if|for|while|switch|_try_catch)?")


def read_case(path: Path) -> tuple[Tables, list[str]]:
    """The fields of a case: matrices as arrays of numbers, lists of words, numbers and words.

    Returns
    -------
    tuple
        The fields by name, units as MATPOWER has them, and notes on what was converted.

    Raises
    ------
    InputError
        The file cannot be read, is no case of version 2, or computes something.
    """
    return read_mat(path) if path.suffix.lower() == ".mat" else _read_m(path)


def _read_m(path: Path) -> tuple[Tables, list[str]]:
    text = without_comments(read_text(path, MAX_BYTES), str(path))
    head = HEAD.match(text, len(text) - len(text.lstrip()))
    if head is None:
        raise InputError(
            str(path),
            ["does not start with `function mpc = NAME`; expected a MATPOWER case of version 2"],
        )
    fields: Tables = {}
    faults: list[str] = []
    computed: list[tuple[int, str]] = []
    names: dict[str, float] = {}
    if (head[2] or "").strip():
        faults.append(f"line 1: takes the arguments ({head[2].strip()}), which no file gives")
    for statement in _outside_blocks(statements(text, head.end(), str(path)), faults):
        value = _value(statement, names, faults) if statement.owner == head[1] else None
        if value is not None:
            fields[statement.field] = value
        else:
            said = statement.text or f"{statement.owner}.{statement.field} = {statement.kind}"
            variable(squeezed(said), names)
            computed.append((statement.line, said))
    missing = [name for name in ("baseMVA", "bus", "gen", "branch") if name not in fields]
    faults += [f"{head[1]}.{name} is missing" for name in missing]
    notes = [] if missing else convert(fields, computed, head[1], faults)
    if faults:
        more = len(faults) - MAX_FAULTS
        raise InputError(
            str(path), faults[:MAX_FAULTS] + ([f"{more} more faults"] if more > 0 else [])
        )
    return fields, notes


def _outside_blocks(every: Iterable[Statement], faults: list[str]) -> Iterator[Statement]:
    """Statements that always run; a block that depends on a condition becomes one fault."""
    depth, last = 0, 0
    opened: Statement | None = None
    for statement in every:
        last, text = statement.line, statement.text.strip()
        if BLOCK.match(text):
            opened = opened or statement
            depth += 1
        elif opened is None:
            yield statement
        elif BLOCK_END.fullmatch(text):
            depth -= 1
            if not depth:
                faults.append(_of_block(opened, last))
                opened = None
    if opened is not None:
        faults.append(_of_block(opened, last))


def _of_block(opened: Statement, last: int) -> str:
    return (
        f"line {opened.line}: `{cut(opened.text)}`, down to line {last}, is a part of the program "
        f"that only MATLAB can run; {ADVICE}"
    )


def _value(statement: Statement, names: dict[str, float], faults: list[str]) -> Any:
    """The value that a statement assigns, None where it is not written out."""
    if statement.kind == "[":
        return _matrix(statement.value, statement.line, names, faults)
    if statement.kind == "{":
        return words(statement.value)
    if statement.kind == "'":
        return statement.value.replace("''", "'")
    try:
        return evaluate(statement.value, names)
    except ExpressionError:
        return None


def _number(text: str) -> float | None:
    """A number as MATLAB writes one; Python takes more, such as 1_000."""
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _matrix(body: str, line: int, names: dict[str, float], faults: list[str]) -> np.ndarray:
    """Rows of numbers, apart by semicolons or line ends; a bad row becomes a fault."""
    rows: list[list[float]] = []
    said: list[str] = []
    width = 0
    for part in ROW.finditer(body):
        if part[0] == "\n":
            line += 1
            continue
        text = part[0]
        if len(text) > MAX_ROW or len(rows) >= MAX_ROWS:
            most = f"expected at most {MAX_ROWS} rows of {MAX_ROW} characters"
            said.append(f"line {line}: the matrix is too large, {most}")
            break
        cells = _numbers(text, names, line, said)
        if cells:
            width = width or len(cells)
            if len(cells) == width:
                rows.append(cells)
            else:
                said.append(f"line {line}: {len(cells)} numbers, the first row has {width}")
        line += text.count(STRAY)
    more = len(said) - MAX_SHOWN
    faults += said[:MAX_SHOWN] + ([f"{more} more such rows"] if more > 0 else [])
    return np.array(rows or np.empty((0, 0)), float)


def _numbers(text: str, names: dict[str, float], line: int, faults: list[str]) -> list[float]:
    """Numbers of a row, each written out or as arithmetic; none where there is a fault."""
    plain = [_number(cell) for cell in text.replace(",", " ").split()]
    numbers = [number for number in plain if number is not None]
    if len(numbers) == len(plain):
        return numbers
    numbers = []
    for cell in split_cells(text):
        try:
            numbers.append(evaluate(cell, names))
        except ExpressionError as fault:
            faults.append(f"line {line}: {cell[:60]!r} {fault}")
            return []
    return numbers
