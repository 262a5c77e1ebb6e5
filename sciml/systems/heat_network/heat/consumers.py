"""What consumers draw: flow and return temperature for a heat demand at a supply temperature."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.core.water import Water
from tvilling.sciml.systems.heat_network.parameters import ConsumerData

MIN_COOLING_J_PER_KG = 4200.0  # one kelvin: below it a demand is called unserved,
SMALL_FLOW_KG_PER_S = 1.0  # unless so little flow covers it, as behind long pipes at low load
MIN_ROOM_J_PER_KG = 1.0
COLDEST_J_PER_KG = 0.0  # water at 0 °C
LMTD_STEPS = 6


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Draw:
    """What each consumer takes over a step.

    `through` passes its substation, `bypass` goes past it; `target` is the enthalpy at which it
    wants to hand its water back [J/kg]; `capped` marks those whose need exceeds what is possible.
    """

    through: Float[Array, " consumer"]
    bypass: Float[Array, " consumer"]
    target: Float[Array, " consumer"]
    capped: Bool[Array, " consumer"]

    @property
    def flow(self) -> Float[Array, " consumer"]:
        """All that a consumer takes from the supply side [kg/s]."""
        return self.through + self.bypass

    def only(self, served: np.ndarray) -> "Draw":
        """The same for those `served`; the others take nothing and are short."""
        return replace(
            self,
            through=self.through * served,
            bypass=self.bypass * served,
            capped=self.capped | ~served,
        )


def draw(
    data: ConsumerData,
    water: Water,
    heat_w: Float[Array, " consumer"],
    inlet: Float[Array, " consumer"],
    follows_inlet: bool,
) -> Draw:
    """Flow that covers `heat_w` [W] with water of enthalpy `inlet` [J/kg].

    m = Q / (h_in - h_return), within the flow limits. The return temperature is given, follows
    from a given cooling, or from a counter-flow heat exchanger.
    """
    cooled = data.return_degc
    if follows_inlet:
        inlet_degc = water.temperature_degc(inlet)
        cooled = jnp.where(jnp.isnan(data.cooling_k), cooled, inlet_degc - data.cooling_k)
        leaving = exchanger_return_degc(data, heat_w, inlet_degc)
        cooled = jnp.where(jnp.isnan(data.ua_w_per_k), cooled, leaving)
    flow_and_heat = jnp.isnan(cooled)
    target = water.enthalpy_j_per_kg(jnp.where(flow_and_heat, 0.0, cooled))
    target = jnp.where(flow_and_heat, COLDEST_J_PER_KG, target)
    room = inlet - target
    least = least_cooling_j_per_kg(heat_w)
    need = heat_w / jnp.maximum(room, least)
    prescribed = ~jnp.isnan(data.flow_kg_per_s)
    wanted = jnp.where(prescribed, jnp.nan_to_num(data.flow_kg_per_s), need)
    through = jnp.clip(wanted, data.min_flow_kg_per_s, data.max_flow_kg_per_s)
    short = (room < least) & (heat_w > 0)
    capped = jnp.where(prescribed, flow_and_heat & (need > through), short | (need > through))
    return Draw(through, data.bypass_kg_per_s, target, capped)


def least_cooling_j_per_kg(heat_w: Float[Array, " consumer"]) -> Float[Array, " consumer"]:
    """Cooling below which a demand is unserved [J/kg]: where it needs more than 1 kg/s and 1 K."""
    return jnp.clip(heat_w / SMALL_FLOW_KG_PER_S, MIN_ROOM_J_PER_KG, MIN_COOLING_J_PER_KG)


def flow_range(
    data: ConsumerData, heat_w: Float[Array, " consumer"], served: np.ndarray
) -> tuple[Float[Array, " consumer"], Float[Array, " consumer"]]:
    """Least and greatest flow through each substation [kg/s]; the same where it does not vary."""
    fixed = jnp.clip(data.flow_kg_per_s, data.min_flow_kg_per_s, data.max_flow_kg_per_s)
    most = jnp.minimum(data.max_flow_kg_per_s, heat_w / least_cooling_j_per_kg(heat_w))
    most = jnp.maximum(most, data.min_flow_kg_per_s)
    low = jnp.where(jnp.isnan(fixed), data.min_flow_kg_per_s, fixed) * served
    return low, jnp.where(jnp.isnan(fixed), most, fixed) * served


def deliver(
    data: ConsumerData,
    drawn: Draw,
    heat_w: Float[Array, " consumer"],
    inlet: Float[Array, " consumer"],
) -> tuple[Float[Array, " consumer"], Float[Array, " consumer"]]:
    """Heat delivered [W], and enthalpy of the water handed back [J/kg], bypass mixed in.

    Where nothing flows the water handed back is that of the inlet.
    """
    set_by_flow = ~jnp.isnan(data.flow_kg_per_s)
    set_by_both = set_by_flow & jnp.isnan(data.return_degc) & jnp.isnan(data.cooling_k)
    possible = drawn.through * jnp.maximum(inlet - drawn.target, 0.0)
    delivered = jnp.where(drawn.capped, jnp.minimum(possible, heat_w), heat_w)
    delivered = jnp.where(set_by_flow & ~set_by_both, possible, delivered)
    flow = drawn.flow
    moving = flow > 0
    delivered = jnp.where(moving, delivered, 0.0)
    return delivered, inlet - jnp.where(moving, delivered / jnp.where(moving, flow, 1.0), 0.0)


def exchanger_return_degc(
    data: ConsumerData, heat_w: Float[Array, " consumer"], inlet_degc: Float[Array, " consumer"]
) -> Float[Array, " consumer"]:
    """Primary return temperature [°C] of a counter-flow heat exchanger that transfers `heat_w`.

    Q = UA · ΔT_log with ΔT_hot = T_in - T_secondary,supply and ΔT_cold = T_return -
    T_secondary,return, solved for ΔT_cold: with y = Q/(UA ΔT_hot) and ΔT_cold = ΔT_hot e^u,
    (e^u - 1)/u = y. Where the inlet is not above the secondary supply there is no solution, and
    the inlet temperature comes back.
    """
    hot = inlet_degc - data.secondary_supply_degc
    solvable = (hot > 0) & (heat_w > 0)
    ratio = jnp.where(solvable, heat_w / data.ua_w_per_k / jnp.where(solvable, hot, 1.0), 0.5)
    log = jnp.log(ratio)
    u = jnp.where(ratio < 1, 1 - 1 / ratio, log + jnp.log1p(jnp.maximum(log, 0.0)))
    for _ in range(LMTD_STEPS):
        far = jnp.where(jnp.abs(u) < 1e-4, 1e-4, u)
        grown = jnp.expm1(far)
        miss = jnp.where(jnp.abs(u) < 1e-4, u / 2, jnp.log(grown / far)) - log
        slope = jnp.where(jnp.abs(u) < 1e-4, 0.5, jnp.exp(far) / grown - 1 / far)
        u = u - miss / slope
    cold = data.secondary_return_degc + jnp.where(solvable, hot * jnp.exp(u), 0.0)
    return jnp.where(hot > 0, jnp.minimum(cold, inlet_degc), inlet_degc)
