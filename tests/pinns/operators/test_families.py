"""Ensembles agree with closed forms and with the references of the problems they stand for."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns.library.burgers import Burgers
from tvilling.pinns.operators import (
    OperatorProblem,
    Varied,
    burgers_course,
    burgers_end,
    ensemble,
    pipe_field,
    pipe_outlet,
    solved,
)
from tvilling.pinns.operators.families import pipe_with
from tvilling.pinns.operators.periodic_burgers import (
    REFERENCE_ERROR,
    PeriodicBurgers,
    by_modes,
    courses,
)
from tvilling.pinns.operators.physics import residuals
from tvilling.sciml.core.errors import InputError

FAMILIES = (burgers_end, burgers_course, pipe_outlet, pipe_field)


@pytest.mark.parametrize(("height", "viscosity"), [(1.0, 0.02), (1.5, 0.02), (3.0, 0.02), (1, 0.1)])
def test_periodic_burgers_is_that_of_cole_and_hopf(height: float, viscosity: float) -> None:
    """A sine start is odd about the ends, so that a ring and fixed ends give the same.

    A start of height h goes h times as fast as that of height 1 with the viscosity ν / h.
    """
    x, t = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(0, 1, 57), indexing="ij")
    (course,) = courses([lambda x: -height * jnp.sin(math.pi * jnp.asarray(x))], viscosity)
    exact = height * np.asarray(Burgers(viscosity / height).exact(x, height * t))
    np.testing.assert_allclose(course(x, t), exact, atol=REFERENCE_ERROR)


def test_mean_of_periodic_burgers_is_conserved() -> None:
    data = ensemble(burgers_end(), 5, seed=3, points={"x": 256})
    np.testing.assert_allclose(data.u.mean("x"), data.start.mean("x"), atol=1e-12)


def test_outlet_is_the_inlet_of_the_transit_before_and_cooler() -> None:
    data = ensemble(pipe_outlet(), 4, seed=0, points={"time_s": 145})  # every 25 s
    transit = 1500 // 25
    decay = pipe_with(lambda s: jnp.zeros_like(s)).decay_per_s
    inlet = data.inlet_degc.values
    later = np.concatenate([np.repeat(inlet[:, :1], transit, axis=1), inlet[:, :-transit]], axis=1)
    expected = 8.0 + (later - 8.0) * math.exp(-decay * 1500.0)
    np.testing.assert_allclose(data.water_degc, expected, rtol=1e-12)
    assert (data.inlet_degc.units, data.water_degc.units, data.time_s.units) == ("°C", "°C", "s")


@pytest.mark.parametrize("family", FAMILIES)
def test_quick_solver_gives_the_references_of_the_problems(family) -> None:  # type: ignore[no-untyped-def]
    problem = family()
    functions, grid = problem.varied.draws.draw(2, seed=3), problem.grid()
    data = solved(problem, functions, grid)
    one = problem.solve_one(functions[1], grid)
    np.testing.assert_allclose(data[problem.unknown.name][1], one, rtol=1e-12, atol=1e-12)
    assert data.attrs["source"] == problem.template.reference.source


def test_without_a_quick_solver_the_references_are_called() -> None:
    quick = pipe_outlet()
    slow = OperatorProblem("slow", quick.problem_of, quick.varied, {"time_s": 9}, quick.at)
    found = ensemble(slow, 2, seed=5).water_degc
    np.testing.assert_allclose(found, ensemble(quick, 2, 5, {"time_s": 9}).water_degc, rtol=1e-14)


def test_residual_of_a_moving_front_vanishes_and_that_of_another_speed_does_not() -> None:
    """u = c - a tanh(a (x - c t) / (2 ν)) solves Burgers' equation on the line."""
    points = {"x": jnp.linspace(-0.9, 0.9, 41), "t": jnp.linspace(0.0, 1.0, 41)}

    def residual(speed: float) -> float:
        def front(point):  # type: ignore[no-untyped-def]
            return 0.3 - 0.5 * jnp.tanh(0.5 * (point["x"] - speed * point["t"]) / 0.04)

        return float(jnp.abs(residuals(burgers_course(0.02), front, points)).max())

    assert residual(0.3) < 1e-12
    assert residual(0.4) > 0.1


def test_what_does_not_fit_is_told_together() -> None:
    good = burgers_end()
    wrong = Varied("start", "1", "t", good.varied.draws)
    with pytest.raises(InputError) as caught:
        OperatorProblem("bad", good.problem_of, wrong, {"y": 3}, {"t": 1.0, "z": 0.0})
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match=r"viscosity is 0\.001, expected 0\.02"):
        PeriodicBurgers(lambda x: jnp.asarray(x), 0.001).problem()


def test_a_solution_that_runs_away_is_told() -> None:
    with pytest.raises(InputError, match="64 modes and 10 steps are too few"):
        by_modes([lambda x: -9 * jnp.sin(math.pi * jnp.asarray(x))], 0.02, 64, 10)
