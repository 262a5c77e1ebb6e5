"""Derivatives of the power flow against differences of full power flows, and its closed forms."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.differentiable import power_flow
from tvilling.sciml.systems.power_grid.solver.flow import Options, Tolerance

EXACT = Options(tolerance=Tolerance(mismatch_pu=1e-12))  # so that differences are not rounding
SCENARIOS = 3
POWER_STEP, VOLTAGE_STEP, BRANCH_STEP = 1e-2, 1e-5, 1e-4  # MW, p.u., relative


@pytest.fixture(scope="module")
def grid() -> PowerGrid:
    """30 buses with five machines, and voltage-dependent loads on some."""
    net = pn.case30()
    net.load.loc[::3, "const_z_p_percent"] = 30.0
    net.load.loc[::3, "const_i_q_percent"] = 20.0
    return from_pandapower(net, "case30")


@pytest.fixture(scope="module")
def inputs(grid: PowerGrid) -> dict[str, jax.Array]:
    """Scenarios around the base case."""
    draw = np.random.default_rng(1)
    load, gen = grid.elements["load"], grid.elements["gen"]
    span = draw.uniform(0.7, 1.2, (SCENARIOS, 1))
    voltages = np.full((SCENARIOS, len(gen.index)), 1.0)
    return {
        "load_p_mw": jnp.asarray(load.p_mw * span),
        "load_q_mvar": jnp.asarray(load.q_mvar * span),
        "gen_p_mw": jnp.asarray(gen.p_mw * span),
        "gen_vm_pu": jnp.asarray(voltages),
        "ext_grid_vm_pu": jnp.ones((SCENARIOS, 1)),
    }


def measure(grid: PowerGrid, inputs: dict[str, jax.Array], branches: object = None) -> jax.Array:
    """A number that every voltage enters with another weight."""
    voltages = power_flow(grid, inputs, branches, EXACT)  # type: ignore[arg-type]
    weight = jnp.asarray(np.random.default_rng(7).normal(size=(2, grid.n_bus)))
    return jnp.sum(voltages.e * weight[0] + voltages.f * weight[1])


def difference(value: object, step: float) -> float:
    """Central difference with the error of its third derivative taken out."""
    ends = [float(value(step * k)) for k in (1, -1, 2, -2)]  # type: ignore[operator]
    return (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("load_p_mw", POWER_STEP),
        ("load_q_mvar", POWER_STEP),
        ("gen_p_mw", POWER_STEP),
        ("gen_vm_pu", VOLTAGE_STEP * 10),
        ("ext_grid_vm_pu", VOLTAGE_STEP * 10),
    ],
)
def test_gradients_by_set_points(
    grid: PowerGrid, inputs: dict[str, jax.Array], name: str, step: float
) -> None:
    """Loads and set-points of machines: 1e-6 of finite differences, along a random direction."""
    along = jnp.asarray(np.random.default_rng(3).normal(size=inputs[name].shape))
    slope = float(jnp.sum(jax.grad(lambda x: measure(grid, x))(inputs)[name] * along))
    found = difference(lambda h: measure(grid, {**inputs, name: inputs[name] + h * along}), step)
    assert slope == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("name", ["r", "x", "b", "ratio", "shift_rad"])
def test_gradients_by_lines_and_taps(
    grid: PowerGrid, inputs: dict[str, jax.Array], name: str
) -> None:
    """Line parameters, taps and phase shifts, the same for all scenarios."""
    branches = jax.tree.map(jnp.asarray, grid.branches)
    along = jnp.asarray(np.random.default_rng(5).uniform(0.5, 1.5, grid.n_branch))
    along = along * (jnp.abs(getattr(branches, name)) + 0.01)

    def moved(h: float) -> jax.Array:
        return measure(
            grid, inputs, replace(branches, **{name: getattr(branches, name) + h * along})
        )

    slope = jax.grad(lambda b: measure(grid, inputs, b))(branches)
    found = difference(moved, BRANCH_STEP)
    assert float(jnp.sum(getattr(slope, name) * along)) == pytest.approx(found, rel=1e-6)


def test_taps_by_scenario(grid: PowerGrid, inputs: dict[str, jax.Array]) -> None:
    """Taps that differ by scenario give what each scenario gives alone, and its gradient."""
    draw = np.random.default_rng(9)
    ratio = jnp.asarray(grid.branches.ratio * draw.uniform(0.97, 1.03, (SCENARIOS, grid.n_branch)))
    branches = jax.tree.map(
        lambda leaf: jnp.broadcast_to(leaf, (SCENARIOS, grid.n_branch)), grid.branches
    )
    branches = replace(branches, ratio=ratio)
    together = power_flow(grid, inputs, branches, EXACT)
    slopes = jax.grad(lambda b: measure(grid, inputs, b))(branches).ratio
    for row in range(SCENARIOS):
        alone = {name: values[row] for name, values in inputs.items()}
        own = jax.tree.map(lambda leaf, row=row: leaf[row], branches)
        np.testing.assert_allclose(
            power_flow(grid, alone, own, EXACT).vm_pu, together.vm_pu[row], atol=1e-11
        )
        slope = jax.grad(lambda b, alone=alone: measure(grid, alone, b))(own).ratio
        np.testing.assert_allclose(slope, slopes[row], rtol=1e-7, atol=1e-9)


def test_forward_backward_mapped_and_compiled_agree(
    grid: PowerGrid, inputs: dict[str, jax.Array]
) -> None:
    """jacfwd, jacrev, vmap and jit are four ways to one Jacobian."""

    def voltages(p_mw: jax.Array) -> jax.Array:
        return power_flow(grid, {"load_p_mw": p_mw}, options=EXACT).vm_pu

    loads = inputs["load_p_mw"]
    forward = jax.jacfwd(voltages)(loads[0])
    np.testing.assert_allclose(jax.jacrev(voltages)(loads[0]), forward, atol=1e-13)
    mapped = jax.jit(jax.vmap(jax.jacfwd(voltages)))(loads)
    np.testing.assert_allclose(mapped[0], forward, atol=1e-13)
    np.testing.assert_allclose(jax.vmap(voltages)(loads), voltages(loads), atol=1e-13)


def test_two_buses_in_closed_form() -> None:
    """One line, one load: V² solves a quadratic; its slope by P follows by hand."""
    net = pp.create_empty_network(sn_mva=1.0)
    ends = [pp.create_bus(net, vn_kv=10.0) for _ in range(2)]
    pp.create_ext_grid(net, ends[0])
    pp.create_line_from_parameters(
        net, *ends, length_km=1.0, r_ohm_per_km=10.0, x_ohm_per_km=20.0, c_nf_per_km=0.0, max_i_ka=1
    )
    pp.create_load(net, ends[1], p_mw=0.5, q_mvar=0.2)
    grid = from_pandapower(net)
    r, x, q = 0.1, 0.2, 0.2  # of 100 Ω

    def square(p: jax.Array) -> jax.Array:
        half = (1 - 2 * (r * p + x * q)) / 2
        return half + jnp.sqrt(half**2 - (r**2 + x**2) * (p**2 + q**2))

    def found(p: jax.Array) -> jax.Array:
        voltages = power_flow(grid, {"load_p_mw": p[None]}, options=EXACT)
        return voltages.vm_pu[grid.buses.bus[1]] ** 2

    p = jnp.asarray(0.5)
    assert float(found(p)) == pytest.approx(float(square(p)), rel=1e-12)
    assert float(jax.grad(found)(p)) == pytest.approx(float(jax.grad(square)(p)), rel=1e-10)
    curved = jax.grad(jax.grad(square))(p)
    assert float(jax.grad(jax.grad(found))(p)) == pytest.approx(float(curved), rel=1e-9)


def test_a_scenario_without_solution_has_no_slope(grid: PowerGrid) -> None:
    """Its outcome says so; its voltages are finite and its derivatives zero."""
    loads = jnp.asarray(grid.elements["load"].p_mw) * jnp.array([[1.0], [30.0]])
    voltages = power_flow(grid, {"load_p_mw": loads})
    assert voltages.outcome.tolist() == [0, 1]
    slope = jax.grad(lambda p: power_flow(grid, {"load_p_mw": p}).vm_pu.sum())(loads)
    assert bool(jnp.isfinite(voltages.vm_pu).all())
    assert not bool(slope[1].any())
    assert bool(slope[0].any())
