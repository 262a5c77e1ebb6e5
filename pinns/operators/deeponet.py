"""Deep operator networks: a branch that reads the function, a trunk that reads the place.

    G(a)(y) = Σ_k b_k(a(s_1), …, a(s_m)) τ_k(y) + b_0

(Lu et al., Nat. Mach. Intell. 3 (2021) 218-229, DOI 10.1038/s42256-021-00302-5). The function is
known at m fixed sensors; the solution has values anywhere. Here the branch has a linear part as
well, b(a) = perceptron(a) + A a, so that a linear map is learnt quickly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.operators.layers import DTYPE, Weights, dense, perceive, perceptron, through
from tvilling.pinns.operators.model import Layout, Places


@dataclass(frozen=True)
class DeepONet:
    """Sizes of a DeepONet.

    Attributes
    ----------
    width, depth
        Of the hidden layers of branch and trunk.
    basis
        Functions of the place, τ_k.
    harmonics
        Waves along each axis that the trunk is given: whole ones in place of the coordinate where
        it is periodic, half-waves beside it elsewhere.
    """

    width: int = 64
    depth: int = 2
    basis: int = 48
    harmonics: int = 8

    def faults(self, layout: Layout) -> list[str]:
        """None: any function and any domain will do."""
        return []

    def begin(self, layout: Layout, key: jax.Array) -> Weights:
        """Weights to begin with."""
        branch, linear, trunk = jax.random.split(key, 3)
        hidden = [self.width] * self.depth
        inputs = sum(
            self.harmonics * (1 + axis.periodic) + (not axis.periodic) for axis in layout.axes
        )
        return {
            "branch": perceptron(branch, [layout.sensors, *hidden, self.basis]),
            "linear": dense(linear, layout.sensors, self.basis),
            "trunk": perceptron(trunk, [inputs, *hidden, self.basis]),
            "mean": jnp.zeros((), DTYPE),
        }

    def apply(
        self,
        layout: Layout,
        weights: Weights,
        functions: Float[Array, "sample along"],
        places: Places,
    ) -> Float[Array, "sample *grid"]:
        """Solutions on the grid that `places` span."""
        shape = tuple(places[axis.name].shape[0] for axis in layout.axes)
        mesh = jnp.meshgrid(*(places[axis.name] for axis in layout.axes), indexing="ij")
        flat = {axis.name: m.ravel() for axis, m in zip(layout.axes, mesh, strict=True)}
        basis = self.trunk(layout, weights, flat)
        found = self.branch(weights, functions) @ basis.T + weights["mean"]
        return found.reshape(-1, *shape)

    def branch(
        self, weights: Weights, functions: Float[Array, "sample along"]
    ) -> Float[Array, "sample basis"]:
        """Coefficients of the basis; about one in the sum, whatever its size."""
        found = perceive(weights["branch"], functions) + through(weights["linear"], functions)
        return found / math.sqrt(self.basis)

    def trunk(
        self, layout: Layout, weights: Weights, points: Places
    ) -> Float[Array, "*point basis"]:
        """The basis at points."""
        features: list[Array] = []
        for axis in layout.axes:
            share = axis.share(points[axis.name])
            if axis.periodic:
                turns = [2 * math.pi * k * share for k in range(1, self.harmonics + 1)]
                features += [wave(turn) for turn in turns for wave in (jnp.cos, jnp.sin)]
            else:
                turns = [math.pi * k * share for k in range(1, self.harmonics + 1)]
                features += [2 * share - 1, *(jnp.cos(turn) for turn in turns)]
        return perceive(weights["trunk"], jnp.stack(features, axis=-1).astype(DTYPE))

    def function_places(
        self, layout: Layout, grid: Mapping[str, np.ndarray], trained: np.ndarray
    ) -> np.ndarray:
        """The sensors, whatever the grid."""
        return trained
