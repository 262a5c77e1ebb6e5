"""Chebyshev collocation and families of ordinary equations, against closed forms."""

import numpy as np
import pytest

from tvilling.pinns.library.chebyshev import differentiation, interpolation, march, nodes
from tvilling.pinns.library.ordinary import family_at


def test_values_and_slopes_of_a_smooth_function():
    x = nodes(-1.0, 3.0, 30)
    at = np.append(np.linspace(-1.0, 3.0, 41), x)
    np.testing.assert_allclose(interpolation(x, at) @ np.sin(x), np.sin(at), atol=1e-14)
    np.testing.assert_allclose(differentiation(x) @ np.sin(x), np.cos(x), atol=1e-12)


@pytest.mark.parametrize("rate", [1.0, 1e4])
def test_a_stiff_equation_with_a_source(rate):
    """y' = -k (y - cos t) - sin t has the solution cos t, from y(0) = 1."""
    course = march(
        np.array([[-rate]]),
        lambda time: np.array([rate * np.cos(time) - np.sin(time)]),
        np.ones(1),
        np.linspace(0.0, 6.0, 7),
        14,
    )
    times = np.linspace(0.0, 6.0, 100)
    np.testing.assert_allclose(course.at(times)[:, 0], np.cos(times), atol=1e-12)


def test_a_matrix_that_depends_on_time():
    """y' = -2 t y is exp(-t²)."""
    course = march(
        lambda time: np.array([[-2 * time]]),
        lambda time: np.zeros(1),
        np.ones(1),
        np.array([0.0, 0.7, 2.0, 3.0]),
        20,
    )
    times = np.linspace(0.0, 3.0, 50)
    np.testing.assert_allclose(course.at(times)[:, 0], np.exp(-(times**2)), atol=1e-12)


def test_a_family_larger_than_a_chunk_at_scattered_points():
    """An oscillator of frequency w from rest: cos w t."""
    random = np.random.default_rng(0)
    time, frequency = random.uniform(0, 5, 600), random.uniform(0.5, 2.0, 600)
    found = family_at(
        lambda time, states, own: np.stack([states[1], -(own**2) * states[0]]),
        lambda own: np.stack([np.ones_like(own), np.zeros_like(own)]),
        time,
        frequency,
    )
    np.testing.assert_allclose(found[0], np.cos(frequency * time), atol=1e-10)
    np.testing.assert_allclose(found[1], -frequency * np.sin(frequency * time), atol=1e-10)


def test_a_family_at_the_start_only():
    found = family_at(lambda *_: 1 / 0, lambda own: own[None], np.zeros(2), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(found, [[3.0, 4.0]])
