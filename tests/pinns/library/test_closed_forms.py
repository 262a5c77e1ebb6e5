"""Standard problems with a formula: it meets the equation and the conditions of the problem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns.fields.field import Field
from tvilling.pinns.library import advection, burgers, heat, helmholtz, poisson, wave
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError

EXACT = {
    "poisson": (poisson.example(), poisson.exact),
    "helmholtz": (helmholtz.example(), helmholtz.Helmholtz().exact),
    "heat": (heat.example(), heat.Heat().exact),
    "advection": (advection.example(), advection.Advection().exact),
    "wave": (wave.example(), wave.Wave().exact),
    "burgers": (burgers.example(), burgers.Burgers().exact),
    "helmholtz, other numbers": (
        helmholtz.Helmholtz(3.0, 2, 3).problem(),
        helmholtz.Helmholtz(3.0, 2, 3).exact,
    ),
    "advection, fast": (advection.Advection(50.0).problem(), advection.Advection(50.0).exact),
    "burgers, viscous": (burgers.Burgers(0.1).problem(), burgers.Burgers(0.1).exact),
}
cases = pytest.mark.parametrize(("problem", "exact"), EXACT.values(), ids=EXACT.keys())


def at(problem, exact):
    """What the equations of `problem` take, with the exact solution as the unknown."""
    names = problem.domain.names
    coordinates = {name: Field(lambda point, name=name: point[name]) for name in names}
    numbers = {item.name: item.value for item in problem.fixed}
    found = {"u": Field(lambda point: exact(*(point[name] for name in names)))}
    return Variables({**coordinates, **numbers, **found})


def drawn(problem, count=40):
    random = np.random.default_rng(0)
    return {
        axis.name: jnp.asarray(random.uniform(axis.low, axis.high, count))
        for axis in problem.domain.axes
    }


@cases
def test_the_solution_meets_the_equation(problem, exact):
    """By differentiation of the formula; relative to the greatest second derivative."""
    points = drawn(problem)
    left = jax.jit(jax.vmap(problem.equations[0].residual(at(problem, exact))))(points)
    hessian = jax.vmap(jax.hessian(lambda pair: exact(*pair)))(jnp.stack([*points.values()], 1))
    np.testing.assert_allclose(left, 0.0, atol=1e-11 * float(jnp.abs(hessian).max()))


@cases
def test_another_function_does_not(problem, exact):
    shifted = at(problem, lambda one, other: exact(one, other) + 1e-3 * one**2 * other)
    left = jax.jit(jax.vmap(problem.equations[0].residual(shifted)))(drawn(problem))
    assert float(jnp.abs(left).max()) > 1e-4


@cases
def test_the_solution_meets_the_conditions(problem, exact):
    names = problem.domain.names
    for condition in problem.conditions:
        points = drawn(problem)
        points[condition.axis] = jnp.full(40, condition.at)
        wanted = condition.value
        if callable(wanted):
            wanted = wanted(Variables(points))
        pair = [points[name] for name in names]
        np.testing.assert_allclose(exact(*pair), wanted, atol=2e-14)
        if condition.slope is not None:
            slope = jax.vmap(jax.grad(exact, names.index(condition.axis)))(*pair)
            np.testing.assert_allclose(slope, condition.slope, atol=1e-12)


@cases
def test_the_reference_is_the_solution(problem, exact):
    points = {name: np.asarray(value) for name, value in drawn(problem).items()}
    found = problem.reference.function(points)["u"]
    np.testing.assert_allclose(found, exact(*points.values()), rtol=1e-13, atol=1e-15)


def test_the_sine_is_carried_around_the_circle():
    exact = advection.Advection(2 * np.pi * 3).exact
    x = np.linspace(0, 2 * np.pi, 20)
    np.testing.assert_allclose(exact(x, 1.0), np.sin(x), atol=1e-13)
    np.testing.assert_allclose(exact(x + 2 * np.pi, 0.3), exact(x, 0.3), atol=1e-13)
    assert advection.example().domain.axis("x").periodic


def test_the_string_returns_and_keeps_its_energy():
    """∫ u_t² + c² u_x² dx is c² (π² + (4 π)² / 4) / 2 at all times."""
    exact = wave.Wave().exact
    x = jnp.linspace(0, 1, 65)[:-1] + 1 / 128
    np.testing.assert_allclose(exact(x, 1.0), exact(x, 0.0), atol=1e-13)
    for time in (0.0, 0.13, 0.4):
        u_x, u_t = (jax.vmap(jax.grad(exact, k), (0, None))(x, time) for k in (0, 1))
        assert float(jnp.mean(u_t**2 + 4 * u_x**2)) == pytest.approx(10 * np.pi**2, rel=1e-12)


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: helmholtz.Helmholtz(-1.0, 0, 4), 2),
        (lambda: heat.Heat(0.0), 1),
        (lambda: advection.Advection(float("nan")), 1),
        (lambda: wave.Wave(-2.0), 1),
        (lambda: burgers.Burgers(1e-4), 1),
    ],
)
def test_numbers_that_cannot_be_are_refused(build, count):
    with pytest.raises(InputError) as error:
        build()
    assert len(error.value.faults) == count
