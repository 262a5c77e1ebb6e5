"""Values and derivatives of a dense network in one sweep, with one product a layer.

Nested forward-mode products compute a value again for each derivative, and the way back through
them costs as much again. Here the value, the first and the second derivatives pass through the
layers together, stacked: with u = W h + b and a = σ(u),

    a_i  = σ'(u) u_i
    a_ij = σ'(u) u_ij + σ''(u) u_i u_j

The same holds for a transform of the inputs before and of the outputs after the layers, both
row-wise functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.pinns.columns import Batch, Path, Rowwise, derivative

Streams = dict[Path, Batch]
HIGHEST = 2  # order of the derivatives that are carried


@dataclass(frozen=True)
class Dense:
    """A dense network as its parts.

    Attributes
    ----------
    layers
        Kernel [in, out] and bias [out] of each.
    activations
        Between them, one fewer.
    features
        What the first layer sees of the points; None: the points themselves.
    outputs
        What is made of points and the last layer's result; None: that itself.
    """

    layers: Sequence[tuple[Float[Array, "inward outward"], Float[Array, " outward"]]]
    activations: Sequence[Callable[[Any], Any]]
    features: Rowwise | None = None
    outputs: Callable[[Batch, Batch], Batch] | None = None


def streams(network: Dense, points: Batch, paths: Sequence[Path]) -> Streams:
    """The derivatives of `network` along `paths`, of order two at most, and its value."""
    carried = needed(paths)
    found = _seen(network.features, points, carried)
    for at, (kernel, bias) in enumerate(network.layers):
        found = _linear(found, kernel, bias)
        if at < len(network.activations):
            found = _activated(found, network.activations[at])
    if network.outputs is not None:
        found = {path: _transformed(network.outputs, points, found, path) for path in carried}
    return found


def needed(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The paths to carry for `paths`: the value, and first derivatives below every second."""
    firsts = {(axis,) for path in paths for axis in path}
    return ((), *sorted(firsts), *sorted({path for path in paths if len(path) == HIGHEST}))


def _seen(features: Rowwise | None, points: Batch, carried: Sequence[Path]) -> Streams:
    """What the first layer sees: derivatives of the coordinates are ones and zeros."""
    if features is not None:
        return {path: derivative(features, path)(points) for path in carried}
    zeros = jnp.zeros_like(points)
    first = {path: zeros.at[:, path[0]].set(1.0) for path in carried if len(path) == 1}
    return {path: points if not path else first.get(path, zeros) for path in carried}


def _linear(found: Streams, kernel: Array, bias: Array) -> Streams:
    stacked = jnp.concatenate(list(found.values())) @ kernel
    parts = dict(zip(found, jnp.split(stacked, len(found)), strict=True))
    parts[()] = parts[()] + bias
    return parts


def _activated(found: Streams, activation: Callable[[Any], Any]) -> Streams:
    value, first, second = _slopes(activation, found[()])
    passed = {}
    for path, stream in found.items():
        if not path:
            passed[path] = value
        elif len(path) == 1:
            passed[path] = first * stream
        else:
            bent = second * found[path[:1]] * found[path[1:]]
            passed[path] = first * stream + bent
    return passed


def _slopes(activation: Callable[[Any], Any], at: Batch) -> tuple[Batch, Batch, Batch]:
    """Value, slope and curvature of an activation."""
    ones = jnp.ones_like(at)

    def slope(inner: Batch) -> tuple[Batch, Batch]:
        return jax.jvp(activation, (inner,), (ones,))

    (value, first), (_, second) = jax.jvp(slope, (at,), (ones,))
    return value, first, second


def _transformed(
    outputs: Callable[[Batch, Batch], Batch], points: Batch, found: Streams, path: Path
) -> Batch:
    """The derivative along `path` of a transform of points and of what was found there.

    The latter stands as its Taylor polynomial in the lengths gone along the path.
    """
    axes = [jnp.zeros_like(points).at[:, axis].set(1.0) for axis in path]

    def gone(*lengths: Array) -> Batch:
        moved, value = points, found[()]
        for axis, tangent, length in zip(path, axes, lengths, strict=True):
            moved = moved + length * tangent
            value = value + length * found[(axis,)]
        if len(path) == HIGHEST:
            value = value + lengths[0] * lengths[1] * found[path]
        return outputs(moved, value)

    zero, one = jnp.zeros(()), jnp.ones(())
    if not path:
        return gone()
    if len(path) == 1:
        return jax.jvp(gone, (zero,), (one,))[1]

    def slope(other: Array) -> Batch:
        return jax.jvp(lambda length: gone(length, other), (zero,), (one,))[1]

    return jax.jvp(slope, (zero,), (one,))[1]
