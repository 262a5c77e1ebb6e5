"""Burgers' solution by Cole and Hopf against other quadratures, and figures of the literature."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from tvilling.pinns.library.references.cole_hopf import burgers

NU = 0.01 / np.pi


def gauss_hermite(x, t, nodes):
    """The quotient of integrals by Gauss and Hermite's rule, with the exponents kept in range."""
    z, weight = np.polynomial.hermite.hermgauss(nodes)
    y = x[:, None] - np.sqrt(4 * NU * t[:, None]) * z
    exponent = np.log(weight) - np.cos(np.pi * y) / (2 * np.pi * NU)
    kernel = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -(np.sin(np.pi * y) * kernel).sum(axis=1) / kernel.sum(axis=1)


@pytest.mark.parametrize("nodes", [100, 160])
def test_gauss_and_hermite_agree(nodes):
    x, t = (part.ravel() for part in np.meshgrid(np.linspace(-1, 1, 81), np.linspace(0, 1, 41)))
    np.testing.assert_allclose(burgers(x, t, NU), gauss_hermite(x, t, nodes), atol=3e-14)


@pytest.mark.parametrize(("x", "t"), [(0.01, 0.5), (0.3, 0.7), (-0.002, 1.0), (0.9, 0.1)])
def test_thirty_digits_agree(x, t):
    with mpmath.workdps(30):
        reach = mpmath.sqrt(4 * mpmath.mpf(NU) * t)

        def kernel(z):
            place = mpmath.pi * (x - reach * z)
            return mpmath.exp(-mpmath.cos(place) / (2 * mpmath.pi * NU) - z**2)

        whole = mpmath.quad(kernel, range(-16, 17))
        part = mpmath.quad(
            lambda z: mpmath.sin(mpmath.pi * (x - reach * z)) * kernel(z), range(-16, 17)
        )
        assert float(burgers(x, t, NU)) == pytest.approx(float(-part / whole), rel=1e-13)


def test_adaptive_quadrature_agrees():
    """In η itself, where the form of the textbook needs no change of variable."""
    x, t = 0.25, 0.6

    def kernel(eta):
        return np.exp(-np.cos(np.pi * (x - eta)) / (2 * np.pi * NU) - eta**2 / (4 * NU * t) - 40)

    options = {"epsabs": 0.0, "epsrel": 1e-12, "limit": 400, "points": [-0.5, 0.0, 0.25, 0.5]}
    whole = quad(kernel, -1.5, 1.5, **options)[0]
    part = quad(lambda eta: np.sin(np.pi * (x - eta)) * kernel(eta), -1.5, 1.5, **options)[0]
    assert float(burgers(x, t, NU)) == pytest.approx(-part / whole, rel=1e-11)


def test_the_steepest_slope_is_that_of_basdevant():
    """Comput. Fluids 14 (1986), table 1: 152.00516 at π t = 1.6037, from the analytic solution."""
    slope = jax.jit(jax.vmap(jax.grad(burgers), (None, 0, None)))
    t = jnp.linspace(0.5, 0.52, 401)
    steep = -np.asarray(slope(0.0, t, NU))
    assert steep.max() == pytest.approx(152.00516, abs=5e-6)
    assert np.pi * t[steep.argmax()] == pytest.approx(1.6037, abs=1e-4)


def test_more_nodes_change_nothing():
    """Half the step changes nothing, at the least viscosity that is allowed too."""
    x, t = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0, 1, 21))
    for viscosity in (NU, 0.002, 0.1):
        once, twice = (burgers(x, t, viscosity, nodes) for nodes in (257, 513))
        np.testing.assert_allclose(once, twice, atol=2e-14)
