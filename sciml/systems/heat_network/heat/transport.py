"""How enthalpy moves through pipes: implicit upwind cells, or the exponential of a steady flow."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.core.water import Water
from tvilling.sciml.systems.heat_network.parameters import BranchData

MIN_CONTENT_KG = 1e-6  # of a cell without volume, so that it keeps a temperature
STILL_KG_PER_S = 1e-9
UNROLLED_CELLS = 8


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Passage:
    """What the cells of every branch do to the water: h_k = gain_k h_{k-1} + own_k.

    Cells are counted along the flow; `gain` may have one row for all.
    """

    gain: Float[Array, "cell_or_one branch"]
    own: Float[Array, "cell branch"]

    def through(self) -> tuple[Float[Array, " branch"], Float[Array, " branch"]]:
        """Gain and offset of the water that leaves, as a function of what enters."""
        start = jnp.ones(self.own.shape[1]), jnp.zeros(self.own.shape[1])
        if len(self.own) > UNROLLED_CELLS:
            return jax.lax.scan(_pass_on, start, self._all_cells())[0]
        for cell in range(len(self.own)):
            start, _ = _pass_on(start, self._cell(cell))
        return start

    def after(self, entering: Float[Array, " branch"]) -> Float[Array, "cell branch"]:
        """Enthalpy of every cell when the branches take in `entering`."""
        start = jnp.zeros(self.own.shape[1]), entering
        return jax.lax.scan(_pass_on, start, self._all_cells())[1]

    def _cell(self, cell: int) -> tuple[Array, Array]:
        return self.gain[min(cell, len(self.gain) - 1)], self.own[cell]

    def _all_cells(self) -> tuple[Array, Array]:
        return jnp.broadcast_to(self.gain, self.own.shape), self.own


def _pass_on(carried: tuple, cell: tuple) -> tuple[tuple, Array]:
    """Gain and offset behind one more cell."""
    (gain, offset), (own_gain, own) = carried, cell
    offset = own_gain * offset + own
    return (own_gain * gain, offset), offset


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Loss:
    """Heat loss of a cell, linear in its enthalpy around the present temperature.

    Loss = w · (h - h_rest), with w = U Δx / cp(T*) and h_rest = h* + cp(T*) (T_ground - T*).
    """

    weight_kg_per_s: Float[Array, "cell branch"]
    rest: Float[Array, "cell branch"]

    def first(self, count: int) -> "Loss":
        """That of the first `count` branches."""
        return Loss(self.weight_kg_per_s[:, :count], self.rest[:, :count])


def content_kg(
    branch: BranchData, water: Water, nominal_degc: Float[Array, " branch"], cells: int
) -> Float[Array, " branch"]:
    """Water in each cell, with the wall as the mass of water of equal heat capacity [kg].

    The wall follows the water without delay. Density is that at the nominal temperature of the
    branch, so that the content does not change (thermal expansion is left out).
    """
    per_metre = water.density_kg_per_m3(nominal_degc) * branch.area_m2
    per_metre = per_metre + branch.wall_j_per_mk / water.cp_j_per_kgk(nominal_degc)
    return per_metre * branch.length_m / cells + MIN_CONTENT_KG


def losses(
    branch: BranchData,
    water: Water,
    enthalpy: Float[Array, "cell branch"],
    ground_degc: Float[Array, " branch"],
    cells: int,
) -> Loss:
    """Loss of each cell around the temperatures that belong to `enthalpy`.

    `enthalpy` may hold one row, the mean of a branch, when its cells differ by a few kelvin.
    """
    degc = water.temperature_degc(enthalpy)
    cp = water.cp_at_enthalpy(enthalpy)
    conductance = branch.loss_w_per_mk * branch.length_m / cells
    return Loss(conductance / cp, enthalpy + cp * (ground_degc - degc))


def implicit_passage(
    flow: Float[Array, " branch"],
    content: Float[Array, " branch"],
    enthalpy: Float[Array, "cell branch"],
    loss: Loss,
    heat_w: Float[Array, " branch"],
    dt_s: float,
) -> Passage:
    """Implicit upwind step of the cells of every branch; stable for any flow and step.

    M (h_k - h_k,old)/Δt = |m| (h_{k-1} - h_k) - w (h_k - h_rest) - Q/K. First order in Δx and
    Δt; `enthalpy` is that before the step, counted along the flow.
    """
    size = jnp.abs(flow) * dt_s
    lost = loss.weight_kg_per_s * dt_s
    total = content + size + lost
    cells = len(enthalpy)
    taken = jnp.where(size > STILL_KG_PER_S * dt_s, heat_w * dt_s / cells, 0.0)
    own = (content * enthalpy + lost * loss.rest - taken) / total
    return Passage(size / total, own)


def steady_passage(
    flow: Float[Array, " branch"],
    enthalpy: Float[Array, "cell branch"],
    loss: Loss,
    heat_w: Float[Array, " branch"],
) -> Passage:
    """Steady flow through the cells of every branch: exponential approach to the ground.

    h_out = h_rest + (h_in - h_rest) exp(-w/|m|) - Q/(K |m|). In a still pipe the water has the
    ground's temperature, or without loss the `enthalpy` it had.
    """
    moving = jnp.abs(flow) > STILL_KG_PER_S
    size = jnp.where(moving, jnp.abs(flow), 1.0)
    gain = jnp.where(moving, jnp.exp(-loss.weight_kg_per_s / size), 0.0)
    taken = heat_w / len(enthalpy) / size
    still = jnp.where(loss.weight_kg_per_s > 0, loss.rest, enthalpy)
    return Passage(gain, jnp.where(moving, (1 - gain) * loss.rest - taken, still))


def along_flow(
    enthalpy: Float[Array, "cell branch"], flow: Float[Array, " branch"]
) -> Float[Array, "cell branch"]:
    """Cells counted along the flow instead of the reference direction, and back again."""
    return jnp.where(flow < 0, enthalpy[::-1], enthalpy)
