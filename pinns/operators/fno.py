"""Fourier neural operators: layers that act on the low modes of what they are given.

    v ← gelu(W v + F⁻¹(R_k · F(v)_k)),   |k| < modes

(Li et al., ICLR 2021, arXiv:2010.08895). The weights R belong to modes and not to places, so that a
network that was trained on one even grid has values on another. Along a periodic axis it is given
no coordinate and commutes with shifts; along any other one the grid is continued by a part that
leads back from the end to the start and is thrown away, so that the ends need not agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.operators.layers import DTYPE, Weights, dense, perceive, perceptron, through
from tvilling.pinns.operators.model import Layout, Places
from tvilling.sciml.core.errors import InputError

CONTINUED = 0.25  # of an axis that is not periodic
MAX_AXES = 2
LETTERS = "xy"


@dataclass(frozen=True)
class FourierOperator:
    """Sizes of a Fourier neural operator over one or two axes.

    Attributes
    ----------
    width
        Channels.
    modes
        Modes kept along each axis, the mean among them.
    layers
        Fourier layers.
    """

    width: int = 24
    modes: int = 12
    layers: int = 3

    def faults(self, layout: Layout) -> list[str]:
        """What speaks against it for this layout."""
        if len(layout.axes) <= MAX_AXES:
            return []
        return [f"the solution spans {len(layout.axes)} axes, expected one or two"]

    def begin(self, layout: Layout, key: jax.Array) -> Weights:
        """Weights to begin with."""
        keys = jax.random.split(key, 2 * self.layers + 2)
        inputs = 1 + sum(not axis.periodic for axis in layout.axes)
        kept = [2 * self.modes - 1] * (len(layout.axes) - 1) + [self.modes]
        shape = (2, *kept, self.width, self.width)  # real and imaginary parts
        return {
            "lift": dense(keys[0], inputs, self.width),
            "places": [dense(k, self.width, self.width) for k in keys[1 : self.layers + 1]],
            "modes": [
                jax.random.normal(k, shape, DTYPE) / self.width for k in keys[self.layers + 1 : -1]
            ],
            "out": perceptron(keys[-1], [self.width, 2 * self.width, 1]),
        }

    def apply(
        self,
        layout: Layout,
        weights: Weights,
        functions: Float[Array, "sample along"],
        places: Places,
    ) -> Float[Array, "sample *grid"]:
        """Solutions on the even grid that `places` span."""
        shape = tuple(places[axis.name].shape[0] for axis in layout.axes)
        values = through(weights["lift"], self._channels(layout, functions, places, shape))
        for row, axis in enumerate(layout.axes):
            if not axis.periodic:
                values = led_back(values, row + 1)
        for number in range(self.layers):
            new = through(weights["places"][number], values)
            new = new + spectral_convolution(values, as_complex(weights["modes"][number]))
            values = jax.nn.gelu(new) if number + 1 < self.layers else new
        values = values[(slice(None), *(slice(n) for n in shape))]
        return perceive(weights["out"], values)[..., 0]

    def _channels(
        self,
        layout: Layout,
        functions: Float[Array, "sample along"],
        places: Places,
        shape: tuple[int, ...],
    ) -> Float[Array, "sample *grid channel"]:
        """The function, and the coordinates along axes that are not periodic."""
        samples = functions.shape[0]
        row = [axis.name for axis in layout.axes].index(layout.along)
        lie = [1] * len(shape)
        lie[row] = shape[row]
        channels = [jnp.broadcast_to(functions.reshape(samples, *lie), (samples, *shape))]
        for row, axis in enumerate(layout.axes):
            if not axis.periodic:
                lie = [1] * len(shape)
                lie[row] = shape[row]
                share = (2 * axis.share(places[axis.name]) - 1).reshape(1, *lie)
                channels.append(jnp.broadcast_to(share, (samples, *shape)))
        return jnp.stack(channels, axis=-1).astype(functions.dtype)

    def function_places(
        self, layout: Layout, grid: Mapping[str, np.ndarray], trained: np.ndarray
    ) -> np.ndarray:
        """The grid itself, which has to be even, complete and fine enough for the modes."""
        faults = [
            fault
            for axis in layout.axes
            if (fault := self._grid_fault(axis, np.asarray(grid[axis.name])))
        ]
        if faults:
            raise InputError("grid of a Fourier operator", faults)
        return np.asarray(grid[layout.along])

    def _grid_fault(self, axis: Axis, places: np.ndarray) -> str:
        count = len(places)
        even = np.linspace(axis.low, axis.high, count, endpoint=not axis.periodic)
        if not np.allclose(places, even, rtol=0, atol=1e-6 * (axis.high - axis.low)):
            return f"{axis.name} is not an even grid over all of the axis"
        if _continued(axis, count) < 2 * self.modes:
            return f"{axis.name} has {count} places, too few for {self.modes} modes"
        return ""


def _continued(axis: Axis, count: int) -> int:
    """Places in one period of the Fourier transform; in steps of the grid, so in its unit alike."""
    return count if axis.periodic else round((1 + CONTINUED) * (count - 1))


def led_back(values: Float[Array, "*grid"], row: int) -> Float[Array, "*longer"]:
    """`values` continued along one axis, smoothly from the last ones to the first.

    A jump there would have Fourier modes that depend on the grid in first order of its spacing.
    """
    count = values.shape[row]
    further = round((1 + CONTINUED) * (count - 1)) - count
    lie = [1] * values.ndim
    lie[row] = further
    share = jnp.arange(1, further + 1, dtype=values.dtype) / (further + 1)
    back = ((1 - jnp.cos(jnp.pi * share)) / 2).reshape(lie)
    first, last = (jax.lax.slice_in_dim(values, i, i + 1, axis=row) for i in (0, count - 1))
    return jnp.concatenate([values, last + (first - last) * back], axis=row)


def as_complex(parts: Float[Array, "2 *rest"]) -> Complex[Array, "*rest"]:
    """Real and imaginary parts together."""
    return jax.lax.complex(parts[0], parts[1])


def spectral_convolution(
    values: Float[Array, "sample *grid i"], weights: Complex[Array, "*mode i o"]
) -> Float[Array, "sample *grid o"]:
    """F⁻¹(R_k F(v)_k) over the kept modes.

    The last axis keeps modes 0 to K - 1 of the real transform; one before it keeps -K + 1 to K - 1,
    in the order 0, 1, …, -1. Modes of a finer grid are the same ones, and its further ones zero.
    """
    grid = values.shape[1:-1]
    axes = tuple(range(1, len(grid) + 1))
    numbers = [np.fft.ifftshift(np.arange(n) - n // 2) for n in weights.shape[: len(grid) - 1]]
    kept = np.ix_(*numbers, np.arange(weights.shape[len(grid) - 1]))
    modes = jnp.fft.rfftn(values, axes=axes)
    letters = LETTERS[: len(grid)]
    new = jnp.einsum(f"s{letters}i,{letters}io->s{letters}o", modes[:, *kept], weights)
    all_modes = jnp.zeros((*modes.shape[:-1], weights.shape[-1]), modes.dtype)
    return jnp.fft.irfftn(all_modes.at[:, *kept].set(new), grid, axes=axes)
