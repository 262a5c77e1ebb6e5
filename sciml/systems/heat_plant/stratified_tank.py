"""A tank of hot water in layers, charged from the top and discharged from there.

One step moves the water as a plug, lets conduction and loss act, and mixes what then stands upside
down (`layers.py`). Charging puts forward water in at the top and takes the same amount out at
the bottom; discharging puts return water in at the bottom and takes hot water from the top.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from pydantic import Field

from tvilling.sciml.core.physical import with_checks
from tvilling.sciml.core.system import Channel, Values, ok_status
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.systems.example import Example
from tvilling.sciml.systems.heat_plant.layers import (
    Layers,
    Scalar,
    cooled,
    depth_for,
    mixed,
    moved,
)
from tvilling.sciml.systems.heat_plant.linear import LinearTank
from tvilling.sciml.systems.tank import WATER_J_PER_M3K

WATER_J_PER_KGK = 4183.0  # at 55 °C
WATER_W_PER_MK = 0.65  # conductivity at 60 °C
COLD_DEGC, HOT_DEGC = 40.0, 80.0  # of the states that `init` draws
FREEZING_DEGC, LOWEST_DEGC, HIGHEST_DEGC = 0.0, -40.0, 130.0
J_PER_MWH = 3.6e9


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StratifiedTank:
    """A layered tank; its state is the temperature of each layer from the top down [°C].

    Attributes
    ----------
    capacity_j_per_k
        Heat capacity of the water.
    loss_w_per_k
        Loss coefficient of each layer's wall; the ends of the tank belong to the outer layers.
    mixing_w_per_k
        Conductance from layer to layer: conduction, and what the wall and the inlets stir.
    charge_kg_per_s, discharge_kg_per_s
        Greatest flow in at the top, and out of it.

    Valid for water without steam, from 0 to 130 °C; a step that leaves this range is flagged
    `UNPHYSICAL`. Jets at the inlets are left out, and water
    spreads within a layer at once: the transition between hot and cold is a layer thick at least,
    and grows by a fraction of one each time the flow turns.
    """

    capacity_j_per_k: Scalar
    loss_w_per_k: Layers
    mixing_w_per_k: Scalar
    charge_kg_per_s: float = jax.tree.static()
    discharge_kg_per_s: float = jax.tree.static()

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.loss_w_per_k.shape[-1]

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers, the top one first."""
        return tuple(f"layer {i}" for i in range(1, self.layers + 1))

    @property
    def actions(self) -> tuple[Channel, ...]:
        """What a controller may set."""
        limits = -self.discharge_kg_per_s, self.charge_kg_per_s
        about = "Flow into the top of the tank (negative: out)"
        return (Channel("tank_kg_per_s", "kg/s", *limits, description=about),)

    @property
    def drives(self) -> tuple[Channel, ...]:
        """What the tank cannot choose."""
        return (
            Channel(
                "forward_degc", "°C", 30.0, 130.0, description="Supply temperature of the plant"
            ),
            Channel("return_degc", "°C", 5.0, 90.0, description="Return temperature of the plant"),
            Channel("ambient_degc", "°C", -40.0, 45.0, description="Ambient temperature"),
        )

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """What comes out of a step: temperatures at its end, and means over it."""
        span_k = HIGHEST_DEGC - LOWEST_DEGC
        out_w, in_w = (
            flow * WATER_J_PER_KGK * span_k
            for flow in (self.discharge_kg_per_s, self.charge_kg_per_s)
        )
        most_w = 1e9
        degc = FREEZING_DEGC, HIGHEST_DEGC
        return (
            Channel(
                "layer_degc",
                "°C",
                *degc,
                dims=("layer",),
                labels=(self.layer_names,),
                description="Temperature of each layer",
            ),
            Channel(
                "drawn_degc", "°C", *degc, description="Temperature of the water from the tank"
            ),
            Channel("tank_w", "W", -out_w, in_w, description="Heat into the tank"),
            Channel("tank_loss_w", "W", -most_w, most_w, description="Heat lost by the tank"),
        )

    def init(self, key: jax.Array) -> Layers:
        """Hot water over cold, with the boundary drawn evenly over the height [°C]."""
        depth = (jnp.arange(self.layers) + 0.5) / self.layers
        boundary = jax.random.uniform(key, (), minval=0.2, maxval=0.8)
        share = jax.nn.sigmoid((boundary - depth) * 10.0)
        return COLD_DEGC + (HOT_DEGC - COLD_DEGC) * share

    def step(
        self, state: Layers, action: Values, drive: Values, dt_s: float
    ) -> tuple[Layers, Values]:
        """Layers [°C] after `dt_s` [s], and the outputs over the step."""
        flow = jnp.clip(action["tank_kg_per_s"], -self.discharge_kg_per_s, self.charge_kg_per_s)
        down = flow * WATER_J_PER_KGK * dt_s / self.layer_j_per_k
        after, output = self.shift(state, down, drive, dt_s)
        step = after, {**output, "status": ok_status()}
        return with_checks(self, state, (action, drive), step, dt_s)

    def exchange(
        self, state: Layers, wanted_w: Scalar, drive: Values, dt_s: float
    ) -> tuple[Layers, Values]:
        """As `step`, for a heat into the tank (out of it where negative) instead of a flow.

        `tank_w` is as much of it as water and flow allow: charging ends with the layer that is as
        hot as the water that enters, discharging with the one that is as cold.
        """
        filling = wanted_w >= 0
        filled_k, drawn_k = drive["forward_degc"] - state[::-1], state - drive["return_degc"]
        wanted_k = jnp.abs(wanted_w) * dt_s / self.layer_j_per_k
        far = depth_for(wanted_k, jnp.where(filling, filled_k, drawn_k))
        per_flow = WATER_J_PER_KGK * dt_s / self.layer_j_per_k
        down = jnp.clip(
            jnp.where(filling, far, -far),
            -self.discharge_kg_per_s * per_flow,
            self.charge_kg_per_s * per_flow,
        )
        return self.shift(state, down, drive, dt_s)

    def shift(
        self, state: Layers, down: Scalar, drive: Values, dt_s: float
    ) -> tuple[Layers, Values]:
        """As `step`, for water that moves `down` by so many layers (up where negative)."""
        top_in, bottom_in = drive["forward_degc"], drive["return_degc"]
        carried, drawn = moved(state, down, top_in, bottom_in)
        entering = jnp.where(down >= 0, top_in, bottom_in)
        per_layer_w = self.layer_j_per_k / dt_s
        after = self.rest(carried, drive["ambient_degc"], dt_s)
        new = mixed(after)
        return new, {
            "layer_degc": new,
            "drawn_degc": drawn,
            "tank_w": jnp.abs(down) * (entering - drawn) * per_layer_w,
            "tank_loss_w": (self.loss_w_per_k * (after - drive["ambient_degc"])).sum(),
        }

    def rest(self, layers: Layers, ambient_degc: Scalar, dt_s: float) -> Layers:
        """The layers after `dt_s` of conduction and loss."""
        per_conductance = dt_s / self.layer_j_per_k
        return cooled(
            layers,
            self.mixing_w_per_k * per_conductance,
            self.loss_w_per_k * per_conductance,
            ambient_degc,
        )

    @property
    def layer_j_per_k(self) -> Scalar:
        """Heat capacity of a layer [J/K]."""
        return self.capacity_j_per_k / self.layers

    def stored_j(self, state: Layers) -> Scalar:
        """Heat in the water [J], against water at 0 °C."""
        return self.layer_j_per_k * state.sum()

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Heat brought by the flow less that lost, mean over the step [W]."""
        return output["tank_w"] - output["tank_loss_w"]


class StratifiedTankConfig(StrictModel):
    """A layered tank as a user writes it: an upright cylinder."""

    volume_m3: float = Field(gt=0, le=1e6, description="Water volume [m³]")
    height_m: float = Field(gt=0, le=100, description="Height of the water [m]")
    layers: int = Field(default=30, ge=2, le=500, description="Number of layers")
    charge_kg_per_s: float = Field(gt=0, le=1e5, description="Greatest flow in at the top [kg/s]")
    discharge_kg_per_s: float = Field(gt=0, le=1e5, description="Greatest flow out of it [kg/s]")
    loss_w_per_m2k: float = Field(
        default=0.12, ge=0, le=20, description="Loss through wall, top and bottom [W/(m²·K)]"
    )
    mixing: float = Field(
        default=1.0, ge=0, le=100, description="Conduction over that of still water [1]"
    )

    @property
    def section_m2(self) -> float:
        """Area of the water's surface [m²]."""
        return self.volume_m3 / self.height_m

    def loss_w_per_k(self) -> Float[np.ndarray, " layer"]:
        """Loss coefficient of each layer [W/K]."""
        wall_m2 = 2.0 * np.sqrt(np.pi * self.section_m2) * self.height_m / self.layers
        area_m2 = np.full(self.layers, wall_m2)
        area_m2[[0, -1]] += self.section_m2
        return self.loss_w_per_m2k * area_m2

    def build(self) -> StratifiedTank:
        """The tank as arrays."""
        between_m = self.height_m / self.layers
        return StratifiedTank(
            capacity_j_per_k=jnp.float64(self.volume_m3 * WATER_J_PER_M3K),
            loss_w_per_k=jnp.asarray(self.loss_w_per_k()),
            mixing_w_per_k=jnp.float64(self.mixing * WATER_W_PER_MK * self.section_m2 / between_m),
            charge_kg_per_s=self.charge_kg_per_s,
            discharge_kg_per_s=self.discharge_kg_per_s,
        )


