"""What pandapower takes for columns and flags that a table of a JSON file does not have.

pandapower's own functions that create an element set these columns; its power flow reads them all,
and stops without a word on one that is not there.
"""

import numpy as np
import pandas as pd

from tvilling.datasets.readers.json.table import Findings
from tvilling.datasets.readers.power_grid.labels import elements

NAN = float("nan")
FLAGS = {
    "slack": False, "tap_at_star_point": False, "tap_dependency_table": False, "tdpf": False,
    "step_dependency_table": False, "reactive_capability_curve": False, "current_source": True,
    "tap_dependent_impedance": False,
}  # fmt: skip
TAPS = dict.fromkeys(
    ("tap_neutral", "tap_min", "tap_max", "tap_step_percent", "tap_step_degree", "tap_pos"), NAN
) | {"tap_side": None}
SCALED: dict[str, object] = {"scaling": 1.0}
BRANCH: dict[str, object] = {"df": 1.0, "parallel": 1}
COLUMNS: dict[str, dict[str, object]] = {
    **dict.fromkeys(
        ("load", "sgen", "motor", "asymmetric_load", "asymmetric_sgen", "storage"), SCALED
    ),
    "gen": {"scaling": 1.0, "slack": False, "slack_weight": 0.0},
    "ext_grid": {"slack_weight": 1.0},
    "xward": {"slack_weight": 0.0},
    "switch": {"z_ohm": 0.0},
    "shunt": {"step": 1, "id_characteristic_table": pd.NA, "step_dependency_table": False},
    "line": {"g_us_per_km": 0.0, "max_i_ka": NAN, **BRANCH},
    "trafo": {**TAPS, **BRANCH},
    "trafo3w": {**TAPS, "tap_at_star_point": False},
    "impedance": dict.fromkeys(("gf_pu", "bf_pu", "gt_pu", "bt_pu"), 0.0),
    "dcline": dict.fromkeys(
        ("max_p_mw", "min_q_from_mvar", "max_q_from_mvar", "min_q_to_mvar", "max_q_to_mvar"), NAN
    ),
}


def with_flags(found: Findings, kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with a value for every flag that a power flow reads; notes say which were blank."""
    for name, default in FLAGS.items():
        if name not in table or table[name].dtype == bool:
            continue
        blank = table[name].isna().to_numpy(bool)
        table = table.assign(**{name: np.where(blank, default, table[name]).astype(bool)})
        if blank.any():
            where = elements(table, kind, blank)
            found.notes.append(f"{name} had no value and became {str(default).lower()}: {where}")
    return table


def with_columns(found: Findings, kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with every column that a power flow reads; a note says which it did not have."""
    missing = {
        name: default for name, default in COLUMNS.get(kind, {}).items() if name not in table
    }
    if not missing or table.empty:
        return table
    taken = ", ".join(f"{name} ({_word(default)})" for name, default in missing.items())
    found.notes.append(f"table {kind} has no columns for what is taken as {taken}")
    whole = {name: pd.array([pd.NA] * len(table), "Int64") for name in missing if name[:3] == "id_"}
    return table.assign(**(missing | whole))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) and value == value else "no value"
