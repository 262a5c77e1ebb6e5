"""A trained graph network that answers with supply temperatures, and how far to trust it."""

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from tvilling.gnn.graph import Graph, Scaling
from tvilling.gnn.model import answer
from tvilling.gnn.supply import SupplyTree, supply_graphs, supply_tree, temperatures
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_network import HeatNetwork

Readout = Literal["pipes", "junctions"]
ROUNDING = 1e-6  # share of its width by which a drive may leave the training box


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Box:
    """Least and greatest of every drive that training saw."""

    low: tuple[Float[Array, " consumer"], Float[Array, ""], Float[Array, ""]]
    high: tuple[Float[Array, " consumer"], Float[Array, ""], Float[Array, ""]]

    def holds(
        self,
        heat_w: Float[Array, "scenario consumer"],
        supply_degc: Float[Array, " scenario"],
        ground_degc: Float[Array, " scenario"],
    ) -> Bool[Array, " scenario"]:
        """Whether every drive of a scenario is within its limits."""
        inside = jnp.ones(supply_degc.shape, bool)
        for drive, low, high in zip(
            (heat_w, supply_degc, ground_degc), self.low, self.high, strict=True
        ):
            room = ROUNDING * jnp.abs(high - low)
            room = jnp.where(jnp.isfinite(room), room, 0.0)
            within = (drive >= low - room) & (drive <= high + room)
            inside &= within.reshape(len(inside), -1).all(-1)
        return inside


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SupplyAnswer:
    """Temperatures of the supply junctions in the order of `LearnedSupply.tree.names` [°C].

    `error_k` is the half width of an interval that holds the physics' answer at a junction with
    the stated probability, for scenarios drawn as those of the calibration were
    (`tvilling.sciml.learning.conformal`). `inside` says whether every drive was within those of
    training: where one was not, the error is not known.
    """

    junction_degc: Float[Array, "scenario junction"]
    error_k: Float[Array, "scenario junction"]
    inside: Bool[Array, " scenario"]

    __repr__ = short_repr


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LearnedSupply:
    """Steady supply temperatures of one tree-shaped heat network.

    The graph network says a number z for each pipe (or junction). Its transfer units are
    exp(mean + spread · z) with the mean and spread of the logarithm over the training scenarios;
    temperatures follow along the tree, see `tvilling.gnn.supply.temperatures`. With `readout`
    "junctions" the same is said of each junction for all pipes above it together.

    Attributes
    ----------
    network, tree
        The physics, of which only the pipes' data is used, and its supply side.
    weights, structure
        The two parts of the graph network.
    scaling
        Of its features.
    log_units
        Mean and spread of the logarithm of the transfer units.
    per_drop, least_k
        Half width of the interval over the fall of temperature up to a junction, and what is
        added to that fall [K].
    box
        Drives seen in training.
    """

    network: HeatNetwork
    weights: nnx.State
    scaling: Scaling
    log_units: tuple[Float[Array, ""], Float[Array, ""]]
    per_drop: Float[Array, " junction"]
    least_k: Float[Array, ""]
    box: Box
    tree: SupplyTree = jax.tree.static()
    structure: nnx.GraphDef = jax.tree.static()
    readout: Readout = jax.tree.static(default="pipes")

    def __call__(
        self,
        heat_w: Float[Array, "scenario consumer"],
        supply_degc: Float[Array, " scenario"],
        ground_degc: Float[Array, " scenario"],
    ) -> SupplyAnswer:
        """Temperatures under demands [W], supply and ground temperatures [°C], with their trust.

        Pure: compile it with `jax.jit`, and chunk very many scenarios with `jax.lax.map`.
        """
        degc = self.junction_degc(heat_w, supply_degc, ground_degc)
        return SupplyAnswer(
            junction_degc=degc,
            error_k=self.per_drop * self.interval_scale(degc, supply_degc),
            inside=self.box.holds(heat_w, supply_degc, ground_degc),
        )

    def for_network(self, network: HeatNetwork) -> "LearnedSupply":
        """The same weights on another tree, as a guess: no interval is finite, nothing is inside.

        The weights do not know the wiring, so they answer for any tree of pipes. How well they do
        has to be found by comparing with the physics.

        Raises
        ------
        InputError
            `network` is no tree, see `tvilling.gnn.supply.supply_tree`.
        """
        tree = supply_tree(network)
        never = jnp.full(len(tree.consumer), jnp.inf), jnp.array(jnp.inf), jnp.array(jnp.inf)
        return replace(
            self,
            network=network,
            tree=tree,
            per_drop=jnp.full(len(tree.names), jnp.inf),
            box=Box(low=never, high=(-never[0], -never[1], -never[2])),
        )

    def interval_scale(
        self, degc: Float[Array, "scenario junction"], supply_degc: Float[Array, " scenario"]
    ) -> Float[Array, "scenario junction"]:
        """What the width of an interval grows with: the fall of temperature that is said [K]."""
        return jnp.abs(supply_degc[:, None] - degc) + self.least_k

    def junction_degc(
        self,
        heat_w: Float[Array, "scenario consumer"],
        supply_degc: Float[Array, " scenario"],
        ground_degc: Float[Array, " scenario"],
    ) -> Float[Array, "scenario junction"]:
        """The temperatures alone."""
        graphs = supply_graphs(self.network, self.tree, heat_w, supply_degc, ground_degc)
        return self.from_graphs(self.scaling(graphs), supply_degc, ground_degc)

    def from_graphs(
        self,
        graph: Graph,
        supply_degc: Float[Array, " scenario"],
        ground_degc: Float[Array, " scenario"],
    ) -> Float[Array, "scenario junction"]:
        """The temperatures that belong to scaled graphs, led by the scenarios."""
        nodes, edges = answer(self.structure, self.weights, graph)
        said = nodes if self.readout == "junctions" else edges[..., : len(self.tree.below), :]
        mean, spread = self.log_units
        units = jnp.exp(mean + spread * said[..., 0])
        if self.readout == "junctions":
            units = units.at[..., self.tree.source].set(0.0)
            left = jnp.exp(-units)
            return ground_degc[:, None] + (supply_degc - ground_degc)[:, None] * left
        along = jax.vmap(temperatures, in_axes=(None, 0, 0, 0))
        return along(self.tree, units, supply_degc, ground_degc)
