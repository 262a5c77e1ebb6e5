"""What a file has in service where no slack reaches, before anything fails."""

from dataclasses import dataclass
from typing import Any

import numpy as np

DRAWN = {  # tables and their columns of active power; the sign of power into the grid
    "load": (("p_mw",), -1.0),
    "asymmetric_load": (("p_a_mw", "p_b_mw", "p_c_mw"), -1.0),
    "motor": (("pn_mech_mw",), -1.0),
    "ward": (("ps_mw",), -1.0),
    "xward": (("ps_mw",), -1.0),
    "storage": (("p_mw",), -1.0),
    "sgen": (("p_mw",), 1.0),
    "asymmetric_sgen": (("p_a_mw", "p_b_mw", "p_c_mw"), 1.0),
    "gen": (("p_mw",), 1.0),
}


@dataclass(frozen=True, eq=False)
class Unserved:
    """Elements in service, at buses in service, to which no slack has a way.

    What is out of service itself, or at a bus that is, is meant to be so and not counted.

    Attributes
    ----------
    name
        Names of the elements; table and index where they have none.
    bus
        Row of the file's buses of each, counted from 0.
    load_mw, generation_mw
        What each would draw or give with the power of the file [MW].
    """

    name: np.ndarray
    bus: np.ndarray
    load_mw: np.ndarray
    generation_mw: np.ndarray


NAMED = 10  # buses in a note
NOTHING = Unserved(np.zeros(0, object), np.zeros(0, int), np.zeros(0), np.zeros(0))


def unserved_of(net: Any, bus: np.ndarray) -> Unserved:
    """The elements of the pandapower network `net` that have no supply.

    Parameters
    ----------
    bus
        Bus of the grid of each row of the bus table; -1 where there is none.
    """
    cut_off = net.bus["in_service"].to_numpy(bool) & (bus < 0)
    if not cut_off.any():
        return NOTHING
    names, rows, powers = list[str](), list[int](), list[float]()
    for kind, (columns, sign) in DRAWN.items():
        table = net.get(kind, ())
        if not len(table):
            continue
        row = net.bus.index.get_indexer(table["bus"])
        own = np.flatnonzero(cut_off[row] & (row >= 0) & table["in_service"].to_numpy(bool))
        p_mw = sign * table[list(columns)].sum(axis=1).to_numpy(float) * _factor(table, kind)
        names += [_called(table, kind, at) for at in own.tolist()]
        rows += row[own].tolist()
        powers += p_mw[own].tolist()
    p_mw = np.array(powers, float)
    order = np.argsort(np.array(rows, int), kind="stable")
    return Unserved(
        np.array(names, object)[order],
        np.array(rows, int)[order],
        np.maximum(-p_mw, 0.0)[order],
        np.maximum(p_mw, 0.0)[order],
    )


def idle_note(net: Any, bus: np.ndarray, unserved: Unserved) -> list[str]:
    """A note on buses in service that no slack reaches and where nothing is without supply.

    Parameters
    ----------
    bus
        As in `unserved_of`, whose result is the last.
    """
    idle = net.bus["in_service"].to_numpy(bool) & (bus < 0)
    idle[unserved.bus] = False
    rows = np.flatnonzero(idle).tolist()
    if not rows:
        return []
    names = ", ".join(_called(net.bus, "bus", at) for at in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return [f"no slack reaches these buses, which have no voltage then: {names}{more}"]


def _factor(table: Any, kind: str) -> Any:
    """What the powers of `table` are multiplied by; a motor draws more than its shaft gives."""
    factor = table["scaling"].fillna(1.0).to_numpy(float) if "scaling" in table else 1.0
    if kind == "motor":
        percent = table["loading_percent"] / table["efficiency_percent"]
        factor = factor * percent.to_numpy(float)
    return factor


def _called(table: Any, kind: str, at: int) -> str:
    name = table["name"].iloc[at] if "name" in table else None
    return name if isinstance(name, str) and name.strip() else f"{kind} {table.index[at]}"
