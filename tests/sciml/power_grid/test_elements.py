"""One kind of element at a time, against pandapower."""

from copy import deepcopy
from typing import Any

import element_nets
import numpy as np
import pandapower as pp
import pytest
from pandapower_peer import by_row, voltages

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.planner_units import loads
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

LOADED = ("line", "trafo", "trafo3w")


@pytest.mark.parametrize("name", element_nets.CHANGES)
def test_element_is_modelled_as_pandapower_does(name: str) -> None:
    net, options = element_nets.net_with(name)
    grid = from_pandapower(net, **options)
    flow = solve(grid)
    found = by_row(grid, flow.v[0])
    expected = voltages(net, **options)
    assert flow.solved.all()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, atol=1e-10, rtol=0)
    for kind, percent in loads(flow).percent.items():
        if kind in LOADED and np.isfinite(percent).any():
            theirs = net[f"res_{kind}"]["loading_percent"].to_numpy(float)
            np.testing.assert_allclose(percent[0], np.nan_to_num(theirs), atol=1e-6, rtol=1e-6)


def test_ends_of_a_dc_line_stand_apart_from_generators() -> None:
    """pandapower models them as generators, in rows that the file does not have."""
    net, _ = element_nets.net_with("dc_line")
    flow = solve(from_pandapower(net))
    assert len(flow.grid.elements["gen"].index) == len(net.gen) == 1
    voltages(net)
    ends = machines(flow)["dcline"]
    to, start = net.res_dcline["p_to_mw"].item(), net.res_dcline["p_from_mw"].item()
    np.testing.assert_allclose(ends.p_mw[0], [-to, -start], atol=1e-6)
    reactive = net.res_dcline[["q_to_mvar", "q_from_mvar"]].to_numpy()[0]
    np.testing.assert_allclose(ends.q_mvar[0], -reactive, atol=1e-6)


VARIED = {
    "load_p_mw": ("load", "p_mw"),
    "load_q_mvar": ("load", "q_mvar"),
    "sgen_p_mw": ("sgen", "p_mw"),
    "sgen_q_mvar": ("sgen", "q_mvar"),
    "storage_p_mw": ("storage", "p_mw"),
    "storage_q_mvar": ("storage", "q_mvar"),
    "gen_p_mw": ("gen", "p_mw"),
    "gen_vm_pu": ("gen", "vm_pu"),
    "ext_grid_vm_pu": ("ext_grid", "vm_pu"),
}


def crowded_net() -> Any:
    """Loads, generators and storage of all kinds on one grid, some of them out of service."""
    net, _ = element_nets.net_with("loads_that_depend_on_voltage")
    element_nets.dc_line(net)
    element_nets.storage(net)
    element_nets.island_out_of_service(net)
    pp.create_sgen(net, 3, 0.4, 0.1, in_service=False)
    pp.create_sgen(net, 5, 0.4, 0.1, scaling=0.5)  # beside a load that depends on the voltage
    pp.create_gen(net, 4, 0.3, vm_pu=0.99, scaling=0.6)
    pp.create_gen(net, 0, 0.3, vm_pu=1.02)  # at the external grid
    net.load.loc[1, "scaling"] = 0.7
    net.gen.loc[net.gen.bus == 6, "vm_pu"] = 0.99
    return net


@pytest.mark.parametrize("name", VARIED)
def test_what_varies_is_what_the_table_would_hold(name: str) -> None:
    net = crowded_net()
    table, column = VARIED[name]
    given = net[table][column].to_numpy(float)
    rng = np.random.default_rng(0)
    values = given * rng.uniform(0.98, 1.02, (3, len(given)))
    if name == "gen_vm_pu":  # machines at one bus must agree, and external grids rule theirs
        values[:] = np.where(net.gen.bus == 0, given, values[:, :1])
    if name == "ext_grid_vm_pu":
        net.gen.loc[net.gen.bus == 0, "in_service"] = False
    if not name.endswith("vm_pu"):
        values = given + rng.uniform(-0.2, 0.2, values.shape)
    flow = solve(from_pandapower(net), {name: values})
    assert flow.solved.all()
    found = by_row(flow.grid, flow.v)
    for scenario, row in enumerate(values):
        net[table][column] = row
        expected = voltages(net)
        np.testing.assert_allclose(found[scenario], expected, atol=1e-9, rtol=0)
    assert np.abs(np.diff(found, axis=0))[np.isfinite(found[1:])].max() > 1e-5


