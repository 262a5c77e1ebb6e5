"""Mass flows and pressures: sums over the spanning trees, and Newton on the loop flows."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.systems.heat_network.hydraulics.friction import friction_gradient_pa_per_m
from tvilling.sciml.systems.heat_network.parameters import BranchData
from tvilling.sciml.systems.heat_network.topology.spanning_trees import Topology
from tvilling.sciml.systems.heat_network.topology.tree_sums import (
    greatest_depth,
    path_sums,
    subtree_sums,
)

GRAVITY_M_PER_S2 = 9.80665
NEWTON_STEPS = 40
TOLERANCE_PA = 1e-3


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fluid:
    """Density and viscosity of the water in each branch."""

    density_kg_per_m3: Float[Array, " branch"]
    viscosity_pa_s: Float[Array, " branch"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hydraulics:
    """The pressure laws of a network: its branches, their shape and the rise along each [m]."""

    branch: BranchData
    rise_m: Float[Array, " branch"]
    topology: Topology = jax.tree.static()
    friction: str = jax.tree.static()

    def drop_pa(self, flow: Float[Array, " branch"], fluid: Fluid) -> Float[Array, " branch"]:
        """Pressure lost along the reference direction [Pa]: friction, fittings, height, lift.

        Δp = f L/D · m|m|/(2 ρ A²) + ζ m|m|/(2 ρ A²) + ρ g Δz - lift(m)
        """
        branch, density = self.branch, fluid.density_kg_per_m3
        friction = branch.length_m * friction_gradient_pa_per_m(
            flow,
            branch.diameter_m,
            branch.roughness_m,
            density,
            fluid.viscosity_pa_s,
            self.friction,
        )
        fittings = branch.zeta * flow * jnp.abs(flow) / (2 * density * branch.area_m2**2)
        lift = branch.lift_pa[0] + flow * (branch.lift_pa[1] + flow * branch.lift_pa[2])
        return friction + fittings + density * GRAVITY_M_PER_S2 * self.rise_m - lift

    def slope_pa_s_per_kg(self, flow: Float[Array, " branch"], fluid: Fluid) -> Array:
        """Derivative of `drop_pa` with respect to the flow of each branch."""
        return jax.jvp(lambda m: self.drop_pa(m, fluid), (flow,), (jnp.ones_like(flow),))[1]

    def flows(self, drawn: Float[Array, " junction"], loop: Float[Array, " chord"]) -> Array:
        """Mass flow of every branch [kg/s] in its reference direction.

        `drawn` is what leaves the network at each junction [kg/s], `loop` the flow of each chord.
        """
        top = self.topology
        if top.chords:
            chord = slice(top.junctions, None)
            drawn = drawn.at[top.upstream[chord]].add(loop)
            drawn = drawn.at[top.downstream[chord]].add(-loop)
        tree = subtree_sums(drawn, top.order, top.last) * top.tree_sign
        return jnp.concatenate([tree, loop]) if top.chords else tree

    def supply_flows(self, drawn: Float[Array, " junction"]) -> Float[Array, " supply_branch"]:
        """Flow of the tree branches of the supply side alone, where no branch leads back.

        Roots are left with what their own side draws.
        """
        top = self.topology
        order = top.order[top.order < top.supply]
        inside = np.concatenate([[0], np.cumsum(top.order < top.supply)])
        return subtree_sums(drawn[: top.supply], order, inside[top.last[: top.supply]])

    def pressures_pa(
        self, flow: Float[Array, " branch"], fluid: Fluid, held: Float[Array, " junction"]
    ) -> Float[Array, " junction"]:
        """Gauge pressure at every junction [Pa]; `held` is that of the roots, else zero."""
        return self._along_trees(self.drop_pa(flow, fluid), held)

    def _along_trees(self, drop: Array, held: Array) -> Array:
        top = self.topology
        away = drop[: top.junctions] * top.tree_sign
        root = top.parent == np.arange(top.junctions)
        return path_sums(
            jnp.where(root, held, -away), top.parent, greatest_depth(top.parent, top.order)
        )

    def loop_flows(
        self,
        drawn: Float[Array, " junction"],
        fluid: Fluid,
        held: Float[Array, " junction"],
        start: Float[Array, " chord"],
    ) -> tuple[Float[Array, " chord"], Bool[Array, ""]]:
        """Flows of the chords at which the pressure around every loop closes.

        Newton with step halving on a dense matrix of the size of the number of loops. The last,
        exact Newton step is differentiated alone, which gives the implicit derivative.
        Returns the flows [kg/s] and whether the worst loop closes within 1 mPa.
        """
        if not self.topology.chords:
            return start, jnp.array(True)
        found = _newton(self, drawn, fluid, held, jax.lax.stop_gradient(start))
        matrix = jax.lax.stop_gradient(self._loop_matrix(drawn, fluid, found))
        gap = self._gap_pa(drawn, fluid, held, found)
        closed = jnp.max(jnp.abs(gap)) < TOLERANCE_PA
        return found - jnp.linalg.solve(matrix, gap), closed

    def _gap_pa(self, drawn: Array, fluid: Fluid, held: Array, loop: Array) -> Array:
        """Pressure missing around each loop [Pa]."""
        top = self.topology
        flow = self.flows(drawn, loop)
        drop = self.drop_pa(flow, fluid)
        pressure = self._along_trees(drop, held)
        chord = slice(top.junctions, None)
        return drop[chord] - pressure[top.upstream[chord]] + pressure[top.downstream[chord]]

    def _loop_matrix(self, drawn: Array, fluid: Fluid, loop: Array) -> Array:
        """Derivative of the gaps with respect to the flows of the chords [Pa·s/kg]."""
        paths = loop_paths(self.topology)
        slope = self.slope_pa_s_per_kg(self.flows(drawn, loop), fluid)
        return (paths.T * slope) @ paths


def loop_paths(top: Topology) -> Float[np.ndarray, "branch chord"]:
    """Flow of every branch caused by one unit in each chord: +1, 0 or -1."""
    unit = np.zeros((top.junctions, top.chords))
    for k in range(top.chords):
        unit[top.upstream[top.junctions + k], k] += 1
        unit[top.downstream[top.junctions + k], k] -= 1
    running = np.concatenate([np.zeros((1, top.chords)), np.cumsum(unit[top.order], axis=0)])
    first = np.empty(top.junctions, int)
    first[top.order] = np.arange(top.junctions)
    tree = (running[top.last] - running[first]) * top.tree_sign[:, None]
    return np.concatenate([tree, np.eye(top.chords)])


def _newton(laws: Hydraulics, drawn: Array, fluid: Fluid, held: Array, start: Array) -> Array:
    """Chord flows, without derivative."""
    laws, drawn, fluid, held = jax.lax.stop_gradient((laws, drawn, fluid, held))

    def worst(loop: Array) -> Array:
        return jnp.linalg.norm(laws._gap_pa(drawn, fluid, held, loop))

    def going(carry: tuple) -> Array:
        _, _, miss, count = carry
        return (miss > 0.1 * TOLERANCE_PA) & (count < NEWTON_STEPS)

    def advance(carry: tuple) -> tuple:
        loop, share, miss, count = carry
        gap = laws._gap_pa(drawn, fluid, held, loop)
        step = jnp.linalg.solve(laws._loop_matrix(drawn, fluid, loop), gap)
        tried = loop - share * step
        trial = worst(tried)
        better = trial < miss
        share = jnp.where(better, jnp.minimum(2 * share, 1.0), share / 2)
        return jnp.where(better, tried, loop), share, jnp.where(better, trial, miss), count + 1

    return jax.lax.while_loop(going, advance, (start, jnp.ones(()), worst(start), 0))[0]
