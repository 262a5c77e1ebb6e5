"""What a grid file asks for itself: pandapower's `user_pf_options`, obeyed, noted or refused.

pandapower lets a network carry options of its power flow, which count where nothing else is asked
for. Those that say what is computed are obeyed here too; those that say how pandapower goes about
it, such as its start and its number of steps, are named in a note.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FLAGS = (
    "calculate_voltage_angles",
    "consider_line_temperature",
    "distributed_slack",
    "enforce_q_lims",
    "neglect_open_switch_branches",
    "tdpf",
    "voltage_depend_loads",
)
WORDS = {
    "trafo3w_losses": ("hv", "mv", "lv", "star"),
    "trafo_loading": ("current", "power"),
    "trafo_model": ("t", "pi"),
}
OBEYED = (*FLAGS, *WORDS, "switch_rx_ratio")  # options of `pandapower.runpp` that are known here
MACHINES = {
    "enforce_q_lims": "machines are kept within their reactive limits",
    "distributed_slack": "what is missing is shared by slack_weight",
}
PROCEDURE = (
    "ac", "algorithm", "check_connectivity", "copy_constraints_to_ppc", "init", "init_results",
    "init_va_degree", "init_vm_pu", "lightsim2grid", "max_iteration", "mode", "numba",
    "only_v_results", "permc_spec", "recycle", "run_control", "tdpf_delay_s",
    "tdpf_update_r_theta", "tolerance_mva", "use_umfpack", "v_debug",
)  # fmt: skip
DELTA = ("delta", "delta_q")


@dataclass(frozen=True)
class Chosen:
    """Options to convert and solve a network by.

    Attributes
    ----------
    options
        As `pandapower.runpp` takes them: those that were asked for, else those of the file.
    notes
        What the file asks for, and what of it is not done.
    faults
        Options with values that cannot be.
    """

    options: dict[str, Any]
    notes: tuple[str, ...]
    faults: list[str]


def chosen_options(theirs: Any, asked: Mapping[str, Any]) -> Chosen:
    """Options of a file, `theirs`, and those that were asked for in their place."""
    faults = [
        f"option {name} is not known here; known are {', '.join(sorted(OBEYED))}"
        for name in asked
        if name not in OBEYED
    ]
    if not isinstance(theirs, Mapping):
        faults.append(f"user_pf_options is {_shown(theirs)}, expected options by name")
        theirs = {}
    own = {str(name): value for name, value in theirs.items()}
    for name, value in {**own, **asked}.items():
        faults += _value_faults(name, value)
    options = {name: value for name, value in own.items() if name in OBEYED} | dict(asked)
    return Chosen(options, _notes(own, asked), faults)


def _value_faults(name: str, value: Any) -> list[str]:
    told = f"option {name} is {_shown(value)}, expected"
    if name in FLAGS:
        good = isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
        if name == "calculate_voltage_angles":
            good = good or value == "auto"
        if name == "enforce_q_lims":
            good = good or (isinstance(value, int) and value == 2)
        return [] if good else [f"{told} true or false"]
    if name in WORDS:
        good = isinstance(value, str) and value.lower() in WORDS[name]
        return [] if good else [f"{told} one of {', '.join(WORDS[name])}"]
    if name == "switch_rx_ratio":
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and math.isfinite(value) and value >= 0
        return [] if good else [f"{told} a number of at least 0"]
    return []


def _notes(own: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on the options of the file."""
    obeyed = [
        f"{name} = {_shown(value)}"
        + (f" ({MACHINES[name]})" if MACHINES.get(name) and value else "")
        for name, value in own.items()
        if name in OBEYED and name not in asked
    ]
    instead = [
        f"{name} = {_shown(value)} (asked for here: {_shown(asked[name])})"
        for name, value in own.items()
        if name in asked and asked[name] != value
    ]
    procedure = [f"{name} = {_shown(own[name])}" for name in own if name in PROCEDURE]
    delta = [f"{name} = {_shown(own[name])}" for name in DELTA if own.get(name)]
    unknown = [name for name in own if name not in (*OBEYED, *PROCEDURE, *DELTA)]
    told = (
        ("the file's own options are obeyed", obeyed),
        ("options of the file that something else was asked for in place of", instead),
        ("options of the file on how pandapower solves, which have no part here", procedure),
        ("reactive limits are kept without the tolerance that the file asks for", delta),
        ("options of the file that no power flow knows", unknown),
    )
    notes = [f"{words}: {', '.join(names)}" for words, names in told if names]
    if own.get("enforce_q_lims") == 2 and own["enforce_q_lims"] is not True:
        notes.append(
            "enforce_q_lims = 2 of the file asks for one machine after the other: all that pass "
            "their limits are held at a time"
        )
    return tuple(notes)


def _shown(value: Any) -> str:
    """A value for a message, however long it is."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
