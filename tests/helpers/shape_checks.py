"""What holds for every shape, checked by points drawn in it and on its edges."""

import jax
import numpy as np

COUNT = 2000
SIGMAS = 5.0  # of a mean over drawn points; a right one fails once in two million times


def within_error(values, expected):
    """Whether the mean of independent `values` is `expected`, but for chance."""
    spread = np.std(values) / np.sqrt(len(values))
    return abs(np.mean(values) - expected) <= SIGMAS * spread + 1e-12 * (1 + abs(expected))


def check_divergence(shape, size, edge_size, edge="boundary"):
    """∮ x·n ds = dim times the size, and ∮ n ds = 0."""
    points, normals = shape.draw_edge(edge, np.random.default_rng(2), 20_000)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, rtol=1e-12)
    assert within_error(edge_size * np.sum(points * normals, axis=1), shape.dims * size)
    for axis in range(shape.dims):
        assert within_error(normals[:, axis], 0.0)


def derivatives(shape, edge=None):
    """Value, gradient and second derivatives of the distance at points `[point, dim]`."""
    distance = shape.distance(edge)

    def at(point):
        def value(place):
            return distance(*place)

        slope = jax.jacfwd(value)
        return value(point), slope(point), jax.jacfwd(slope)(point)

    return jax.jit(jax.vmap(at))


def check_distance(shape, edge=None, corners=None):
    """Zero with the inward normal as gradient on the edge, positive inside, finite derivatives.

    `corners` are further points at which derivatives have to be finite.
    """
    random = np.random.default_rng(3)
    look = derivatives(shape, edge)
    value, slope, curve = look(shape.draw(random, COUNT))
    assert (np.asarray(value) > 0).all()
    assert np.isfinite(slope).all()
    assert np.isfinite(curve).all()
    points, normals = shape.draw_edge(edge or "boundary", random, COUNT)
    value, slope, curve = look(points)
    size = np.ptp(shape.bounds, axis=0).max()
    wrong = np.linalg.norm(np.asarray(slope) + normals, axis=1)
    # corners, where a slope does not exist, are as near as 1e-6 of the size to a few points
    assert np.quantile(wrong, 0.99) < 1e-9
    assert np.abs(value).max() < 1e-5 * size
    assert np.quantile(np.abs(value), 0.99) < 1e-12 * size
    assert np.isfinite(slope).all()
    assert np.isfinite(curve).all()
    if corners is not None:
        for found in look(np.asarray(corners, float)):
            assert np.isfinite(found).all()
