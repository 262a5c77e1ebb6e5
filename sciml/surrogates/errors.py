"""How far a surrogate is from the physics, in shares of the range that the physics visits."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import System, Values
from tvilling.sciml.learning.scaling import flat_rows
from tvilling.sciml.surrogates.sound import Mask, sound, unsound
from tvilling.sciml.surrogates.transitions import CHUNK, Transitions, run_played

STATE = "state"
ROWS = 4096  # steps answered at a time


@dataclass(frozen=True)
class Miss:
    """Errors of one channel, in shares of its range; the worst of its elements.

    Attributes
    ----------
    rms
        Root mean square over all samples, over the range (greatest less least) that the physics
        visits in them. What never changes is measured against its size, or where it is zero
        against the width of its channel. Infinite where an answer is not a finite number.
    greatest
        Greatest error, over the same range.
    """

    rms: float
    greatest: float

    def __str__(self) -> str:
        """As percentages."""
        return f"{self.rms:.2%} rms, {self.greatest:.2%} at most"


def one_step_errors(surrogate: System, found: Transitions, dt_s: float) -> dict[str, Miss]:
    """Errors of single steps from the states of the physics, by output, and of the `state`."""

    @jax.jit
    def answers(system: System, found: Transitions) -> Any:
        def one(step: Transitions) -> Any:
            return system.step(step.state, step.action, step.drive, dt_s)

        return jax.lax.map(one, found, batch_size=ROWS)

    flat = flattened(found)
    new_state, output = answers(surrogate, flat)
    kept = sound(unsound(surrogate, flat, flat.output, 1))
    return _misses(surrogate, (new_state, output), (flat.new_state, flat.output), kept)


def rollout_errors(
    surrogate: System, physics: System, scenarios: Scenario, actions: Values
) -> dict[str, Miss]:
    """Errors of whole runs under the same `actions`, each on its own states from the start.

    A run of the physics counts up to the step at which it is not finite or leaves the channel of
    an output.
    """
    chunk = min(CHUNK, jax.tree.leaves(scenarios.drive)[0].shape[0])
    ours, theirs = (run_played(s, scenarios, actions, chunk) for s in (surrogate, physics))
    good = sound(unsound(physics, (theirs.state, theirs.output), theirs.output, 2))
    kept = np.logical_and.accumulate(good, axis=1)
    return _misses(surrogate, (ours.state, ours.output), (theirs.state, theirs.output), kept)


def worst(misses: dict[str, Miss]) -> Miss:
    """The worst channel by either measure."""
    found = list(misses.values())
    return Miss(max(miss.rms for miss in found), max(miss.greatest for miss in found))


def flattened(found: Transitions) -> Transitions:
    """Transitions led by scenario and time, as samples one after another."""
    lead = found.status.ndim
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), found)


def _misses(
    system: System, ours: tuple[Any, Values], theirs: tuple[Any, Values], kept: Mask
) -> dict[str, Miss]:
    """Errors by channel of states and outputs, led by the axes of `kept`, where that is true.

    Raises
    ------
    InputError
        No step is to be compared with.
    """
    if not kept.any():
        raise InputError("errors of a surrogate", ["no step of the physics is finite and sound"])
    lead = kept.ndim

    def rows(state: Any) -> Float[np.ndarray, "sample entry"]:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), state)
        return np.asarray(flat_rows(flat, kept.size))[kept.ravel()]

    misses = {}
    if jax.tree.leaves(theirs[0]):
        misses[STATE] = _miss(rows(ours[0]), rows(theirs[0]), np.inf)
    for channel in system.outputs:
        if channel.name in theirs[1]:
            mine, true = (rows(jnp.asarray(side[1][channel.name])) for side in (ours, theirs))
            misses[channel.name] = _miss(mine, true, channel.high - channel.low)
    return misses


def _miss(
    ours: Float[np.ndarray, "sample entry"], theirs: Float[np.ndarray, "sample entry"], width: float
) -> Miss:
    visited, size = np.ptp(theirs, axis=0), np.abs(theirs).max(axis=0)
    least = np.where(size > 0, size, width if np.isfinite(width) else 1.0)
    scale = np.where(visited > 1e-9 * np.maximum(size, 1e-9), visited, least)
    error = np.abs(ours - theirs)
    shares = np.where(np.isfinite(error), error, np.inf) / scale
    return Miss(float(np.sqrt((shares**2).mean(axis=0)).max()), float(shares.max()))
