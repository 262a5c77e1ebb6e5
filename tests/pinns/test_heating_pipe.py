"""The heating pipe: its exact solution against other solvers, and a network against it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import PROBLEMS, Adam, Broyden, TrainSettings, train
from tvilling.pinns.library.heating_pipe import WATER_J_PER_M3K, HeatingPipe
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.heat.transport import Loss, implicit_passage


def inlet_degc(time_s):
    return 75.0 + 6.0 * jnp.sin(jnp.asarray(time_s) / 200.0)


def start_degc(x_m):
    """Begins with the inlet's 75 °C, and does not continue its course."""
    return 75.0 - 10.0 * jnp.asarray(x_m) / 1500.0


PIPES = {
    "fed before": HeatingPipe(inlet_degc),
    "filled": HeatingPipe(inlet_degc, start_degc, speed_m_per_s=0.6, loss_w_per_mk=2.0),
}


@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES.keys())
def test_the_exact_solution_meets_the_equation(pipe):
    """On both sides of the front that starts at the inlet, by differentiation."""
    random = np.random.default_rng(0)
    x = jnp.asarray(random.uniform(0, pipe.length_m, 200))
    time = jnp.asarray(random.uniform(0, pipe.horizon_s, 200))
    along_time = jax.vmap(jax.grad(pipe.exact_degc, 1))(x, time)
    along_pipe = jax.vmap(jax.grad(pipe.exact_degc, 0))(x, time)
    sink = pipe.decay_per_s * (pipe.exact_degc(x, time) - pipe.ground_degc)
    off = along_time + pipe.speed_m_per_s * along_pipe + sink
    np.testing.assert_allclose(off, 0.0, atol=1e-12 * float(jnp.max(jnp.abs(along_time))))


@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES.keys())
def test_the_exact_solution_starts_and_is_fed_as_told(pipe):
    time, x = np.linspace(0, pipe.horizon_s, 50), np.linspace(0, pipe.length_m, 50)
    np.testing.assert_allclose(pipe.exact_degc(0.0, time), inlet_degc(time), rtol=1e-15)
    np.testing.assert_allclose(pipe.exact_degc(x, 0.0), pipe.start_degc(x), rtol=1e-15)


def test_a_long_pipe_ends_with_what_the_textbook_says():
    """At steady inlet the excess falls by exp(-U L / (m cp)), with m = ρ v A."""
    pipe = HeatingPipe(lambda time_s: 80.0 + 0.0 * jnp.asarray(time_s), loss_w_per_mk=5.0)
    capacity_w_per_k = WATER_J_PER_M3K * 1.0 * np.pi * 0.0545**2 / 4
    excess = 72.0 * np.exp(-5.0 * 1500.0 / capacity_w_per_k)
    assert float(pipe.exact_degc(1500.0, 3600.0)) == pytest.approx(8.0 + excess, rel=1e-12)


def finite_volumes_degc(pipe, cells):
    """Outlet temperature by the implicit cells of the heat network, as many steps as cells.

    Enthalpy stands for temperature: a heat capacity of one, and ρ A in its place.
    """
    steps, one = 2 * cells, jnp.ones((cells, 1))
    dt_s = pipe.horizon_s / steps
    flow = jnp.asarray([pipe.speed_m_per_s])
    content = jnp.asarray([pipe.length_m / cells])
    loss = Loss(pipe.decay_per_s * content * one, pipe.ground_degc * one)
    middles = (jnp.arange(cells) + 0.5) * pipe.length_m / cells

    def step(degc, time_s):
        passage = implicit_passage(flow, content, degc, loss, jnp.zeros(1), dt_s)
        after = passage.after(jnp.atleast_1d(pipe.inlet_degc(time_s)))
        return after, after[-1, 0]

    times = dt_s * (1 + jnp.arange(steps))
    return times, jax.lax.scan(step, pipe.start_degc(middles)[:, None], times)[1]


@pytest.mark.parametrize(("name", "order"), [("fed before", 1.0), ("filled", 0.75)])
def test_the_finite_volumes_of_the_heat_network_tend_to_it(name, order):
    """They are of first order where it is smooth, of 3/4 in the mean square across a kink."""
    pipe = PIPES[name]

    def off(cells):
        times, degc = finite_volumes_degc(pipe, cells)
        last = pipe.length_m * (1 - 0.5 / cells)  # the middle of the last cell
        return float(jnp.sqrt(jnp.mean((degc - pipe.exact_degc(last, times)) ** 2)))

    assert np.log2(off(1000) / off(2000)) == pytest.approx(order, abs=0.15)
    assert off(2000) < 0.2


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def solution(told):
    settings = TrainSettings(points=800, stages=(Adam(250), Broyden(1000)))
    return train(PROBLEMS["heating_pipe"].example(), settings, seed=1, tell=told.append)


