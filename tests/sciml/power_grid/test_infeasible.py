"""Scenarios up to and beyond what a grid can carry: solved rightly, or told to have no solution."""

from copy import deepcopy

import numpy as np
import pandapower as pp
import pytest
from continuation import Curve, curve, with_power
from loaded_grids import POWERS, Loaded
from pandapower_peer import by_row, voltages

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import outages

DENSE = np.concatenate([np.linspace(0.9, 1.1, 81), 1 + np.array([-1e-4, 1e-4, -1e-3, 1e-3])])
FAR = np.array([0.0, 0.1, 0.5, 1.5, 2.0, 5.0, 30.0, 1000.0])
GRIDS = [
    "pandapower:mv_oberrhein",
    "pandapower:create_kerber_dorfnetz",
    "pandapower:case57",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("pandapower:case118", "pandapower:case300", "pandapower:case1354pegase")
    ),
    pytest.param("1-HV-mixed--0-sw", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=GRIDS)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return Loaded(request.param)


@pytest.fixture(scope="module")
def path(loaded: Loaded) -> Curve:
    return curve(loaded.equations)


def check_numbers(flow: Flow) -> None:
    """Nothing is without a number, and every outcome says what goes with it."""
    for values in (flow.e, flow.f, flow.worst_pu, flow.reached):
        assert np.isfinite(values).all()
    lost = flow.outcome == Outcome.INFEASIBLE
    np.testing.assert_array_equal(flow.reached < 1.0, lost)
    np.testing.assert_array_equal(flow.weakest >= 0, lost)
    assert (flow.worst_pu[lost] > flow.worst_pu[~lost].max(initial=0.0)).all()


def test_all_times_a_factor(loaded: Loaded, path: Curve) -> None:
    scales = path.nose * np.concatenate([DENSE, FAR])
    scales = scales[np.abs(scales / path.nose - 1.0) > 2e-5]
    flow = solve(loaded.grid, loaded.scaled(scales))
    check_numbers(flow)
    lost = flow.outcome == Outcome.INFEASIBLE
    np.testing.assert_array_equal(lost, scales > path.nose)
    left = loaded.equations.left(flow.v[~lost], scales[~lost])
    assert np.abs(left).max() <= 1e-8
    np.testing.assert_allclose((flow.reached * scales)[lost], path.nose, rtol=3e-5)


def test_solutions_are_those_on_the_way_from_no_load(loaded: Loaded, path: Curve) -> None:
    scales = path.nose * np.array([0.3, 0.9, 0.99, 0.999, 0.9999])
    flow = solve(loaded.grid, loaded.scaled(scales))
    for v, scale in zip(flow.v, scales, strict=True):
        np.testing.assert_allclose(v, path.at(loaded.equations, scale), atol=1e-6)


def test_in_any_direction(loaded: Loaded, path: Curve) -> None:
    """Each load and generator by a factor of its own; scipy follows each scenario from no load."""
    rng = np.random.default_rng(1)
    varying = loaded.scaled(np.ones(4))
    for name, values in varying.items():
        varying[name] = values * rng.uniform(0.2, 1.8, values.shape)
    size = 0.9 * path.nose * np.array([0.6, 1.0, 1.1, 3.0])
    varying = {name: values * size[:, None] for name, values in varying.items()}
    flow = solve(loaded.grid, varying)
    check_numbers(flow)
    net = deepcopy(loaded.net)
    for row in range(len(size)):
        for name, (table, column) in POWERS.items():
            net[table][column] = varying[name][row]
        asked = with_power(loaded.equations, net)
        way = curve(asked, until=1.0)
        if flow.outcome[row] == Outcome.INFEASIBLE:
            assert flow.reached[row] == pytest.approx(way.nose, rel=3e-5)
        else:
            assert way.nose == np.inf
            np.testing.assert_allclose(flow.v[row], way.at(asked, 1.0), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "times"), [("case30", 2.5), ("case57", 1.4), ("case118", 3.0)])
def test_outages_of_a_loaded_grid(name: str, times: float) -> None:
    """Each line out, near the nose: what has a solution is what pandapower solves."""
    net = read_power_net(f"pandapower:{name}").net
    for table, column in POWERS.values():
        net[table][column] *= times
    grid = from_pandapower(net)
    flow = solve(grid, {}, outages(grid, grid.groups["line"].branch[:, None]))
    found = by_row(grid, flow.v)
    lost = flow.outcome == Outcome.INFEASIBLE
    assert 0 < lost.sum() < 0.5 * len(lost)
    for row, line in enumerate(net.line.index):
        net.line.loc[line, "in_service"] = False
        try:
            expected = voltages(net, 1e-9)
        except pp.LoadflowNotConverged:
            assert lost[row]
        else:
            assert np.nanmax(np.abs(found[row] - expected)) <= 1e-8
        net.line.loc[line, "in_service"] = True
