"""What a pandapower net may hold that no power flow uses: noted where it would change an answer.

`STATED` lists the columns that describe, or belong to other calculations (short circuits, zero
sequence, optimal power flow, dynamics, one-phase power flow), and change nothing here. All other
columns that pandapower knows change a result, are noted, or are refused.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.datasets.readers.power_grid.checks import numbers
from tvilling.datasets.readers.power_grid.labels import elements
from tvilling.datasets.readers.power_grid.steps import step_notes

if TYPE_CHECKING:
    from pandapower import pandapowerNet

DESCRIPTION = (
    "name", "geo", "std_type", "type", "zone", "vector_group", "curve_style", "generator_type",
)  # fmt: skip
OPTIMAL = (  # optimal power flow
    "controllable", "max_p_mw", "min_p_mw",
)  # fmt: skip
RATING = ("sn_mva",)  # of elements whose power is given in MW
SHORT_CIRCUIT = {
    "ext_grid": (
        "s_sc_max_mva", "s_sc_min_mva", "rx_max", "rx_min", "r0x0_max", "x0x_max",
        "max_q_mvar", "min_q_mvar",
    ),
    "gen": ("vn_kv", "xdss_pu", "rdss_ohm", "cos_phi", "pg_percent", "power_station_trafo"),
    "sgen": ("k", "rx", "current_source", "max_ik_ka", "kappa", "lrc_pu"),
    "asymmetric_sgen": ("current_source",),
    "motor": ("cos_phi_n", "efficiency_n_percent", "lrc_pu", "vn_kv", "rx"),
    "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km", "g0_us_per_km", "endtemp_degree"),
    "trafo": (
        "vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial", "pt_percent",
        "oltc", "xn_ohm",
    ),
    "trafo3w": (
        "vk0_hv_percent", "vk0_mv_percent", "vk0_lv_percent",
        "vkr0_hv_percent", "vkr0_mv_percent", "vkr0_lv_percent",
    ),
    "impedance": (
        "rft0_pu", "xft0_pu", "rtf0_pu", "xtf0_pu", "gf0_pu", "bf0_pu", "gt0_pu", "bt0_pu",
    ),
}  # fmt: skip
STATED: dict[str, tuple[str, ...]] = {
    "bus": DESCRIPTION,
    "load": (*DESCRIPTION, *OPTIMAL, *RATING, "max_q_mvar", "min_q_mvar"),
    "sgen": (*DESCRIPTION, *OPTIMAL, *RATING, "max_q_mvar", "min_q_mvar", *SHORT_CIRCUIT["sgen"],
             "id_q_capability_characteristic"),
    "storage": (*DESCRIPTION, *OPTIMAL, *RATING, "max_q_mvar", "min_q_mvar", "soc_percent",
                "min_e_mwh", "max_e_mwh"),
    "gen": (*DESCRIPTION, *OPTIMAL, *RATING, "min_vm_pu", "max_vm_pu", *SHORT_CIRCUIT["gen"],
            "id_q_capability_characteristic"),
    "ext_grid": (*DESCRIPTION, *OPTIMAL, *SHORT_CIRCUIT["ext_grid"]),
    "motor": (*DESCRIPTION, *SHORT_CIRCUIT["motor"]),
    "asymmetric_load": (*DESCRIPTION, *RATING),
    "asymmetric_sgen": (*DESCRIPTION, *RATING, *SHORT_CIRCUIT["asymmetric_sgen"]),
    "shunt": DESCRIPTION,
    "ward": DESCRIPTION,
    "xward": DESCRIPTION,
    "line": (*DESCRIPTION, *SHORT_CIRCUIT["line"]),
    "trafo": (*DESCRIPTION, *SHORT_CIRCUIT["trafo"], "tap2_min", "tap2_max"),
    "trafo3w": (*DESCRIPTION, *SHORT_CIRCUIT["trafo3w"]),
    "impedance": SHORT_CIRCUIT["impedance"],
    "dcline": (),
    "switch": ("type", "name"),
}  # fmt: skip
APART = ("measurement", "bus_dc", "load_dc", "source_dc")
"""Tables that a power flow has no part for. (Costs are those of an optimal power flow.)"""
SHARING = ("ext_grid", "gen", "xward")


def unused_notes(net: "pandapowerNet") -> list[str]:
    """Notes on what a file states and no power flow here uses, naming the elements."""
    notes = [*_tables(net), *_curves(net), *_switches(net), *_weights(net), *step_notes(net)]
    return [*notes, *_steps(net), *_direct(net)]


def _tables(net: "pandapowerNet") -> list[str]:
    found = [
        f"{len(net[kind])} of {kind}"
        for kind in APART
        if isinstance(net.get(kind), pd.DataFrame) and len(net[kind])
    ]
    return [f"no part of a power flow: {', '.join(found)}"] if found else []


def _curves(net: "pandapowerNet") -> list[str]:
    """Reactive limits that depend on active power."""
    notes = []
    for kind in ("gen", "sgen"):
        table = net[kind]
        if "reactive_capability_curve" not in table:
            continue
        asked = (
            table["reactive_capability_curve"].map(lambda flag: flag in (True, 1)).to_numpy(bool)
        )
        if asked.any():
            words = "reactive_capability_curve is not followed, min_q_mvar and max_q_mvar count"
            notes.append(f"{words}: {elements(table, kind, asked)}")
    return notes


def _switches(net: "pandapowerNet") -> list[str]:
    rated = np.isfinite(numbers(net.switch, "in_ka"))
    if not rated.any():
        return []
    where = elements(net.switch, "switch", rated)
    return [f"in_ka: the loading of switches is not judged: {where}"]


def _weights(net: "pandapowerNet") -> list[str]:
    notes = []
    for kind in ("load", "sgen", "storage", "ward", "shunt", "asymmetric_load", "asymmetric_sgen"):
        if kind in net and "slack_weight" in net[kind]:
            own = numbers(net[kind], "slack_weight") > 0
            if own.any():
                words = f"slack_weight counts for {', '.join(SHARING)} alone"
                notes.append(f"{words}, not for {elements(net[kind], kind, own)}")
    return notes


def _steps(net: "pandapowerNet") -> list[str]:
    beyond = numbers(net.shunt, "step") > numbers(net.shunt, "max_step")
    if not beyond.any():
        return []
    return [f"step is above max_step, and kept: {elements(net.shunt, 'shunt', beyond)}"]


def _direct(net: "pandapowerNet") -> list[str]:
    if "dcline" not in net:
        return []
    beyond = np.abs(numbers(net.dcline, "p_mw")) > numbers(net.dcline, "max_p_mw")
    if not beyond.any():
        return []
    return [f"p_mw is beyond max_p_mw, and kept: {elements(net.dcline, 'dcline', beyond)}"]