def test_a_network_solves_it_within_seconds(solution):
    """Against the exact solution; measured 1e-4 and 1e-3 over several seeds."""
    error = solution.error()["water_degc"]
    assert error.relative_l2 < 1e-3
    assert error.relative_to_spread < 5e-3
    assert error.rms < 0.03
    assert solution.stopped == "steps"


def test_the_solution_meets_its_conditions_and_carries_units(solution):
    grid = solution.evaluate(x_m=np.linspace(0, 1500, 7), time_s=np.linspace(0, 3600, 13))
    assert grid["water_degc"].dims == ("x_m", "time_s")
    assert grid["water_degc"].attrs["units"] == "°C"
    assert grid["x_m"].attrs["units"] == "m"
    course = 80 + 8 * np.sin(2 * np.pi * grid["time_s"].values / 1200)
    np.testing.assert_allclose(grid["water_degc"].sel(x_m=0.0), course, rtol=1e-12)
    assert grid.attrs["seed"] == 1


def test_the_reported_error_is_that_of_the_grid(solution):
    """Counted anew from `evaluate` and the exact solution."""
    axis = {"x_m": np.linspace(0, 1500, 30), "time_s": np.linspace(0, 3600, 30)}
    found = solution.evaluate(**axis)["water_degc"].values
    x, time = np.meshgrid(*axis.values(), indexing="ij")
    true = np.asarray(solution.problem.reference.function({"x_m": x, "time_s": time})["water_degc"])
    error = solution.error(points=900)["water_degc"]
    assert error.greatest == pytest.approx(np.abs(found - true).max(), rel=1e-6)
    assert error.relative_l2 == pytest.approx(
        np.linalg.norm(found - true) / np.linalg.norm(true), rel=1e-6
    )


def test_residuals_are_in_the_unit_of_the_equation(solution):
    """The inlet rises by up to 0.042 K/s; what is left of that is far less, and by autodiff."""
    random = np.random.default_rng(5)
    points = {"x_m": random.uniform(0, 1500, 300), "time_s": random.uniform(0, 3600, 300)}
    left = solution.residuals(points)["heat"]
    assert np.sqrt(np.mean(left**2)) < 1e-3 * 0.042
    step = 1e-2  # s and m: central differences of the solution itself
    x, time = points["x_m"][:5].clip(1, 1499), points["time_s"][:5].clip(1, 3599)
    at = [
        [float(solution.evaluate(x_m=a + i * step, time_s=b + j * step)["water_degc"].item())
         for a, b in zip(x, time, strict=True)]
        for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1), (0, 0))
    ]  # fmt: skip
    pipe = {item.name: item.value for item in solution.problem.fixed}
    slopes = (np.subtract(at[0], at[1]) + np.subtract(at[2], at[3])) / (2 * step)
    expected = slopes + pipe["decay_per_s"] * (np.asarray(at[4]) - pipe["ground_degc"])
    found = solution.residuals({"x_m": x, "time_s": time})["heat"]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_coordinates_outside_the_domain_are_told_together(solution):
    with pytest.raises(InputError) as error:
        solution.evaluate(x_m=[-1.0, 1600.0], t=0.0)
    assert error.value.faults == (
        "time_s is missing",
        "t is no coordinate",
        "x_m runs from -1 to 1600 m, expected 0 to 1500 m",
    )


def test_progress_is_told(solution, told):
    assert told[0] == "heating_pipe: compiling"
    assert told[-2].startswith("heating_pipe: ended by steps; Broyden step ")
    assert told[-1].startswith("heating_pipe: solved: water_degc is ")


def test_a_pipe_that_cannot_be_is_refused():
    with pytest.raises(InputError) as error:
        HeatingPipe(inlet_degc, length_m=0.0, speed_m_per_s=-1.0, loss_w_per_mk=-0.1)
    assert len(error.value.faults) == 3


def test_a_filling_that_contradicts_the_inlet_is_refused():
    with pytest.raises(InputError, match=r"disagree where x_m = 0 meets time_s = 0: 75 and 60 °C"):
        HeatingPipe(inlet_degc, lambda x_m: 60.0 + 0.0 * x_m).problem()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_every_seed_is_accurate(seed):
    found = train(PROBLEMS["heating_pipe"].example(), seed=seed).error()["water_degc"]
    assert found.relative_to_spread < 1e-3
