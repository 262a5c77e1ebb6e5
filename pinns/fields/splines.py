"""Cubic splines with even knots, for courses that are to be found."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def cubic(
    low: float, high: float, coefficients: Float[Array, " knot"], at: Float[Array, " point"]
) -> Float[Array, " point"]:
    """A sum of uniform cubic B-splines from `low` to `high`, held constant beyond.

    de Boor, A Practical Guide to Splines, Springer 1978, DOI 10.1007/978-1-4612-6333-3. With
    knots h apart, a smooth course is met to order h⁴.
    """
    pieces = coefficients.shape[0] - 3
    place = jnp.clip((at - low) / (high - low) * pieces, 0.0, pieces)
    piece = jnp.clip(jnp.floor(place), 0, pieces - 1)
    t = place - piece
    first = piece.astype(int)
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    total = jnp.zeros_like(place)
    for step, weight in enumerate(weights):
        total = total + weight * coefficients[first + step]
    return total
