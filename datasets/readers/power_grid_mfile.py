"""MATPOWER cases as text (`.m`) or as MATLAB data (`.mat`): the tables as they are written.

A `.m` file is a program. Read are assignments of written-out numbers and words to the fields of
the case, and the few lines behind them by which the distribution cases of MATPOWER convert ohms
and kilowatts. Any other statement could change the tables, so it is refused with its line.

R. D. Zimmerman, C. E. Murillo-Sánchez, MATPOWER User's Manual, appendix B "Data File Format".
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.datasets.readers.matlab_text import (
    STRAY,
    Statement,
    statements,
    without_comments,
    words,
)
from tvilling.datasets.readers.power_grid_mat import read_mat
from tvilling.sciml.errors import InputError
from tvilling.sciml.io.files import read_text

Tables = dict[str, Any]
ADVICE = "write the case out with savecase in MATPOWER first"
MAX_BYTES = 60_000_000
MAX_ROWS, MAX_ROW = 1_000_000, 20_000  # rows of a matrix, characters of a row
MAX_SHOWN, MAX_FAULTS = 20, 100  # faults of a matrix, of a file
HEAD = re.compile(r"function\s+(\w{1,60})\s*=\s*\w+\s*(\(\s*\))?")
ROW = re.compile(r"[^;\n]+|\n")
PD, QD, BASE_KV, BR_R, BR_X = 2, 3, 9, 2, 3
IGNORED = re.compile(r"\[[A-Z0-9_,]+\]=idx_(bus|brch|gen|cost)|define_constants|end|return")


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
    for statement in statements(text, head.end(), str(path)):
        value = _value(statement, faults) if statement.owner == head[1] else None
        if value is not None:
            fields[statement.field] = value
        else:
            said = statement.text or f"{statement.owner}.{statement.field} = {statement.kind}"
            computed.append((statement.line, "".join(said[:500].split())))
    faults += [
        f"{head[1]}.{name} is missing"
        for name in ("baseMVA", "bus", "gen", "branch")
        if name not in fields
    ]
    notes = [] if faults else _convert(fields, computed, head[1], faults)
    if faults:
        more = len(faults) - MAX_FAULTS
        raise InputError(
            str(path), faults[:MAX_FAULTS] + ([f"{more} more faults"] if more > 0 else [])
        )
    return fields, notes


def _value(statement: Statement, faults: list[str]) -> Any:
    """The value that a statement assigns, None where it is not written out."""
    if statement.kind == "[":
        return _matrix(statement.value, statement.line, faults)
    if statement.kind == "{":
        return words(statement.value)
    if statement.kind == "'":
        return statement.value.replace("''", "'")
    return _number(statement.value)


def _number(text: str) -> float | None:
    """A number as MATLAB writes one; Python takes more, such as 1_000."""
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _matrix(body: str, line: int, faults: list[str]) -> np.ndarray:
    """Rows of numbers, apart by semicolons or line ends; a bad row becomes a fault."""
    rows: list[list[float]] = []
    said: list[str] = []
    width = 0
    for part in ROW.finditer(body):
        if part[0] == "\n":
            line += 1
            continue
        text = part[0].replace(",", " ")
        if len(text) > MAX_ROW or len(rows) >= MAX_ROWS:
            most = f"expected at most {MAX_ROWS} rows of {MAX_ROW} characters"
            said.append(f"line {line}: the matrix is too large, {most}")
            break
        cells = text.split()
        if cells:
            width = width or len(cells)
            rows.append(_row(cells, width, line, said))
        line += text.count(STRAY)
    more = len(said) - MAX_SHOWN
    faults += said[:MAX_SHOWN] + ([f"{more} more such rows"] if more > 0 else [])
    return np.array([row for row in rows if row] or np.empty((0, 0)), float)


def _row(cells: list[str], width: int, line: int, faults: list[str]) -> list[float]:
    """Numbers of a row; none where there is a fault."""
    if len(cells) != width:
        faults.append(f"line {line}: {len(cells)} numbers, the first row has {width}")
        return []
    numbers = [_number(cell) for cell in cells]
    bad = [cell for cell, number in zip(cells, numbers, strict=True) if number is None]
    if bad:
        faults.append(f"line {line}: {bad[0][:60]!r} is not a number")
        return []
    return [number for number in numbers if number is not None]


def _convert(
    fields: Tables, computed: list[tuple[int, str]], name: str, faults: list[str]
) -> list[str]:
    """Carry out the known conversions, in place, in their order; others become faults."""
    notes = []
    known = {
        f"Vbase={name}.bus(1,BASE_KV)*1e3": None,
        f"Sbase={name}.baseMVA*1e6": None,
        f"{name}.branch(:,[BR_RBR_X])={name}.branch(:,[BR_RBR_X])/(Vbase^2/Sbase)": _ohms,
        f"{name}.bus(:,[PD,QD])={name}.bus(:,[PD,QD])/1e3": _kilowatts,
        f"{name}.bus(:,QD)={name}.bus(:,PD)*sin(acos(pf))": _reactive,
        f"{name}.bus(:,PD)={name}.bus(:,PD)*pf": _active,
    }
    factor = 1.0
    sound = _is_sound(fields)  # what is not is told later, with the columns that are missing
    for line, statement in computed:
        if IGNORED.fullmatch(statement):
            continue
        if found := re.fullmatch(r"pf=(0?\.\d+|1)", statement):
            factor = float(found[1])
        elif statement in known:
            convert = known[statement]
            if convert and sound:
                notes.append(convert(fields, factor))
        else:
            shown = statement if len(statement) < 60 else statement[:57] + "..."
            faults.append(f"line {line}: `{shown}` computes something; {ADVICE}")
    return notes


def _is_sound(fields: Tables) -> bool:
    """Whether there are tables to convert."""
    tables = (fields["bus"], BASE_KV), (fields["branch"], BR_X)
    shaped = all(
        isinstance(table, np.ndarray) and len(table) and table.shape[1] > last
        for table, last in tables
    )
    return shaped and isinstance(fields["baseMVA"], float) and fields["baseMVA"] > 0


def _ohms(fields: Tables, _: float) -> str:
    ohm = fields["bus"][0, BASE_KV] ** 2 / fields["baseMVA"]
    fields["branch"][:, [BR_R, BR_X]] /= ohm
    return f"branches are given in ohm and were divided by {ohm:g} ohm, as the file says"


def _kilowatts(fields: Tables, _: float) -> str:
    fields["bus"][:, [PD, QD]] /= 1e3
    return "loads are given in kW and kvar and were divided by 1000, as the file says"


def _reactive(fields: Tables, factor: float) -> str:
    fields["bus"][:, QD] = fields["bus"][:, PD] * np.sin(np.arccos(factor))
    return f"reactive loads follow from a power factor of {factor:g}, as the file says"


def _active(fields: Tables, factor: float) -> str:
    fields["bus"][:, PD] *= factor
    return f"loads are given in MVA and were multiplied by {factor:g}, as the file says"
