"""Results in a planner's units against pandapower's result tables."""

from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from pandapower_peer import quiet, voltages

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.results.planner_units import branch_flows, loads
from tvilling.sciml.systems.power_grid.results.violations import limits_of, violations
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import outages

RTOL = 1e-8


def with_parts_off() -> Any:
    net = pn.case118()
    net.gen.loc[3, "in_service"] = False
    net.line.loc[5, "in_service"] = False
    net.bus.loc[9, "in_service"] = False
    net.load.loc[2, "in_service"] = False
    return net


def sharing() -> Any:
    """Machines with different ranges at one bus, and two external grids at another."""
    net = pn.case9()
    pp.create_gen(net, 1, 20.0, vm_pu=1.0, min_q_mvar=-5.0, max_q_mvar=20.0)
    pp.create_ext_grid(net, 0, slack_weight=1.0)
    net.gen.loc[0, ["min_q_mvar", "max_q_mvar"]] = [-30.0, 50.0]
    return net


def simbench() -> Any:
    return read_power_net("1-MV-urban--0-sw").net


NETS = {
    "three windings, extended ward, impedance, switches": pn.example_multivoltage,
    "parts out of service": with_parts_off,
    "machines at one bus": sharing,
    "generators in a medium-voltage grid": lambda: pn.create_cigre_network_mv(with_der="all"),
}


def close(ours: Any, theirs: Any) -> None:
    """Equal to `RTOL` of the greatest value of the column, and NaN at the same places."""
    theirs = np.asarray(theirs, float)
    size = np.nanmax(np.abs(theirs), initial=1e-3)
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=0, atol=RTOL * size)


@pytest.mark.parametrize(
    "make",
    [
        *(pytest.param(make, id=name) for name, make in NETS.items()),
        pytest.param(simbench, id="SimBench", marks=pytest.mark.slow),
    ],
)
def test_every_result_is_that_of_pandapower(make: Any) -> None:
    with quiet():
        net = make()
    voltages(net)
    data = label(solve(from_pandapower(net))).isel(scenario=0)
    close(data["vm_pu"], net.res_bus.vm_pu)
    close(data["va_degree"], net.res_bus.va_degree)
    compared = 0
    for kind in ("line", "trafo", "trafo3w", "impedance", "ext_grid", "gen"):
        for column in net[f"res_{kind}"]:
            if f"{kind}_{column}" in data and len(net[kind]):
                theirs = net[f"res_{kind}"][column].to_numpy(float)
                if kind not in ("ext_grid", "gen"):  # pandapower: 0 MW and no number of kA
                    theirs = np.nan_to_num(theirs)
                close(data[f"{kind}_{column}"], theirs)
                compared += 1
    assert compared >= 12
    lost = sum(net[f"res_{kind}"].pl_mw.sum() for kind in ("line", "trafo", "trafo3w", "impedance"))
    close(data["losses_mw"], lost)


def test_balance_closes_where_loads_depend_on_voltage() -> None:
    """pandapower's own slack power forgets it; its tables of lines and loads do not."""
    net = pp.create_empty_network()
    a, b = (pp.create_bus(net, 20.0) for _ in range(2))
    pp.create_ext_grid(net, a, vm_pu=1.05)
    pp.create_line(net, a, b, 2.0, "NAYY 4x50 SE")
    for bus in (a, b):
        pp.create_load(net, bus, 0.5, 0.2, const_z_p_percent=60.0, const_i_q_percent=30.0)
    voltages(net)
    given = machines(solve(from_pandapower(net)))["ext_grid"]
    close(given.p_mw[0], [net.res_line.p_from_mw[0] + net.res_load.p_mw[0]])
    close(given.q_mvar[0], [net.res_line.q_from_mvar[0] + net.res_load.q_mvar[0]])


