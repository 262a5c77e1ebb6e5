"""Functions that solve a linear equation exactly over a step, smooth down to a step of zero."""

import jax.numpy as jnp
from jaxtyping import Array, Float

SERIES_BELOW = 0.05  # the quotients lose digits to cancellation closer to zero than this
SERIES_TERMS = 9  # leaves out less than 0.05**9 / 10! = 5e-19


def phi1(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """(exp(x) - 1) / x, which is 1 at x = 0 [1].

    `y' = a y + b` with constant `b` has `y(t) = y(0) + t phi1(a t) (a y(0) + b)`.

    [1] Hochbruck and Ostermann, Exponential integrators, Acta Numerica 19, 2010, section 2.1.
    """
    near, safe = _split(x)
    return jnp.where(near, _series(x, 1), jnp.expm1(safe) / safe)


def phi2(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """(exp(x) - 1 - x) / x², which is 1/2 at x = 0 [1].

    The mean of `y` over `t` is `y(0) + t phi2(a t) (a y(0) + b)`; see `phi1`.
    """
    near, safe = _split(x)
    return jnp.where(near, _series(x, 2), (jnp.expm1(safe) - safe) / safe**2)


def _split(x: Float[Array, "*shape"]) -> tuple[Array, Float[Array, "*shape"]]:
    """Where the series is used, and `x` with 1 in those places so that no gradient is lost."""
    near = jnp.abs(x) < SERIES_BELOW
    return near, jnp.where(near, 1.0, x)


def _series(x: Float[Array, "*shape"], order: int) -> Float[Array, "*shape"]:
    """Taylor series of phi of `order`, the sum of x^k / (k + order)!, by Horner's rule."""
    total = jnp.ones_like(x)
    for k in range(SERIES_TERMS - 1, 0, -1):
        total = 1.0 + x / (k + order) * total
    return total if order == 1 else total / 2.0
