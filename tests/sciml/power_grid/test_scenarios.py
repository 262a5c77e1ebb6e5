"""What is told of scenarios, outages and inputs that do not fit a grid."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.violations import limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.differentiable import power_flow
from tvilling.sciml.systems.power_grid.solver.flow import Options
from tvilling.sciml.systems.power_grid.solver.scenarios import outages
from tvilling.sciml.systems.power_grid.studies.gradient_opf import machines_of, optimal_flow


@pytest.fixture(scope="module")
def grid() -> PowerGrid:
    return from_pandapower(pn.case9(), "case9")


def test_every_fault_of_a_batch_is_told_at_once(grid: PowerGrid) -> None:
    with pytest.raises(InputError) as told:
        solve(grid, {"load_p_mw": np.ones((2, 4)), "gen_vm_pu": np.full((3, 2), 9.0), "wind": 1})
    assert len(told.value.faults) == 3


def test_outages_name_branches_that_are_not_there(grid: PowerGrid) -> None:
    with pytest.raises(InputError) as told:
        outages(grid, np.array([[99, -5], [1.7, 2]]))
    assert len(told.value.faults) == 3


def test_a_branch_named_twice_is_out_once(grid: PowerGrid) -> None:
    once = solve(grid, outages=outages(grid, np.array([[4, -1]])))
    twice = solve(grid, outages=outages(grid, np.array([[4, 4]])))
    np.testing.assert_allclose(twice.v, once.v, atol=1e-12)


@pytest.mark.parametrize(
    "inputs",
    [
        {"load_p_mw": jnp.ones(4)},
        {"load_p_mw": jnp.asarray(1.0)},
        {"wind_p_mw": jnp.ones(3)},
        {"load_p_mw": jnp.ones((2, 3)), "load_q_mvar": jnp.ones((5, 3))},
    ],
)
def test_shapes_are_told_before_anything_runs(
    grid: PowerGrid, inputs: dict[str, jnp.ndarray]
) -> None:
    with pytest.raises(InputError):
        power_flow(grid, inputs)


def test_no_derivative_is_given_through_limits(grid: PowerGrid) -> None:
    """It would be that of machines that all hold their voltage."""
    with pytest.raises(InputError, match="derivatives through reactive limits"):
        power_flow(grid, {"load_p_mw": jnp.ones(3)}, options=Options(q_limits=True))


@pytest.mark.parametrize("scenarios", [1, 7, 8, 9, 1023, 1024, 1025])
def test_edges_of_lanes_and_blocks(grid: PowerGrid, scenarios: int) -> None:
    """Each scenario gives what it gives alone, wherever it stands in the batch."""
    scale = np.linspace(0.8, 1.2, scenarios)[:, None]
    flow = solve(grid, {"load_p_mw": grid.elements["load"].p_mw * scale})
    last = solve(grid, {"load_p_mw": grid.elements["load"].p_mw * scale[-1:]})
    assert flow.v.shape == (scenarios, grid.n_bus)
    np.testing.assert_allclose(flow.v[-1:], last.v, atol=1e-10)


def test_a_grid_without_any_branch() -> None:
    """The slack bus alone has a voltage; a load elsewhere has no supply."""
    net = pp.create_empty_network()
    ends = [pp.create_bus(net, vn_kv=10.0) for _ in range(2)]
    pp.create_ext_grid(net, ends[0], vm_pu=1.02)
    pp.create_load(net, ends[1], p_mw=1.0)
    grid = from_pandapower(net)
    assert solve(grid).vm_pu.tolist() == [[1.02]]
    assert grid.buses.bus.tolist() == [0, -1]


@pytest.mark.slow
def test_an_optimum_that_cannot_be_says_which_limit_it_breaks(grid: PowerGrid) -> None:
    net = pn.case9()
    limits = limits_of(grid)
    narrow = replace(limits, vm_min_pu=limits.vm_min_pu * 0 + 1.09)  # the supply is held at 1
    found = optimal_flow(grid, machines_of(net, grid), narrow, steps=5)
    assert not found.keeps_limits
    assert any("voltage" in word for word in found.broken)
    net.gen["min_p_mw"] = 1e4
    with pytest.raises(InputError, match="is above max_p_mw"):
        machines_of(net, grid)
