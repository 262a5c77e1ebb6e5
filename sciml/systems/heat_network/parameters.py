"""The numbers of a heat network, as arrays in laid-out order."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class BranchData:
    """Pipes, valves, boosters, exchangers and source pumps; what one lacks is zero.

    `lift_pa` holds the lift of a booster [Pa] as a quadratic in its mass flow, lowest power
    first. `ground_offset_k` is added to the ground temperature of a step, and `ground_degc`
    replaces it where it is not NaN.
    """

    length_m: Float[Array, " branch"]
    diameter_m: Float[Array, " branch"]
    roughness_m: Float[Array, " branch"]
    zeta: Float[Array, " branch"]
    loss_w_per_mk: Float[Array, " branch"]
    wall_j_per_mk: Float[Array, " branch"]
    ground_degc: Float[Array, " branch"]
    heat_w: Float[Array, " branch"]
    lift_pa: Float[Array, "power branch"]

    @property
    def area_m2(self) -> Float[Array, " branch"]:
        """Cross-section of the water."""
        return jnp.pi / 4 * self.diameter_m**2


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ConsumerData:
    """What consumers do with the water; NaN where a column does not apply (see the tables)."""

    return_degc: Float[Array, " consumer"]
    cooling_k: Float[Array, " consumer"]
    flow_kg_per_s: Float[Array, " consumer"]
    bypass_kg_per_s: Float[Array, " consumer"]
    min_flow_kg_per_s: Float[Array, " consumer"]
    max_flow_kg_per_s: Float[Array, " consumer"]
    min_dp_pa: Float[Array, " consumer"]
    ua_w_per_k: Float[Array, " consumer"]
    secondary_supply_degc: Float[Array, " consumer"]
    secondary_return_degc: Float[Array, " consumer"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SourceData:
    """Pressures and flows that the sources set, and the efficiency of their pumps."""

    supply_pa: Float[Array, " source"]
    lift_pa: Float[Array, " source"]
    flow_kg_per_s: Float[Array, " source"]
    pump_efficiency: Float[Array, " source"]
