"""Flows at low load, where a colder inlet asks for more flow and more flow brings a warmer one."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from heat_networks import CP, PLAIN_WATER, inputs, line, source, steady, step
from scipy.optimize import brentq, fsolve

from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatNetworkTables, Options, build
from tvilling.sciml.systems.heat_network.hydraulics.krylov import solve_linear

SUPPLY, GROUND, BACK = 80.0, 8.0, 40.0
LOADS_W = np.array([50.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0])


def one_consumer(**consumer: Any) -> HeatNetworkTables:
    """A plant, 300 m of pipe and one consumer of 50 kW."""
    tables = line([{"heat_w": 50e3, "return_degc": BACK} | consumer])
    return replace(tables, pipes=tables.pipes.assign(length_m=300.0, loss_w_per_mk=0.25))


def with_pipes(network: HeatNetwork, length_m: float, loss_w_per_mk: float) -> HeatNetwork:
    """The same with other pipes, without compiling anew."""
    branch = network.branch
    long = jnp.where(branch.length_m > 0, length_m, 0.0)
    lossy = jnp.where(branch.length_m > 0, loss_w_per_mk, 0.0)
    return replace(network, branch=replace(branch, length_m=long, loss_w_per_mk=lossy))


def exact_kg_per_s(heat_w: float, ua_w_per_k: float) -> float:
    """m cp (T(m) - T_return) = Q with T(m) = T_g + (T_s - T_g) exp(-UA/(m cp)), bracketed."""

    def inlet(flow: float) -> float:
        return GROUND + (SUPPLY - GROUND) * np.exp(-ua_w_per_k / (flow * CP))

    coldest = ua_w_per_k / CP / np.log((SUPPLY - GROUND) / (BACK - GROUND))
    return brentq(lambda m: m * CP * (inlet(m) - BACK) - heat_w, coldest, coldest + heat_w / CP)


@pytest.fixture(scope="module")
def network() -> HeatNetwork:
    return build(one_consumer(), Options(water=PLAIN_WATER, cells=1))


@pytest.fixture(scope="module")
def many():
    """The steady state under a batch of loads."""
    action = {"supply_degc": jnp.array([SUPPLY])}

    def one(network: HeatNetwork, heat_w: jax.Array) -> Any:
        drive = {"heat_w": heat_w[None], "ground_degc": jnp.array(GROUND)}
        return network.steady(action, drive)[1]

    return jax.jit(jax.vmap(one, in_axes=(None, 0)))


@pytest.mark.parametrize("length_m", [30.0, 300.0, 900.0])
@pytest.mark.parametrize("loss_w_per_mk", [0.05, 0.25, 0.8])
def test_flow_is_the_root_of_the_heat_balance(network, many, length_m, loss_w_per_mk):
    output = many(with_pipes(network, length_m, loss_w_per_mk), jnp.asarray(LOADS_W))
    assert (np.asarray(output["status"]) == Status.OK).all()
    expected = [exact_kg_per_s(heat_w, length_m * loss_w_per_mk) for heat_w in LOADS_W]
    np.testing.assert_allclose(output["consumer_kg_per_s"][:, 0], expected, rtol=1e-4)
    np.testing.assert_allclose(output["delivered_w"][:, 0], LOADS_W, rtol=1e-6)


def test_a_load_too_far_away_is_said_to_be_unserved(network, many):
    """Seven kilometres of bad pipe need 1.7 kg/s to stay above 40 °C; the valve passes 1.5 kg/s."""
    far = with_pipes(network, 7000.0, 0.8)
    output = many(far, jnp.asarray(LOADS_W))
    assert all(Status.UNSERVED in Status(int(one)) for one in output["status"])
    assert all(np.isfinite(values).all() for values in output.values())


def test_gradient_at_low_load_is_that_of_the_root(network):
    """d flow / d load against differences of the bracketed root."""

    def flow(heat_w: jax.Array) -> jax.Array:
        drive = {"heat_w": heat_w[None], "ground_degc": jnp.array(GROUND)}
        _, output = network.steady({"supply_degc": jnp.array([SUPPLY])}, drive)
        return output["consumer_kg_per_s"][0]

    gradient = float(jax.jit(jax.grad(flow))(jnp.array(200.0)))
    ends = [exact_kg_per_s(heat_w, 300.0 * 0.25) for heat_w in (199.0, 201.0)]
    assert gradient == pytest.approx((ends[1] - ends[0]) / 2, rel=1e-3)


TREE = ((-1, 400.0), (0, 150.0), (0, 80.0), (1, 60.0), (1, 200.0), (2, 30.0), (2, 120.0))
# parent junction (-1: plant) and length of each pipe; junctions 3 to 6 and 0 have a consumer
ENDS = (0, 3, 4, 5, 6)
TREE_LOSS = 0.3


def tree_tables(heat_w: np.ndarray) -> HeatNetworkTables:
    pipes = [
        {"name": f"{side}{k}", "length_m": length, "inner_diameter_m": 0.05,
         "loss_w_per_mk": TREE_LOSS, "from_junction": ends[0], "to_junction": ends[1]}
        for k, (parent, length) in enumerate(TREE)
        for side, ends in (("s", (f"s{parent}", f"s{k}")), ("r", (f"r{k}", f"r{parent}")))
    ]  # fmt: skip
    return HeatNetworkTables(
        junctions=pd.DataFrame({"name": [f"{s}{k}" for s in "sr" for k in range(-1, len(TREE))]}),
        pipes=pd.DataFrame(pipes),
        consumers=pd.DataFrame(
            {
                "name": [f"c{k}" for k in ENDS],
                "from_junction": [f"s{k}" for k in ENDS],
                "to_junction": [f"r{k}" for k in ENDS],
                "heat_w": heat_w,
                "return_degc": BACK,
                "max_flow_kg_per_s": 3.0,
            }
        ),
        sources=pd.DataFrame([source("plant", "s-1", "r-1", lift_bar=1.0)]),
    )


def tree_flows(heat_w: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Flows of the consumers by a dense Newton (MINPACK) on the same equations."""

    def inlets(flow: np.ndarray) -> np.ndarray:
        through = np.zeros(len(TREE))
        for k, one in zip(ENDS, flow, strict=True):
            while k >= 0:
                through[k] += one
                k = TREE[k][0]
        degc = np.zeros(len(TREE))
        for k, (parent, length) in enumerate(TREE):
            above = SUPPLY if parent < 0 else degc[parent]
            degc[k] = GROUND + (above - GROUND) * np.exp(-TREE_LOSS * length / through[k] / CP)
        return degc[list(ENDS)]

    def excess(flow: np.ndarray) -> np.ndarray:
        return flow * CP * (inlets(flow) - BACK) / heat_w - 1

    flow, _, done, message = fsolve(excess, guess, full_output=True, xtol=1e-12)
    assert done == 1, message
    return flow


