"""Contingencies equal pandapower's power flows with the elements out of service, one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx
import numpy as np
import pandas as pd
import pytest
from pandapower_peer import by_row, quiet, voltages

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.model.islands import unsupplied
from tvilling.sciml.systems.power_grid.results.violations import limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.scenarios import outages
from tvilling.sciml.systems.power_grid.studies.contingency import study
from tvilling.sciml.systems.power_grid.studies.contingency_table import broken_limits, ranked, sums
from tvilling.sciml.systems.power_grid.studies.outages import (
    Failing,
    alone,
    failing,
    most_loaded,
    pairs,
)

with quiet():
    import pandapower
    import pandapower.networks

TABLES = ("line", "trafo", "trafo3w")
SMALL = (pandapower.networks.case39, pandapower.networks.example_multivoltage)
LARGE = ("pandapower:case118", "1-HV-mixed--0-no_sw")
FIGURES = ("lost_buses", "lost_load_mw", "violations")
EXTREMES = ("vm_min_pu", "vm_max_pu", "loading_percent")
WORST_FIRST = ("lost_load_mw", "violations", "loading_percent", "vm_min_pu")


@dataclass(frozen=True)
class Found:
    """What pandapower finds for contingencies: voltages, loadings, and figures of each."""

    v: np.ndarray
    loading_percent: np.ndarray
    figures: pd.DataFrame


def by_pandapower(net: Any, elements: Failing, together: np.ndarray) -> Found:
    """Power flows with the elements of each row of `together` off."""
    limits = limits_of(from_pandapower(net))
    kinds = [kind for kind in TABLES if len(net[kind])]
    greatest = np.concatenate([limits.loading_percent[kind] for kind in kinds])
    served = ~np.isnan(voltages(net))
    all_v, all_loading, rows = [], [], []
    for chosen in together:
        for row in chosen:
            table = net[elements.kind[row]]
            table.loc[table.index[elements.row[row]], "in_service"] = False
        v = voltages(net)
        vm, dark = np.abs(v), np.isnan(v) & served
        loading = np.nan_to_num(np.concatenate([net[f"res_{k}"]["loading_percent"] for k in kinds]))
        out = (vm < limits.vm_min_pu - 1e-6) | (vm > limits.vm_max_pu + 1e-6)
        nodes = np.unique(net["_pd2ppc_lookups"]["bus"][net.bus.index[out]])
        lost_mw = lost_load_mw(net, net.bus.index[dark])
        broken = len(nodes) + (loading > greatest + 1e-3).sum()
        rows.append((dark.sum(), lost_mw, broken, np.nanmin(vm), np.nanmax(vm), loading.max()))
        all_v.append(v)
        all_loading.append(loading)
        for row in chosen:
            table = net[elements.kind[row]]
            table.loc[table.index[elements.row[row]], "in_service"] = True
    figures = pd.DataFrame(rows, columns=[*FIGURES, *EXTREMES])
    return Found(np.array(all_v), np.array(all_loading), figures)


def lost_load_mw(net: Any, buses: pd.Index) -> float:
    """What loads and wards of constant power draw at `buses`."""
    total = 0.0
    for table, column in ((net.load, "p_mw"), (net.ward, "ps_mw"), (net.xward, "ps_mw")):
        there = table[table["bus"].isin(buses) & table["in_service"]]
        total += float((there[column] * there.get("scaling", 1.0)).sum())
    return total


def assert_equal(net: Any, grid: PowerGrid, elements: Failing, together: np.ndarray) -> None:
    """Voltages, figures and order of the contingencies are those of pandapower."""
    found = by_pandapower(net, elements, together)
    expected = found.figures
    flow = solve(grid, None, outages(grid, elements.branch[together].reshape(len(together), -1)))
    own = flow.v if flow.dead is None else np.where(flow.dead == 1, np.nan, flow.v)
    np.testing.assert_allclose(by_row(grid, own), found.v, atol=1e-8, rtol=0)
    data = study(grid, elements, together)
    most = found.loading_percent
    np.testing.assert_allclose(data["branch_loading_percent"], most.max(axis=0), rtol=1e-7)
    loaded = most.max(axis=0) > 1.0
    worst = most[data["branch_when"].values, np.arange(most.shape[1])]
    np.testing.assert_allclose(worst[loaded], most.max(axis=0)[loaded], rtol=1e-7)
    low = np.fmin.reduce(np.abs(found.v), axis=0)
    np.testing.assert_allclose(data["bus_vm_min_pu"], low, rtol=1e-7)
    for name in FIGURES:
        np.testing.assert_allclose(data[name].values[0], expected[name], atol=1e-9, err_msg=name)
    for name in EXTREMES:
        np.testing.assert_allclose(data[name].values[0], expected[name], rtol=1e-7, err_msg=name)
    keys = expected.round({"lost_load_mw": 6, "loading_percent": 3, "vm_min_pu": 8})
    order = keys.sort_values([*WORST_FIRST], ascending=[False, False, False, True]).index
    for name in WORST_FIRST:
        values = expected.loc[order, name]
        np.testing.assert_allclose(ranked(data)[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("make", SMALL)
def test_every_outage_equals_pandapower(make: Callable[[], Any]) -> None:
    net = make()
    grid = from_pandapower(net)
    elements = failing(grid)
    assert_equal(net, grid, elements, alone(elements))


@pytest.mark.slow
@pytest.mark.parametrize("source", LARGE)
def test_every_outage_of_a_larger_grid_equals_pandapower(source: str) -> None:
    power_net = read_power_net(source)
    grid = from_pandapower(power_net.net)
    elements = failing(grid)
    assert len(elements.name) > 90
    assert_equal(power_net.net, grid, elements, alone(elements))


def test_pairs_equal_pandapower() -> None:
    net = pandapower.networks.example_multivoltage()
    grid = from_pandapower(net)
    elements = failing(grid)
    three = np.flatnonzero(elements.kind == "trafo3w")
    among = np.append(most_loaded(grid, elements, 4), three)
    assert_equal(net, grid, elements, pairs(elements, among))


def test_scenarios_times_outages_are_single_power_flows() -> None:
    net = pandapower.networks.case9()
    grid = from_pandapower(net)
    elements = failing(grid)
    share = np.array([0.5, 1.2])
    varying = {"load_p_mw": share[:, None] * net.load["p_mw"].to_numpy()}
    data = study(grid, elements, alone(elements), varying=varying)
    found = ranked(data)
    for scenario in range(2):
        net.load["scaling"] = share[scenario]
        net.load["q_mvar"] = grid.elements["load"].q_mvar / share[scenario]
        expected = by_pandapower(net, elements, alone(elements)).figures
        for name in (*FIGURES, *EXTREMES):
            values = data[name].values[scenario]
            np.testing.assert_allclose(values, expected[name], rtol=1e-7, atol=1e-9, err_msg=name)
    assert len(found) == len(elements.name)
    most = data["violations"].max("scenario").to_series()[found["contingency"]].to_numpy()
    whole = (found["lost_load_mw"] == 0.0).to_numpy()
    np.testing.assert_array_equal(found["violations"][whole], most[whole])
    assert set(found["scenario"]) == {0, 1}


def two_lines(p_mw: float) -> Any:
    """A load behind two equal lines of pure reactance, 20 Ω each at 20 kV."""
    net = pandapower.create_empty_network()
    a, b = (pandapower.create_bus(net, 20.0, min_vm_pu=0.6, max_vm_pu=1.1) for _ in range(2))
    pandapower.create_ext_grid(net, a)
    for name in ("north", "south"):
        pandapower.create_line_from_parameters(
            net, a, b, 1.0, r_ohm_per_km=0.0, x_ohm_per_km=20.0, c_nf_per_km=0.0, max_i_ka=1.0,
            name=name,
        )  # fmt: skip
    pandapower.create_load(net, b, p_mw)
    return net


def test_an_outage_beyond_the_nose_says_how_far_there_is_a_solution() -> None:
    """A load without reactive part has a solution up to V² / 2X: 10 MW behind one line."""
    grid = from_pandapower(two_lines(16.0))
    elements = failing(grid)
    data = study(grid, elements, alone(elements))
    table, found = ranked(data), sums(data)
    assert table["outcome"].tolist() == ["infeasible"] * 2
    np.testing.assert_allclose(table["reached"], 10.0 / 16.0, rtol=1e-4)
    assert not found["secure"]
    assert (found["no_solution"], found["base_violations"]) == (2, 0)


def test_a_grid_is_secure_where_no_outage_breaks_a_limit() -> None:
    net = two_lines(5.0)
    elements = failing(from_pandapower(net))
    assert sums(study(from_pandapower(net), elements, alone(elements)))["secure"]
    net.bus["min_vm_pu"] = 0.98  # 0.966 p.u. behind one line
    found = sums(study(from_pandapower(net), elements, alone(elements)))
    assert (found["secure"], found["break_new_limits"]) == (False, 2)


def test_buses_cut_off_are_those_that_networkx_cannot_reach() -> None:
    grid = from_pandapower(pandapower.networks.case_illinois200())
    drawn = np.random.default_rng(4).integers(-1, grid.n_branch, (150, 3))
    found = unsupplied(grid, outages(grid, drawn))
    assert found is not None
    every = list(
        zip(grid.from_bus.tolist(), grid.to_bus.tolist(), range(grid.n_branch), strict=True)
    )
    every += [(int(grid.slack[0]), int(bus), -2) for bus in grid.slack[1:]]
    for opened, dead in zip(drawn, found, strict=True):
        graph = networkx.MultiGraph()
        graph.add_nodes_from(range(grid.n_bus))
        graph.add_edges_from((a, b) for a, b, number in every if number not in opened)
        reached = networkx.node_connected_component(graph, int(grid.slack[0]))
        assert set(np.flatnonzero(dead == 0).tolist()) == reached


def test_too_many_pairs_and_unknown_names_are_refused() -> None:
    elements = failing(from_pandapower(two_lines(1.0)))
    assert elements.find(["south", "line:north"], "net").tolist() == [1, 0]
    with pytest.raises(InputError, match="east is no line or transformer in service"):
        elements.find(["east"], "net")
    with pytest.raises(InputError, match="2 elements are 1 pairs, expected at most 0"):
        pairs(elements, most=0)
    with pytest.raises(InputError, match="bus cannot fail here"):
        failing(from_pandapower(two_lines(1.0)), ("bus",))


def test_one_of_two_elements_with_a_name_is_found_by_its_row_and_counts_once() -> None:
    net = two_lines(1.0)
    net.line["name"] = "twin"
    elements = failing(from_pandapower(net))
    wanted = ["twin (row 1)", "line:twin (row 1)", "twin (row 1)"]
    assert elements.find(wanted, "net").tolist() == [1]
    with pytest.raises(InputError) as caught:
        elements.find(["twin", "twin (row 3)"], "net")
    assert caught.value.faults == (
        "twin: 2 in service are called so; name one of them, twin (row 0) or twin (row 1)",
        "twin (row 3) is no line or transformer in service; near are twin (row 1), twin (row 0)",
    )


def test_a_grid_with_a_load_that_no_slack_reaches_is_not_secure() -> None:
    net = two_lines(5.0)
    lone = pandapower.create_bus(net, 20.0, name="lone")
    pandapower.create_load(net, lone, 0.4, name="mill", scaling=0.5)
    grid = from_pandapower(net)
    elements = failing(grid)
    data = study(grid, elements, alone(elements))
    found = sums(data)
    assert (found["secure"], found["lose_load"], found["break_limits"]) == (False, 0, 0)
    assert found["base_lost_load_mw"] == pytest.approx(0.2)
    (row,) = broken_limits(data, limits_of(grid)).to_dict("records")
    assert (row["element"], row["quantity"]) == ("lone (mill)", "no supply")
    assert (row["when"], row["count"]) == ("without outages", 2)
    assert row["worst"] == pytest.approx(0.2)
