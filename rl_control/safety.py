"""A shield: an action is taken only where a backup could still save the plant after it.

Model-predictive shielding: the proposed action is tried on the system and followed by the backup
for some steps of the forecast. If a step is flagged or an output leaves its limits, the action is
moved towards that of the backup, as little as it takes; the backup itself acts where nothing less
is safe. Introduced for unknown disturbances in Li, Bastani, Robust Model Predictive Shielding for
Safe Reinforcement Learning with Stochastic Dynamics, doi:10.48550/arXiv.1910.10885; here the system
and the forecast are taken as exact, and the smallest move is sought by halving.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from tvilling.rl_control.controllers import Hold
from tvilling.rl_control.observation import limit_action
from tvilling.sciml.scenario import Scenario
from tvilling.sciml.simulate import Controller, simulate
from tvilling.sciml.system import System, Values
from tvilling.sciml.systems.example import Example

HALVINGS = 10  # the move is found to 1/1024 of the way
SLACK = 1e-9  # of the span of a channel: rounding is not a violation
SHARE = "shield_share"


def violates(system: System, output: Values) -> Bool[Array, "*batch"]:
    """Whether a step is flagged or an output left the limits of its channel."""
    bad = output["status"] != 0
    for channel in system.outputs:
        value, slack = output[channel.name], SLACK * (channel.high - channel.low)
        outside = (value < channel.low - slack) | (value > channel.high + slack)
        bad = bad | outside.any(axis=tuple(range(bad.ndim, outside.ndim)))
    return bad


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Guard:
    """Tries actions on a system, with a backup to follow them.

    Attributes
    ----------
    system
        The plant, or what is known of it.
    backup
        A controller without memory that keeps the plant within its limits.
    dt_s
        Length of a step [s].
    steps
        Steps tried, the proposed one included; the forecast must be as long.
    """

    system: System
    backup: Controller
    dt_s: float = jax.tree.static()
    steps: int = jax.tree.static(default=3)

    def is_safe(self, state: Any, action: Values, forecast: Values) -> Bool[Array, ""]:
        """Whether `action`, and the backup after it, stay clear of flags and limits."""
        state, output = self.system.step(state, action, _at(forecast, 0), self.dt_s)
        safe = ~violates(self.system, output)
        for k in range(1, self.steps):
            reply, _ = self.backup(self.backup.init(), state, _from(forecast, k))
            state, output = self.system.step(state, reply, _at(forecast, k), self.dt_s)
            safe = safe & ~violates(self.system, output)
        return safe

    def __call__(
        self, state: Any, proposed: Values, forecast: Values
    ) -> tuple[Values, Float[Array, ""]]:
        """A safe action as near to `proposed` as can be, and the share of the way to the backup."""
        backup, _ = self.backup(self.backup.init(), state, forecast)

        def moved(share: Float[Array, ""]) -> Values:
            return {
                name: proposed[name] + share * (backup[name] - proposed[name]) for name in backup
            }

        def halve(_: int, ends: tuple) -> tuple:
            unsafe, safe = ends
            middle = (unsafe + safe) / 2
            ok = self.is_safe(state, moved(middle), forecast)
            return jnp.where(ok, unsafe, middle), jnp.where(ok, middle, safe)

        zero, one = jnp.zeros(()), jnp.ones(())
        found = jax.lax.fori_loop(0, HALVINGS, halve, (zero, one))[1]
        share = jnp.where(self.is_safe(state, proposed, forecast), zero, found)
        return moved(share), share


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Shield:
    """A controller behind a guard.

    Its actions have one entry more, `shield_share`: how far the step was moved towards the backup,
    0 where the controller had its way and 1 where the backup acted.
    """

    inner: Controller
    guard: Guard

    def init(self) -> Any:
        """Memory of the controller behind the shield."""
        return self.inner.init()

    def __call__(self, memory: Any, state: Any, forecast: Values) -> tuple[Values, Any]:
        """The controller's action where it is safe, else the nearest that is."""
        proposed, memory = self.inner(memory, state, forecast)
        action, share = self.guard(state, proposed, forecast)
        return {**action, SHARE: share}, memory


def steady_guard(example: Example, scenarios: Scenario, steps: int = 3) -> Guard:
    """A guard whose backup holds one action: the steadiest of highest, lowest and the example's.

    The one that is flagged least often over `scenarios`, a batch, is taken; the first of equals.
    """
    system, channels = example.system, example.system.actions
    holds = [
        Hold(action)
        for action in (limit_action(channels, 1.0), limit_action(channels, 0.0), example.action)
    ]

    def flagged(hold: Hold) -> Array:
        def run(scenario: Scenario) -> Array:
            found = simulate(system, hold, scenario)
            return violates(system, {**found.output, "status": found.status}).sum()

        return jax.vmap(run)(scenarios).sum()

    counts = [int(jax.jit(flagged)(hold)) for hold in holds]
    return Guard(system, holds[counts.index(min(counts))], scenarios.dt_s, steps)


def _at(forecast: Values, step: int) -> Values:
    return {name: values[step] for name, values in forecast.items()}


def _from(forecast: Values, step: int) -> Values:
    """The forecast as it stands `step` steps later; the last entry is repeated."""
    length = next(iter(forecast.values())).shape[0]
    index = jnp.minimum(jnp.arange(length) + step, length - 1)
    return {name: values[index] for name, values in forecast.items()}
