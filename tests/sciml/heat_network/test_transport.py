"""Heat along a pipe, against the solutions of u dT/dx = -k (T - T_ground) and of pure transport."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heat_networks import CP, DENSITY, PLAIN_WATER, inputs, of, open_pipe, settled, step

from tvilling.sciml.systems.heat_network import HeatNetwork, Options, build

FLOW = 1.5
LENGTH_M, DIAMETER_M = 800.0, 0.1
CONTENT_KG = DENSITY * np.pi / 4 * DIAMETER_M**2 * LENGTH_M
PASSING_S = CONTENT_KG / FLOW
NTU = 0.9 * LENGTH_M / (FLOW * CP)
COOLED_DEGC = 8 + (80 - 8) * np.exp(-NTU)


@pytest.mark.parametrize("cells", [1, 5])
def test_steady_pipe_cools_exponentially(cells: int) -> None:
    tables = open_pipe(FLOW, loss_w_per_mk=0.9)
    network, output = settled(tables, cells=cells)
    assert of(network, output, "junction_degc", "outlet") == pytest.approx(COOLED_DEGC, rel=1e-9)
    lost_w = FLOW * CP * (80 - COOLED_DEGC)
    assert float(output["loss_w"]) == pytest.approx(lost_w, rel=1e-8)


def test_cells_settle_at_the_exponential_to_first_order() -> None:
    """A very long implicit step leads to T_g + (T_in - T_g) (1 + NTU/K)^-K."""
    tables = open_pipe(FLOW, loss_w_per_mk=0.9)
    error = {}
    for cells in (4, 8):
        network = build(tables, Options(cells=cells, water=PLAIN_WATER))
        state = network.init(jax.random.key(0))
        output = step(network, state, *inputs(tables), 1e12)[1]
        found = of(network, output, "junction_degc", "outlet")
        assert found == pytest.approx(8 + 72 * (1 + NTU / cells) ** -cells, abs=1e-6)
        error[cells] = found - COOLED_DEGC
    assert np.log2(error[4] / error[8]) == pytest.approx(1.0, abs=0.05)


def outlet_degc(network: HeatNetwork, inlet_degc: np.ndarray, dt_s: float) -> np.ndarray:
    """Outlet temperature at the end of every step for the inlet temperature in it."""
    at = network.layout.junction_place[1]

    def advance(state: object, degc: jax.Array) -> tuple[object, jax.Array]:
        action, drive = {"supply_degc": degc[None]}, {"ground_degc": jnp.array(8.0)}
        state, output = network.step(state, action, drive | {"heat_w": jnp.zeros(0)}, dt_s)
        return state, output["junction_degc"][1]

    assert at >= 0
    start = network.init(jax.random.key(0))
    run = jax.jit(lambda degc: jax.lax.scan(advance, start, degc)[1])
    return np.asarray(run(jnp.asarray(inlet_degc)))


def test_front_arrives_after_the_time_the_water_takes() -> None:
    """The mean arrival time ∫ (1 - θ) dt is content over flow, whatever the grid.

    The pipe wall delays it by its heat capacity: here one of 2 kJ/(m K).
    """
    for wall_j_per_mk in (0.0, 2000.0):
        network = build(
            open_pipe(FLOW, wall_j_per_mk=wall_j_per_mk), Options(cells=6, water=PLAIN_WATER)
        )
        dt_s = 60.0
        found = outlet_degc(network, np.full(800, 90.0), dt_s)
        share = (found - 80) / 10
        assert share[-1] == pytest.approx(1.0, abs=1e-9)
        held_kg = CONTENT_KG + wall_j_per_mk * LENGTH_M / CP
        assert np.sum(1 - share) * dt_s == pytest.approx(held_kg / FLOW, rel=1e-6)


def test_smooth_front_converges_to_first_order() -> None:
    """Cells and steps halved together halve the error of the travelling profile."""

    def front(time_s: np.ndarray) -> np.ndarray:
        return 80 + 10 * np.sin(np.pi / 4 * np.maximum(time_s, 0.0) / PASSING_S) ** 2

    error = []
    for cells in (64, 128):
        dt_s = PASSING_S / cells
        time_s = dt_s * np.arange(1, 3 * cells + 1)
        network = build(open_pipe(FLOW), Options(cells=cells, water=PLAIN_WATER))
        found = outlet_degc(network, front(time_s), dt_s)
        error.append(np.abs(found - front(time_s - PASSING_S)).max())
    assert error[0] < 0.3
    assert np.log2(error[0] / error[1]) == pytest.approx(1.0, abs=0.05)


def test_a_drive_replaces_the_injections_of_the_tables() -> None:
    """Flow and loss follow the drive; with twice the flow the pipe is passed in half the time."""
    tables = open_pipe(FLOW, loss_w_per_mk=0.9)
    network = build(tables, Options(cells=4, water=PLAIN_WATER))
    action, drive = inputs(tables)
    drive["injection_kg_per_s"] = jnp.array([-2 * FLOW])
    output = step(network, network.init(jax.random.key(0)), action, drive, 1e12)[1]
    assert of(network, output, "pipe_kg_per_s", "pipe") == pytest.approx(2 * FLOW)
    expected = 8 + 72 * (1 + NTU / 8) ** -4
    assert of(network, output, "junction_degc", "outlet") == pytest.approx(expected, abs=1e-6)
    net_w = float(network.net_power_w(action, drive, output))
    assert net_w == pytest.approx(0.0, abs=1.0)
