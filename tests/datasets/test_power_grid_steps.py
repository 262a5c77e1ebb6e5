"""Steps by tables of characteristics, limits that cross, and what a file states in vain."""

from copy import deepcopy
from typing import Any

import element_nets
import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from tvilling.datasets.readers.power_grid.checks import net_faults
from tvilling.datasets.readers.power_grid.unused import unused_notes


@pytest.mark.parametrize(
    ("kind", "flag", "net_name"),
    [
        ("trafo", "tap_dependency_table", "tap_by_table"),
        ("shunt", "step_dependency_table", "shunt_by_table"),
    ],
)
def test_a_step_that_its_table_does_not_have_is_refused(
    kind: str, flag: str, net_name: str
) -> None:
    net, _ = element_nets.net_with(net_name)
    step = "tap_pos" if kind == "trafo" else "step"
    table = f"{kind}_characteristic_table"
    assert not net_faults(net)

    def told(change: Any) -> str:
        bad = deepcopy(net)
        change(bad)
        (fault,) = net_faults(bad)
        assert f"{flag} is true" in fault
        return fault

    def other_step(bad: Any) -> None:
        bad[kind][step] = 9

    def twice(bad: Any) -> None:
        bad[table] = pd.concat([bad[table], bad[table]])

    def no_id(bad: Any) -> None:
        bad[kind]["id_characteristic_table"] = None

    def bare(bad: Any) -> None:
        bad[table] = bad[table].astype(float)
        bad[table].iloc[:, -1] = np.nan

    assert "has 0 rows for step 9 of characteristic 0, expected one" in told(other_step)
    assert "has 2 rows for step" in told(twice)
    assert "id_characteristic_table has no value" in told(no_id)
    assert "has no value of" in told(bare)
    assert f"there is no {table}" in told(lambda bad: bad.update({table: pd.DataFrame()}))
    idle = deepcopy(net)
    idle[kind][flag] = False
    (note,) = [note for note in unused_notes(idle) if "characteristic" in note]
    assert f"id_characteristic_table has no part, since {flag} is not true: {kind} 0" in note


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("gen", "min_q_mvar", "max_q_mvar"),
        ("gen", "min_p_mw", "max_p_mw"),
        ("dcline", "min_q_from_mvar", "max_q_from_mvar"),
        ("bus", "min_vm_pu", "max_vm_pu"),
    ],
)
def test_limits_that_cross_are_refused(kind: str, least: str, most: str) -> None:
    net, _ = element_nets.net_with("dc_line")
    net[kind][least], net[kind][most] = 1.0, 2.0
    assert not net_faults(net)
    net[kind][least] = 3.0
    faults = net_faults(net)
    assert all(
        f"{least} is 3 " in fault and f"expected {least} at most" in fault for fault in faults
    )
    assert len(faults) == len(net[kind])
    net[kind][least], net[kind][most] = -np.inf, np.nan
    assert not net_faults(net)


def test_what_a_file_states_in_vain_is_noted() -> None:
    net, _ = element_nets.net_with("dc_line")
    net.dcline["max_p_mw"] = 0.1
    pp.create_shunt(net, 5, 0.1, step=4, max_step=2)
    pp.create_switch(net, 4, 3, "l", in_ka=0.4)
    net.gen["reactive_capability_curve"] = True
    net.load["slack_weight"] = [1.0, 0.0, 0.0, 0.0]
    notes = "\n".join(unused_notes(net))
    assert "p_mw is beyond max_p_mw, and kept: dcline 0" in notes
    assert "step is above max_step, and kept: shunt 0" in notes
    assert "the loading of switches is not judged: switch 0" in notes
    assert "reactive_capability_curve is not followed" in notes
    assert "slack_weight counts for ext_grid, gen, xward alone, not for load 0 (load 3)" in notes
