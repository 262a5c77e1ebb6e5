"""A battery behind a meter: one scalar state, one action of either sign, limits that bind."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tvilling.sciml.core.system import Channel, Values, ok_status
from tvilling.sciml.systems.example import Example

CAPACITY_J, POWER_W, EFFICIENCY = 3.6e8, 5e4, 0.95


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Battery:
    """Charge [J] between empty and full; losses both ways; what it cannot take, the grid takes."""

    capacity_j: jax.Array

    @property
    def actions(self):
        return (Channel("battery_w", "W", -POWER_W, POWER_W, description="Power into it"),)

    @property
    def drives(self):
        return (Channel("load_w", "W", 0.0, 1e5, description="Load behind the meter"),)

    @property
    def outputs(self):
        return (
            Channel("used_w", "W", -POWER_W, POWER_W, description="Power into the battery"),
            Channel("grid_w", "W", -2e5, 2e5, description="Power bought"),
            Channel("loss_w", "W", 0.0, POWER_W, description="Heat of charging"),
        )

    def init(self, key):
        return jax.random.uniform(key, (), maxval=1.0) * self.capacity_j

    def step(self, state, action, drive, dt_s) -> tuple[jax.Array, Values]:
        wanted = action["battery_w"]
        room_w = (self.capacity_j - state) / dt_s / EFFICIENCY
        stored_w = state / dt_s * EFFICIENCY
        used = jnp.clip(wanted, -stored_w, room_w)
        into_w = jnp.where(used > 0, used * EFFICIENCY, used / EFFICIENCY)
        output = {"used_w": used, "grid_w": drive["load_w"] + used, "loss_w": used - into_w}
        return state + into_w * dt_s, output | {"status": ok_status()}

    def stored_j(self, state):
        return state

    def net_power_w(self, action, drive, output):
        return output["used_w"] - output["loss_w"]


def example() -> Example:
    """A battery of 100 kWh and 50 kW."""
    return Example(
        system=Battery(jnp.float64(CAPACITY_J)),
        action={"battery_w": jnp.asarray(1e4)},
        drive={"load_w": jnp.asarray(3e4)},
        dt_s=900.0,
        bought="grid_w",
    )
