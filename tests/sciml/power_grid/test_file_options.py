"""Options that a grid file carries (`user_pf_options`): obeyed, noted or refused."""

from copy import deepcopy
from functools import cache
from typing import Any

import element_nets
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from pandapower_peer import by_row, quiet, voltages

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.file_options import FLAGS, OBEYED, PROCEDURE, WORDS
from tvilling.sciml.systems.power_grid.power_system import system
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.results.planner_units import branch_flows, loads
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Options


def tight_case14() -> Any:
    """MATPOWER's case14 with machines that cannot give what their voltages take."""
    net = pn.case14()
    net.gen["min_q_mvar"] = -5.0
    net.gen["max_q_mvar"] = [10.0, 10.0, 5.0, 5.0]
    return net


@cache
def all_kinds() -> Any:
    """A grid on which every option matters."""
    net, _ = element_nets.net_with("three_windings_tap_at_mv")
    element_nets.machines(net)
    net.gen["min_q_mvar"], net.gen["max_q_mvar"], net.gen["slack_weight"] = -0.1, 0.1, 2.0
    net.line["temperature_degree_celsius"] = 70.0
    pp.create_load(net, 5, 0.9, 0.2, const_z_p_percent=100, const_z_q_percent=100)
    pp.create_switch(net, 5, 3, "l", closed=False)
    extra = pp.create_bus(net, 20.0)
    pp.create_switch(net, 5, extra, "b", closed=True, z_ohm=0.4)
    pp.create_load(net, extra, 0.4, 0.1)
    pp.create_transformer_from_parameters(
        net, 1, 2, **{**element_nets.TRAFO, "shift_degree": 30.0, "pfe_kw": 80.0}
    )
    return net


def solved_by_the_file(net: Any) -> Flow:
    flow = solve(from_pandapower(net))
    assert flow.solved.all()
    return flow


def test_reactive_limits_that_the_file_asks_for_are_kept() -> None:
    """pandapower.runpp of this network, by its own options: least voltage 0.95201 p.u."""
    net = tight_case14()
    pp.set_user_pf_options(net, enforce_q_lims=True)
    flow = solved_by_the_file(net)
    theirs = voltages(net)
    np.testing.assert_allclose(by_row(flow.grid, flow.v[0]), theirs, atol=1e-8)
    assert flow.vm_pu.min() == pytest.approx(0.95201, abs=5e-6)
    assert "enforce_q_lims = True (machines are kept within" in flow.grid.notes[0]


def test_what_is_asked_for_stands_above_the_file() -> None:
    net = tight_case14()
    plain = solve(from_pandapower(net))
    pp.set_user_pf_options(net, enforce_q_lims=True)
    grid = from_pandapower(net)
    np.testing.assert_array_equal(solve(grid, options=Options(q_limits=False)).v, plain.v)
    other = from_pandapower(net, enforce_q_lims=False)
    np.testing.assert_array_equal(solve(other).v, plain.v)
    assert "enforce_q_lims = True (asked for here: False)" in other.notes[0]


CHANGED = {
    "calculate_voltage_angles": False,
    "consider_line_temperature": True,
    "distributed_slack": True,
    "enforce_q_lims": True,
    "neglect_open_switch_branches": True,
    "switch_rx_ratio": 0.5,
    "trafo3w_losses": "star",
    "trafo_loading": "power",
    "trafo_model": "pi",
    "voltage_depend_loads": False,
}


@pytest.mark.parametrize("name", CHANGED)
def test_every_option_is_obeyed_as_pandapower_does(name: str) -> None:
    """Voltages, loadings and losses are those of `runpp` by the file, and not those without."""
    net = deepcopy(all_kinds())
    before = label(solve(from_pandapower(net)))
    pp.set_user_pf_options(net, **{name: CHANGED[name]})
    flow = solved_by_the_file(net)
    found, theirs = label(flow), voltages(net)
    np.testing.assert_allclose(by_row(flow.grid, flow.v[0]), theirs, atol=1e-8)
    for kind in ("trafo", "trafo3w"):
        for ours, column in (("loading_percent", "loading_percent"), ("pl_mw", "pl_mw")):
            expected = net[f"res_{kind}"][column].to_numpy(float)
            np.testing.assert_allclose(found[f"{kind}_{ours}"][0], expected, rtol=1e-6, atol=1e-9)
    moved = max(
        float(np.nanmax(np.abs(found[one].values - before[one].values)))
        for one in ("vm_pu", "trafo_loading_percent", "trafo3w_pl_mw", "va_degree")
    )
    assert moved > 1e-6
    assert any(name in note for note in flow.grid.notes)


