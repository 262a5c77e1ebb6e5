"""What an operator network is: weights to begin with, and a function of samples and a grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import jax
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.operators.layers import Weights

Places = Mapping[str, Float[Array, " place"]]


@dataclass(frozen=True)
class Layout:
    """What a network has to know about its problem.

    Attributes
    ----------
    axes
        Those that the solution spans.
    along
        The axis of the function that varies.
    sensors
        Even places along it in the training data.
    """

    axes: tuple[Axis, ...]
    along: str
    sensors: int


class OperatorNetwork(Protocol):
    """A network from functions to solutions, both in scaled numbers about one."""

    def faults(self, layout: Layout) -> list[str]:
        """What speaks against it for this layout."""

    def begin(self, layout: Layout, key: jax.Array) -> Weights:
        """Weights to begin with."""

    def apply(
        self,
        layout: Layout,
        weights: Weights,
        functions: Float[Array, "sample along"],
        places: Places,
    ) -> Float[Array, "sample *grid"]:
        """Solutions on the grid that `places` span, for functions at `function_places`."""

    def function_places(
        self, layout: Layout, grid: Mapping[str, np.ndarray], trained: np.ndarray
    ) -> np.ndarray:
        """Where the function has to be known for a solution on `grid`.

        `trained` are its places in the training data. Raises `InputError` for a grid on which the
        network has no values.
        """
