"""The phi functions against 50-digit arithmetic of the standard library."""

from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.sciml.core.exponential import SERIES_BELOW, phi1, phi2

POINTS = [0.0, 1e-12, 1e-3, 0.99 * SERIES_BELOW, 1.01 * SERIES_BELOW, 0.5, 3.0, 30.0]


def exact(x: float, order: int) -> float:
    with localcontext() as context:
        context.prec = 50
        d = Decimal(x)
        if x == 0:
            return 1 / order
        top = d.exp() - 1 - (d if order == 2 else 0)
        return float(top / d**order)


@pytest.mark.parametrize("x", [s * x for x in POINTS for s in (1, -1)])
@pytest.mark.parametrize(("phi", "order"), [(phi1, 1), (phi2, 2)])
def test_agrees_with_exact_arithmetic(phi, order, x):
    assert float(phi(jnp.asarray(x))) == pytest.approx(exact(x, order), rel=2e-14)


@pytest.mark.parametrize(("phi", "at_zero"), [(phi1, 1 / 2), (phi2, 1 / 6)])
def test_slope_at_zero(phi, at_zero):
    assert float(jax.grad(phi)(jnp.asarray(0.0))) == pytest.approx(at_zero, rel=1e-14)


def test_gone_without_overflow_after_a_very_long_step():
    np.testing.assert_allclose(phi1(jnp.asarray(-1e6)), 1e-6, rtol=1e-14)
    np.testing.assert_allclose(phi2(jnp.asarray(-1e6)), 1e-6 - 1e-12, rtol=1e-14)
