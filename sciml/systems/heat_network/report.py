"""Outputs of a step from its flows and enthalpies."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.sciml.core.physical import finite_status, flag_where, join_status
from tvilling.sciml.core.system import Status, Values
from tvilling.sciml.core.units import PA_PER_BAR
from tvilling.sciml.systems.heat_network.heat.transport import STILL_KG_PER_S
from tvilling.sciml.systems.heat_network.hydraulics.flow_state import FlowState, Solver
from tvilling.sciml.systems.heat_network.hydraulics.loop_flows import GRAVITY_M_PER_S2
from tvilling.sciml.systems.heat_network.physical import physical_status

BALANCED = ("source_w", "injection_w", "delivered_w", "exchanger_w", "loss_w")
BALANCE_SHARE, BALANCE_MARGIN_W = 1e-4, 1e-2  # of all that passes: round-off and the tolerance
MIN_PA = -0.9e5  # gauge; below it water boils or the number means nothing
UNSERVED_SHARE = 1e-3  # of a demand, below which a shortfall is not told


def report(
    solver: Solver,
    flows: FlowState,
    lost_w: Float[Array, " branch"],
    gained_w: Float[Array, ""] | float,
) -> Values:
    """Every output channel of the network, and its status.

    `lost_w` is what each branch loses to the ground, `gained_w` the growth of the stored heat.
    """
    net, layout = solver.network, solver.network.layout
    junction_degc = net.water.temperature_degc(flows.junction)
    pressure = solver.laws.pressures_pa(flows.flow, solver.fluid, solver.held_pa)
    lift = _lift(solver, pressure)
    if net.follow_worst:
        missing = jnp.max(net.consumer.min_dp_pa - _across(solver, pressure))
        back = np.arange(layout.topology.junctions) >= layout.topology.supply
        pressure, lift = pressure - jnp.where(back, missing, 0.0), lift + missing
    across = _across(solver, pressure)
    sent = solver.source_flow(flows.flow)
    source_w, source_return = _sources(solver, flows, sent)
    density = solver.fluid.density_kg_per_m3[layout.source_supply]
    injected = solver.inputs.injection_kg_per_s
    hydraulic_w = sent * lift / density
    moving = jnp.abs(flows.flow) > STILL_KG_PER_S
    values = {
        "junction_degc": junction_degc[layout.junction_place],
        "junction_bar": pressure[layout.junction_place] / PA_PER_BAR,
        "pipe_kg_per_s": flows.flow[layout.pipe_place] * layout.pipe_sign,
        "pipe_loss_w": lost_w[layout.pipe_place],
        "loss_w": jnp.sum(lost_w * layout.stores),
        "consumer_kg_per_s": flows.take.flow,
        "consumer_supply_degc": junction_degc[layout.consumer_from],
        "consumer_return_degc": net.water.temperature_degc(flows.handed_back),
        "consumer_dp_bar": across / PA_PER_BAR,
        "delivered_w": flows.delivered_w,
        "source_kg_per_s": sent,
        "source_return_degc": net.water.temperature_degc(source_return),
        "source_w": source_w,
        "source_lift_bar": lift / PA_PER_BAR,
        "pump_w": hydraulic_w / net.source.pump_efficiency,
        "exchanger_w": jnp.sum(jnp.where(moving, net.branch.heat_w, 0.0)),
        "injection_w": jnp.sum(injected * flows.junction[layout.injection_at]),
    }
    missing_w = net.net_power_w({}, {}, values) - gained_w
    through_w = jnp.abs(gained_w) + sum(jnp.sum(jnp.abs(values[name])) for name in BALANCED)
    off = jnp.abs(missing_w) > BALANCE_SHARE * through_w + BALANCE_MARGIN_W
    values["imbalance_w"] = jnp.where(off, missing_w, 0.0)
    values["status"] = join_status(
        _status(solver, flows, across, pressure),
        physical_status(solver, flows, pressure),
        flag_where(Status.UNBALANCED, off),
        finite_status(values),
    )
    return values


def _across(solver: Solver, pressure: Array) -> Array:
    layout = solver.network.layout
    return pressure[layout.consumer_from] - pressure[layout.consumer_to]


def _lift(solver: Solver, pressure: Array) -> Array:
    """Lift of each source's pump [Pa]; none where an open one feeds from outside.

    What its two ends differ by in pressure and in the weight of the water between their heights.
    """
    layout = solver.network.layout
    back = pressure[np.maximum(layout.source_return, 0)]
    density = solver.fluid.density_kg_per_m3[layout.source_supply]
    weight = density * GRAVITY_M_PER_S2 * solver.network.source_rise_m
    found = jnp.where(layout.closed, pressure[layout.source_supply] - back + weight, 0.0)
    return jnp.where(layout.source_pump >= 0, solver.network.source.lift_pa, found)


def _sources(solver: Solver, flows: FlowState, sent: Array) -> tuple[Array, Array]:
    """Heat each source puts in [W], and the enthalpy of the water it takes back [J/kg].

    An open source takes nothing back: its power counts from 0 °C, and the enthalpy told is that
    of its own junction.
    """
    layout = solver.network.layout
    own = flows.junction[layout.source_supply]
    back = jnp.where(layout.closed, flows.junction[np.maximum(layout.source_return, 0)], own)
    feed = solver.inputs.feed
    closed_w = sent * (feed - back)
    return jnp.where(layout.closed, closed_w, sent * jnp.where(sent > 0, feed, own)), back


def _status(solver: Solver, flows: FlowState, across: Array, pressure: Array) -> Int[Array, ""]:
    net, heat_w = solver.network, solver.inputs.heat_w
    short = jnp.isnan(net.consumer.flow_kg_per_s) | (
        jnp.isnan(net.consumer.return_degc) & jnp.isnan(net.consumer.cooling_k)
    )
    unserved = short & (flows.delivered_w < heat_w * (1 - UNSERVED_SHARE))
    weak = across < net.consumer.min_dp_pa - 1.0
    flags = (
        (Status.NOT_CONVERGED, ~flows.settled),
        (Status.UNSERVED, jnp.any(unserved)),
        (
            Status.PRESSURE,
            jnp.any(weak & net.layout.consumer_served) | jnp.any(pressure < MIN_PA),
        ),
        (Status.DISCONNECTED, jnp.array(len(net.layout.topology.cut_off) > 0)),
    )
    total = jnp.zeros((), jnp.int32)
    for flag, holds in flags:
        total = total + jnp.where(holds, int(flag), 0).astype(jnp.int32)
    return total
