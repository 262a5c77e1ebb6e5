"""The derivatives of a guest's dense network in one sweep, by jets.

Nested forward-mode products compute a value again for each derivative, and the way back through
them costs as much again; a jet carries the value and all derivatives through the layers together.
A transform of the inputs before or of the outputs after the layers may be any row-wise function
and is taken to the second order: it sees the result of the layers as its Taylor polynomial in the
lengths gone along the path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.pinns.deepxde.columns import Batch, Path, Rowwise, derivative
from tvilling.pinns.fields.jets import Index, Jet, Tower, closed, coordinate, stacked

ByPath = dict[Path, Batch]
HIGHEST = 2  # order of derivatives that a transform lets through


@dataclass(frozen=True)
class Dense:
    """A dense network as its parts.

    Attributes
    ----------
    layers
        Kernel [in, out] and bias [out] of each.
    towers
        The activations between them with their derivatives, one fewer.
    features
        What the first layer sees of the points; None: the points themselves.
    outputs
        What is made of points and the last layer's result; None: that itself.
    """

    layers: Sequence[tuple[Float[Array, "inward outward"], Float[Array, " outward"]]]
    towers: Sequence[Tower]
    features: Rowwise | None = None
    outputs: Callable[[Batch, Batch], Batch] | None = None


def derivatives(network: Dense, points: Batch, paths: Sequence[Path]) -> ByPath:
    """The derivatives of `network` along `paths`, its value, and those below them.

    Those of an order above two are missing where the network has transforms.
    """
    plain = network.features is None and network.outputs is None
    wanted = [path for path in paths if plain or len(path) <= HIGHEST]
    dims = points.shape[1]
    indices = closed(frozenset(_index(path, dims) for path in wanted), dims)
    jet = _seen(network, points, indices)
    for at, (kernel, bias) in enumerate(network.layers):
        jet = jet.linear(kernel, bias)
        if at < len(network.towers):
            jet = jet.through(network.towers[at])
    found = {_path(index): jet[index] for index in indices}
    if network.outputs is None:
        return found
    return {path: _transformed(network.outputs, points, found, path) for path in found}


def tower_of(activation: Callable[[Any], Any]) -> Tower:
    """The derivatives of any smooth activation, each by one more forward-mode product."""

    def tower(z: Array, order: int) -> list[Array]:
        functions = [activation]
        for _ in range(order):
            functions.append(_slope(functions[-1]))
        return [function(z) for function in functions]

    return tower


def _slope(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: jax.jvp(function, (z,), (jnp.ones_like(z),))[1]


def _index(path: Path, dims: int) -> Index:
    return tuple(path.count(axis) for axis in range(dims))


def _path(index: Index) -> Path:
    return tuple(axis for axis, count in enumerate(index) for _ in range(count))


def _seen(network: Dense, points: Batch, indices: tuple[Index, ...]) -> Jet:
    """What the first layer sees."""
    if network.features is None:
        return stacked(
            coordinate(indices, axis, points[:, axis]) for axis in range(points.shape[1])
        )
    found = [derivative(network.features, _path(index))(points) for index in indices]
    return Jet(indices, jnp.stack(found))


def _transformed(
    outputs: Callable[[Batch, Batch], Batch], points: Batch, found: ByPath, path: Path
) -> Batch:
    """The derivative along `path`, two steps at most, of a transform of what was `found`."""
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
