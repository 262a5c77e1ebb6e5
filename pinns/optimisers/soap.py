"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

For a weight matrix with gradient G, running means of G Gᵀ and Gᵀ G give two orthogonal bases; Adam
runs on the gradient turned into them. Vectors are left to plain Adam. The bases follow by one
step of orthogonal iteration every few steps: Vyas et al., ICLR 2025, arXiv 2409.11321, algorithm 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

FIRST, SECOND, EPSILON = (
    0.95,
    0.95,
    1e-12,
)  # of Adam; the second serves the two bases too
EVERY = 10  # steps between changes of the bases


class _Leaf(NamedTuple):
    mean: Array
    square: Array
    left: Array
    right: Array
    left_basis: Array
    right_basis: Array


class SoapState(NamedTuple):
    """Step count, and what is kept for each array of weights."""

    step: Array
    leaves: Any


def soap(rate: optax.Schedule) -> optax.GradientTransformation:
    """SOAP with the step size `rate` gives for each step."""

    def init(params: Any) -> SoapState:
        return SoapState(
            jnp.zeros((), jnp.int32), [_begun(leaf) for leaf in jax.tree.leaves(params)]
        )

    def update(slopes: Any, state: SoapState, params: Any = None) -> tuple[Any, SoapState]:
        flat, tree = jax.tree.flatten(slopes)
        pairs = [
            _leaf_update(slope, leaf, state.step, rate(state.step))
            for slope, leaf in zip(flat, state.leaves, strict=True)
        ]
        moves = jax.tree.unflatten(tree, [move for move, _ in pairs])
        return moves, SoapState(state.step + 1, [leaf for _, leaf in pairs])

    return optax.GradientTransformation(init, update)


def _begun(leaf: Array) -> _Leaf:
    rows, columns = leaf.shape if leaf.ndim == 2 else (0, 0)
    zero = jnp.zeros_like(leaf)
    return _Leaf(
        zero,
        zero,
        jnp.zeros((rows, rows)),
        jnp.zeros((columns, columns)),
        jnp.eye(rows),
        jnp.eye(columns),
    )


def _leaf_update(slope: Array, leaf: _Leaf, count: Array, rate: Any) -> tuple[Array, _Leaf]:
    matrix = slope.ndim == 2
    turned = leaf.left_basis.T @ slope @ leaf.right_basis if matrix else slope
    mean = FIRST * leaf.mean + (1 - FIRST) * slope
    square = SECOND * leaf.square + (1 - SECOND) * turned**2
    rotated = leaf.left_basis.T @ mean @ leaf.right_basis if matrix else mean
    step = count + 1
    corrected = jnp.sqrt(square / (1 - SECOND**step)) + EPSILON
    move = -rate * rotated / (1 - FIRST**step) / corrected
    if not matrix:
        return move, leaf._replace(mean=mean, square=square)
    left = SECOND * leaf.left + (1 - SECOND) * slope @ slope.T
    right = SECOND * leaf.right + (1 - SECOND) * slope.T @ slope
    bases = jax.lax.cond(
        count % EVERY == 0,
        lambda: (_iterated(left, leaf.left_basis), _iterated(right, leaf.right_basis)),
        lambda: (leaf.left_basis, leaf.right_basis),
    )
    return leaf.left_basis @ move @ leaf.right_basis.T, _Leaf(mean, square, left, right, *bases)


def _iterated(matrix: Array, basis: Array) -> Array:
    """One step of orthogonal iteration towards the eigenvectors."""
    return jnp.linalg.qr(matrix @ basis + 1e-30 * basis)[0]
