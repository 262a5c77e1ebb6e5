"""DeepXDE's networks: untrained parameters, and a dense network as its parts.

Nothing here imports DeepXDE; its objects are used by what they offer.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from tvilling.pinns.deepxde.dense_jets import Dense, tower_of
from tvilling.pinns.fields.jets import sine_tower, tanh_tower


def drawn_params(net: Any, coordinates: int, seed: int) -> Any:
    """Untrained parameters, by Glorot's rule on the host, which spares a compilation.

    Of other rules by the network's own initialiser.
    """
    place = np.zeros((1, coordinates))
    rule = getattr(net, "kernel_initializer", None)
    if rule not in ("Glorot normal", "Glorot uniform"):
        return jax.jit(net.init)(jax.random.key(seed), place)
    random = np.random.default_rng(seed)

    def drawn(leaf: Any) -> np.ndarray:
        if len(leaf.shape) < 2:
            return np.zeros(leaf.shape)
        spread = np.sqrt(2.0 / sum(leaf.shape))
        if rule == "Glorot normal":
            return spread * random.standard_normal(leaf.shape)
        return spread * np.sqrt(3.0) * random.uniform(-1.0, 1.0, leaf.shape)

    return jax.tree.map(drawn, jax.eval_shape(lambda: net.init(jax.random.key(0), place)))


def dense_of(net: Any, params: Any, activation: Callable[[Any], Any]) -> Dense | None:
    """A fully connected network as its parts; None for any other.

    `activation` gives the function of a name.
    """
    if type(net).__name__ != "FNN":
        return None
    count = len(net.layer_sizes) - 1
    found = params["params"]
    named = net.activation if isinstance(net.activation, list) else [net.activation] * count
    known: dict[Any, Any] = {"tanh": tanh_tower, "sin": sine_tower}
    towers = [known.get(name) or tower_of(activation(name)) for name in named]
    return Dense(
        layers=[
            (found[f"denses_{at}"]["kernel"], found[f"denses_{at}"]["bias"]) for at in range(count)
        ],
        towers=towers[: count - 1],
        features=net._input_transform,
        outputs=net._output_transform,
    )