def tank_holding(
    capacity_mwh: float, power_mw: float, forward_degc: float = 80.0, return_degc: float = 40.0
) -> StratifiedTankConfig:
    """A tank that holds so much heat between two temperatures, 1.5 times as high as wide.

    `power_mw` is the greatest heat in and out at the same temperatures.
    """
    span_k = forward_degc - return_degc
    volume_m3 = capacity_mwh * J_PER_MWH / (WATER_J_PER_M3K * span_k)
    flow = power_mw * 1e6 / (WATER_J_PER_KGK * span_k)
    width_m = (4.0 * volume_m3 / (1.5 * np.pi)) ** (1.0 / 3.0)
    return StratifiedTankConfig(
        volume_m3=volume_m3,
        height_m=1.5 * width_m,
        charge_kg_per_s=flow,
        discharge_kg_per_s=flow,
    )


def linear_tank(
    tank: StratifiedTankConfig,
    forward_degc: float,
    return_degc: float,
    ambient_degc: float = 8.0,
) -> LinearTank:
    """The tank as a reservoir of heat between two temperatures, which do not change.

    Its content is the heat above `return_degc`; full, all its water is at `forward_degc`. The
    water at return temperature loses heat as well, whatever the content. Left out: that forward
    and return temperature move, and that water between hot and cold is less than full.
    """
    span_k = forward_degc - return_degc
    capacity_j_per_k = tank.volume_m3 * WATER_J_PER_M3K
    loss_w_per_k = float(tank.loss_w_per_k().sum())
    return LinearTank(
        capacity_mwh=capacity_j_per_k * span_k / J_PER_MWH,
        charge_mw=tank.charge_kg_per_s * WATER_J_PER_KGK * span_k / 1e6,
        discharge_mw=tank.discharge_kg_per_s * WATER_J_PER_KGK * span_k / 1e6,
        loss_share_per_h=loss_w_per_k * 3600.0 / capacity_j_per_k,
        loss_mw=loss_w_per_k * (return_degc - ambient_degc) / 1e6,
    )


def example() -> Example:
    """A tank of 60 MWh between 40 and 80 °C that is being charged."""
    return Example(
        system=tank_holding(60.0, 12.0).build(),
        action={"tank_kg_per_s": jnp.asarray(31.0)},
        drive={
            "forward_degc": jnp.asarray(85.0),
            "return_degc": jnp.asarray(38.0),
            "ambient_degc": jnp.asarray(6.0),
        },
        dt_s=3600.0,
        bought="tank_w",
    )
