"""How enthalpy moves through pipes: implicit upwind cells, or the exponential of a steady flow."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.systems.heat_network.parameters import BranchData
from tvilling.sciml.water import Water

LEAST_CONTENT_KG = 1e-6  # of a cell without volume, so that it keeps a temperature
STILL_KG_PER_S = 1e-9


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Passage:
    """Enthalpy in each cell after a step as gain · (enthalpy entering the branch) + offset.

    Cells are counted along the flow, so the last column belongs to the water that leaves.
    """

    gain: Float[Array, "branch cell"]
    offset: Float[Array, "branch cell"]

    def after(self, entering: Float[Array, " branch"]) -> Float[Array, "branch cell"]:
        """Enthalpy of every cell when the branches take in `entering`."""
        return self.gain * entering[:, None] + self.offset


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Loss:
    """Heat loss of a cell, linear in its enthalpy around the present temperature.

    Loss = w · (h - h_rest), with w = U Δx / cp(T*) and h_rest = h* + cp(T*) (T_ground - T*).
    """

    weight_kg_per_s: Float[Array, "branch cell"]
    rest: Float[Array, "branch cell"]


def content_kg(
    branch: BranchData, water: Water, nominal_degc: Float[Array, " branch"], cells: int
) -> Float[Array, " branch"]:
    """Water in each cell, with the wall as the mass of water of equal heat capacity [kg].

    The wall follows the water without delay. Density is that at the nominal temperature of the
    branch, so that the content does not change (thermal expansion is left out).
    """
    per_metre = water.density_kg_per_m3(nominal_degc) * branch.area_m2
    per_metre = per_metre + branch.wall_j_per_mk / water.cp_j_per_kgk(nominal_degc)
    return per_metre * branch.length_m / cells + LEAST_CONTENT_KG


def losses(
    branch: BranchData,
    water: Water,
    enthalpy: Float[Array, "branch cell"],
    ground_degc: Float[Array, " branch"],
    cells: int,
) -> Loss:
    """Loss of each cell around the temperatures that belong to `enthalpy`.

    `enthalpy` may hold one column, the mean of a branch, when its cells differ by a few kelvin.
    """
    degc = water.temperature_degc(enthalpy)
    cp = water.cp_j_per_kgk(degc)
    conductance = (branch.loss_w_per_mk * branch.length_m / cells)[:, None]
    return Loss(conductance / cp, enthalpy + cp * (ground_degc[:, None] - degc))


def implicit_passage(
    flow: Float[Array, " branch"],
    content: Float[Array, " branch"],
    enthalpy: Float[Array, "branch cell"],
    loss: Loss,
    heat_w: Float[Array, " branch"],
    dt_s: float,
) -> Passage:
    """Implicit upwind step of the cells of every branch; stable for any flow and step.

    M (h_k - h_k,old)/Δt = |m| (h_{k-1} - h_k) - w (h_k - h_rest) - Q/K. First order in Δx and
    Δt; `enthalpy` is that before the step, counted along the flow.
    """
    size = jnp.abs(flow)[:, None] * dt_s
    lost = loss.weight_kg_per_s * dt_s
    held = content[:, None]
    total = held + size + lost
    cells = enthalpy.shape[1]
    taken = jnp.where(size > STILL_KG_PER_S * dt_s, heat_w[:, None] * dt_s / cells, 0.0)
    own = (held * enthalpy + lost * loss.rest - taken) / total
    return _compose(jnp.broadcast_to(size / total, own.shape), own)


def steady_passage(
    flow: Float[Array, " branch"], loss: Loss, heat_w: Float[Array, " branch"], cells: int
) -> Passage:
    """Steady flow through the cells of every branch: exponential approach to the ground.

    h_out = h_rest + (h_in - h_rest) exp(-w/|m|) - Q/(K |m|). A still pipe with loss has the
    ground's temperature.
    """
    size = jnp.maximum(jnp.abs(flow), STILL_KG_PER_S)[:, None]
    gain = jnp.exp(-loss.weight_kg_per_s / size)
    taken = jnp.where(size > STILL_KG_PER_S, heat_w[:, None] / cells / size, 0.0)
    own = (1 - gain) * loss.rest - taken
    shape = (len(flow), cells)
    return _compose(jnp.broadcast_to(gain, shape), jnp.broadcast_to(own, shape))


def along_flow(
    enthalpy: Float[Array, "branch cell"], flow: Float[Array, " branch"]
) -> Float[Array, "branch cell"]:
    """Cells counted along the flow instead of the reference direction, and back again."""
    return jnp.where((flow < 0)[:, None], enthalpy[:, ::-1], enthalpy)


def _compose(gain: Array, own: Array) -> Passage:
    """Chain the cells: h_k = gain_k h_{k-1} + own_k as a function of what enters the first."""

    def join(first: tuple[Array, Array], then: tuple[Array, Array]) -> tuple[Array, Array]:
        return first[0] * then[0], then[0] * first[1] + then[1]

    if gain.shape[1] == 1:
        return Passage(gain, own)
    return Passage(*jax.lax.associative_scan(join, (gain, own), axis=1))
