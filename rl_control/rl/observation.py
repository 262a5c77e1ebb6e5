"""What a learned controller sees, and how its answer in [-1, 1] becomes an action."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from tvilling.datasets.simulated.trials import DAY_S, PRICE
from tvilling.rl_control.control.objective import CREDIT
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import Channel, Values
from tvilling.sciml.learning.scaling import flat_rows, nonzero_scale
from tvilling.sciml.systems.example import Example

STARTS = 256  # states drawn to find the range of each
FURTHEST = 10.0  # scaled quantities are cut there


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Observer:
    """State, outlook and time of day as one vector of numbers of order one.

    In this order: the state, raveled, from -1 to 1 over the range in which the system starts; the
    prices ahead less the credit, over their spread in the window; the shares of them below and
    above the present one; credit and spread over the price scale; the drives ahead by name, less
    mean and over standard deviation, those that the system does not know among them; sine and
    cosine of the time of day. Prices relative to credit and spread are what a decision hangs on:
    where all prices double, the same action stays best. What never varies is scaled by its size.
    All are cut at ±10.

    Attributes
    ----------
    state_middle, state_reach
        Of the raveled state.
    drive_mean, drive_scale
        By channel.
    price_scale
        [DKK/kWh]
    ahead
        Steps seen, this one included.
    dt_s
        Length of a step [s]; runs begin at midnight.
    """

    state_middle: Float[Array, " state"]
    state_reach: Float[Array, " state"]
    drive_mean: Values
    drive_scale: Values
    price_scale: Float[Array, ""]
    ahead: int = jax.tree.static()
    dt_s: float = jax.tree.static()

    @classmethod
    def of(cls, example: Example, scenarios: Scenario, ahead: int) -> "Observer":
        """An observer scaled to how `example` starts and to the drives of `scenarios`."""
        keys = jax.random.split(jax.random.key(0), STARTS)
        drawn = flat_rows(jax.vmap(example.system.init)(keys), STARTS)
        given = flat_rows(scenarios.state, jnp.shape(scenarios.drive[PRICE])[0])
        flat = jnp.concatenate([drawn, given])
        low, high = flat.min(axis=0), flat.max(axis=0)
        middle = (low + high) / 2
        drives = {
            name: jnp.asarray(scenarios.drive[name]) for name in observed_drives(example, scenarios)
        }
        mean = {name: values.mean(axis=(0, 1)) for name, values in drives.items()}
        return cls(
            state_middle=middle,
            state_reach=nonzero_scale((high - low) / 2, middle),
            drive_mean=mean,
            drive_scale={
                name: nonzero_scale(values.std(axis=(0, 1)), mean[name])
                for name, values in drives.items()
            },
            price_scale=nonzero_scale(jnp.abs(scenarios.drive[PRICE]).mean(), 0.0),
            ahead=ahead,
            dt_s=scenarios.dt_s,
        )

    @property
    def size(self) -> int:
        """Length of the vector."""
        drives = sum(int(np.prod(np.shape(mean))) for mean in self.drive_mean.values())
        return self.state_middle.shape[0] + self.ahead * (1 + drives) + 6

    def faults(self, dt_s: float, ahead: int) -> list[str]:
        """What keeps it from observing steps of `dt_s` [s] with `ahead` of them foretold."""
        found = []
        if self.dt_s != dt_s:
            found.append(f"it observes steps of {self.dt_s:g} s, expected {dt_s:g} s")
        if self.ahead > ahead:
            found.append(
                f"it looks {self.ahead} steps ahead, expected at most {ahead}, as foretold"
            )
        return found

    def __call__(
        self, step: Int[Array, ""], state: Any, forecast: Values
    ) -> Float[Array, " number"]:
        """The vector before step number `step`, from a forecast of at least `ahead` steps.

        Raises
        ------
        InputError
            The forecast lacks a drive, or is too short.
        """
        short = [
            f"forecast {name} is missing or shorter than {self.ahead} steps"
            for name in (PRICE, *self.drive_scale)
            if name not in forecast or forecast[name].shape[0] < self.ahead
        ]
        if short:
            raise InputError("observation", short)
        flat = (ravel_pytree(state)[0] - self.state_middle) / self.state_reach
        price, credit = forecast[PRICE][: self.ahead], forecast[CREDIT][0]
        spread = jnp.sqrt(jnp.mean((price - credit) ** 2)) + 1e-3 * self.price_scale
        drives = [
            ((forecast[name][: self.ahead] - self.drive_mean[name]) / scale).ravel()
            for name, scale in sorted(self.drive_scale.items())  # as JAX orders a dictionary
        ]
        turn = 2 * jnp.pi * step * self.dt_s / DAY_S
        ranks = jnp.stack([jnp.mean(price < price[0]), jnp.mean(price > price[0])])
        sizes = jnp.stack([credit, spread]) / self.price_scale
        clock = jnp.stack([jnp.sin(turn), jnp.cos(turn)])
        parts = [flat, (price - credit) / spread, ranks, sizes, *drives, clock]
        return jnp.clip(jnp.concatenate(parts), -FURTHEST, FURTHEST)


def observed_drives(example: Example, scenarios: Scenario) -> list[str]:
    """Drives of an observation besides the price: the system's, and others of the scenarios."""
    own = {channel.name for channel in example.system.drives}
    return sorted(own | set(scenarios.drive) - {PRICE, CREDIT})


def action_size(channels: tuple[Channel, ...]) -> int:
    """How many numbers make an action."""
    return sum(int(np.prod(channel.shape)) for channel in channels)


def to_action(channels: tuple[Channel, ...], unit: Float[Array, " number"]) -> Values:
    """The action that numbers in [-1, 1] stand for: the limits of each channel at the two ends."""
    action, begin = {}, 0
    for channel in channels:
        count = int(np.prod(channel.shape))
        share = (jnp.clip(unit[begin : begin + count], -1.0, 1.0) + 1.0) / 2
        value = channel.low + share * (channel.high - channel.low)
        action[channel.name] = value.reshape(channel.shape)
        begin += count
    return action


def limit_action(channels: tuple[Channel, ...], share: float) -> Values:
    """Every action at `share` of the way from its low to its high limit."""
    return to_action(channels, jnp.full(action_size(channels), 2.0 * share - 1.0))
