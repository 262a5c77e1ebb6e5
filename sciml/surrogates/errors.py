"""How far a surrogate is from the physics, in shares of the range that the physics visits."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.sciml.scenario import Scenario
from tvilling.sciml.surrogates.transitions import CHUNK, Transitions, run_played
from tvilling.sciml.system import System, Values

STATE = "state"
ROWS = 4096  # steps answered at a time


@dataclass(frozen=True)
class Miss:
    """Errors of one channel, in shares of its range; the worst of its elements.

    Attributes
    ----------
    rms
        Root mean square over all samples, over the range (greatest less least) that the physics
        visits in them.
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
    return _misses(surrogate, (new_state, output), (flat.new_state, flat.output), 1)


def rollout_errors(
    surrogate: System, physics: System, scenarios: Scenario, actions: Values
) -> dict[str, Miss]:
    """Errors of whole runs under the same `actions`, each on its own states from the start."""
    chunk = min(CHUNK, jax.tree.leaves(scenarios.drive)[0].shape[0])
    ours, theirs = (run_played(s, scenarios, actions, chunk) for s in (surrogate, physics))
    return _misses(surrogate, (ours.state, ours.output), (theirs.state, theirs.output), 2)


def worst(misses: dict[str, Miss]) -> Miss:
    """The worst channel by either measure."""
    found = list(misses.values())
    return Miss(max(miss.rms for miss in found), max(miss.greatest for miss in found))


def flattened(found: Transitions) -> Transitions:
    """Transitions led by scenario and time, as samples one after another."""
    lead = found.status.ndim
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), found)


def _misses(
    system: System, ours: tuple[Any, Values], theirs: tuple[Any, Values], lead: int
) -> dict[str, Miss]:
    """Errors by channel of states and outputs that are led by `lead` axes."""

    def rows(state: Any) -> Float[Array, "sample entry"]:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), state)
        return jax.vmap(lambda one: ravel_pytree(one)[0])(flat)

    misses = {STATE: _miss(rows(ours[0]), rows(theirs[0]))}
    for channel in system.outputs:
        if channel.name in theirs[1]:
            pair = (jnp.asarray(side[1][channel.name]) for side in (ours, theirs))
            misses[channel.name] = _miss(*(rows(values) for values in pair))
    return misses


def _miss(ours: Float[Array, "sample entry"], theirs: Float[Array, "sample entry"]) -> Miss:
    error, truth = np.asarray(ours - theirs), np.asarray(theirs)
    visited = truth.max(axis=0) - truth.min(axis=0)
    kept = visited > 1e-9 * np.maximum(np.abs(truth).max(axis=0), 1e-9)
    if not kept.any():  # nothing here ever changed: no range to compare with
        return Miss(0.0, 0.0)
    shares = np.abs(error[:, kept]) / visited[kept]
    return Miss(float(np.sqrt((shares**2).mean(axis=0)).max()), float(shares.max()))
