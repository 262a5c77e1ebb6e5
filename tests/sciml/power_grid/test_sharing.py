"""A distributed slack over several references, generators, wards and parts of a grid."""

from copy import deepcopy
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from pandapower_peer import by_row, quiet, voltages

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.generators import machines
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Options, Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import outages

SHARED = Options(distributed_slack=True)


def two_sources() -> Any:
    """MATPOWER's case14 with a second external grid, of three times the weight."""
    net = pn.case14()
    pp.create_ext_grid(net, 13, vm_pu=1.03, slack_weight=3.0)
    return net


def equals_pandapower(net: Any) -> Flow:
    """The shared flow of `net`, with the voltages and powers of pandapower's."""
    theirs = voltages(net, distributed_slack=True)
    flow = solve(from_pandapower(net), options=SHARED)
    assert flow.solved.all()
    np.testing.assert_allclose(by_row(flow.grid, flow.v[0]), theirs, atol=1e-8)
    given = machines(flow)
    for kind in ("ext_grid", "gen"):
        expected = net[f"res_{kind}"]["p_mw"].to_numpy(float)
        np.testing.assert_allclose(given[kind].p_mw[0], expected, atol=1e-6)
    return flow


def test_two_references_share_by_their_weights() -> None:
    """pandapower gives 61.68 and 185.04 MW, and the angle of the second is free, 20.3°."""
    flow = equals_pandapower(two_sources())
    given = machines(flow)["ext_grid"].p_mw[0]
    np.testing.assert_allclose(given, [61.68, 185.04], atol=5e-3)
    assert given[1] / given[0] == pytest.approx(3.0, abs=1e-7)
    angle = np.degrees(np.angle(by_row(flow.grid, flow.v[0])[13]))
    assert angle == pytest.approx(20.3, abs=0.05)


def test_without_a_shared_slack_every_reference_keeps_its_angle() -> None:
    net = two_sources()
    flow = solve(from_pandapower(net))
    np.testing.assert_allclose(by_row(flow.grid, flow.v[0]), voltages(net), atol=1e-8)
    np.testing.assert_allclose(np.angle(by_row(flow.grid, flow.v[0])[13]), 0.0, atol=1e-12)


def test_generators_at_a_source_share_with_it() -> None:
    net = two_sources()
    pp.create_gen(net, 0, 30.0, vm_pu=1.06, slack_weight=2.0)
    net.gen.loc[[0, 2], "slack_weight"] = [1.5, 0.5]
    equals_pandapower(net)


def test_a_slack_generator_with_a_weight_shares_too() -> None:
    net = two_sources()
    net.gen.loc[1, ["slack", "slack_weight"]] = [True, 2.0]
    equals_pandapower(net)


def test_extended_wards_share_by_their_weight() -> None:
    net = two_sources()
    pp.create_xward(net, 8, 3.0, 1.0, 0.5, 0.2, 2.0, 20.0, 1.02, slack_weight=0.5)
    pp.create_xward(net, 9, 1.0, 0.5, 0.5, 0.2, 2.0, 20.0, 1.02, slack_weight=1.5)
    flow = equals_pandapower(net)
    found = label(flow)
    expected = net.xward.ps_mw - net.res_xward.p_mw  # with what flows into the branch behind
    given = found["xward_p_mw"].values[0]
    assert given[1] / given[0] == pytest.approx(3.0, abs=1e-6)
    ratio = given[0] / found["ext_grid_p_mw"].values[0, 0]
    assert ratio == pytest.approx(0.5, abs=1e-6)
    assert np.all(np.sign(expected) == np.sign(given))


def test_weights_of_wards_belong_to_their_rows() -> None:
    """pandapower hands them out in the order of the buses; here the order of rows is no matter."""
    net = two_sources()
    pp.create_xward(net, 9, 1.0, 0.5, 0.5, 0.2, 2.0, 20.0, 1.02, slack_weight=1.5)
    pp.create_xward(net, 8, 3.0, 1.0, 0.5, 0.2, 2.0, 20.0, 1.02, slack_weight=0.5)
    ours = by_row(*_solved(net))
    net.xward = net.xward.iloc[::-1].reset_index(drop=True)
    np.testing.assert_allclose(ours, voltages(net, distributed_slack=True), atol=1e-8)
    np.testing.assert_allclose(ours, by_row(*_solved(net)), atol=1e-9)


def _solved(net: Any) -> tuple[Any, np.ndarray]:
    flow = solve(from_pandapower(net), options=SHARED)
    return flow.grid, flow.v[0]


def two_parts() -> Any:
    """Two networks with two sources each, side by side."""
    first, second = two_sources(), two_sources()
    second.load["p_mw"] *= 0.7
    second.ext_grid["slack_weight"] = [2.0, 0.5]
    with quiet():
        return pp.toolbox.merge_nets(first, second, validate=False)


