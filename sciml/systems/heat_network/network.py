"""The heat network as a system: hydraulics, consumers and heat transport joined in one step."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.network import Network
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Channel, Values
from tvilling.sciml.core.water import Water
from tvilling.sciml.systems.heat_network import channels
from tvilling.sciml.systems.heat_network.heat.transport import (
    STILL_KG_PER_S,
    Passage,
    along_flow,
    content_kg,
    implicit_passage,
    losses,
    steady_passage,
)
from tvilling.sciml.systems.heat_network.hydraulics.flow_state import (
    FlowState,
    Inputs,
    MakePassage,
    Solver,
)
from tvilling.sciml.systems.heat_network.hydraulics.loop_flows import Fluid, Hydraulics
from tvilling.sciml.systems.heat_network.parameters import BranchData, ConsumerData, SourceData
from tvilling.sciml.systems.heat_network.report import report
from tvilling.sciml.systems.heat_network.topology.layout import Layout

TOLERANCE_J_PER_KG = 42.0  # ten millikelvin: 3e-4 of a flow that cools by 35 K
STEADY_ROUNDS, INNER_ROUNDS = 30, 4
FIRST_LOOP_KG_PER_S = 1e-3


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatState:
    """Heat held in the network, and what the next step starts its rounds from.

    Attributes
    ----------
    enthalpy
        Of the cells of every branch along its reference direction [J/kg], zero at 0 °C.
    inlet
        Enthalpy at the consumers' inlets at the end of the last step [J/kg].
    loop_kg_per_s
        Flow of the chords in the last step.
    """

    enthalpy: Float[Array, "cell branch"]
    inlet: Float[Array, " consumer"]
    loop_kg_per_s: Float[Array, " chord"]

    __repr__ = short_repr


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatNetwork:
    """A district-heating network: dynamic heat transport on quasi-steady hydraulics.

    Water is incompressible and pressure settles at once, so flows follow from the demands of a
    step. Heat moves with the water through `cells` implicit upwind cells a branch and is lost to
    the ground; friction heat is left out. The consumers' flows depend on their inlet
    temperatures and these on the flows: at most `rounds` secant rounds settle them, and a step that
    has not settled within 10 mK says so in its status. Everything is differentiable with respect
    to the arrays it holds, to actions and to drives.
    """

    branch: BranchData
    consumer: ConsumerData
    source: SourceData
    water: Water
    rise_m: Float[Array, " branch"]
    source_rise_m: Float[Array, " source"]
    nominal_degc: Float[Array, " branch"]
    injection_kg_per_s: Float[Array, " injection"]
    layout: Layout = jax.tree.static()
    cells: int = jax.tree.static(default=2)
    rounds: int = jax.tree.static(default=30)
    friction: str = jax.tree.static(default="colebrook")
    follow_worst: bool = jax.tree.static(default=False)

    @property
    def actions(self) -> tuple[Channel, ...]:
        """Supply temperature of every source."""
        return channels.actions(self.layout)

    @property
    def drives(self) -> tuple[Channel, ...]:
        """Heat demand of every consumer, and the temperature of the ground."""
        return channels.drives(self.layout)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """Temperatures, pressures, flows and powers, by junction, pipe, consumer and source."""
        return channels.outputs(self.layout)

    @property
    def turns(self) -> bool:
        """Whether flow can run against the reference direction of a branch that holds water."""
        top = self.layout.topology
        return bool(top.extra_supply or top.extra_return)

    def init(self, key: jax.Array) -> HeatState:
        """All water at the nominal temperature of its side; `key` plays no part."""
        enthalpy = self.water.enthalpy_j_per_kg(self.nominal_degc)
        return HeatState(
            enthalpy=jnp.tile(enthalpy, (self.cells, 1)),
            inlet=enthalpy[self.layout.consumer_from],
            loop_kg_per_s=jnp.full(self.layout.topology.chords, FIRST_LOOP_KG_PER_S),
        )

    def step(
        self, state: HeatState, action: Values, drive: Values, dt_s: float
    ) -> tuple[HeatState, Values]:
        """Advance by `dt_s` [s], over which `action` and `drive` hold.

        A drive `injection_kg_per_s` [kg/s], one number an injection, replaces the injections of
        the tables where it is given. Drives that the network does not know are left alone.
        """
        inputs = self._inputs(action, drive)
        mean = state.enthalpy.mean(axis=0, keepdims=True)
        loss = losses(self.branch, self.water, mean, inputs.ground_degc, self.cells)
        content = self._content_kg()

        def passage(flow: Array) -> Passage:
            cells = self._along(state.enthalpy, flow)
            first = len(flow)
            held = content[:first], cells[:, :first], loss.first(first)
            return implicit_passage(flow, *held, self.branch.heat_w[:first], dt_s)

        solver = self._solver(inputs, mean[0], passage)
        flows = solver.solve(state.inlet, state.loop_kg_per_s, self.rounds, TOLERANCE_J_PER_KG)
        lost_w = (loss.weight_kg_per_s * (flows.cells - loss.rest)).sum(axis=0)
        after = self._state(flows)
        gained_w = (self.stored_j(after) - self.stored_j(state)) / dt_s
        return after, report(solver, flows, lost_w, gained_w)

    def steady(self, action: Values, drive: Values) -> tuple[HeatState, Values]:
        """The steady state under constant `action` and `drive`, and its outputs.

        The temperature falls exponentially within every cell, with properties at its own
        temperature; 30 times 4 rounds from `init` settle properties, flows and temperatures.
        """
        inputs = self._inputs(action, drive)

        def refine(lagged: HeatState, _: None) -> tuple[HeatState, tuple[HeatState, Values]]:
            def passage(flow: Array) -> Passage:
                cells = self._along(lagged.enthalpy, flow)
                loss = losses(self.branch, self.water, cells, inputs.ground_degc, self.cells)
                first = len(flow)
                held = cells[:, :first], loss.first(first)
                return steady_passage(flow, *held, self.branch.heat_w[:first])

            solver = self._solver(inputs, lagged.enthalpy.mean(axis=0), passage)
            flows = solver.solve(
                lagged.inlet, lagged.loop_kg_per_s, INNER_ROUNDS, TOLERANCE_J_PER_KG
            )
            moving = jnp.abs(flows.flow) > STILL_KG_PER_S
            taken_w = jnp.where(moving, self.branch.heat_w, 0.0)
            lost_w = jnp.abs(flows.flow) * (flows.entering - flows.cells[-1]) - taken_w
            state = self._state(flows)
            moved = jnp.max(jnp.abs(state.enthalpy - lagged.enthalpy) * self.layout.stores)
            flows = replace(flows, settled=flows.settled & (moved < TOLERANCE_J_PER_KG))
            # Half way only: where buoyancy drives a loop, flow and density would swing.
            half = (lagged.enthalpy + state.enthalpy) / 2
            return replace(state, enthalpy=half), (state, report(solver, flows, lost_w, 0.0))

        start = self.init(jax.random.key(0))
        _, found = jax.lax.scan(refine, start, length=STEADY_ROUNDS)
        return jax.tree.map(lambda values: values[-1], found)

    def as_network(self) -> Network:
        """Junctions and pipes as a graph, in the order and direction of the tables.

        Boosters, valves, exchangers, consumers and sources are left out.
        """
        layout, pipe = self.layout, self.layout.pipe_place
        top = layout.topology
        ahead = layout.pipe_sign > 0
        start = np.where(ahead, top.upstream[pipe], top.downstream[pipe])
        end = np.where(ahead, top.downstream[pipe], top.upstream[pipe])
        names = ("length_m", "diameter_m", "roughness_m", "loss_w_per_mk")
        return Network(
            sender=jnp.asarray(top.junction[start]),
            receiver=jnp.asarray(top.junction[end]),
            node={},
            edge={name: getattr(self.branch, name)[pipe] for name in names},
            node_names=layout.junction_names,
            edge_names=layout.pipe_names,
        )

    def stored_j(self, state: HeatState) -> Float[Array, ""]:
        """Heat in water and pipe walls [J], zero at 0 °C."""
        content = self._content_kg() * self.layout.stores
        return jnp.sum(content * state.enthalpy)

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Heat from sources and injections, less what consumers, exchangers and ground take [W]."""
        put_in = output["source_w"].sum() + output["injection_w"]
        return put_in - output["delivered_w"].sum() - output["exchanger_w"] - output["loss_w"]

    def _content_kg(self) -> Array:
        """Content of each cell; roots and source pumps, which hold none, stand as one kilogram."""
        content = content_kg(self.branch, self.water, self.nominal_degc, self.cells)
        return jnp.where(self.layout.stores, content, 1.0)

    def _along(self, enthalpy: Array, flow: Array) -> Array:
        return along_flow(enthalpy, flow) if self.turns else enthalpy

    def _state(self, flows: FlowState) -> HeatState:
        return HeatState(self._along(flows.cells, flows.flow), flows.inlet, flows.loop)

    def _inputs(self, action: Values, drive: Values) -> Inputs:
        own = self.branch.ground_degc
        return Inputs(
            heat_w=drive["heat_w"],
            feed=self.water.enthalpy_j_per_kg(action["supply_degc"]),
            ground_degc=jnp.where(jnp.isnan(own), drive["ground_degc"], own),
            injection_kg_per_s=drive.get("injection_kg_per_s", self.injection_kg_per_s),
        )

    def _solver(self, inputs: Inputs, mean: Array, passage: MakePassage) -> Solver:
        layout, source = self.layout, self.source
        degc = self.water.temperature_degc(mean)
        pumped = np.flatnonzero(layout.source_pump >= 0)
        lift = self.branch.lift_pa.at[0, layout.source_pump[pumped]].set(-source.lift_pa[pumped])
        root = np.flatnonzero(layout.is_root)
        held = jnp.zeros(layout.topology.junctions)
        return Solver(
            network=self,
            inputs=inputs,
            fluid=Fluid(self.water.density_kg_per_m3(degc), self.water.viscosity_pa_s(degc)),
            laws=Hydraulics(
                replace(self.branch, lift_pa=lift), self.rise_m, layout.topology, self.friction
            ),
            held_pa=held.at[layout.source_supply[root]].set(source.supply_pa[root]),
            make_passage=passage,
        )