@pytest.mark.parametrize("seed", range(6))
def test_many_consumers_behind_shared_pipes(seed):
    """Loads over two decades on one tree; each flow moves the inlets of all others."""
    heat_w = 10 ** np.random.default_rng(seed).uniform(1.7, 3.7, len(ENDS))
    network = build(tree_tables(np.full(len(ENDS), 1e4)), Options(water=PLAIN_WATER, cells=1))
    action, drive = inputs(tree_tables(heat_w))
    output = steady(network, action, drive)[1]
    assert Status(int(output["status"])) == Status.OK
    flow = np.asarray(output["consumer_kg_per_s"])
    np.testing.assert_allclose(flow, tree_flows(heat_w, 1.3 * flow), rtol=1e-4)


def test_steps_follow_a_load_that_falls_to_little(network):
    action = {"supply_degc": jnp.array([SUPPLY])}
    state = network.init(jax.random.key(0))
    for heat_w in (5000.0, 500.0, 50.0, 0.0, 50.0, 5000.0):
        drive = {"heat_w": jnp.array([heat_w]), "ground_degc": jnp.array(GROUND)}
        for _ in range(3):
            state, output = step(network, state, action, drive, dt_s=3600.0)
            assert Status(int(output["status"])) == Status.OK
            assert float(output["delivered_w"][0]) == pytest.approx(heat_w, rel=1e-6)


def test_linear_systems_are_solved_with_their_derivative():
    matrix = np.random.default_rng(0).normal(size=(6, 6)) + 4 * np.eye(6)
    right = jnp.arange(6.0)
    found = solve_linear(lambda x: matrix @ x, right)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-9)
    gradient = jax.grad(lambda r: solve_linear(lambda x: matrix @ x, r).sum())(right)
    np.testing.assert_allclose(gradient, np.linalg.solve(matrix.T, np.ones(6)), rtol=1e-9)