def test_machines_at_one_bus_hold_one_voltage() -> None:
    net, _ = element_nets.net_with("machines")  # two at one bus, one at the external grid
    grid = from_pandapower(net)
    values = np.tile(net.gen.vm_pu.to_numpy(), (3, 1))
    values[:, 2] = 0.9
    values[2, :2] = 0.99, 0.98
    np.testing.assert_array_equal(
        solve(grid, {"gen_vm_pu": values[:2]}).v, np.repeat(solve(grid).v, 2, axis=0)
    )
    with pytest.raises(InputError, match=r"gen_vm_pu of gen 0 and gen 1 at one bus .* scenario 2"):
        solve(grid, {"gen_vm_pu": values})


REFUSED = {
    "svc": lambda net: pp.create_svc(net, 5, 1.0, -10.0, 1.0, 145.0, name="thyristors"),
    "ssc": lambda net: pp.create_ssc(net, 5, 0.0, 5.0, name="thyristors"),
    "tcsc": lambda net: pp.create_tcsc(net, 5, 7, 1.0, -10.0, 1.0, 140.0, name="thyristors"),
    "vsc": lambda net: pp.create_vsc(
        net, 5, pp.create_bus_dc(net, 20.0), 0.1, 5.0, 0.1, name="thyristors"
    ),
    "b2b_vsc": lambda net: pp.create_b2b_vsc(
        net, 5, pp.create_bus_dc(net, 20.0), pp.create_bus_dc(net, 20.0), 0.1, 5.0, 0.1,
        name="thyristors",
    ),
    "line_dc": lambda net: pp.create_line_dc_from_parameters(
        net, pp.create_bus_dc(net, 20.0), pp.create_bus_dc(net, 20.0), 1.0, 0.1, 0.3,
        name="thyristors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_unknowns_of_its_own_is_refused_by_name(kind: str) -> None:
    net = deepcopy(element_nets.base_net())
    REFUSED[kind](net)
    with pytest.raises(InputError, match=rf"{kind} 0 \(thyristors\) is a .* not modelled"):
        from_pandapower(net)
    net[kind]["in_service"] = False
    assert solve(from_pandapower(net)).solved.all()


def test_resistance_that_follows_the_current_is_refused_by_name() -> None:
    net = deepcopy(element_nets.base_net())
    net.line["tdpf"] = [True] + [False] * (len(net.line) - 1)
    assert solve(from_pandapower(net)).solved.all()  # as pandapower does without the option
    with pytest.raises(InputError, match=r"1 fault.*\n.*line 0 \(overhead\)"):
        from_pandapower(net, tdpf=True)


def test_options_that_no_power_flow_knows_are_refused() -> None:
    net = deepcopy(element_nets.base_net())
    with pytest.raises(InputError, match="option max_iteration is not known"):
        from_pandapower(net, max_iteration=3)


def test_what_has_no_value_is_refused_by_name() -> None:
    net = deepcopy(element_nets.base_net())
    net.load.loc[1, "p_mw"] = np.nan
    net.line.loc[2, ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0
    with pytest.raises(InputError) as told:
        from_pandapower(net)
    assert "bus 5 (mv 3)" in str(told.value)
    assert "line 2 (cable 3-4): its impedance is 0" in str(told.value)


def test_branch_of_resistance_alone() -> None:
    """pandapower's start by a DC power flow knows no such branch; its flat start does."""
    net = deepcopy(element_nets.base_net())
    net.line.loc[2, "x_ohm_per_km"] = 0.0
    net.trafo["shift_degree"] = 0.0
    flow = solve(from_pandapower(net))
    np.testing.assert_allclose(by_row(flow.grid, flow.v[0]), voltages(net, init="flat"), atol=1e-10)


def test_grid_of_slack_buses_alone() -> None:
    net = pp.create_empty_network()
    bus = pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, bus, vm_pu=1.01)
    pp.create_load(net, bus, 1.0)
    flow = solve(from_pandapower(net), {"load_p_mw": np.array([[1.0], [2.0]])})
    np.testing.assert_array_equal(flow.v, np.full((2, 1), 1.01 + 0j))
    assert flow.solved.all()


def test_grid_without_slack_is_refused() -> None:
    net = deepcopy(element_nets.base_net())
    net.ext_grid["in_service"] = False
    with pytest.raises(InputError, match="slack"):
        from_pandapower(net)
