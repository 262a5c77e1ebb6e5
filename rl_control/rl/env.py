"""Any priced system as a pure environment: it compiles, and runs in batches."""

from dataclasses import dataclass, field
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from tvilling.datasets.simulated.trials import PRICE
from tvilling.rl_control.control.objective import (
    CREDIT,
    check_priced,
    given_forecast,
    padded,
    step_cost_dkk,
    window,
)
from tvilling.rl_control.control.safety import SHARE, Guard, violates
from tvilling.rl_control.rl.observation import Observer, action_size, to_action
from tvilling.rl_control.rl.reward_scale import reward_scale_dkk
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.physical import finite_status, join_status, used_inputs
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import Status, System, Values
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.systems.example import Example


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
    """Episodes of a system over scenarios, one scenario each, from the state that it holds.

    The reward of a step is

        -(price bought dt - credit (stored_after - stored_before)) / scale - penalty violation,

    so that the rewards of an episode add up to minus its cost (`outlook.py`) over `scale`, less
    the penalties. Crediting the store step by step instead of at the end is a potential that leaves
    the best policy as it is. `violation` is one where the step is flagged or an output leaves its
    limits.

    A step whose state or outputs are not finite numbers ends the episode: it costs nothing, all
    steps that were left count as violations, the state stays as it was before it, and `status`
    has the flag `NOT_FINITE`.

    Attributes
    ----------
    system
        The plant.
    observer
        Makes the observation.
    drive
        Padded drives by name, `[scenario, time + ahead - 1, *channel]`.
    scale_dkk
        Cost that counts as one unit of reward, by scenario [DKK] (`reward_scale.py`). Days of high
        and of low prices then weigh the same in training; what is best on a day does not hang on
        it.
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
    start
        State at the start, by scenario; None where `init` draws one for every episode.
    forecast
        Forecasts that the scenarios carried, by name, `[scenario, time, ahead, *channel]`: what is
        observed, and what a guard believes. Drives without one are foretold as they come.
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
    start: Any = None
    forecast: Values = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        example: Example,
        scenarios: Scenario,
        ahead: int = 24,
        guard: Guard | None = None,
        starts: Literal["given", "drawn"] = "given",
    ) -> "Environment":
        """An environment over `scenarios`, a batch with a price, looking `ahead` steps forward.

        Parameters
        ----------
        starts
            `given`: an episode starts in the state of its scenario; `drawn`: in one that the
            system's `init` draws for it.

        Raises
        ------
        InputError
            Where the system buys nothing, the scenarios hold no price, or what they hold does not
            fit the system or cannot be observed.
        """
        check_priced(example, scenarios, ahead)
        _check(
            example, scenarios, starts, [] if guard is None else guard.faults(scenarios.dt_s, ahead)
        )
        price = scenarios.drive[PRICE]
        return cls(
            system=example.system,
            observer=Observer.of(example, scenarios, ahead),
            drive=jax.jit(jax.vmap(lambda drive: padded(drive, ahead)))(scenarios.drive),
            scale_dkk=reward_scale_dkk(example, scenarios),
            guard=guard,
            bought=example.bought,
            steps=price.shape[1],
            dt_s=scenarios.dt_s,
            start=jax.tree.map(jnp.asarray, scenarios.state) if starts == "given" else None,
            forecast=given_forecast(scenarios, ahead),
        )

    @property
    def action_size(self) -> int:
        """How many numbers in [-1, 1] make an action."""
        return action_size(self.system.actions)

    def reset(
        self, key: Array, scenario: Int[Array, ""] | None = None
    ) -> tuple[EnvState, Float[Array, " number"]]:
        """A new episode: `scenario` and start drawn by `key`, as far as they are not given."""
        pick, start = jax.random.split(key)
        if scenario is None:
            scenario = jax.random.randint(pick, (), 0, self.drive[PRICE].shape[0])
        at = jnp.asarray(scenario)
        plant = (
            self.system.init(start)
            if self.start is None
            else jax.tree.map(lambda leaf: leaf[at], self.start)
        )
        state = EnvState(plant, at, jnp.zeros((), at.dtype))
        return state, self._observe(state)

    def step(
        self, state: EnvState, action: Float[Array, " number"]
    ) -> tuple[EnvState, Float[Array, " number"], Float[Array, ""], Bool[Array, ""], Values]:
        """State and observation after `action` in [-1, 1], reward, whether it was the last step.

        The last entry holds `cost_dkk` (credit taken off), `violation`, the flags `status` of the
        step and, behind a guard, `shield_share`.
        """
        forecast = self._forecast(state)
        wanted = to_action(self.system.actions, action)
        share = jnp.zeros(())
        if self.guard is not None:
            wanted, share = self.guard(state.plant, wanted, forecast)
        drive = {
            name: values[state.scenario, self._now(state)] for name, values in self.drive.items()
        }
        plant, output = self.system.step(state.plant, wanted, drive, self.dt_s)
        status = join_status(
            output["status"],
            finite_status(used_inputs(self.system, wanted, drive), plant, output),
        )
        failed = (status & int(Status.NOT_FINITE)) != 0
        violation = violates(self.system, output) | failed
        cost = jnp.where(failed, 0.0, self._cost_dkk(state.plant, plant, drive, output))
        plant = jax.tree.map(lambda new, old: jnp.where(failed, old, new), plant, state.plant)
        after = EnvState(plant, state.scenario, state.step + 1)
        missed = jnp.where(failed, jnp.maximum(self.steps - state.step, 1), violation)
        reward = -cost / self.scale_dkk[state.scenario] - self.penalty * missed
        info = {"cost_dkk": cost, "violation": violation, "status": status, SHARE: share}
        return after, self._observe(after), reward, (after.step >= self.steps) | failed, info

    def _cost_dkk(self, before: Any, after: Any, drive: Values, output: Values) -> Array:
        """Cost of a step [DKK], what was put in store credited."""
        stored_kwh = (self.system.stored_j(after) - self.system.stored_j(before)) / J_PER_KWH
        paid = step_cost_dkk(drive[PRICE], output[self.bought], self.dt_s)
        return paid - drive[CREDIT] * stored_kwh

    def _now(self, state: EnvState) -> Int[Array, ""]:
        return jnp.minimum(state.step, self.steps - 1)

    def _forecast(self, state: EnvState) -> Values:
        now = self._now(state)
        own = {name: values[state.scenario] for name, values in self.drive.items()}
        given = {name: values[state.scenario, now] for name, values in self.forecast.items()}
        return window(own, now, self.observer.ahead) | given

    def _observe(self, state: EnvState) -> Float[Array, " number"]:
        return self.observer(state.step, state.plant, self._forecast(state))


def _check(example: Example, scenarios: Scenario, starts: str, others: list[str]) -> None:
    """Refuse what an environment could not use, `others` among it."""
    known = (*scenarios.drive, CREDIT)
    faults = others + [
        f"forecast {name} is of no drive that the scenarios hold: no observation would show it"
        for name in scenarios.forecast
        if name not in known
    ]
    if starts not in ("given", "drawn"):
        faults.append(f"starts is {starts!r}, expected 'given' or 'drawn'")
    elif starts == "given":
        count = jnp.shape(scenarios.drive[PRICE])[0]
        wanted = jax.eval_shape(example.system.init, jax.random.key(0))
        shapes = jax.tree.map(lambda leaf: (count, *leaf.shape), wanted)
        got = jax.tree.map(jnp.shape, scenarios.state)
        if shapes != got:
            faults.append(f"state of the scenarios has the shape {got}, expected {shapes}")
    if faults:
        raise InputError("environment", faults)
