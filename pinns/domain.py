"""Where an equation holds: a box of named coordinates, and points drawn in it."""

import math
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Points = dict[str, Float[Array, " point"]]


@dataclass(frozen=True)
class Axis:
    """One coordinate, in space or time, or a parameter of a family.

    Attributes
    ----------
    low, high
        Ends of its range [unit].
    """

    name: str
    unit: str
    low: float
    high: float

    def faults(self) -> list[str]:
        """What is wrong with it."""
        if math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high:
            return []
        return [
            f"{self.name}: its range is {self.low:g} to {self.high:g} {self.unit}, "
            "expected two finite numbers, the smaller first"
        ]

    def share(self, value: Array) -> Array:
        """Where `value` lies between the ends: 0 at `low` and 1 at `high`, exactly."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Box:
    """All points whose every coordinate lies in the range of its axis."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(axis.name for axis in self.axes)

    def axis(self, name: str) -> Axis:
        """The axis of that name."""
        return next(axis for axis in self.axes if axis.name == name)

    def sample(self, key: jax.Array, count: int) -> Points:
        """`count` points of a Latin hypercube: one in each of `count` slices of every axis.

        McKay, Beckman and Conover, Technometrics 21 (1979), 239-245,
        DOI 10.1080/00401706.1979.10489755.
        """
        return _latin_hypercube(self, key, count)

    def scaled(self, point: dict[str, Array]) -> Float[Array, " axis"]:
        """The coordinates of one point, each from -1 to 1."""
        return jnp.stack([2.0 * axis.share(point[axis.name]) - 1.0 for axis in self.axes])


@partial(jax.jit, static_argnums=(0, 2))
def _latin_hypercube(box: Box, key: jax.Array, count: int) -> Points:
    points = {}
    for axis, own in zip(box.axes, jax.random.split(key, len(box.axes)), strict=True):
        order, within = jax.random.split(own)
        slices = jax.random.permutation(order, count)
        share = (slices + jax.random.uniform(within, (count,))) / count
        points[axis.name] = axis.low + (axis.high - axis.low) * share
    return points
