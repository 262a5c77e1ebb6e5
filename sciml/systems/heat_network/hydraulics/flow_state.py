"""One consistent picture of a network: flows, and the enthalpies they carry."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_network.heat.consumers import Draw, deliver, draw, flow_range
from tvilling.sciml.systems.heat_network.heat.mixing import (
    Through,
    return_enthalpy,
    sides,
    supply_enthalpy,
)
from tvilling.sciml.systems.heat_network.heat.transport import Passage
from tvilling.sciml.systems.heat_network.hydraulics.flow_root import FlowProblem, Secant, find_inlet
from tvilling.sciml.systems.heat_network.hydraulics.krylov import solve_linear
from tvilling.sciml.systems.heat_network.hydraulics.loop_flows import Fluid, Hydraulics
from tvilling.sciml.systems.heat_network.topology.tree_sums import summed_at, taken

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network.network import HeatNetwork

MakePassage = Callable[[Array], Passage]
REVERSED_KG_PER_S = -1e-6  # of a source or of what joins supply and return
ROOT_SHARE = 0.01  # of the tolerance, to which the root is found where flows follow it steeply
FIXED_ROUNDS = 3  # of a step, the last among them, which are differentiated


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Inputs:
    """What holds over a step, in the units the equations use."""

    heat_w: Float[Array, " consumer"]
    feed: Float[Array, " source"]  # enthalpy that sources send out, J/kg
    ground_degc: Float[Array, " branch"]
    injection_kg_per_s: Float[Array, " injection"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FlowState:
    """Flows and enthalpies [J/kg] that fit each other.

    `cells` are counted along the flow; `settled` says whether flows and temperatures agree,
    the loops close and the flow pattern was resolved.
    """

    take: Draw
    flow: Float[Array, " branch"]
    loop: Float[Array, " chord"]
    junction: Float[Array, " junction"]
    entering: Float[Array, " branch"]
    cells: Float[Array, "cell branch"]
    inlet: Float[Array, " consumer"]
    handed_back: Float[Array, " consumer"]
    delivered_w: Float[Array, " consumer"]
    settled: Bool[Array, ""]

    __repr__ = short_repr


@dataclass(frozen=True)
class Solver:
    """The equations of one step of one network; see `solve`."""

    network: "HeatNetwork"
    inputs: Inputs
    fluid: Fluid
    laws: Hydraulics
    held_pa: Float[Array, " junction"]
    make_passage: MakePassage

    def solve(
        self,
        inlet: Float[Array, " consumer"],
        loop: Float[Array, " chord"],
        rounds: int,
        tolerance: float,
    ) -> FlowState:
        """Settle flows and supply temperatures in rounds, then follow the return.

        Parameters
        ----------
        inlet, loop
            Guess of the enthalpy at the consumers [J/kg] and of the chord flows [kg/s].
        rounds
            How often at most flows and supply temperatures are brought in line.
        tolerance
            Change of the consumers' enthalpy in the last round below which they agree [J/kg].
        """
        layout = self.network.layout
        used, loop = self._settle(inlet, loop, rounds, tolerance)
        take = self._take(used)
        drawn = self._drawn(take.flow)
        loop, closed = self.laws.loop_flows(drawn, self.fluid, self.held_pa, loop)
        flow = self.laws.flows(drawn, loop)
        passage = self.make_passage(flow)
        through = passage.through()
        supply, resolved = self._supply(flow, through)
        inlet = taken(supply, layout.consumer_from)
        delivered, handed_back = deliver(self.network.consumer, take, self.inputs.heat_w, inlet)
        back, followed = self._return(take, flow, through, supply, handed_back)
        junction = jnp.concatenate([supply, back])
        top = layout.topology
        entering = junction[top.upstream]
        if self.network.turns:
            entering = jnp.where(flow < 0, junction[top.downstream], entering)
        agree = jnp.max(jnp.abs(inlet - used), initial=0.0) < tolerance
        return FlowState(
            take=take,
            flow=flow,
            loop=loop,
            junction=junction,
            entering=entering,
            cells=passage.after(entering),
            inlet=inlet,
            handed_back=handed_back,
            delivered_w=delivered,
            settled=agree & closed & resolved & followed,
        )

    def _settle(
        self,
        inlet: Float[Array, " consumer"],
        loop: Float[Array, " chord"],
        rounds: int,
        tolerance: float,
    ) -> tuple[Float[Array, " consumer"], Float[Array, " chord"]]:
        """Inlet enthalpy and chord flows with which flows and temperatures nearly agree.

        The first rounds are differentiated. Steps that they do not settle, at low load, get more;
        their root is differentiated implicitly.
        """

        def advance(carry: tuple[Secant, Array], _: None) -> tuple[tuple[Secant, Array], None]:
            pairs, loop = carry
            found, loop = self._inlet(self._take(pairs.guess).flow, loop)
            return (pairs.after(found), loop), None

        start = Secant(inlet, inlet, inlet, jnp.array(jnp.inf))
        (first, loop), _ = jax.lax.scan(advance, (start, loop), length=FIXED_ROUNDS - 1)
        if not inlet.size:
            return first.guess, loop
        stop = jax.lax.stop_gradient
        problem, first_stopped = self._stopped()._problem(stop(loop)), stop(first)

        def solve(_: object, guess: Array) -> Array:
            near = ROOT_SHARE * tolerance
            more = find_inlet(problem, first_stopped, rounds - FIXED_ROUNDS, near)
            return jnp.where(first_stopped.miss > tolerance, more, guess)

        root = jax.lax.custom_root(
            lambda x: self._inlet(self._take(x).flow, loop)[0] - x,
            first_stopped.guess,
            solve,
            solve_linear,
        )
        return jnp.where(first.miss > tolerance, root, first.guess), loop

    def _problem(self, loop: Float[Array, " chord"]) -> FlowProblem:
        """The equations between flows and inlets of the consumers, from chord flows `loop`."""
        net, heat_w, served = self.network, self.inputs.heat_w, self.network.layout.consumer_served
        data, bypass = net.consumer, net.consumer.bypass_kg_per_s * served

        def wanted(inlet: Array) -> tuple[Array, Array]:
            take = self._take(inlet)
            return take.through, inlet - take.target

        low, high = flow_range(data, heat_w, served)
        return FlowProblem(
            lambda flow: self._inlet(flow + bypass, loop)[0], wanted, heat_w, low, high
        )

    def _stopped(self) -> "Solver":
        """The same equations without derivatives."""
        stop = jax.lax.stop_gradient
        return replace(
            self,
            network=stop(self.network),
            inputs=stop(self.inputs),
            fluid=stop(self.fluid),
            laws=stop(self.laws),
            held_pa=stop(self.held_pa),
            make_passage=lambda flow: stop(self.make_passage(stop(flow))),
        )

    def _inlet(
        self, taken_kg_per_s: Float[Array, " consumer"], loop: Float[Array, " chord"]
    ) -> tuple[Float[Array, " consumer"], Float[Array, " chord"]]:
        """Enthalpy at the consumers' inlets [J/kg] and chord flows where they take so much."""
        layout = self.network.layout
        drawn = self._drawn(taken_kg_per_s)
        if self.network.turns or len(layout.topology.link):
            loop = self.laws.loop_flows(drawn, self.fluid, self.held_pa, loop)[0]
            flow = self.laws.flows(drawn, loop)
        else:  # the supply side alone decides
            flow = self.laws.supply_flows(drawn)
        supply = self._supply(flow, self.make_passage(flow).through())[0]
        return taken(supply, layout.consumer_from), loop

    def _take(self, inlet: Float[Array, " consumer"]) -> Draw:
        """What consumers take at `inlet`."""
        net, layout = self.network, self.network.layout
        take = draw(net.consumer, net.water, self.inputs.heat_w, inlet, layout.follows_inlet)
        return take.only(layout.consumer_served)

    def _drawn(self, taken_kg_per_s: Float[Array, " consumer"]) -> Float[Array, " junction"]:
        """What leaves the network at each junction [kg/s], source pumps with a lift apart."""
        net, layout = self.network, self.network.layout
        size = layout.topology.junctions
        drawn = summed_at(taken_kg_per_s, layout.consumer_from, size)
        drawn = drawn - summed_at(taken_kg_per_s, layout.consumer_to, size)
        drawn = drawn - summed_at(self.inputs.injection_kg_per_s, layout.injection_at, size)
        fixed = np.flatnonzero(layout.closed & (layout.source_pump < 0))
        sent = net.source.flow_kg_per_s[fixed]
        drawn = drawn - summed_at(sent, layout.source_supply[fixed], size)
        return drawn + summed_at(sent, layout.source_return[fixed], size)

    def source_flow(self, flow: Float[Array, " branch"]) -> Float[Array, " source"]:
        """What each source sends out [kg/s]; negative where an open one takes water in."""
        layout = self.network.layout
        pumped = -flow[np.maximum(layout.source_pump, 0)]
        opened = flow[layout.source_supply]
        given = jnp.nan_to_num(self.network.source.flow_kg_per_s)
        return jnp.where(layout.source_pump >= 0, pumped, jnp.where(layout.closed, given, opened))

    def _supply(self, flow: Array, through: Through) -> tuple[Array, Array]:
        layout = self.network.layout
        side = sides(layout.topology)[0]
        on_supply = np.flatnonzero(layout.source_supply < side.size)
        at = layout.source_supply[on_supply]
        feed = self._unmixed(through[1][: side.size]).at[at].set(self.inputs.feed[on_supply])
        sent = jnp.zeros(side.size)
        if side.extra:
            out = jnp.maximum(self.source_flow(flow)[on_supply], 0.0)
            sent = sent.at[at].add(out)
        return supply_enthalpy(side, flow, through, sent, feed)

    def _unmixed(self, feed: Array) -> Array:
        """Enthalpy of supply junctions without inflow; injections that nothing warms are nominal.

        Otherwise what enters there would have no temperature at all.
        """
        net, layout = self.network, self.network.layout
        inside = np.flatnonzero(layout.injection_at < len(feed))
        at = layout.injection_at[inside]
        nominal = net.water.enthalpy_j_per_kg(net.nominal_degc[at])
        return feed.at[at].set(
            jnp.where(self.inputs.injection_kg_per_s[inside] > 0, nominal, feed[at])
        )

    def _return(
        self, take: Draw, flow: Array, through: Through, supply: Array, handed_back: Array
    ) -> tuple[Array, Array]:
        layout = self.network.layout
        top, side = layout.topology, sides(layout.topology)[1]
        if not side.size:
            return jnp.zeros(0), jnp.array(True)
        first = top.supply
        given = summed_at(take.flow, layout.consumer_to, top.junctions)
        power = summed_at(take.flow * handed_back, layout.consumer_to, top.junctions)
        ahead = jnp.concatenate([flow[top.link], -flow[top.pump]])
        if len(top.link):
            link = top.link
            size = jnp.maximum(flow[link], 0.0)
            leaving = through[0][link] * supply[top.upstream[link]] + through[1][link]
            given = given.at[top.downstream[link]].add(size)
            power = power.at[top.downstream[link]].add(size * leaving)
        back, followed = return_enthalpy(side, flow, through, given[first:], power[first:])
        return back, followed & jnp.all(ahead > REVERSED_KG_PER_S)
