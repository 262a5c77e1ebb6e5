"""Scales to divide by that are never zero."""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Array, Float

MIN_SPREAD = 1e-9  # share of the size of a quantity below which its spread is round-off


def nonzero_scale(spread: ArrayLike, size: ArrayLike) -> Array:
    """`spread` where it is more than round-off of `size`; elsewhere `size`, or 1 where that is 0.

    Parameters
    ----------
    spread
        How far a quantity varies, such as a standard deviation or half a range.
    size
        How large it is, in the same unit; its sign does not matter.
    """
    spread, size = jnp.asarray(spread, float), jnp.abs(jnp.asarray(size, float))
    fallback = jnp.where(size > 0, size, 1.0)
    return jnp.where(spread > MIN_SPREAD * size, spread, fallback)


def flat_rows(states: object, count: int) -> Float[Array, "row number"]:
    """`count` states led by one axis as vectors; a system without a state gives empty ones."""
    if not jax.tree.leaves(states):
        return jnp.zeros((count, 0))
    rows: Array = jax.vmap(lambda state: ravel_pytree(state)[0])(states)
    return rows
