"""Parameters of an equation: fixed, an input of a family of problems, or to be found."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis


@dataclass(frozen=True)
class Fixed:
    """A known number."""

    name: str
    unit: str
    value: float

    def faults(self) -> list[str]:
        """What is wrong with it."""
        if math.isfinite(self.value):
            return []
        return [f"{self.name} is {self.value} {self.unit}, expected a finite number"]


@dataclass(frozen=True)
class Ranged:
    """An input of the network: one training solves the problem for its whole range [unit]."""

    name: str
    unit: str
    low: float
    high: float

    @property
    def axis(self) -> Axis:
        """The parameter as a coordinate."""
        return Axis(self.name, self.unit, self.low, self.high)

    def faults(self) -> list[str]:
        """What is wrong with it."""
        return self.axis.faults()


@dataclass(frozen=True)
class Free:
    """An unknown number between `low` and `high` [unit], found from measurements in training.

    It starts in the middle, the geometric one where both ends are positive, and cannot leave the
    range.
    """

    name: str
    unit: str
    low: float
    high: float

    def faults(self) -> list[str]:
        """What is wrong with it."""
        return Axis(self.name, self.unit, self.low, self.high).faults()

    def value(self, unbounded: Float[Array, ""]) -> Float[Array, ""]:
        """The parameter [unit] for a number that training may move anywhere, 0 at the start."""
        share = jax.nn.sigmoid(unbounded)
        if self.low > 0:
            return self.low * jnp.exp(share * math.log(self.high / self.low))
        return self.low + (self.high - self.low) * share


Parameter = Fixed | Ranged | Free