def test_outages_are_those_of_pandapower() -> None:
    """Each scenario without its line or transformer, some of them with buses left dark."""
    net = pn.create_cigre_network_mv(with_der="all")
    grid = from_pandapower(net)
    lines = grid.groups["line"].branch
    gone = [lines[0], lines[3], grid.groups["trafo"].branch[1]]
    flow = solve(grid, outages=outages(grid, np.array(gone)[:, None]))
    data, carried = label(flow), loads(flow)
    assert (flow.outcome == Outcome.UNSUPPLIED).any()
    for row, (kind, index) in enumerate((("line", 0), ("line", 3), ("trafo", 1))):
        peer = deepcopy(net)
        peer[kind].loc[peer[kind].index[index], "in_service"] = False
        voltages(peer)
        now = data.isel(scenario=row)
        close(now["vm_pu"], peer.res_bus.vm_pu)
        close(now["line_p_from_mw"], peer.res_line.p_from_mw)
        close(now["trafo_loading_percent"], np.nan_to_num(peer.res_trafo.loading_percent))
        close(carried.percent["line"][row], np.nan_to_num(peer.res_line.loading_percent))
        close(now["ext_grid_p_mw"], peer.res_ext_grid.p_mw)


@pytest.fixture(scope="module")
def feeder() -> Any:
    """A radial feeder of three lines, with limits in its file; the last bus has a load of 1 MW."""
    net = pp.create_empty_network()
    buses = [
        pp.create_bus(net, 20.0, name=f"station {at}", min_vm_pu=0.96, max_vm_pu=1.04)
        for at in range(4)
    ]
    pp.create_ext_grid(net, buses[0], name="feed")
    for one, other in pairwise(buses):
        name = f"cable {one}{other}"
        pp.create_line(net, one, other, 4.0, "NAYY 4x50 SE", name=name, max_loading_percent=45.0)
    pp.create_load(net, buses[3], 1.0, 0.2, name="mill")
    pp.create_bus(net, 20.0, name="bay")
    pp.create_switch(net, buses[3], 4, et="b")
    return net


def test_broken_limits_are_those_that_pandapower_shows(feeder: Any) -> None:
    powers_mw = np.array([1.0, 1.5, 2.5, 3.0])
    grid = from_pandapower(feeder)
    flow = solve(grid, {"load_p_mw": powers_mw[:, None]})
    table = violations(flow, limits_of(grid)).set_index("element")
    vm, loading = [], []
    for power_mw in powers_mw:
        net = deepcopy(feeder)
        net.load.p_mw = power_mw
        voltages(net)
        vm.append(net.res_bus.vm_pu.to_numpy())
        loading.append(net.res_line.loading_percent.to_numpy())
    low, over = np.array(vm) < 0.96, np.array(loading) > 45.0
    assert 0 < low.sum() < low.size
    assert 0 < over.sum() < over.size
    names = list(feeder.bus.name)
    for bus in range(4):  # station 3 and the bay are one node, and one row
        element = "station 3 (and 1 joined to it)" if bus == 3 else names[bus]
        assert (element in table.index) == low[:, bus].any()
        if low[:, bus].any():
            row = table.loc[element]
            assert (row["kind"], row["quantity"], row["limit"]) == ("bus", "voltage below", 0.96)
            assert row["count"] == low[:, bus].sum()
            assert row["worst"] == pytest.approx(np.array(vm)[:, bus].min(), abs=1e-9)
            assert row["when"] == 3
    assert "bay" not in table.index
    for line in range(3):
        row = table.loc[feeder.line.name[line]]
        assert row["count"] == over[:, line].sum()
        assert row["worst"] == pytest.approx(np.array(loading)[:, line].max(), rel=1e-8)


def test_scenarios_without_a_solution_come_first_and_are_no_numbers(feeder: Any) -> None:
    """Up to the share that is told pandapower finds a solution, and just above it none."""
    grid = from_pandapower(feeder)
    flow = solve(grid, {"load_p_mw": np.array([[1.0], [400.0]])})
    data, table = label(flow), violations(flow, limits_of(grid))
    assert list(data["outcome"].values) == [Outcome.SOLVED, Outcome.INFEASIBLE]
    for name in ("vm_pu", "line_loading_percent", "losses_mw", "ext_grid_p_mw", "line_p_from_mw"):
        values = data[name].values
        assert np.isfinite(values[0]).all()
        assert np.isnan(values[1]).all()
    first = table.iloc[0]
    assert (first["quantity"], first["element"], first["when"]) == ("no solution", "station 3", 1)
    assert first["worst"] == pytest.approx(float(flow.reached[1]))
    for share, has_one in ((first["worst"], True), (first["worst"] + 0.002, False)):
        peer = deepcopy(feeder)
        peer.load.p_mw, peer.load.q_mvar = 400.0 * share, share * feeder.load.q_mvar
        if has_one:
            voltages(peer, 1e-6, max_iteration=100)
        else:
            with pytest.raises(pp.LoadflowNotConverged):
                voltages(peer, 1e-6, max_iteration=100)


