"""Controllers that follow a rule: what operators do today, and the yardstick for anything learned.

A controller is a pytree and pure: it chooses the action of a step from its memory, the state and
the drives of that step (`tvilling.sciml.core.simulate.Controller`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from tvilling.sciml.core.system import Values


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hold:
    """The same action at every step.

    Attributes
    ----------
    action
        One array a channel, in the channel's shape and unit.
    """

    action: Values

    def init(self) -> tuple[()]:
        """No memory."""
        return ()

    def __call__(self, memory: tuple[()], state: Any, forecast: Values) -> tuple[Values, tuple[()]]:
        """The held action."""
        return self.action, memory


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatingCurve:
    """Weather compensation: the supply temperature falls linearly as it gets warmer outside.

        T_supply = T_cold + (T_warm - T_cold) clip((T_o - T_o,cold) / (T_o,warm - T_o,cold), 0, 1)

    for any outdoor temperature; below `cold_degc` and above `warm_degc` the curve is flat.

    Attributes
    ----------
    cold_degc, warm_degc
        Outdoor temperatures at the two ends of the slope [degC], the cold one lower.
    supply_cold_degc, supply_warm_degc
        Supply temperature of each source at the two ends [degC].
    others
        Further actions, held.
    """

    cold_degc: Float[Array, ""]
    warm_degc: Float[Array, ""]
    supply_cold_degc: Float[Array, " source"]
    supply_warm_degc: Float[Array, " source"]
    others: Values = field(default_factory=dict)

    def init(self) -> tuple[()]:
        """No memory."""
        return ()

    def supply_degc(self, outdoor_degc: Float[Array, ""]) -> Float[Array, " source"]:
        """Supply temperature of each source [degC] at `outdoor_degc`."""
        share = (outdoor_degc - self.cold_degc) / (self.warm_degc - self.cold_degc)
        rise = self.supply_warm_degc - self.supply_cold_degc
        return self.supply_cold_degc + rise * jnp.clip(share, 0.0, 1.0)

    def __call__(self, memory: tuple[()], state: Any, forecast: Values) -> tuple[Values, tuple[()]]:
        """The action at this step's `outdoor_degc`, a drive that the plant itself may not need."""
        supply = self.supply_degc(forecast["outdoor_degc"][0])
        return {**self.others, "supply_degc": supply}, memory


def first_number(state: Any) -> Float[Array, ""]:
    """The first number of a state; of a mixed tank its temperature [°C]."""
    return ravel_pytree(state)[0][0]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Thermostat:
    """Hysteresis, blind to prices: on below one reading, off above another.

    Attributes
    ----------
    on_below, off_above
        Readings at which it turns, in the unit of the reading.
    on, off
        The two actions.
    reading
        What is measured of the state.
    """

    on_below: Float[Array, ""]
    off_above: Float[Array, ""]
    on: Values
    off: Values
    reading: Callable[[Any], Float[Array, ""]] = jax.tree.static(default=first_number)

    def init(self) -> Bool[Array, ""]:
        """Off."""
        return jnp.zeros((), bool)

    def __call__(
        self, memory: Bool[Array, ""], state: Any, forecast: Values
    ) -> tuple[Values, Bool[Array, ""]]:
        """On or off, and which of the two it was."""
        now = self.reading(state)
        is_on = (now < self.on_below) | (memory & (now < self.off_above))
        return _choose(is_on, self.on, self.off), is_on


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PriceRule:
    """Buys in the cheapest hours of the look-ahead and sells in the dearest.

    The present price is ranked among those of the forecast. With `buy_share` 0.3 it buys while
    fewer than 30 % of them are lower, with `sell_share` 0.2 it sells while fewer than 20 % are
    higher, and is idle in between. A plant that cannot sell has the same action for both.

    Attributes
    ----------
    buy, idle, sell
        The three actions.
    buy_share, sell_share
        Shares of the look-ahead, 0 to 1.
    """

    buy: Values
    idle: Values
    sell: Values
    buy_share: Float[Array, ""]
    sell_share: Float[Array, ""]

    def init(self) -> tuple[()]:
        """No memory."""
        return ()

    def __call__(self, memory: tuple[()], state: Any, forecast: Values) -> tuple[Values, tuple[()]]:
        """The action at the rank of this step's `price_dkk_per_kwh`."""
        price = forecast["price_dkk_per_kwh"]
        action = _choose(jnp.mean(price > price[0]) < self.sell_share, self.sell, self.idle)
        return _choose(jnp.mean(price < price[0]) < self.buy_share, self.buy, action), memory


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Plan:
    """Actions decided beforehand, one a step.

    Attributes
    ----------
    action
        By channel, `[time, *channel]`; the last is held beyond the end.
    """

    action: Values

    def init(self) -> Int[Array, ""]:
        """Number of the step."""
        return jnp.zeros((), jnp.int32)

    def __call__(
        self, memory: Int[Array, ""], state: Any, forecast: Values
    ) -> tuple[Values, Int[Array, ""]]:
        """The action planned for this step."""
        return {name: values[memory] for name, values in self.action.items()}, memory + 1


def _choose(first: Bool[Array, ""], yes: Values, no: Values) -> Values:
    return {name: jnp.where(first, yes[name], no[name]) for name in yes}
