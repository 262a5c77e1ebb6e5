"""A heat pump without a store: no state at all, and a power that is no linear map of its load.

    P = Q (1 + 0.5 load) / 3 + (demand - Q) for the heat Q = load Q_max

What the pump leaves of the demand is heated electrically. Above a share of the load given by
`fails_above` the machine trips: its power is not a number, and the step says nothing of it.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tvilling.sciml.core.system import Channel, Values, ok_status
from tvilling.sciml.systems.example import Example

HEAT_W = 2e5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatPump:
    """State: none."""

    heat_w: jax.Array
    fails_above: float = jax.tree.static(default=2.0)

    @property
    def actions(self):
        return (Channel("load", "1", 0.0, 1.0, description="Share of its heat"),)

    @property
    def drives(self):
        return (Channel("demand_w", "W", 0.0, 4e5, description="Heat wanted"),)

    @property
    def outputs(self):
        return (Channel("power_w", "W", -4e5, 4e5, description="Power bought"),)

    def init(self, key):
        return ()

    def step(self, state, action, drive, dt_s) -> tuple[tuple, Values]:
        load = action["load"]
        power_w = self.heat_w * load * ((1 + 0.5 * load) / 3 - 1) + drive["demand_w"]
        power_w = jnp.where(load > self.fails_above, jnp.nan, power_w)
        return (), {"power_w": power_w, "status": ok_status()}

    def stored_j(self, state):
        return jnp.zeros(())

    def net_power_w(self, action, drive, output):
        return jnp.zeros(())


def pump_example(fails_above: float = 2.0) -> Example:
    """A pump of 200 kW at half its load."""
    return Example(
        HeatPump(jnp.asarray(HEAT_W), fails_above),
        {"load": jnp.asarray(0.5)},
        {"demand_w": jnp.asarray(2e5)},
        3600.0,
        bought="power_w",
    )
