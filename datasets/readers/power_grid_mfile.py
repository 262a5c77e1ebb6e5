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

from tvilling.sciml.errors import InputError
from tvilling.sciml.io.files import read_text

Tables = dict[str, Any]
MAX_MAT_BYTES = 500_000_000
ADVICE = "write the case out with savecase in MATPOWER first"
HEAD = re.compile(r"function\s+(\w+)\s*=\s*\w+\s*(\(\s*\))?")
FIELD = re.compile(r"(\w+)\.(\w+)\s*=\s*")
MATRIX = re.compile(r"\[([^\]]*)\]")
CELLS = re.compile(r"\{((?:[^'}]|'(?:[^']|'')*')*)\}")
SCALAR = re.compile(r"('(?:[^']|'')*'|[^;\n,'\[{]+)")
OTHER = re.compile(r"[^;\n]+")
COMMENT = re.compile(r"('(?:[^'\n]|'')*')|%[^\n]*")
CONTINUED = re.compile(r"\.\.\.[^\n]*\n")
STRAY = "\f"  # stands for the end of a continued line, so that lines can still be counted
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
    return _read_mat(path) if path.suffix.lower() == ".mat" else _read_m(path)


def _read_m(path: Path) -> tuple[Tables, list[str]]:
    text = COMMENT.sub(lambda found: found[1] or "", read_text(path))
    text = CONTINUED.sub(STRAY, text)
    head = HEAD.match(text.lstrip())
    if head is None:
        raise InputError(
            str(path),
            ["does not start with `function mpc = NAME`; expected a MATPOWER case of version 2"],
        )
    at = text.index(head[0]) + len(head[0])
    fields: Tables = {}
    faults: list[str] = []
    computed: list[tuple[int, str]] = []
    while (at := _next(text, at)) < len(text):
        line = 1 + text.count("\n", 0, at) + text.count(STRAY, 0, at)
        named = FIELD.match(text, at)
        value = _value(text, named.end(), line, faults) if named else None
        if named and value and named[1] == head[1]:
            fields[named[2]], at = value
            continue
        statement = OTHER.match(text, at)
        assert statement is not None  # what separates statements was skipped
        at = statement.end()
        computed.append((line, "".join(statement[0].split())))
    faults += [
        f"{head[1]}.{name} is missing"
        for name in ("baseMVA", "bus", "gen", "branch")
        if name not in fields
    ]
    notes = [] if faults else _convert(fields, computed, head[1], faults)
    if faults:
        raise InputError(str(path), faults)
    return fields, notes


def _next(text: str, at: int) -> int:
    """Where the statement at or behind `at` begins."""
    while at < len(text) and (text[at].isspace() or text[at] in ";,"):
        at += 1
    return at


def _value(text: str, at: int, line: int, faults: list[str]) -> tuple[Any, int] | None:
    """The value that stands at `at` and where it ends, None where it is not written out."""
    if found := MATRIX.match(text, at):
        return _matrix(found[1], line, faults), found.end()
    if found := CELLS.match(text, at):
        words = re.findall(r"'((?:[^']|'')*)'", found[1])
        return [word.replace("''", "'").strip() for word in words], found.end()
    found = SCALAR.match(text, at)
    if found is None:
        return None
    word = found[1].strip()
    if word.startswith("'"):
        return word.strip("'"), found.end()
    try:
        return float(word), found.end()
    except ValueError:
        return None


def _matrix(body: str, line: int, faults: list[str]) -> np.ndarray:
    """Rows of numbers, apart by semicolons or line ends; a bad row becomes a fault."""
    rows: list[list[str]] = []
    places: list[int] = []
    for text in body.split("\n"):
        for part in text.split(";"):
            if cells := part.replace(",", " ").split():
                rows.append(cells)
                places.append(line)
        line += 1 + text.count(STRAY)
    width = len(rows[0]) if rows else 0
    table = np.full((len(rows), width), np.nan)
    for at, (cells, place) in enumerate(zip(rows, places, strict=True)):
        if len(cells) != width:
            faults.append(f"line {place}: {len(cells)} numbers, the first row has {width}")
            continue
        try:
            table[at] = [float(cell) for cell in cells]
        except ValueError as fault:
            faults.append(f"line {place}: {str(fault).split(': ')[-1]} is not a number")
    return table


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
    for line, statement in computed:
        if IGNORED.fullmatch(statement):
            continue
        if found := re.fullmatch(r"pf=(0?\.\d+|1)", statement):
            factor = float(found[1])
        elif statement in known:
            convert = known[statement]
            if convert:
                notes.append(convert(fields, factor))
        elif statement not in known:
            shown = statement if len(statement) < 60 else statement[:57] + "..."
            faults.append(f"line {line}: `{shown}` computes something; {ADVICE}")
    return notes


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


def _read_mat(path: Path) -> tuple[Tables, list[str]]:
    from scipy.io import loadmat

    if path.stat().st_size > MAX_MAT_BYTES:
        raise InputError(str(path), [f"is larger than {MAX_MAT_BYTES / 1e6:g} MB"])
    try:
        content = loadmat(path)
    except Exception as fault:  # whatever a damaged file makes scipy raise
        reason = " ".join(str(fault).split()) or type(fault).__name__
        advice = "expected MATLAB data of version 7 or older (save -v7)"
        raise InputError(str(path), [f"cannot be read ({reason}); {advice}"]) from fault
    structs = [value for value in content.values() if getattr(value, "dtype", None) is not None]
    cases = [value for value in structs if {"bus", "branch"} <= set(value.dtype.names or ())]
    if len(cases) != 1 or cases[0].size != 1:
        raise InputError(str(path), ["holds no struct with bus, gen and branch, such as mpc"])
    case = cases[0].flat[0]
    return {name: _plain(case[name]) for name in cases[0].dtype.names}, []


def _plain(value: Any) -> Any:
    """A MATLAB value as number, word, list of words or matrix."""
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return [
            str(np.asarray(cell).flat[0]).strip() if np.size(cell) else "" for cell in array.flat
        ]
    if array.dtype.kind == "U":
        return str(array.flat[0]) if array.size == 1 else [str(word).strip() for word in array.flat]
    if array.dtype.kind not in "iufb":
        return None
    return float(array.flat[0]) if array.size == 1 else np.atleast_2d(array.astype(float))
