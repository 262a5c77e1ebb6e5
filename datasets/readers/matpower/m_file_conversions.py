"""Conversions that a MATPOWER case writes behind its tables: columns scaled, set, or named.

The distribution cases of MATPOWER give ohms and kilowatts and convert them in a few known lines.
Others scale or set columns, `mpc.bus(:, 3) = mpc.bus(:, 3) * 0.5`. Both are carried out here, with
numbers alone; any other statement is a fault.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tvilling.datasets.readers.matpower.arithmetic import ExpressionError, evaluate

Tables = dict[str, Any]
ADVICE = "write the case out with savecase in MATPOWER first"
PD, QD, BASE_KV, BR_R, BR_X = 2, 3, 9, 2, 3
IGNORED = re.compile(r"\[[A-Z0-9_,]+\]=idx_(bus|brch|gen|cost)|define_constants|end|return")
VARIABLE = re.compile(r"([A-Za-z]\w{0,60})=([^=].*)", re.ASCII)
CELLS = r"(\w{1,60})\.(bus|gen|branch)\((:|\d{1,9}),(\w{1,20}|\[[\w,]{1,200}\])\)"
ASSIGNED = re.compile(f"{CELLS}=(.+)", re.ASCII)
SCALED = re.compile(rf"{CELLS}(\.?[*/])(.+)", re.ASCII)
TIMES = re.compile(rf"(.+?)\.?\*{CELLS}", re.ASCII)
COLUMNS = {
    "bus": "BUS_I BUS_TYPE PD QD GS BS BUS_AREA VM VA BASE_KV ZONE VMAX VMIN",
    "gen": "GEN_BUS PG QG QMAX QMIN VG MBASE GEN_STATUS PMAX PMIN",
    "branch": "F_BUS T_BUS BR_R BR_X BR_B RATE_A RATE_B RATE_C TAP SHIFT BR_STATUS ANGMIN ANGMAX",
}
"""Names of the first columns, as `idx_bus`, `idx_gen` and `idx_brch` of MATPOWER give them."""


def convert(
    fields: Tables, computed: Sequence[tuple[int, str]], name: str, faults: list[str]
) -> list[str]:
    """Carry out conversions, in place, in their order; others become faults.

    Parameters
    ----------
    computed
        Line and text of each statement that assigns no field written out.
    name
        What the file calls its case.

    Returns
    -------
    list[str]
        A note on each conversion.
    """
    notes = []
    known = {
        f"Vbase={name}.bus(1,BASE_KV)*1e3": None,
        f"Sbase={name}.baseMVA*1e6": None,
        f"{name}.branch(:,[BR_R,BR_X])={name}.branch(:,[BR_R,BR_X])/(Vbase^2/Sbase)": _ohms,
        f"{name}.bus(:,[PD,QD])={name}.bus(:,[PD,QD])/1e3": _kilowatts,
        f"{name}.bus(:,QD)={name}.bus(:,PD)*sin(acos(pf))": _reactive,
        f"{name}.bus(:,PD)={name}.bus(:,PD)*pf": _active,
    }
    names: dict[str, float] = {}
    sound = _is_sound(fields)  # what is not is told later, with the columns that are missing
    for line, statement in computed:
        text = squeezed(statement)
        if IGNORED.fullmatch(text) or (variable(text, names) and text not in known):
            continue
        if text in known:
            change = known[text]
            if change and sound:
                notes.append(change(fields, names.get("pf", 1.0)))
            continue
        try:
            if not sound:
                continue
            notes.append(f"{_column_change(fields, text, name, names)}, as line {line} says")
        except ExpressionError as fault:
            faults.append(f"line {line}: `{cut(statement)}` {fault}; {ADVICE}")
    return notes


def squeezed(statement: str) -> str:
    """A statement without spaces, with commas between the words of a list."""
    commas = re.sub(r"(?<=\w)[\s,]+(?=\w)", ",", statement[:500])
    return "".join(commas.split())


def cut(statement: str) -> str:
    """The beginning of a statement, for a message."""
    text = " ".join(statement[:500].split())
    return text if len(text) < 60 else text[:57] + "..."


def variable(text: str, names: dict[str, float]) -> bool:
    """Whether a statement gives a name the value of an expression; `names` then has it."""
    found = VARIABLE.fullmatch(text)
    if found is None:
        return False
    try:
        names[found[1]] = evaluate(found[2], names)
    except ExpressionError:
        names.pop(found[1], None)
        return False
    return True


def _column_change(fields: Tables, text: str, name: str, names: dict[str, float]) -> str:
    """Scale or set columns of a table, and say so.

    Raises
    ------
    ExpressionError
        It is something else.
    """
    target = ASSIGNED.fullmatch(text)
    if target is None or target[1] != name:
        raise ExpressionError("computes something")
    table, rows, columns = _cells(fields, target[2], target[3], target[4])
    which = f"{target[2]} {target[4].strip('[]').replace(',', ', ')}"
    which += "" if target[3] == ":" else f" of row {target[3]}"
    scaled, times = SCALED.fullmatch(target[5]), TIMES.fullmatch(target[5])
    if scaled is None and times is None:
        try:
            value = evaluate(target[5], names)
        except ExpressionError as fault:
            raise ExpressionError(f"computes something ({fault})") from None
        table[rows, columns] = value
        return f"{which} became {value:g}"
    if scaled is not None:
        source, (sign, factor) = scaled.groups()[:4], scaled.groups()[4:]
    else:
        assert times is not None
        source, sign, factor = times.groups()[1:], "*", times[1]
    if source[:2] != (name, target[2]) or source[2] != target[3]:
        raise ExpressionError("computes something")
    _, _, others = _cells(fields, target[2], source[2], source[3])
    if len(others) != len(columns):
        raise ExpressionError("assigns columns of another number")
    value = evaluate(factor, names)
    if sign[-1] == "/" and value == 0.0:
        raise ExpressionError("divides by 0")
    table[rows, columns] = table[rows, others] * (1.0 / value if sign[-1] == "/" else value)
    became = "divided" if sign[-1] == "/" else "multiplied"
    of = "" if others == columns else f" is {source[3].strip('[]')}"
    return f"{which}{of or ' was'} {became} by {value:g}"


def _cells(fields: Tables, kind: str, row: str, listed: str) -> tuple[np.ndarray, slice, list[int]]:
    """A table, its rows and columns by their names or their numbers from 1."""
    table, known = fields[kind], COLUMNS[kind].split()
    if not isinstance(table, np.ndarray) or table.ndim != 2:
        raise ExpressionError(f"changes {kind}, which is no matrix")
    columns = []
    for each in listed.strip("[]").split(","):
        at = known.index(each) if each in known else int(each) - 1 if each.isdigit() else -1
        if not 0 <= at < table.shape[1]:
            raise ExpressionError(f"names column {each} of {kind}, and there is none")
        columns.append(at)
    if row != ":" and not 1 <= int(row) <= len(table):
        raise ExpressionError(f"names row {row} of {kind}, and there is none")
    return table, slice(None) if row == ":" else slice(int(row) - 1, int(row)), columns


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
