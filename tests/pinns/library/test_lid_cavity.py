"""The flow in a cavity: refinement, its equation by differences, and figures of the literature."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from tvilling.pinns.library.lid_cavity import REFERENCE_ERROR, LidCavity, flow, lid_speed
from tvilling.pinns.library.references.cavity import solve
from tvilling.pinns.library.references.cavity_corners import constant_slip, growing_slip
from tvilling.pinns.library.references.clamped_line import Line
from tvilling.sciml.core.errors import InputError

# Ghia, Ghia and Shin, J. Comput. Phys. 48 (1982), tables I and II, Re = 400, in 1/128 of the side.
GHIA_U = {8: -0.09266, 13: -0.14612, 22: -0.24299, 36: -0.32726, 58: -0.17119, 64: -0.11477,
          79: 0.02135, 94: 0.16256, 109: 0.29093, 122: 0.55892, 124: 0.68439}  # fmt: skip
GHIA_V = {8: 0.18360, 12: 0.22965, 20: 0.28124, 30: 0.30174, 64: 0.05186, 103: -0.38598,
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
    np.testing.assert_allclose(still / (2 * step), 0.0, atol=1e-7)


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


def test_the_velocity_is_free_of_divergence(reference):
    """By differences of fourth order."""
    x, y = np.random.default_rng(0).uniform(0.1, 0.9, (2, 60))
    weights, step = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}, 1e-3
    u_x = sum(w * reference.velocity(x + k * step, y)[0] for k, w in weights.items()) / step
    v_y = sum(w * reference.velocity(x, y + k * step)[1] for k, w in weights.items()) / step
    assert np.abs(u_x).max() > 0.1
    np.testing.assert_allclose(u_x + v_y, 0.0, atol=1e-6)


def differences(count, reynolds):
    """Velocities at even nodes: vorticity and stream function, Thom's walls, Newton's method."""
    m, h = count + 1, 1 / count
    one = sparse.identity(m)
    first = sparse.diags([-1, 1], [-1, 1], shape=(m, m)) / (2 * h)
    second = sparse.diags([1, -2, 1], [-1, 0, 1], shape=(m, m)) / h**2
    by_x, by_y = sparse.kron(first, one).tocsr(), sparse.kron(one, first).tocsr()
    laplace = sparse.kron(second, one) + sparse.kron(one, second)
    within = np.pad(np.ones((m - 2, m - 2)), 1).ravel()
    inside, wall = sparse.diags(within), sparse.diags(1 - within)
    index = np.arange(m * m).reshape(m, m)
    at = np.concatenate([index[0], index[-1], index[1:-1, 0], index[1:-1, -1]])
    beside = np.concatenate([index[1], index[-2], index[1:-1, 1], index[1:-1, -2]])
    thom = sparse.csr_matrix((np.full(len(at), 2 / h**2), (at, beside)), (m * m, m * m))
    known = np.zeros((2, m, m))
    known[1, 1:-1, -1] = -2 / h * np.asarray(lid_speed(np.arange(1, count) * h))
    psi = turn = np.zeros(m * m)
    for _ in range(30):
        carry = sparse.diags(by_y @ psi) @ by_x - sparse.diags(by_x @ psi) @ by_y
        moved = sparse.diags(by_x @ turn) @ by_y - sparse.diags(by_y @ turn) @ by_x
        rows = [
            [inside @ laplace + wall, inside],
            [thom + inside @ moved, wall + inside @ (carry - laplace / reynolds)],
        ]
        right = known.ravel() + np.concatenate([0 * psi, inside @ (moved @ psi)])
        before = psi
        psi, turn = np.split(spsolve(sparse.bmat(rows, format="csc"), right), 2)
        if np.abs(psi - before).max() < 1e-10:
            return (by_y @ psi).reshape(m, m), -(by_x @ psi).reshape(m, m)
    raise AssertionError("the differences did not converge")


@pytest.mark.slow
def test_finite_differences_tend_to_it(reference):
    """Of second order; what Richardson extrapolates from two grids agrees to their accuracy."""
    spans = slice(4, -4), slice(8, -8, 2)
    coarse, fine = (
        [part[span, span] for part in differences(count, 400.0)]
        for count, span in zip((64, 128), spans, strict=True)
    )
    true = reference.velocity(*(part[spans[0], spans[0]] for part in grid(65)))
    for one, two, exact in zip(coarse, fine, true, strict=True):
        errors = [np.linalg.norm(part - exact) / np.linalg.norm(exact) for part in (one, two)]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)
        best = (4 * two - one) / 3
        assert np.linalg.norm(best - exact) < 1e-3 * np.linalg.norm(exact)


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