def test_parts_of_a_grid_share_each_on_its_own() -> None:
    """pandapower takes one part at a time."""
    net = two_parts()
    flow = solve(from_pandapower(net), options=SHARED)
    found = by_row(flow.grid, flow.v[0])
    for own in (net.bus.index[:14], net.bus.index[14:]):
        with quiet():
            part = pp.toolbox.select_subnet(net, own, include_results=False)
        theirs = voltages(part, distributed_slack=True)
        np.testing.assert_allclose(found[own], theirs, atol=1e-8)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([0.0, 0.0], "slack_weight of ext_grid 0, ext_grid 1, gen 0, gen 1, gen 2 and all others"),
        ([-1.0, 3.0], r"ext_grid 0 \(ext_grid 0\): slack_weight is -1, expected at least 0"),
    ],
)
def test_weights_that_share_nothing_are_refused(weights: list[float], told: str) -> None:
    net = two_sources()
    net.ext_grid["slack_weight"] = weights
    grid = from_pandapower(net)
    assert solve(grid).solved.all()  # without sharing they have no part
    with pytest.raises(InputError, match=told):
        solve(grid, options=SHARED)


def test_scenarios_share_apart() -> None:
    net = two_sources()
    pp.create_load(net, 0, 4.0, 1.0, const_z_p_percent=60, const_i_q_percent=30)
    scales = np.array([0.6, 1.0, 1.1])
    base = net.load.p_mw.to_numpy()
    flow = solve(from_pandapower(net), {"load_p_mw": scales[:, None] * base}, options=SHARED)
    for row, scale in enumerate(scales):
        net.load["p_mw"] = scale * base
        theirs = voltages(net, distributed_slack=True)
        np.testing.assert_allclose(by_row(flow.grid, flow.v[row]), theirs, atol=1e-8)


def test_outages_that_part_two_references_leave_each_its_own() -> None:
    """Both halves go on by themselves; one whose source has no weight is fed by its reference."""
    net = pp.create_empty_network(sn_mva=10.0)
    for _ in range(4):
        pp.create_bus(net, 20.0)
    for start in range(3):
        pp.create_line(net, start, start + 1, 5.0, "NA2XS2Y 1x240 RM/25 12/20 kV")
    pp.create_ext_grid(net, 0, vm_pu=1.01, slack_weight=1.0)
    pp.create_ext_grid(net, 3, vm_pu=1.02, slack_weight=2.0)
    pp.create_load(net, 1, 2.0, 0.5)
    pp.create_load(net, 2, 1.0, 0.2)
    pp.create_gen(net, 2, 0.5, vm_pu=1.0, slack_weight=1.0)
    grid = from_pandapower(net)
    branch = grid.groups["line"].branch
    flow = solve(
        grid, outages=outages(grid, np.array([[branch[1]], [branch[2]], [-1]])), options=SHARED
    )
    assert (flow.outcome == Outcome.SOLVED).all()
    cut = deepcopy(net)
    cut.line.loc[1, "in_service"] = False
    for own in ([0, 1], [2, 3]):
        with quiet():
            part = pp.toolbox.select_subnet(cut, own, include_results=False)
        theirs = voltages(part, distributed_slack=True)
        np.testing.assert_allclose(by_row(grid, flow.v[0])[own], theirs, atol=1e-8)
    lone = machines(flow)["ext_grid"].p_mw[1]
    assert lone[1] == pytest.approx(0.0, abs=1e-6)  # nothing is left at its bus
    np.testing.assert_allclose(
        by_row(grid, flow.v[2]), voltages(net, distributed_slack=True), atol=1e-8
    )


def test_lost_machines_leave_their_share_to_the_others() -> None:
    """A machine behind the only line to it, of nine tenths of the weight, is cut off."""
    net = two_sources()
    bus = pp.create_bus(net, 135.0)
    line = pp.create_line_from_parameters(net, 0, bus, 1.0, 0.1, 0.4, 10.0, 1.0)
    pp.create_gen(net, bus, 10.0, vm_pu=1.05, slack_weight=36.0)
    grid = from_pandapower(net)
    branch = grid.groups["line"].branch[line]
    flow = solve(grid, outages=outages(grid, np.array([[branch]])), options=SHARED)
    assert flow.outcome[0] == Outcome.UNSUPPLIED
    net.line.loc[line, "in_service"] = False
    theirs = voltages(net, distributed_slack=True)
    ours = by_row(grid, flow.v[0])
    np.testing.assert_allclose(ours[:14], theirs[:14], atol=1e-8)
    assert machines(flow)["gen"].p_mw[0, -1] == 0.0
