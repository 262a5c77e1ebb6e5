"""The supply side of a tree-shaped heat network as a graph, and temperatures from its edges."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.gnn.graph import Graph, Wiring, with_features
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.network import Network
from tvilling.sciml.core.static import HashedArrays
from tvilling.sciml.systems.heat_network import HeatNetwork
from tvilling.sciml.systems.heat_network.topology.tree_sums import (
    greatest_depth,
    path_sums,
    subtree_sums,
    summed_at,
)

MIN_W, MIN_W_PER_K, MIN_M = 1.0, 1e-3, 0.1  # where logarithms of features end


@dataclass(frozen=True, eq=False)
class SupplyTree(HashedArrays):
    """Who hangs below whom on the supply side; junctions in the order of the tables.

    Attributes
    ----------
    names
        Of the supply junctions.
    place
        Number of each among all junctions of the tables.
    parent
        Junction before each junction; the source is its own.
    order, last
        Junctions, each before those below it, and for each the place after its subtree.
    pipe
        Row of the pipe above each junction in the tables; -1 at the source.
    source, consumer
        Junction of the source, and of each consumer.
    """

    names: tuple[str, ...]
    place: np.ndarray
    parent: np.ndarray
    order: np.ndarray
    last: np.ndarray
    pipe: np.ndarray
    source: int
    consumer: np.ndarray

    @property
    def below(self) -> np.ndarray:
        """Junction at the lower end of each pipe, in the order of the junctions."""
        return np.flatnonzero(self.pipe >= 0)

    @property
    def wiring(self) -> Wiring:
        """Every pipe from the source outwards, then every pipe towards it."""
        return Wiring(self.parent[self.below], self.below, len(self.names)).both_ways()

    @property
    def depth(self) -> int:
        """Pipes between the source and the junction that is most of them away."""
        return greatest_depth(self.parent, self.order)

    def carried(self, power_w: Float[Array, " consumer"]) -> Float[Array, " junction"]:
        """Sum of `power_w` over the consumers at and below each junction."""
        at_junction = summed_at(power_w, self.consumer, len(self.names))
        return subtree_sums(at_junction, self.order, self.last)


def supply_tree(network: HeatNetwork) -> SupplyTree:
    """The supply side of `network`.

    Raises
    ------
    InputError
        It is no tree of pipes below one source: loops, several sources, boosters, valves, heat
        exchangers, injections, pipes with a ground temperature of their own, or junctions without a
        path to the source.
    """
    faults = _faults(network)
    if faults:
        raise InputError("supply tree", faults)
    layout, top = network.layout, network.layout.topology
    given = top.junction[: top.supply]
    place = np.sort(given)
    number = {int(junction): at for at, junction in enumerate(place)}
    here = np.array([number[int(junction)] for junction in given])  # laid-out to own number
    parent, pipe, last = (np.empty(top.supply, int) for _ in range(3))
    row = np.full(len(top.branch), -1)
    row[layout.pipe_place] = np.arange(len(layout.pipe_names))
    order = top.order[top.order < top.supply]
    before = np.searchsorted(np.flatnonzero(top.order < top.supply), np.arange(len(top.order) + 1))
    parent[here], pipe[here] = here[top.parent[: top.supply]], row[: top.supply]
    last[here] = before[top.last[: top.supply]]
    return SupplyTree(
        names=tuple(layout.junction_names[at] for at in place),
        place=place,
        parent=parent,
        order=here[order],
        last=last,
        pipe=pipe,
        source=int(here[layout.source_supply[0]]),
        consumer=here[layout.consumer_from],
    )


def _faults(network: HeatNetwork) -> list[str]:
    """What keeps the supply side from being a tree of pipes below one source."""
    layout, top = network.layout, network.layout.topology
    pipes, supply = set(layout.pipe_place.tolist()), top.supply
    on_supply = (np.maximum(top.upstream, top.downstream) < supply) & (
        top.upstream != top.downstream
    )
    inside = np.flatnonzero(on_supply)
    faults = []
    if len(layout.source_names) != 1:
        faults.append(f"there are {len(layout.source_names)} sources, expected 1")
    if (inside >= top.junctions).any():
        faults.append(f"the supply side has {(inside >= top.junctions).sum()} loops, expected 0")
    others = [at for at in inside if int(at) not in pipes]
    if others or len(top.link):
        faults.append(
            f"{len(others) + len(top.link)} valves, boosters, exchangers or bypass pipes, "
            "expected 0"
        )
    if len(layout.injection_at):
        faults.append(f"there are {len(layout.injection_at)} injections, expected 0")
    own = int(np.isfinite(np.asarray(network.branch.ground_degc)[layout.pipe_place]).sum())
    if own:
        faults.append(f"{own} pipes have a ground_degc of their own, expected that of the scenario")
    faults += [f"junction {name} has no path to the source" for name in layout.cut_off_names]
    return faults


def supply_network(
    network: HeatNetwork,
    tree: SupplyTree,
    heat_w: Float[Array, " consumer"],
    supply_degc: Float[Array, ""],
    ground_degc: Float[Array, ""],
) -> Network:
    """Supply junctions and pipes of one scenario, with what an answer may depend on.

    Nodes know the demand at their place, whether they are the source, and the temperatures at
    which the source sends and the ground lies. Edges know the pipe, and the demand of everybody
    below it. That sum is a piece of physics that the graph network is handed: it stands for the
    flow, which would else have to come from as many rounds of messages as the tree is deep.
    """
    full, below = network.as_network(), tree.below
    pipe, size = tree.pipe[below], len(tree.names)
    quantities = {name: values[pipe] for name, values in full.edge.items()}
    loss_w_per_k = quantities["loss_w_per_mk"] * quantities["length_m"]
    carried_w = tree.carried(heat_w)[below]
    source = np.arange(size) == tree.source
    return Network(
        sender=jnp.asarray(tree.parent[below]),
        receiver=jnp.asarray(below),
        node={
            "heat_w": summed_at(heat_w, tree.consumer, size),
            "source": jnp.asarray(source, float),
            "supply_degc": jnp.full(size, supply_degc),
            "ground_degc": jnp.full(size, ground_degc),
        },
        edge={
            "log_length_m": _log(quantities["length_m"], MIN_M),
            "log_diameter_m": jnp.log(quantities["diameter_m"]),
            "log_loss_w_per_k": _log(loss_w_per_k, MIN_W_PER_K),
            "log_carried_w": _log(carried_w, MIN_W),
        },
        node_names=tree.names,
        edge_names=tuple(full.edge_names[at] for at in pipe),
    )


def _log(values: Array, least: float) -> Array:
    return jnp.log(jnp.maximum(values, least))


def supply_graphs(
    network: HeatNetwork,
    tree: SupplyTree,
    heat_w: Float[Array, "scenario consumer"],
    supply_degc: Float[Array, " scenario"],
    ground_degc: Float[Array, " scenario"],
) -> Graph:
    """The graphs of many scenarios, led by them; see `supply_network`."""
    wiring = tree.wiring

    def one(*drives: Array) -> Graph:
        return with_features(supply_network(network, tree, *drives), wiring)

    return jax.vmap(one)(heat_w, supply_degc, ground_degc)


def transfer_units(
    tree: SupplyTree,
    junction_degc: Float[Array, " junction"],
    supply_degc: Float[Array, ""],
    ground_degc: Float[Array, ""],
) -> Float[Array, " pipe"]:
    """Transfer units of each pipe from the temperatures at its ends; undoes `temperatures`."""
    left = (junction_degc - ground_degc) / (supply_degc - ground_degc)
    return jnp.log(left[tree.parent[tree.below]] / left[tree.below])


def temperatures(
    tree: SupplyTree,
    transfer_units: Float[Array, " pipe"],
    supply_degc: Float[Array, ""],
    ground_degc: Float[Array, ""],
) -> Float[Array, " junction"]:
    """Temperatures [°C] behind pipes of so many transfer units, U L/(m cp), in a tree.

    T = T_ground + (T_supply - T_ground) exp(-Σ NTU) over the pipes from the source to the
    junction: steady plug flow with constant heat capacity and one ground temperature. With
    transfer units of zero and more the answer falls along every path and never passes the ground.
    """
    own = jnp.zeros(len(tree.names)).at[tree.below].set(transfer_units)
    total = path_sums(own, tree.parent, tree.depth)
    return ground_degc + (supply_degc - ground_degc) * jnp.exp(-total)
