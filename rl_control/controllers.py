"""Controllers that follow a rule: what operators do today, and the yardstick for anything learned.

A controller is a pytree and pure: it chooses the action of a step from its memory, the state and
the drives of that step (`tvilling.sciml.simulate.Controller`).
"""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.system import Values


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
