"""Flows and pressures of a network at its design load, with all consumers at once."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.core.units import PA_PER_BAR
from tvilling.sciml.systems.heat_network.builder import build
from tvilling.sciml.systems.heat_network.heat.transport import Passage, losses, steady_passage
from tvilling.sciml.systems.heat_network.hydraulics.flow_state import Inputs
from tvilling.sciml.systems.heat_network.network import FIRST_LOOP_KG_PER_S, HeatNetwork
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

GROUND_DEGC = 8.0
ROUNDS = 4


@dataclass(frozen=True)
class DesignFlows:
    """What the solved network has at its design load.

    Attributes
    ----------
    pipe_kg_per_s
        Flow along each pipe.
    consumer_dp_bar
        Differential pressure of each consumer.
    junction_bar
        Gauge pressure of each junction.
    source_kg_per_s
        What each source sends out.
    closed
        Whether the pressure closes around every loop.
    """

    pipe_kg_per_s: Float[np.ndarray, " pipe"]
    consumer_dp_bar: Float[np.ndarray, " consumer"]
    junction_bar: Float[np.ndarray, " junction"]
    source_kg_per_s: Float[np.ndarray, " source"]
    closed: Bool[np.ndarray, ""]


def design_flows(
    tables: HeatNetworkTables, supply_degc: float, through: Float[np.ndarray, " consumer"]
) -> DesignFlows:
    """Solve `tables` with every source at `supply_degc` [°C] and every consumer at its demand.

    Prescribed flows of sources, boosters and buoyancy count. `through` [kg/s] is a guess of the
    consumers' flows; they follow from the inlet temperatures behind the heat losses.
    """
    network = build(tables)
    own = network.branch.ground_degc
    inputs = Inputs(
        heat_w=jnp.asarray(tables.consumers["heat_w"].fillna(0.0).to_numpy(float)),
        feed=network.water.enthalpy_j_per_kg(jnp.full(len(tables.sources), supply_degc)),
        ground_degc=jnp.where(jnp.isnan(own), GROUND_DEGC, own),
        injection_kg_per_s=network.injection_kg_per_s,
    )
    return _labelled(network, *_solved(network, inputs, jnp.asarray(through)))


@jax.jit
def _solved(
    network: HeatNetwork, inputs: Inputs, taken: Array
) -> tuple[Array, Array, Array, Array]:
    """Flow and pressure [bar], what sources send out, and whether the loops close."""
    enthalpy = network.water.enthalpy_j_per_kg(network.nominal_degc)

    def passage(flow: Array) -> Passage:
        cells = enthalpy[None, :]
        loss = losses(network.branch, network.water, cells, inputs.ground_degc, 1)
        first = len(flow)
        heat_w = network.branch.heat_w[:first]
        return steady_passage(flow, cells[:, :first], loss.first(first), heat_w)

    solver = network._solver(inputs, enthalpy, passage)

    def advance(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        inlet, loop = solver._inlet(*carry)
        return (solver._take(inlet).flow, loop), None

    loop = jnp.full(network.layout.topology.chords, FIRST_LOOP_KG_PER_S)
    rounds = ROUNDS if taken.size else 0
    (taken, loop), _ = jax.lax.scan(advance, (taken, loop), length=rounds)
    drawn = solver._drawn(taken)
    loop, closed = solver.laws.loop_flows(drawn, solver.fluid, solver.held_pa, loop)
    flow = solver.laws.flows(drawn, loop)
    pressure_bar = solver.laws.pressures_pa(flow, solver.fluid, solver.held_pa) / PA_PER_BAR
    return flow, pressure_bar, solver.source_flow(flow), closed


def _labelled(
    network: HeatNetwork, flow: Array, pressure_bar: Array, sent: Array, closed: Array
) -> DesignFlows:
    """In the order of the tables."""
    layout = network.layout
    across = pressure_bar[layout.consumer_from] - pressure_bar[layout.consumer_to]
    return DesignFlows(
        pipe_kg_per_s=np.asarray(flow[layout.pipe_place] * layout.pipe_sign),
        consumer_dp_bar=np.asarray(across),
        junction_bar=np.asarray(pressure_bar[layout.junction_place]),
        source_kg_per_s=np.asarray(sent),
        closed=np.asarray(closed),
    )