def test_limits_that_the_file_lacks_are_assumed_and_told() -> None:
    grid = from_pandapower(pn.example_multivoltage())
    found = limits_of(grid)
    assert (found.vm_min_pu == 0.9).all()
    assert (found.loading_percent["trafo3w"] == 100.0).all()
    assert "57 of 57 buses have no least voltage in the file: 0.9 p.u. is assumed." in found.notes
    asked = limits_of(grid, vm_min_pu=0.95, vm_max_pu=1.05, loading_percent=60.0)
    assert (asked.vm_min_pu == 0.95).all()
    assert asked.notes == ()


def test_labels_have_units_and_names_that_tell_rows_apart() -> None:
    net = pn.case9()
    net.bus["name"] = ["a", "a", *"bcdefgh"]
    data = label(solve(from_pandapower(net, "nine", ("repaired",))))
    assert list(data["bus"].values[:3]) == ["a (row 0)", "a (row 1)", "b"]
    assert data.attrs["source"] == "nine"
    assert data.attrs["notes"] == "repaired"
    flags = dict(
        zip(data["outcome"].flag_values, data["outcome"].flag_meanings.split(), strict=True)
    )
    assert flags == {one.value: one.name.lower() for one in Outcome}
    for name, values in data.data_vars.items():
        assert "units" in values.attrs or name in ("outcome", "weakest_bus")
        assert values.dims[0] == "scenario"


def test_parts_of_a_batch_are_the_rows_of_the_whole() -> None:
    net = pn.case30()
    scale = np.linspace(0.5, 1.2, 300)[:, None]
    grid = from_pandapower(net)
    varying = {"load_p_mw": net.load.p_mw.to_numpy() * scale}
    flow = solve(grid, varying)
    rows = slice(250, 290)
    whole, part = loads(flow), loads(flow, rows)
    np.testing.assert_array_equal(part.percent["line"], whole.percent["line"][rows])
    np.testing.assert_array_equal(part.losses_mw, whole.losses_mw[rows])
    lines, some = branch_flows(flow, "line"), branch_flows(flow, "line", rows)
    np.testing.assert_array_equal(some.i_to_ka, lines.i_to_ka[rows])
    given, few = machines(flow, varying), machines(flow, varying, rows)
    np.testing.assert_allclose(few["gen"].q_mvar, given["gen"].q_mvar[rows], rtol=0, atol=1e-12)


def test_loads_that_no_slack_reaches_are_told_as_pandapower_finds_them(feeder: Any) -> None:
    """Not those that are out of service themselves, or at buses that are."""
    net = deepcopy(feeder)
    island = [pp.create_bus(net, 20.0, name=f"island {at}") for at in range(2)]
    off = pp.create_bus(net, 20.0, name="off", in_service=False)
    pp.create_line(net, *island, 1.0, "NAYY 4x50 SE")
    pp.create_load(net, island[1], 0.3, name="dairy")
    pp.create_load(net, island[1], 0.2, scaling=2.0)
    pp.create_load(net, island[1], 9.0, in_service=False)
    pp.create_load(net, off, 9.0)
    pp.create_sgen(net, island[0], 0.1, name="sun")
    with quiet():
        assert pp.topology.unsupplied_buses(net) == set(island)
    grid = from_pandapower(net)
    flow = solve(grid, {"load_p_mw": np.tile(net.load.p_mw.to_numpy(), (3, 1))})
    table = violations(flow, limits_of(grid)).query("quantity == 'no supply'")
    assert table["element"].tolist() == ["island 0 (sun)", "island 1 (dairy, load 2)"]
    assert table["worst"].tolist() == pytest.approx([0.0, 0.7])
    assert table["count"].tolist() == [3, 3]
    assert set(table["unit"]) == {"MW"}
    assert "unserved" not in label(solve(from_pandapower(feeder))).coords
