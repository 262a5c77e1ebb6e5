"""Text tables of Modelica (`.mos`, `.txt`): `#1`, then `double NAME(rows, columns)` and numbers."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_text

HEADER = re.compile(r"^(?:double|float)\s+(\w+)\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)")
SEPARATORS = re.compile(r"[\s,;]+")
MAX_FAULTS = 20


def read_mos(path: Path) -> dict[str, Float[np.ndarray, "row column"]]:
    """Every matrix of the file by its name.

    The format is that of `Modelica.Blocks.Tables`: the first line is `#1`, each matrix has a
    header with its size, numbers are parted by blanks, commas or semicolons, and `#` begins a
    comment. A matrix stands one row a line here.

    Raises
    ------
    InputError
        With every fault: no such file, wrong first line, a cell that is not a number, a row too
        long or too short, fewer or more rows than the header says (a file cut short).
    """
    lines = read_text(path).splitlines()
    faults = [] if lines[:1] == ["#1"] else [f"{path.name}, line 1: expected #1"]
    rows: dict[str, list[list[float]]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    name = ""
    for number, line in enumerate(lines[1:], start=2):
        text = line.split("#")[0].strip()
        header = HEADER.match(text)
        if header:
            name = header[1]
            rows[name], sizes[name] = [], (int(header[2]), int(header[3]))
        elif text and not name:
            faults.append(f"{path.name}, line {number}: expected double NAME(rows, columns)")
        elif text:
            row, found = _read_row(text, sizes[name][1], f"{path.name}, line {number}")
            rows[name].append(row)
            faults += found
    faults += _check_sizes(rows, sizes, path.name)
    if faults:
        more = [f"{path.name}: {len(faults) - MAX_FAULTS} more faults"]
        raise InputError(path.name, faults[:MAX_FAULTS] + more * (len(faults) > MAX_FAULTS))
    return {name: np.array(matrix) for name, matrix in rows.items()}


def read_matrix(path: Path, name: str, columns: int) -> Float[np.ndarray, "row column"]:
    """The matrix `name` of a file, which must have so many columns.

    Raises
    ------
    InputError
        As `read_mos`, and where the matrix is absent or has another number of columns.
    """
    found = read_mos(path)
    if name not in found:
        known = ", ".join(found) or "none"
        raise InputError(path.name, [f"{path.name}: no matrix {name}; it holds {known}"])
    if found[name].shape[1] != columns:
        width = found[name].shape[1]
        fault = f"{path.name}: matrix {name} has {width} columns, expected {columns}"
        raise InputError(path.name, [fault])
    return found[name]


def _read_row(text: str, width: int, place: str) -> tuple[list[float], list[str]]:
    cells = [cell for cell in SEPARATORS.split(text) if cell]
    row, faults = [], []
    for cell in cells:
        try:
            row.append(float(cell))
        except ValueError:
            row.append(np.nan)
        if not np.isfinite(row[-1]):
            faults.append(f"{place}: {cell!r} is not a finite number")
    if len(cells) != width:
        faults.append(f"{place}: {len(cells)} numbers, expected {width}")
    return row, faults


def _check_sizes(
    rows: dict[str, list[list[float]]], sizes: dict[str, tuple[int, int]], source: str
) -> list[str]:
    if not rows:
        return [f"{source}: no matrix in the file"]
    return [
        f"{source}: matrix {name} has {len(matrix)} rows, its header says {sizes[name][0]}"
        for name, matrix in rows.items()
        if len(matrix) != sizes[name][0]
    ]