def test_the_walk_covers_every_option() -> None:
    assert set(CHANGED) | {"tdpf"} == set(OBEYED)  # tdpf is refused by the names of its lines
    assert set(OBEYED) == {*FLAGS, *WORDS, "switch_rx_ratio"}


@pytest.mark.parametrize("name", PROCEDURE)
def test_how_pandapower_solves_has_no_part_and_is_said(name: str) -> None:
    net = deepcopy(element_nets.base_net())
    plain = solve(from_pandapower(net))
    net.user_pf_options = {name: "results"}
    flow = solved_by_the_file(net)
    np.testing.assert_array_equal(flow.v, plain.v)
    assert f"have no part here: {name} = results" in flow.grid.notes[0]


def test_other_options_of_the_file_are_said() -> None:
    net = deepcopy(element_nets.base_net())
    net.user_pf_options = {"delta": 1e-3, "enforce_q_lim": True, "enforce_q_lims": 2}
    told = " ".join(from_pandapower(net).notes)
    assert "without the tolerance that the file asks for: delta = 0.001" in told
    assert "no power flow knows: enforce_q_lim" in told
    assert "one machine after the other" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trafo_model", "T-model"),
        ("trafo3w_losses", 3),
        ("trafo_loading", None),
        ("enforce_q_lims", "yes"),
        ("distributed_slack", 2),
        ("switch_rx_ratio", float("nan")),
        ("calculate_voltage_angles", "always"),
    ],
)
def test_values_that_no_option_has_are_refused(name: str, value: Any) -> None:
    net = deepcopy(element_nets.base_net())
    net.user_pf_options = {name: value}
    with pytest.raises(InputError, match=f"option {name} is .*, expected"):
        from_pandapower(net)
    net.user_pf_options = [name]
    with pytest.raises(InputError, match=r"user_pf_options is .*, expected options by name"):
        from_pandapower(net)


def test_what_has_no_derivatives_is_refused() -> None:
    net = tight_case14()
    pp.set_user_pf_options(net, enforce_q_lims=True)
    with pytest.raises(InputError, match="convert it with enforce_q_lims=False"):
        system(from_pandapower(net))
    system(from_pandapower(net, enforce_q_lims=False))


@pytest.mark.parametrize("side", WORDS["trafo3w_losses"])
def test_iron_of_three_windings_is_lost_wherever_it_lies(side: str) -> None:
    """What the external grid gives beyond the loads is what is lost: 186.5 kW at the star point."""
    net = pp.create_empty_network()
    for kv in (380.0, 220.0, 110.0):
        pp.create_bus(net, kv)
    pp.create_ext_grid(net, 0, vm_pu=1.02, va_degree=2.0)
    tap = {"tap_side": "hv", "tap_neutral": 0, "tap_min": -10, "tap_max": 10, "tap_pos": 4}
    pp.create_transformer3w_from_parameters(
        net, 0, 1, 2, 380.0, 220.0, 110.0, 400.0, 300.0, 200.0, 12.0, 11.0, 9.0, 0.3, 0.3, 0.3,
        60.0, 0.1, 30.0, 150.0, tap_step_percent=1.25, tap_step_degree=0.0,
        tap_changer_type="Ratio", tap_at_star_point=True, **tap,
    )  # fmt: skip
    pp.create_load(net, 1, 80.0, 20.0)
    pp.create_load(net, 2, 40.0, 10.0)
    pp.set_user_pf_options(net, trafo3w_losses=side)
    flow = solved_by_the_file(net)
    with quiet():
        pp.runpp(net)
    lost = net.res_trafo3w.pl_mw.item()
    assert loads(flow).losses_mw[0] == pytest.approx(lost, abs=1e-9)
    assert label(flow)["trafo3w_pl_mw"].item() == pytest.approx(lost, abs=1e-9)
    assert branch_flows(flow, "trafo3w").pl_mw.sum() == pytest.approx(lost, abs=1e-9)
    assert net.res_ext_grid.p_mw.item() - 120.0 == pytest.approx(lost, abs=1e-9)
    if side == "star":
        assert lost == pytest.approx(0.18654, abs=5e-6)
