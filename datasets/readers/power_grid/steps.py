"""Steps of transformers and shunts by a table of characteristics: that they are there, once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.datasets.readers.power_grid.labels import element, elements

if TYPE_CHECKING:
    from pandapower import pandapowerNet

KEY = "id_characteristic_table"


@dataclass(frozen=True)
class Steps:
    """Where the steps of a kind of element stand: flag of the row, its step, table, its values."""

    flag: str
    step: str
    table: str
    values: tuple[str, ...]


STEPS = {
    "trafo": Steps(
        "tap_dependency_table",
        "tap_pos",
        "trafo_characteristic_table",
        ("voltage_ratio", "angle_deg", "vk_percent", "vkr_percent"),
    ),
    "trafo3w": Steps(
        "tap_dependency_table",
        "tap_pos",
        "trafo_characteristic_table",
        (
            "voltage_ratio",
            "angle_deg",
            *(f"{kind}_{side}_percent" for kind in ("vk", "vkr") for side in ("hv", "mv", "lv")),
        ),
    ),
    "shunt": Steps(
        "step_dependency_table", "step", "shunt_characteristic_table", ("p_mw", "q_mvar")
    ),
}


def flagged(table: pd.DataFrame, flag: str) -> np.ndarray:
    """Which rows take their steps from a table of characteristics."""
    if flag not in table:
        return np.zeros(len(table), bool)
    return table[flag].map(lambda value: value in (True, 1)).to_numpy(bool)


def step_faults(net: "pandapowerNet") -> list[str]:
    """Rows whose step is in no table, or in it more than once or without a value."""
    faults = []
    for kind, about in STEPS.items():
        rows = net.get(kind)
        if not isinstance(rows, pd.DataFrame):
            continue
        for row in np.flatnonzero(flagged(rows, about.flag)):
            fault = _fault(net, rows.iloc[row], about)
            if fault:
                faults.append(f"{element(rows, kind, int(row))}: {about.flag} is true, {fault}")
    return faults


def _fault(net: "pandapowerNet", row: pd.Series, about: Steps) -> str:
    steps = net.get(about.table)
    if not isinstance(steps, pd.DataFrame) or steps.empty:
        return f"and there is no {about.table}"
    missing = {"id_characteristic", "step", *about.values} - set(steps)
    if missing:
        return f"and {about.table} has no column {', '.join(sorted(missing))}"
    if KEY not in row or pd.isna(row[KEY]):
        return f"and {KEY} has no value"
    found = steps[(steps["id_characteristic"] == row[KEY]) & (steps["step"] == row[about.step])]
    named = f"step {row[about.step]} of characteristic {row[KEY]}"
    if len(found) != 1:
        return f"and {about.table} has {len(found)} rows for {named}, expected one"
    values = pd.to_numeric(found.iloc[0][list(about.values)], errors="coerce").to_numpy(float)
    if not np.isfinite(values).all():
        bare = [name for name, value in zip(about.values, values, strict=True) if value != value]
        return f"and {named} has no value of {', '.join(bare) or 'finite size'}"
    return ""


def step_notes(net: "pandapowerNet") -> list[str]:
    """Characteristics that rows name and do not ask for."""
    notes = []
    for kind, about in STEPS.items():
        rows = net[kind]
        if KEY not in rows:
            continue
        idle = rows[KEY].notna().to_numpy() & ~flagged(rows, about.flag)
        if idle.any():
            words = f"{KEY} has no part, since {about.flag} is not true"
            notes.append(f"{words}: {elements(rows, kind, idle)}")
    return notes
