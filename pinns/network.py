"""The network behind a solution: a small tanh perceptron in float64."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


class Network(nnx.Module):
    """Fully connected layers with tanh between them, weights drawn by Glorot's normal rule.

    tanh is smooth, so that derivatives of any order exist; Glorot and Bengio, AISTATS 2010.
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, key: jax.Array) -> None:
        rngs = nnx.Rngs(key)
        sizes = [inputs, *[width] * depth, outputs]
        self.layers = nnx.List(
            nnx.Linear(
                size,
                following,
                kernel_init=nnx.initializers.glorot_normal(),
                param_dtype=jnp.float64,
                rngs=rngs,
            )
            for size, following in pairwise(sizes)
        )

    def __call__(self, scaled: Float[Array, " input"]) -> Float[Array, " output"]:
        """The outputs for inputs between -1 and 1."""
        for layer in self.layers[:-1]:
            scaled = jnp.tanh(layer(scaled))
        return self.layers[-1](scaled)
