"""A shield: an action is taken only where a backup could still save the plant after it.

Model-predictive shielding: the proposed action is tried on the system and followed by a backup, a
held action, for some steps of the forecast. If a step is flagged or an output leaves its limits,
the action is moved towards that of the backup, as little as it takes; the backup itself acts where
nothing less is safe. After Li, Bastani, Robust Model Predictive Shielding for Safe Reinforcement
Learning with Stochastic Dynamics, doi:10.48550/arXiv.1910.10885, which is about unknown
disturbances; here system and forecast are taken as exact, and the smallest move is sought by
halving.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from tvilling.rl_control.rl.observation import limit_action
from tvilling.sciml.core.simulate import Controller
from tvilling.sciml.core.system import System, Values
from tvilling.sciml.systems.example import Example

HALVINGS = 10  # the move is found to 1/1024 of the way
SLACK = 1e-9  # of the span of a channel: rounding is not a violation
SHARE = "shield_share"
LEVELS = (1.0, 0.0, 0.5, 0.75, 0.25)  # of the span of every action


def violates(system: System, output: Values) -> Bool[Array, "*batch"]:
    """Whether a step is flagged or an output left the limits of its channel."""
    bad = output["status"] != 0
    for channel in system.outputs:
        value, slack = output[channel.name], SLACK * (channel.high - channel.low)
        outside = ~((value >= channel.low - slack) & (value <= channel.high + slack))  # NaN too
        bad = bad | outside.any(axis=tuple(range(bad.ndim, outside.ndim)))
    return bad


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Guard:
    """Tries actions on a system, with a held action to follow them.

    Attributes
    ----------
    system
        The plant, or what is known of it.
    holds
        Actions that the backup chooses from, each `[hold, *channel]`; of those that do equally
        well the first is taken.
    dt_s
        Length of a step [s].
    steps
        Steps tried, the proposed one included; the forecast must be as long.
    """

    system: System
    holds: Values
    dt_s: float = jax.tree.static()
    steps: int = jax.tree.static(default=3)

    @classmethod
    def of(cls, example: Example, dt_s: float, steps: int = 3) -> "Guard":
        """A guard whose backup holds all actions at one of five shares of their span.

        Highest, lowest, middle and the quarters, and the action of the example.
        """
        channels = example.system.actions
        holds = [limit_action(channels, share) for share in LEVELS] + [example.action]
        stacked = {
            c.name: jnp.stack([jnp.asarray(hold[c.name], float) for hold in holds])
            for c in channels
        }
        return cls(example.system, stacked, dt_s, steps)

    def faults(self, dt_s: float, ahead: int) -> list[str]:
        """What keeps it from guarding steps of `dt_s` [s] with a forecast of `ahead` of them."""
        found = []
        if self.dt_s != dt_s:
            found.append(f"the guard tries steps of {self.dt_s:g} s, expected {dt_s:g} s")
        if self.steps > ahead:
            found.append(
                f"the guard tries {self.steps} steps, expected at most {ahead}, as foretold"
            )
        return found

    def backup(self, state: Any, forecast: Values) -> Values:
        """The held action with the fewest violations over the steps tried."""
        best = jnp.argmin(self._violations(state, forecast, 0, self.steps))
        return {name: values[best] for name, values in self.holds.items()}

    def is_safe(self, state: Any, action: Values, forecast: Values) -> Bool[Array, ""]:
        """Whether `action`, and some backup after it, stay clear of flags and limits."""
        state, output = self.system.step(state, action, _at(forecast, 0), self.dt_s)
        after = self._violations(state, forecast, 1, self.steps).min()
        return ~violates(self.system, output) & (after == 0)

    def __call__(
        self, state: Any, proposed: Values, forecast: Values
    ) -> tuple[Values, Float[Array, ""]]:
        """A safe action as near to `proposed` as can be, and the share of the way to the backup."""
        backup = self.backup(state, forecast)

        def moved(share: Float[Array, ""]) -> Values:
            return {
                name: jnp.where(
                    share < 1.0, proposed[name] + share * (held - proposed[name]), held
                )  # what is proposed may be no number
                for name, held in backup.items()
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

    def _violations(
        self, state: Any, forecast: Values, first: int, end: int
    ) -> Int[Array, " hold"]:
        """How many of the steps `first` to `end` fail under each hold."""

        def count(action: Values) -> Int[Array, ""]:
            now, bad = state, jnp.zeros((), int)
            for k in range(first, end):
                now, output = self.system.step(now, action, _at(forecast, k), self.dt_s)
                bad = bad + violates(self.system, output)
            return bad

        return jax.vmap(count)(self.holds)


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


def _at(forecast: Values, step: int) -> Values:
    """The drives `step` steps ahead; the last are repeated."""
    return {name: values[min(step, len(values) - 1)] for name, values in forecast.items()}
