"""A small network for loads: two hidden layers beside a straight line, trained with Adam in JAX."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

Params = dict[str, Array]

WIDTH, MEMBERS = 64, 4
BATCH, BATCHES = 512, 16  # batches a call, so that one compiled call serves every number of rows
MIN_CALLS = 30  # where the rows are few
PEAK_RATE, DECAY, WARM = 3e-3, 1e-3, 0.2
HUBER = 0.1  # scaled error from which the loss grows like its size, no longer its square
ADAM = optax.scale_by_adam()


def fit_members(
    inputs: Float[np.ndarray, "row feature"],
    target: Float[np.ndarray, " row"],
    epochs: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Weights of networks trained from several starts on the same batches.

    The loss is Huber's, between the mean and the median. Inputs and target should be scaled to
    about one. Runs in float32: the noise of a load is far above the rounding.
    """
    keys = jax.random.split(jax.random.key(seed), MEMBERS)
    params = jax.vmap(partial(_start, inputs.shape[1]))(keys)
    state = jax.vmap(ADAM.init)(params)
    calls = max(MIN_CALLS, round(epochs * len(target) / (BATCH * BATCHES)))
    rates = _rates(calls * BATCHES).reshape(calls, BATCHES)
    random = np.random.default_rng(seed)
    x, y = inputs.astype(np.float32), target.astype(np.float32)
    order = _endless_order(random, len(y), calls * BATCHES * BATCH)
    for rate, rows in zip(rates, order.reshape(calls, BATCHES, BATCH), strict=True):
        params, state = _train(params, state, (x[rows], y[rows], rate))
    return {name: np.asarray(values) for name, values in params.items()}


def answer(
    params: dict[str, np.ndarray], inputs: Float[np.ndarray, "row feature"]
) -> Float[np.ndarray, " row"]:
    """Mean answer of the members."""
    x = inputs.astype(np.float32)
    members = [
        _forward({name: values[i] for name, values in params.items()}, x, np.maximum)
        for i in range(MEMBERS)
    ]
    return np.mean(members, axis=0).astype(float)


def _start(features: int, key: Array) -> Params:
    """Random weights of variance 2/inputs before a rectifier; the output starts at zero."""
    first, second = jax.random.split(key)
    shape_1, shape_2 = (features, WIDTH), (WIDTH, WIDTH)
    return {
        "w1": jax.random.normal(first, shape_1, jnp.float32) * np.float32(np.sqrt(2 / features)),
        "b1": jnp.zeros(WIDTH, jnp.float32),
        "w2": jax.random.normal(second, shape_2, jnp.float32) * np.float32(np.sqrt(2 / WIDTH)),
        "b2": jnp.zeros(WIDTH, jnp.float32),
        "w3": jnp.zeros(WIDTH, jnp.float32),
        "line": jnp.zeros(features, jnp.float32),
        "b3": jnp.zeros((), jnp.float32),
    }


def _forward(params: dict[str, Any], x: Any, maximum: Callable) -> Any:
    """Answer [row] of one network, in JAX or, where no gradient is wanted, in numpy."""
    hidden = maximum(x @ params["w1"] + params["b1"], 0)
    hidden = maximum(hidden @ params["w2"] + params["b2"], 0)
    return hidden @ params["w3"] + x @ params["line"] + params["b3"]


@jax.jit
def _train(params: Params, state: optax.OptState, batches: tuple) -> tuple[Params, optax.OptState]:
    """Every member through the same batches."""

    def one(params: Params, state: optax.OptState) -> tuple[Params, optax.OptState]:
        return jax.lax.scan(_step, (params, state), batches)[0]

    return jax.vmap(one)(params, state)


def _step(carry: tuple, batch: tuple) -> tuple[tuple, None]:
    params, state = carry
    x, y, rate = batch
    gradient = jax.grad(
        lambda p: optax.huber_loss(_forward(p, x, jnp.maximum), y, delta=HUBER).mean()
    )(params)
    change, state = ADAM.update(gradient, state)
    params = jax.tree.map(lambda p, c: p - rate * (c + DECAY * p), params, change)
    return (params, state), None


def _rates(steps: int) -> Float[np.ndarray, " step"]:
    """Rate of each step: up along a line, down along a cosine."""
    turn = np.arange(steps) / steps
    down = 0.5 * (1 + np.cos(np.pi * np.clip((turn - WARM) / (1 - WARM), 0, 1)))
    return (PEAK_RATE * np.where(turn < WARM, turn / WARM, down)).astype(np.float32)


def _endless_order(random: np.random.Generator, rows: int, count: int) -> np.ndarray:
    """Row numbers, shuffled anew in every pass, as many as are asked for."""
    passes = [random.permutation(rows) for _ in range(-(-count // rows))]
    return np.concatenate(passes)[:count]
