"""Dense layers as plain arrays, in single precision: operators err far more than it rounds."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

DTYPE = jnp.float32
Weights = Any  # a pytree of arrays


def dense(key: Array, inputs: int, outputs: int) -> dict[str, Array]:
    """A layer with weights of variance 2 / (inputs + outputs).

    Glorot and Bengio, AISTATS 2010, PMLR 9, 249-256.
    """
    spread = (2.0 / (inputs + outputs)) ** 0.5
    kernel = spread * jax.random.normal(key, (inputs, outputs), DTYPE)
    return {"kernel": kernel, "bias": jnp.zeros(outputs, DTYPE)}


def through(layer: dict[str, Array], values: Float[Array, "*batch i"]) -> Float[Array, "*batch o"]:
    """`values` through one layer."""
    return values @ layer["kernel"] + layer["bias"]


def perceptron(key: Array, sizes: Sequence[int]) -> list[dict[str, Array]]:
    """Layers of the given sizes, inputs first."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [dense(k, i, o) for k, i, o in zip(keys, sizes[:-1], sizes[1:], strict=True)]


def perceive(
    layers: Sequence[dict[str, Array]], values: Float[Array, "*batch i"]
) -> Float[Array, "*batch o"]:
    """`values` through all layers, with GELU between them."""
    for layer in layers[:-1]:
        values = jax.nn.gelu(through(layer, values))
    return through(layers[-1], values)
