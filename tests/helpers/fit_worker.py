"""A small training that tells its checks; killed by a test on the way."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.learning.fit import FitSettings, Fitted, fit

SETTINGS = FitSettings(steps=400, batch=32, learning_rate=1e-2, check_every=20, weight_decay=1e-3)


def train(folder: Path | None, tell=lambda stage: None, settings: FitSettings = SETTINGS) -> Fitted:
    """A net of one hidden layer on a sine."""
    random = np.random.default_rng(0)
    x = random.uniform(-3, 3, (600, 1))
    data = {"x": x, "y": np.sin(x)}
    first, second = jax.random.split(jax.random.key(1))
    params = {
        "a": jax.random.normal(first, (1, 16)),
        "b": jnp.zeros(16),
        "c": jax.random.normal(second, (16, 1)) / 4,
        "unused": jnp.zeros((0, 2)),
    }

    def loss(params, batch):
        hidden = jnp.tanh(batch["x"] @ params["a"] + params["b"])
        return jnp.mean((hidden @ params["c"] - batch["y"]) ** 2)

    held_out = jax.tree.map(lambda leaf: leaf[500:], data)
    data = jax.tree.map(lambda leaf: leaf[:500], data)
    return fit(loss, params, data, held_out, settings, seed=3, folder=folder, tell=tell)


if __name__ == "__main__":
    train(Path(sys.argv[1]), lambda text: print(text, flush=True))
