"""A pandapipes net while it is read: rows in service, names, and what there is to say."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

PREFIX = {
    "junction": "J", "pipe": "P", "valve": "V", "pump": "pump", "heat_exchanger": "X",
    "heat_consumer": "C", "flow_control": "F", "circ_pump_pressure": "S", "circ_pump_mass": "M",
    "ext_grid": "E", "sink": "sink", "source": "source",
}  # fmt: skip


NEEDED = {
    "pipe": ("from_junction", "to_junction", "length_km", "inner_diameter_mm", "k_mm"),
    "valve": ("junction", "element", "et", "inner_diameter_mm", "opened"),
    "pump": ("from_junction", "to_junction", "std_type"),
    "heat_exchanger": ("from_junction", "to_junction", "inner_diameter_mm", "qext_w"),
    "heat_consumer": ("from_junction", "to_junction"),
    "flow_control": ("from_junction", "to_junction", "controlled_mdot_kg_per_s"),
    "circ_pump_pressure": ("return_junction", "flow_junction", "p_flow_bar", "plift_bar"),
    "circ_pump_mass": ("return_junction", "flow_junction", "p_flow_bar", "mdot_flow_kg_per_s"),
    "ext_grid": ("junction", "p_bar", "t_k"),
    "sink": ("junction", "mdot_kg_per_s"),
    "source": ("junction", "mdot_kg_per_s"),
}  # columns without which a row means nothing


@dataclass
class Reading:
    """A net while it is read: names of its junctions, and what there is to say about it."""

    net: Any
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    junctions: dict[int, str] = field(default_factory=dict)
    dead: dict[int, str] = field(default_factory=dict)
    valve_ends: dict[tuple[int | None, int | None], str] = field(default_factory=dict)
    pipes: dict[int, str] = field(default_factory=dict)
    joined: list[tuple[str, str]] = field(default_factory=list)

    def rows(self, table: str, ends: tuple[str, ...] = ()) -> pd.DataFrame:
        """Rows in service of `table`, empty if there is none; the others become a note.

        A row is out of service too where a junction in one of its columns `ends` is.
        """
        self.used.add(table)
        found = self.net.get(table)
        if not isinstance(found, pd.DataFrame) or not len(found):
            return pd.DataFrame()
        missing = [column for column in NEEDED.get(table, ()) if column not in found]
        if missing:
            self.faults.append(f"table {table}: columns {', '.join(missing)} are missing")
            return pd.DataFrame()
        alive = pd.Series(True, index=found.index)
        if "in_service" in found:
            alive &= found["in_service"].astype(bool)
        for end in ends:
            alive &= ~found[end].isin(list(self.dead))
        if not alive.all():
            names = ", ".join(str(name) for name in unique_names(found, table)[~alive])
            self.notes.append(f"{table} out of service is left out: {names}")
        return found[alive]

    def end(self, index: Any) -> str:
        """Name of the junction with this index; an unknown one becomes a dangling end."""
        key = whole(index)
        return "" if key is None else self.junctions.get(key) or f"junction {key}"


def whole(index: Any) -> int | None:
    """`index` as a whole number, or None where it is none."""
    try:
        return int(index) if index == int(index) else None
    except (TypeError, ValueError, OverflowError):
        return None


def unique_names(table: pd.DataFrame, kind: str) -> np.ndarray:
    """A name for each row: its own, or prefix and index; a repeated one gets a number."""
    given = table["name"] if "name" in table else pd.Series(None, index=table.index)
    wanted = [
        f"{PREFIX.get(kind, kind)}{index}"
        if name is None or pd.isna(name) or not str(name).strip()
        else str(name).strip()
        for index, name in given.items()
    ]
    taken, names = set(wanted), []
    seen: set[str] = set()
    for name in wanted:
        unique, count = name, 2
        while unique in seen or (unique != name and unique in taken):
            unique, count = f"{name}_{count}", count + 1
        seen.add(unique)
        names.append(unique)
    return np.array(names, dtype=object)


def number(table: pd.DataFrame, column: str, default: float = np.nan) -> pd.Series:
    """A numeric column; `default` where it or a value in it is missing."""
    if column not in table:
        return pd.Series(default, index=table.index, dtype=float)
    return pd.to_numeric(table[column], errors="coerce").astype(float).fillna(default)
