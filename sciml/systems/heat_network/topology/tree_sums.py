"""Sums along the trees of a network by pointer jumping: log2(depth) rounds, whatever the shape.

The rounds are loops of the compiled program. Unrolled, XLA would fuse them into one another and
compute each anew for every element of the next; unrolled levels of a tree compile for minutes.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

IN_BOUNDS = "promise_in_bounds"


def rounds(depth: int) -> int:
    """Rounds that reach `depth` branches up."""
    return int(np.ceil(np.log2(depth + 1))) if depth > 0 else 0


def greatest_depth(parent: np.ndarray, order: np.ndarray) -> int:
    """Longest chain of junctions below a root; `order` holds parents before children."""
    depth = np.zeros(len(parent), int)
    for v in order:
        if parent[v] != v:
            depth[v] = depth[parent[v]] + 1
    return int(depth.max(initial=0))


def taken(values: Array, at: Array | np.ndarray) -> Array:
    """`values[..., at]` for places known to be there."""
    return jnp.asarray(values).at[..., at].get(mode=IN_BOUNDS, wrap_negative_indices=False)


def summed_at(values: Float[Array, " element"], at: np.ndarray, size: int) -> Array:
    """Sum of `values` at each of `size` places.

    Gathers from a table of who stands where, which is faster than scattering as long as few share
    a place.
    """
    most = int(np.bincount(at, minlength=1).max(initial=0)) if len(at) else 0
    table = np.full((most, size), len(at))
    count = np.zeros(size, int)
    for element, place in enumerate(at):
        table[count[place], place] = element
        count[place] += 1
    padded = jnp.concatenate([values, jnp.zeros(1)])
    return sum((taken(padded, row) for row in table), start=jnp.zeros(size))


def running_sum(values: Float[Array, " place"]) -> Float[Array, " place"]:
    """Cumulative sum, by two small matrix products over blocks.

    On a CPU this is several times faster than `jnp.cumsum`, and XLA does not compute it anew
    inside whatever uses it.
    """
    count = len(values)
    width = int(np.ceil(np.sqrt(count)))
    block = jnp.pad(values, (0, width * width - count)).reshape(width, width)
    upper = np.triu(np.ones((width, width)))
    within = block @ upper
    before = within[:, -1] @ (upper - np.eye(width))
    return (within + before[:, None]).ravel()[:count]


def subtree_sums(values: Float[Array, " junction"], order: np.ndarray, last: np.ndarray) -> Array:
    """Sum of `values` over the junctions at and below each junction."""
    running = jnp.concatenate([jnp.zeros(1), running_sum(taken(values, order))])
    first = np.empty(len(order), int)
    first[order] = np.arange(len(order))
    return taken(running, last) - taken(running, first)


def path_sums(values: Float[Array, " junction"], parent: np.ndarray, depth: int) -> Array:
    """Sum of `values` over the junctions from the root down to each junction."""
    inner = jnp.asarray(parent != np.arange(len(parent)), values.dtype)
    return carried_down(inner, values, jnp.asarray(parent, jnp.int32), rounds(depth))


def carried_down(
    gain: Float[Array, " junction"],
    offset: Float[Array, "*case junction"],
    parent: Int[Array, " junction"],
    count: int,
) -> Float[Array, "*case junction"]:
    """Solve x = gain · x[parent] + offset in `count` rounds; roots have gain 0.

    `offset` may hold several cases. The parents may follow from the flow.
    """

    def jump(carry: tuple, _: None) -> tuple[tuple, None]:
        gain, offset, parent = carry
        offset = offset + gain * taken(offset, parent)
        return (gain * taken(gain, parent), offset, taken(parent, parent)), None

    return jax.lax.scan(jump, (gain, offset, parent), length=count)[0][1]


def gathered_up(
    share: Float[Array, " junction"],
    own: Float[Array, "*case junction"],
    parent: Int[Array, " junction"],
    count: int,
) -> Float[Array, "*case junction"]:
    """Solve x = own + Σ over children of share · x; roots have share 0."""

    def jump(carry: tuple, _: None) -> tuple[tuple, None]:
        share, own, parent = carry
        passed = (
            jnp.zeros_like(own)
            .at[..., parent]
            .add(share * own, mode=IN_BOUNDS, wrap_negative_indices=False)
        )
        return (share * taken(share, parent), own + passed, taken(parent, parent)), None

    return jax.lax.scan(jump, (share, own, parent), length=count)[0][1]
