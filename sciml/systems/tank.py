"""A hot-water tank with an electric heater: the worked example of a system in one file.

Fully mixed, with constant water properties:

    C dT/dt = P - Q - U (T - T_ambient)

with heat capacity C [J/K], heater P [W], heat drawn Q [W] and loss coefficient U [W/K]. Inputs
are constant over a step, so the step is exact for any length of it. T moves in one direction
within a step; limits that hold at its end hold throughout.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from pydantic import Field, model_validator

from tvilling.sciml.core.exponential import phi1, phi2
from tvilling.sciml.core.physical import flag_where, with_checks
from tvilling.sciml.core.system import Channel, Status, Values
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.systems.example import Example

WATER_J_PER_M3K = 4.12e6  # at 55 °C; within 2 % from 20 to 95 °C
LOWEST_AMBIENT_DEGC, HIGHEST_AMBIENT_DEGC = -10.0, 45.0
MAX_LOSS_W_PER_K = 1e6
FREEZING_DEGC = 0.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tank:
    """A mixed storage tank; its state is the water temperature [°C].

    Demand is met while the water stays above `floor_degc`, and the heater runs while it stays
    below `ceiling_degc`; both are cut back to the mean power over the step that just reaches
    the limit. Losses may cool the water below the floor. The step is differentiable except at
    the very point where a limit begins to bind, where JAX gives a one-sided or mean slope.

    Valid for water without stratification, from 0 to 130 °C. A step that ends below 0 °C or above
    the ceiling is flagged `UNPHYSICAL`.
    """

    capacity_j_per_k: Float[Array, ""]
    loss_w_per_k: Float[Array, ""]
    heater_max_w: float = jax.tree.static()
    demand_max_w: float = jax.tree.static()
    floor_degc: float = jax.tree.static()
    ceiling_degc: float = jax.tree.static()

    @property
    def actions(self) -> tuple[Channel, ...]:
        """What a controller may set."""
        return (Channel("heater_w", "W", 0.0, self.heater_max_w, description="Heater power"),)

    @property
    def drives(self) -> tuple[Channel, ...]:
        """What the tank cannot choose."""
        ambient = (LOWEST_AMBIENT_DEGC, HIGHEST_AMBIENT_DEGC)
        return (
            Channel("demand_w", "W", 0.0, self.demand_max_w, description="Heat demand"),
            Channel("ambient_degc", "°C", *ambient, description="Ambient temperature"),
        )

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """What comes out of a step: the temperature at its end, and mean powers over it."""
        most_loss_w = MAX_LOSS_W_PER_K * (self.ceiling_degc - LOWEST_AMBIENT_DEGC)
        return (
            Channel(
                "water_degc",
                "°C",
                FREEZING_DEGC,
                self.ceiling_degc,
                description="Water temperature",
            ),
            Channel("delivered_w", "W", 0.0, self.demand_max_w, description="Heat drawn"),
            Channel("heater_used_w", "W", 0.0, self.heater_max_w, description="Heater power used"),
            Channel("loss_w", "W", -most_loss_w, most_loss_w, description="Heat lost to the room"),
        )

    def init(self, key: jax.Array) -> Float[Array, ""]:
        """A water temperature [°C] drawn evenly between floor and ceiling."""
        return jax.random.uniform(key, (), minval=self.floor_degc, maxval=self.ceiling_degc)

    def step(
        self, state: Float[Array, ""], action: Values, drive: Values, dt_s: float
    ) -> tuple[Float[Array, ""], Values]:
        """Water temperature [°C] after `dt_s` [s], and the outputs over the step."""
        decay = -self.loss_w_per_k * dt_s / self.capacity_j_per_k
        kelvin_per_watt = phi1(decay) * dt_s / self.capacity_j_per_k
        cooling_w = self.loss_w_per_k * (state - drive["ambient_degc"])

        def end_degc(heat_w: Float[Array, ""]) -> Float[Array, ""]:
            return state + kelvin_per_watt * (heat_w - cooling_w)

        demand_w = drive["demand_w"]
        wanted_w = jnp.clip(action["heater_w"], 0.0, self.heater_max_w)
        room_w = (self.ceiling_degc - end_degc(-demand_w)) / kelvin_per_watt
        heater_used_w = jnp.clip(room_w, 0.0, wanted_w)
        supply_w = (end_degc(heater_used_w) - self.floor_degc) / kelvin_per_watt
        delivered_w = jnp.clip(supply_w, 0.0, demand_w)

        heat_w = heater_used_w - delivered_w
        rise_k_per_s = (heat_w - cooling_w) / self.capacity_j_per_k
        mean_degc = state + rise_k_per_s * dt_s * phi2(decay)
        unserved = delivered_w < demand_w * (1.0 - 1e-9)  # rounding is not a shortage
        water_degc = end_degc(heat_w)
        output = {
            "water_degc": water_degc,
            "delivered_w": delivered_w,
            "heater_used_w": heater_used_w,
            "loss_w": self.loss_w_per_k * (mean_degc - drive["ambient_degc"]),
            "status": flag_where(Status.UNSERVED, unserved),
        }
        return with_checks(self, state, (action, drive), (water_degc, output), dt_s)

    def stored_j(self, state: Float[Array, ""]) -> Float[Array, ""]:
        """Heat in the water [J], against water at 0 °C."""
        return self.capacity_j_per_k * state

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Heater less heat drawn and lost, mean over the step [W]."""
        return output["heater_used_w"] - output["delivered_w"] - output["loss_w"]


class TankConfig(StrictModel):
    """A tank as a user writes it."""

    volume_m3: float = Field(gt=0, le=1e6, description="Water volume [m³]")
    loss_w_per_k: float = Field(
        ge=0, le=MAX_LOSS_W_PER_K, description="Heat loss to the surroundings [W/K]"
    )
    heater_max_w: float = Field(gt=0, le=1e9, description="Heater rating [W]")
    demand_max_w: float = Field(gt=0, le=1e9, description="Greatest demand connected to it [W]")
    floor_degc: float = Field(
        default=55.0, ge=0, le=120, description="Coldest water that can be drawn [°C]"
    )
    ceiling_degc: float = Field(
        default=95.0, ge=50, le=130, description="Hottest water the heater makes [°C]"
    )

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> "TankConfig":
        if self.floor_degc >= self.ceiling_degc:
            raise ValueError(
                f"floor_degc is {self.floor_degc:g} °C, "
                f"expected below ceiling_degc, {self.ceiling_degc:g} °C"
            )
        return self

    def build(self) -> Tank:
        """The tank as arrays."""
        return Tank(
            capacity_j_per_k=jnp.float64(self.volume_m3 * WATER_J_PER_M3K),
            loss_w_per_k=jnp.float64(self.loss_w_per_k),
            heater_max_w=self.heater_max_w,
            demand_max_w=self.demand_max_w,
            floor_degc=self.floor_degc,
            ceiling_degc=self.ceiling_degc,
        )


def example() -> Example:
    """A tank of 50 m³ with a heater of 1 MW, and a demand that empties it within a step."""
    tank = TankConfig(volume_m3=50.0, loss_w_per_k=60.0, heater_max_w=1e6, demand_max_w=2e7).build()
    room = {"ambient_degc": jnp.asarray(12.0)}
    heater = {"heater_w": jnp.asarray(4e5)}
    return Example(
        system=tank,
        action=heater,
        drive=room | {"demand_w": jnp.asarray(2.5e5)},
        dt_s=900.0,
        failing=(heater, room | {"demand_w": jnp.asarray(2e7)}),
        bought="heater_used_w",
    )
