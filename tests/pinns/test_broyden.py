"""The optimiser against scipy's minimisers and against linear algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from tvilling.pinns.optimisers.broyden import (
    RULES,
    descend,
    minimise,
    moved_to,
    unbegun,
    updated_inverse,
)


def rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def soft_maximum(x):
    """Convex, not quadratic, with its minimiser nowhere in particular."""
    slopes = np.random.default_rng(1).standard_normal((30, 6))
    return jax.nn.logsumexp(slopes @ x + slopes[:, 0]) + 0.05 * x @ x


@pytest.mark.parametrize(("size", "seed"), [(2, 2), (10, 110), (40, 40)])
def test_rosenbrock_ends_where_scipy_ends(size, seed):
    """From these starts scipy finds the minimum at one; from others both may find a second."""
    start = np.random.default_rng(seed).uniform(0.5, 1.5, size)
    found = minimise(rosenbrock, jnp.asarray(start))
    peer = minimize(rosen, start, jac=rosen_der, method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(peer.x, 1.0, atol=1e-6)
    np.testing.assert_allclose(found.x, peer.x, atol=1e-6)
    assert int(found.steps) < 500


def test_the_second_minimum_of_rosenbrock_is_reached_to_the_last_digit():
    """Where it is not zero, the change of the value is lost in rounding before the gradient is."""
    found = minimise(rosenbrock, jnp.asarray(np.tile([-1.2, 1.0], 20)))
    assert float(jnp.max(jnp.abs(found.gradient))) <= 1e-8
    assert np.linalg.eigvalsh(jax.hessian(rosenbrock)(found.x)).min() > 0


def test_a_convex_function_has_the_minimiser_that_scipy_finds():
    found = minimise(soft_maximum, jnp.ones(6), tolerance=1e-10)
    peer = minimize(soft_maximum, np.ones(6), jac=jax.grad(soft_maximum), method="BFGS", tol=1e-10)
    np.testing.assert_allclose(found.x, peer.x, atol=1e-8)


@pytest.mark.parametrize("condition", [1e0, 1e3, 1e6])
def test_a_quadratic_is_minimised_as_linear_algebra_says(condition):
    random = np.random.default_rng(2)
    basis, _ = np.linalg.qr(random.standard_normal((25, 25)))
    matrix = basis @ np.diag(np.geomspace(1.0, condition, 25)) @ basis.T
    right = random.standard_normal(25)
    found = minimise(lambda x: 0.5 * x @ (matrix @ x) - right @ x, jnp.zeros(25), 500, 1e-9)
    np.testing.assert_allclose(found.x, np.linalg.solve(matrix, right), atol=1e-7)
    assert int(found.steps) <= 250


def test_one_parameter_is_enough():
    found = minimise(lambda x: jnp.sum(jnp.cosh(x - 0.3)), jnp.zeros(1))
    np.testing.assert_allclose(found.x, 0.3, atol=1e-8)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_update_meets_the_secant_equation_and_stays_positive(rule):
    random = np.random.default_rng(3)
    for _ in range(50):
        root = random.standard_normal((6, 6))
        inverse = jnp.asarray(root @ root.T + 1e-3 * np.eye(6))
        step, change = random.standard_normal((2, 6))
        change *= np.sign(step @ change)
        b_s = np.linalg.solve(inverse, step)
        pair = jnp.asarray(step), jnp.asarray(change)
        new = np.asarray(updated_inverse(inverse, *pair, b_s, rule))
        rounding = 1e-14 * np.linalg.norm(new) * np.linalg.norm(change)
        np.testing.assert_allclose(new @ change, step, rtol=0, atol=rounding)
        assert np.linalg.eigvalsh(new).min() > 0


def test_rounding_of_the_value_does_not_stop_the_search():
    """Near the minimum of 1e3 + f, f is lost in rounding long before its gradient is."""
    found = minimise(lambda x: 1e3 + rosenbrock(x), jnp.asarray([-1.2, 1.0]), tolerance=1e-6)
    assert float(jnp.max(jnp.abs(found.gradient))) <= 1e-6
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


def test_points_without_a_value_are_not_taken():
    """-log x + x has its minimum at 1, and no value at all where a first step may lead."""
    found = minimise(lambda x: jnp.sum(-jnp.log(x) + x), jnp.asarray([1e-3, 40.0]))
    np.testing.assert_allclose(found.x, 1.0, atol=1e-7)
    assert np.isfinite(found.inverse).all()


def test_where_nothing_is_lower_it_says_so():
    """The gradient is wrong on purpose: it leads uphill wherever it is followed."""

    @jax.custom_vjp
    def contrary(x):
        return x @ x

    contrary.defvjp(lambda x: (x @ x, x), lambda x, bar: (-2.0 * bar * x,))
    slope = jax.value_and_grad(contrary)
    found = descend(slope, moved_to(unbegun(jnp.ones(3))), steps=10)
    assert bool(found.stuck)
    np.testing.assert_array_equal(found.x, 1.0)


def test_a_descent_taken_up_again_is_the_same_descent():
    slope, start = jax.value_and_grad(soft_maximum), unbegun(jnp.ones(6))
    halves = descend(slope, moved_to(start), steps=4)
    halves = descend(slope, moved_to(halves), steps=4)
    whole = descend(slope, moved_to(start), steps=8)
    np.testing.assert_allclose(halves.x, whole.x, rtol=1e-9)
    assert int(halves.steps) == int(whole.steps) == 8
