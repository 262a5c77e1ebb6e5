"""Steps to learn from: scenarios run under actions drawn at random."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.simulate import Play, Trajectory, simulate_many
from tvilling.sciml.core.system import System, Values, unlimited_faults
from tvilling.sciml.systems.example import Example

LONGEST_HOLD = 24  # steps
SNAPPED = 0.3  # share of held values that lie at a limit
CHUNK = 64


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Transitions:
    """Steps of a system: what went in and what came out, each led by the same axes."""

    state: Any
    action: Values
    drive: Values
    new_state: Any
    output: Values
    status: Int[Array, "*sample"]

    __repr__ = short_repr


def random_actions(
    example: Example, count: int, steps: int, seed: int, reach: float = 1.0
) -> Values:
    """Sequences of actions that visit the limits, each `[count, steps, *channel]`.

    Half of them switch: values are held over up to 24 steps and then drawn anew, three in ten at
    a limit. The other half are sines of a random period, level and size, cut off at the limits.

    Parameters
    ----------
    reach
        Share of the way from the example's action to the limits of its channel that the sequences
        span; 1 spans the channel.

    Raises
    ------
    InputError
        Naming each action without finite limits.
    """
    faults = unlimited_faults(example.system)
    if faults:
        raise InputError(type(example.system).__name__, faults)
    random = np.random.default_rng([seed, 1])
    actions = {}
    for channel in example.system.actions:
        share = _shares(random, (count, steps, *channel.shape))
        value = np.asarray(example.action[channel.name])
        low, high = (value + reach * (limit - value) for limit in (channel.low, channel.high))
        actions[channel.name] = jnp.asarray(low + share * (high - low))
    return actions


def _shares(random: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """Shares of the range `[sequence, step, *element]`, switching and smooth in turn."""
    first = (shape[0], 1, *shape[2:])
    drawn = random.uniform(size=shape)
    drawn = np.where(random.uniform(size=shape) < SNAPPED, np.round(drawn), drawn)
    anew = random.uniform(size=shape) < 1.0 / random.integers(1, LONGEST_HOLD + 1, first)
    step = np.arange(shape[1]).reshape(1, -1, *[1] * (len(shape) - 2))
    held = np.maximum.accumulate(np.where(anew, step, 0), axis=1)
    switching = np.take_along_axis(drawn, held, axis=1)
    period = np.exp(random.uniform(np.log(4), np.log(200), first))
    phase, level = random.uniform(0, 2 * np.pi, first), random.uniform(0, 1, first)
    sine = level + random.uniform(0, 0.7, first) * np.sin(2 * np.pi * step / period + phase)
    smooth = np.arange(shape[0]).reshape(first[0], *[1] * (len(shape) - 1)) % 2 == 1
    return np.where(smooth, np.clip(sine, 0.0, 1.0), switching)


def played(scenarios: Scenario, actions: Values) -> tuple[Scenario, Play]:
    """`scenarios` that carry `actions` `[scenario, time, *channel]`, and their controller."""
    ahead = {name: values[:, :, None] for name, values in actions.items()}
    return replace(scenarios, forecast=ahead), Play(tuple(actions))


@partial(jax.jit, static_argnames="chunk")
def run_played(
    system: System, scenarios: Scenario, actions: Values, chunk: int = CHUNK
) -> Trajectory:
    """Run a batch of scenarios under given actions `[scenario, time, *channel]`."""
    with_actions, controller = played(scenarios, actions)
    found: Trajectory = simulate_many(system, controller, with_actions, chunk=chunk)
    return found


def transitions_of(system: System, scenarios: Scenario, actions: Values) -> Transitions:
    """Every step of a batch of scenarios under `actions`, led by scenario and time."""
    run = run_played(system, scenarios, actions)

    def before(start: Array, after: Array) -> Array:
        return jnp.concatenate([jnp.asarray(start)[:, None], after[:, :-1]], axis=1)

    return Transitions(
        state=jax.tree.map(before, scenarios.state, run.state),
        action=run.action,
        drive={channel.name: scenarios.drive[channel.name] for channel in system.drives},
        new_state=run.state,
        output=run.output,
        status=run.status,
    )


def repeated(system: System, scenarios: Scenario, passes: int, seed: int) -> Scenario:
    """`scenarios` one after another `passes` times, from the second time on from new states."""
    count = jax.tree.leaves(scenarios.drive)[0].shape[0]
    keys = jax.random.split(jax.random.key(seed), count * (passes - 1)) if passes > 1 else None
    drawn = None if keys is None else jax.vmap(system.init)(keys)

    def more(first: Array, others: Array) -> Array:
        return jnp.concatenate([jnp.asarray(first), others])

    state = scenarios.state if drawn is None else jax.tree.map(more, scenarios.state, drawn)
    drive = {
        name: jnp.tile(values, (passes,) + (1,) * (values.ndim - 1))
        for name, values in scenarios.drive.items()
    }
    return Scenario(state, drive, scenarios.dt_s)
