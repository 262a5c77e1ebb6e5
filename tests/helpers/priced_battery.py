"""A battery for tests of what must hold for any priced system: one signed action, no drives.

    dE/dt = P - k E

with energy E [J], power P [W] (positive where it charges) and self-discharge k [1/s]; exact for
inputs held over a step. A step that would leave 0 to the capacity is cut back to the limit and
flagged.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tvilling.sciml.core.exponential import phi1
from tvilling.sciml.core.system import Channel, Status, Values
from tvilling.sciml.systems.example import Example


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Battery:
    """State: energy [J]."""

    leak_per_s: Array
    efficiency: Array  # of charging; 1 makes the step affine
    capacity_j: float = jax.tree.static()
    power_max_w: float = jax.tree.static()

    @property
    def actions(self) -> tuple[Channel, ...]:
        return (Channel("power_w", "W", -self.power_max_w, self.power_max_w),)

    @property
    def drives(self) -> tuple[Channel, ...]:
        return ()

    @property
    def outputs(self) -> tuple[Channel, ...]:
        return (
            Channel("energy_j", "J", 0.0, self.capacity_j),
            Channel("bought_w", "W", -self.power_max_w, self.power_max_w),
        )

    def init(self, key: Array) -> Array:
        return jax.random.uniform(key, (), minval=0.3, maxval=0.7) * self.capacity_j

    def step(self, state: Array, action: Values, drive: Values, dt_s: float) -> tuple:
        seconds = dt_s * phi1(-self.leak_per_s * dt_s)
        kept_j = state * jnp.exp(-self.leak_per_s * dt_s)
        power_w = jnp.clip(action["power_w"], -self.power_max_w, self.power_max_w)
        gain = jnp.where(power_w > 0, self.efficiency, 1.0)
        wanted_j = kept_j + seconds * gain * power_w
        end_j = jnp.clip(wanted_j, 0.0, self.capacity_j)
        cut = jnp.abs(end_j - wanted_j) > 1e-9 * self.capacity_j
        bought_w = jnp.where(cut, (end_j - kept_j) / seconds / gain, power_w)
        return end_j, {
            "energy_j": end_j,
            "bought_w": bought_w,
            "status": jnp.where(cut, int(Status.UNSERVED), int(Status.OK)),
        }

    def stored_j(self, state: Array) -> Array:
        return state

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Array:
        raise NotImplementedError("no test needs it")


def battery_example(efficiency: float = 1.0) -> Example:
    """10 kWh, 5 kW, losing 2 % in a day."""
    battery = Battery(
        leak_per_s=jnp.asarray(0.02 / 86400),
        efficiency=jnp.asarray(efficiency),
        capacity_j=3.6e7,
        power_max_w=5e3,
    )
    return Example(battery, {"power_w": jnp.asarray(500.0)}, {}, 3600.0, bought="bought_w")
