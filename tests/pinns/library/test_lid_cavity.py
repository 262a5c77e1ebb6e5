"""The flow in a cavity: refinement, its equation by differences, and figures of the literature."""

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns.library.lid_cavity import REFERENCE_ERROR, LidCavity, flow, lid_speed
from tvilling.pinns.library.references.cavity import solve
from tvilling.pinns.library.references.cavity_corners import constant_slip, growing_slip
from tvilling.pinns.library.references.clamped_line import Line
from tvilling.sciml.errors import InputError

# Ghia, Ghia and Shin, J. Comput. Phys. 48 (1982), tables I and II, Re = 400, in 1/128 of the side.
GHIA_U = {8: -0.09266, 13: -0.14612, 22: -0.24299, 36: -0.32726, 58: -0.17119, 64: -0.11477,
          79: 0.02135, 94: 0.16256, 109: 0.29093, 122: 0.55892, 124: 0.68439}  # fmt: skip
GHIA_V = {8: 0.18360, 12: 0.22965, 20: 0.28124, 30: 0.30174, 64: 0.05188, 103: -0.38598,
          110: -0.44993, 124: -0.12146}  # fmt: skip


def grid(count):
    return np.meshgrid(*2 * [np.linspace(0, 1, count)], indexing="ij")


def off(found, true):
    return max(
        np.linalg.norm(one - other) / np.linalg.norm(other)
        for one, other in zip(found, true, strict=True)
    )


@pytest.fixture(scope="module")
def reference():
    return flow(400.0)


def test_the_lid_is_that_of_the_benchmark():
    x = np.linspace(0, 1, 41)
    stated = 1 - np.cosh(50 * (x - 0.5)) / np.cosh(25)
    np.testing.assert_allclose(lid_speed(x), stated, atol=1e-15)


def test_derivatives_of_a_clamped_polynomial_are_exact():
    """(1 - x²) q with q = 3 x³ - x."""
    line = Line.of(12)
    q = np.polynomial.Polynomial([0, -1, 0, 3])
    whole = q * np.polynomial.Polynomial([1, 0, -1])
    for order, matrix in enumerate(line.clamped):
        true = whole.deriv(order)(line.points[1:-1]) if order else whole(line.points[1:-1])
        np.testing.assert_allclose(matrix @ q(line.points), true, atol=1e-8)
    at = np.array([-1.0, -0.3, line.points[4], 0.777])
    np.testing.assert_allclose(line.through(at) @ q(line.points), q(at), atol=1e-14)


@pytest.mark.parametrize(("stream", "power"), [(constant_slip, 0), (growing_slip, 1)])
def test_the_flow_of_a_corner_slips_only_on_the_lid(stream, power):
    """By central differences across the wall X = 0 and the lid Y = 0."""
    place, step = np.array([0.05, 0.4]), 1e-5
    np.testing.assert_allclose(stream(place, 0.0 * place), 0.0, atol=1e-15)
    np.testing.assert_allclose(stream(0.0 * place, place), 0.0, atol=1e-15)
    slip = (stream(place, step + 0 * place) - stream(place, -step + 0 * place)) / (-2 * step)
    np.testing.assert_allclose(slip, place**power, rtol=1e-6)
    still = stream(step + 0 * place, place) - stream(-step + 0 * place, place)
    np.testing.assert_allclose(still / (2 * step), 0.0, atol=1e-8)


def test_the_velocity_meets_the_walls_and_the_lid(reference):
    """Just beside them too, where nothing is set by hand."""
    along, near = np.linspace(0.02, 0.98, 60), 1e-9
    u, v = reference.velocity(along, np.full(60, 1 - near))
    np.testing.assert_allclose(u, lid_speed(along), atol=1e-6)
    np.testing.assert_allclose(v, 0.0, atol=1e-6)
    for x, y in ((along, near), (near, along), (1 - near, along)):
        np.testing.assert_allclose(reference.velocity(x, y), 0.0, atol=1e-6)
    np.testing.assert_array_equal(reference.velocity(along, 1.0)[0], lid_speed(along))
    assert np.isfinite(reference.velocity(*grid(3))).all()


def test_the_velocity_meets_the_equations(reference):
    """Continuity and the transport of vorticity, by differences of fourth order."""
    random, h = np.random.default_rng(0), 4e-3
    x, y = random.uniform(0.1, 0.9, (2, 60))
    first = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
    second = {-2: -1 / 12, -1: 16 / 12, 0: -30 / 12, 1: 16 / 12, 2: -1 / 12}

    def along(function, weights, power, dx, dy):
        return sum(w * function(x + k * dx * h, y + k * dy * h) for k, w in weights.items()) / (
            h**power
        )

    def vorticity(at_x, at_y):
        v = [w * reference.velocity(at_x + k * h, at_y)[1] for k, w in first.items()]
        u = [w * reference.velocity(at_x, at_y + k * h)[0] for k, w in first.items()]
        return (sum(v) - sum(u)) / h

    u, v = reference.velocity(x, y)
    u_x = along(lambda x, y: reference.velocity(x, y)[0], first, 1, 1, 0)
    v_y = along(lambda x, y: reference.velocity(x, y)[1], first, 1, 0, 1)
    np.testing.assert_allclose(u_x + v_y, 0.0, atol=1e-6)
    carried = u * along(vorticity, first, 1, 1, 0) + v * along(vorticity, first, 1, 0, 1)
    spread = along(vorticity, second, 2, 1, 0) + along(vorticity, second, 2, 0, 1)
    assert np.abs(carried).max() > 1
    np.testing.assert_allclose(carried, spread / 400, atol=2e-3 * np.abs(carried).max())


def test_fewer_points_are_near(reference):
    """48 x 48 instead of 64 x 64."""
    coarse = solve(lid_speed, 400.0, 48).velocity(*grid(51))
    assert off(coarse, reference.velocity(*grid(51))) < REFERENCE_ERROR


@pytest.mark.slow
def test_the_error_is_as_stated(reference):
    """Against 80 x 80 points, whose own error is at most half as large."""
    fine = solve(lid_speed, 400.0, 80).velocity(*grid(101))
    assert off(reference.velocity(*grid(101)), fine) < 0.75 * REFERENCE_ERROR


@pytest.mark.slow
def test_a_constant_lid_gives_the_figures_of_ghia():
    """To 1 % of the lid's speed: their error and that of 64 points beside its stronger corners."""
    found = solve(lambda x: jnp.ones_like(jnp.asarray(x, float)), 400.0, 64)
    y, x = (np.array([*table]) / 128 for table in (GHIA_U, GHIA_V))
    np.testing.assert_allclose(found.velocity(0.5, y)[0], [*GHIA_U.values()], atol=0.01)
    np.testing.assert_allclose(found.velocity(x, 0.5)[1], [*GHIA_V.values()], atol=0.01)


def test_the_problem_states_the_flow(reference):
    problem = LidCavity().problem()
    points = {"x": np.array([0.3, 0.7]), "y": np.array([0.5, 1.0])}
    found = problem.reference.function(points)
    np.testing.assert_array_equal(found["u"], reference.velocity(**points)[0])
    assert set(found) == {"u", "v"}


def test_a_flow_that_was_not_checked_is_refused():
    with pytest.raises(InputError, match="reynolds is 5000, expected 1 to 400"):
        LidCavity(5000.0)
