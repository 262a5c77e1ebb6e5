"""Any priced system as a pure environment: it compiles, and runs in batches."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from tvilling.datasets.trials import PRICE
from tvilling.rl_control.observation import Observer, action_size, to_action
from tvilling.rl_control.outlook import CREDIT, check_priced, padded, step_cost_dkk, window
from tvilling.rl_control.safety import SHARE, Guard, violates
from tvilling.sciml.scenario import Scenario
from tvilling.sciml.system import System, Values
from tvilling.sciml.systems.example import Example
from tvilling.sciml.units import J_PER_KWH


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EnvState:
    """Where an episode stands: the plant's state, the scenario and the step within it."""

    plant: Any
    scenario: Int[Array, ""]
    step: Int[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Environment:
    """Episodes of a system over scenarios, one scenario each, from a start drawn by `init`.

    The reward of a step is

        -(price bought dt - credit (stored_after - stored_before)) / scale - penalty violation,

    so that the rewards of an episode add up to minus its cost (`outlook.py`) over `scale`, less
    the penalties. Crediting the store step by step instead of at the end is a potential that leaves
    the best policy as it is. `violation` is one where the step is flagged or an output leaves its
    limits.

    Attributes
    ----------
    system
        The plant.
    observer
        Makes the observation.
    drive
        Padded drives by name, `[scenario, time + ahead - 1, *channel]`.
    scale_dkk
        Cost that counts as one unit of reward, by scenario [DKK]: the most that a step can buy, at
        the spread of its prices. Days of high and of low prices then weigh the same in training;
        what is best on a day does not hang on it.
    guard
        None, or what an action passes before it is taken.
    bought
        Output that is power bought [W].
    steps
        Length of an episode.
    dt_s
        Length of a step [s].
    penalty
        Reward lost by a violation.
    """

    system: System
    observer: Observer
    drive: Values
    scale_dkk: Float[Array, " scenario"]
    guard: Guard | None
    bought: str = jax.tree.static()
    steps: int = jax.tree.static()
    dt_s: float = jax.tree.static()
    penalty: float = jax.tree.static(default=2.0)

    @classmethod
    def of(
        cls, example: Example, scenarios: Scenario, ahead: int = 24, guard: Guard | None = None
    ) -> "Environment":
        """An environment over `scenarios`, a batch with a price, looking `ahead` steps forward.

        Raises
        ------
        InputError
            Where the system buys nothing or the scenarios hold no price.
        """
        check_priced(example, scenarios, ahead)
        price = scenarios.drive[PRICE]
        channel = next(c for c in example.system.outputs if c.name == example.bought)
        most_kwh = max(abs(channel.low), abs(channel.high)) * scenarios.dt_s / J_PER_KWH
        return cls(
            system=example.system,
            observer=Observer.of(example, scenarios, ahead),
            drive=jax.jit(jax.vmap(lambda drive: padded(drive, ahead)))(scenarios.drive),
            scale_dkk=jnp.maximum(price.std(axis=1), 0.1 * price.std() + 1e-6) * most_kwh,
            guard=guard,
            bought=example.bought,
            steps=price.shape[1],
            dt_s=scenarios.dt_s,
        )

    @property
    def action_size(self) -> int:
        """How many numbers in [-1, 1] make an action."""
        return action_size(self.system.actions)

    def reset(self, key: Array) -> tuple[EnvState, Float[Array, " number"]]:
        """A new episode: scenario and start drawn by `key`."""
        pick, start = jax.random.split(key)
        count = self.drive[PRICE].shape[0]
        scenario = jax.random.randint(pick, (), 0, count)
        state = EnvState(self.system.init(start), scenario, jnp.zeros((), scenario.dtype))
        return state, self._observe(state)

    def step(
        self, state: EnvState, action: Float[Array, " number"]
    ) -> tuple[EnvState, Float[Array, " number"], Float[Array, ""], Bool[Array, ""], Values]:
        """State and observation after `action` in [-1, 1], reward, whether it was the last step.

        The last entry tells `cost_dkk` (credit taken off), `violation` and, behind a guard,
        `shield_share`.
        """
        forecast = self._forecast(state)
        wanted = to_action(self.system.actions, action)
        share = jnp.zeros(())
        if self.guard is not None:
            wanted, share = self.guard(state.plant, wanted, forecast)
        drive = {name: values[0] for name, values in forecast.items()}
        plant, output = self.system.step(state.plant, wanted, drive, self.dt_s)
        violation = violates(self.system, output)
        stored_kwh = (self.system.stored_j(plant) - self.system.stored_j(state.plant)) / J_PER_KWH
        paid = step_cost_dkk(drive[PRICE], output[self.bought], self.dt_s)
        cost = paid - drive[CREDIT] * stored_kwh
        after = EnvState(plant, state.scenario, state.step + 1)
        reward = -cost / self.scale_dkk[state.scenario] - self.penalty * violation
        info = {"cost_dkk": cost, "violation": violation, SHARE: share}
        return after, self._observe(after), reward, after.step >= self.steps, info

    def _forecast(self, state: EnvState) -> Values:
        own = {name: values[state.scenario] for name, values in self.drive.items()}
        return window(own, jnp.minimum(state.step, self.steps - 1), self.observer.ahead)

    def _observe(self, state: EnvState) -> Float[Array, " number"]:
        return self.observer(state.step, state.plant, self._forecast(state))
