"""What physics forbids in a heat network: ice, steam, heat into still water, lost energy."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.sciml.core.physical import flag_where, join_status, range_status
from tvilling.sciml.core.system import Status
from tvilling.sciml.core.units import ATMOSPHERE_PA
from tvilling.sciml.core.water import saturation_pa
from tvilling.sciml.systems.heat_network.heat.transport import STILL_KG_PER_S
from tvilling.sciml.systems.heat_network.hydraulics.flow_state import (
    REVERSED_KG_PER_S,
    FlowState,
    Solver,
)
from tvilling.sciml.systems.heat_network.topology.tree_sums import summed_at

FREEZING_DEGC, MARGIN_K = 0.0, 0.01
BOILING_MARGIN_PA = 100.0
COOLING_MARGIN_J_PER_KG = 42.0
UNWARMED_KG_PER_S = 1e-6


def physical_status(
    solver: Solver,
    flows: FlowState,
    pressure_pa: Float[Array, " junction"],
) -> Int[Array, ""]:
    """Flags for values that physics does not allow, at the gauge pressure of each junction."""
    net, layout = solver.network, solver.network.layout
    inside = ~np.isin(np.arange(layout.topology.junctions), layout.topology.cut_off)
    degc = net.water.temperature_degc(flows.junction)
    cells_degc = net.water.temperature_degc(flows.cells)
    boiling_pa = saturation_pa(degc) - ATMOSPHERE_PA - BOILING_MARGIN_PA
    still = jnp.abs(flows.flow) <= STILL_KG_PER_S
    return join_status(
        flag_where(Status.UNPHYSICAL, (degc < FREEZING_DEGC - MARGIN_K) & _passed(solver, flows)),
        flag_where(Status.UNPHYSICAL, (cells_degc < FREEZING_DEGC - MARGIN_K) & ~still),
        range_status(
            net.water.temperature_degc(flows.handed_back), FREEZING_DEGC, jnp.inf, MARGIN_K
        ),
        flag_where(Status.UNPHYSICAL, (pressure_pa < boiling_pa) & inside),
        flag_where(Status.UNPHYSICAL, still & (net.branch.heat_w != 0)),
        flag_where(Status.INFEASIBLE, _warmed_by_return(solver, flows)),
        flag_where(Status.UNDETERMINED, undetermined(solver, flows)),
        flag_where(Status.NOT_CONVERGED, _reversed(solver, flows)),
    )


def _passed(solver: Solver, flows: FlowState) -> Array:
    """Junctions that water passes; what stands still has the temperature of the ground."""
    layout, top = solver.network.layout, solver.network.layout.topology
    size = jnp.where(top.upstream == top.downstream, 0.0, jnp.abs(flows.flow))
    total = summed_at(size, top.upstream, top.junctions)
    total = total + summed_at(size, top.downstream, top.junctions)
    total = total + summed_at(flows.take.flow, layout.consumer_from, top.junctions)
    total = total + summed_at(flows.take.flow, layout.consumer_to, top.junctions)
    return total > STILL_KG_PER_S


def undetermined(solver: Solver, flows: FlowState) -> Array:
    """Injections whose water has no temperature: nothing else flows into their junction."""
    layout, top = solver.network.layout, solver.network.layout.topology
    flow = jnp.where(top.upstream == top.downstream, 0.0, flows.flow)
    into = summed_at(jnp.maximum(flow, 0.0), top.downstream, top.junctions)
    into = into + summed_at(jnp.maximum(-flow, 0.0), top.upstream, top.junctions)
    into = into + summed_at(flows.take.flow, layout.consumer_to, top.junctions)
    sent = jnp.maximum(solver.source_flow(flows.flow), 0.0)
    into = into + summed_at(sent, layout.source_supply, top.junctions)
    entering = solver.inputs.injection_kg_per_s > UNWARMED_KG_PER_S
    return entering & (into[layout.injection_at] <= UNWARMED_KG_PER_S)


def _warmed_by_return(solver: Solver, flows: FlowState) -> Array:
    """Consumers of a stated flow that are to hand their water back warmer than it comes."""
    data = solver.network.consumer
    stated = ~jnp.isnan(data.flow_kg_per_s) & ~jnp.isnan(data.return_degc)
    colder = flows.inlet < flows.take.target - COOLING_MARGIN_J_PER_KG
    return stated & (flows.take.through > 0) & colder


def _reversed(solver: Solver, flows: FlowState) -> Array:
    """Branches whose flow turned round in a network in which none was foreseen to."""
    if solver.network.turns:
        return jnp.zeros(1, bool)
    return (flows.flow < REVERSED_KG_PER_S) & solver.network.layout.stores
