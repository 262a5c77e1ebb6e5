"""Sums along the trees of a network by pointer jumping: log2(depth) rounds, whatever the shape.

Unrolling the levels of a tree instead would compile for minutes.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def rounds(depth: int) -> int:
    """Rounds that reach `depth` branches up."""
    return int(np.ceil(np.log2(depth + 1))) if depth > 0 else 0


def subtree_sums(values: Float[Array, " junction"], order: np.ndarray, last: np.ndarray) -> Array:
    """Sum of `values` over the junctions at and below each junction."""
    # `jnp.cumsum` is five times slower than this on a CPU.
    running = jax.lax.associative_scan(jnp.add, values[order])
    running = jnp.concatenate([jnp.zeros(1), running])
    first = np.empty(len(order), int)
    first[order] = np.arange(len(order))
    return running[last] - running[first]


def path_sums(values: Float[Array, " junction"], parent: np.ndarray, depth: int) -> Array:
    """Sum of `values` over the junctions from the root down to each junction.

    The values of roots must be zero but for what is to be added to their whole tree.
    """
    root = parent == np.arange(len(parent))
    at_root = jnp.where(root, values, 0.0)
    total = jnp.where(root, 0.0, values)
    above = parent
    for _ in range(rounds(depth)):
        total = total + total[above]
        above = above[above]
    return total + at_root[above]


def carried_down(gain: Array, offset: Array, parent: Array, count: int) -> Array:
    """Solve x = gain · x[parent] + offset, where roots have gain 0.

    `offset` is `[junction]` or `[junction, case]`, `gain` and `parent` `[junction]`; `parent` may
    be a traced array, when the flow decides what is above what.
    """
    wide = offset.ndim > 1
    for _ in range(count):
        offset = offset + (gain[:, None] if wide else gain) * offset[parent]
        gain = gain * gain[parent]
        parent = parent[parent]
    return offset


def gathered_up(share: Array, own: Array, parent: Array, count: int) -> Array:
    """Solve x = own + Σ over children of share · x, where roots have share 0; shapes as above."""
    wide = own.ndim > 1
    for _ in range(count):
        passed = (share[:, None] if wide else share) * own
        own = own + jnp.zeros_like(own).at[parent].add(passed)
        share = share * share[parent]
        parent = parent[parent]
    return own
