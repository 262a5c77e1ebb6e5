"""A network as a graph to learn on: wiring fixed, features as arrays that may lead with a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.network import Network
from tvilling.sciml.core.static import HashedArrays
from tvilling.sciml.learning.scaling import nonzero_scale

DIRECTION = "direction"


@dataclass(frozen=True, eq=False)
class Wiring(HashedArrays):
    """Which node each edge leaves and enters; equal wirings share their compiled code."""

    sender: np.ndarray
    receiver: np.ndarray
    nodes: int

    @property
    def edges(self) -> int:
        """Number of directed edges."""
        return len(self.sender)

    def both_ways(self) -> "Wiring":
        """Every edge, and after them every edge turned round."""
        ends = np.concatenate([self.sender, self.receiver])
        return Wiring(ends, np.roll(ends, self.edges), self.nodes)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Graph:
    """Features of the nodes and the directed edges of one wiring.

    Attributes
    ----------
    node, edge
        `[*batch, node, feature]` and `[*batch, edge, feature]`; one scenario has no batch.
    node_features, edge_features
        What the last axis of each holds, with the unit in the name.
    """

    node: Float[Array, "*batch node node_feature"]
    edge: Float[Array, "*batch edge edge_feature"]
    wiring: Wiring = jax.tree.static()
    node_features: tuple[str, ...] = jax.tree.static()
    edge_features: tuple[str, ...] = jax.tree.static()

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape in front of the node axis."""
        return self.node.shape[:-2]

    @property
    def features(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the node and of the edge features."""
        return self.node_features, self.edge_features


def from_network(network: Network, both_ways: bool = True) -> Graph:
    """The graph of a `Network`, with its quantities as features in their own units.

    Quantities `[node]` and `[*batch, node]` may stand side by side; all get the batch. With
    `both_ways` every edge comes a second time from its receiver to its sender, after all the
    others, with the same features but `direction` = -1 instead of 1: what happens downstream
    matters upstream, and a network sends messages along its edges only.

    Raises
    ------
    InputError
        An edge leaves or enters a node that is not there, or a quantity is not a finite number
        somewhere: no message could carry it.
    """
    sender, receiver = np.asarray(network.sender), np.asarray(network.receiver)
    nodes = len(network.node_names)
    faults = [
        f"edge {name} joins nodes {start} and {end}, expected 0 to {nodes - 1}"
        for name, start, end in zip(network.edge_names, sender, receiver, strict=True)
        if not (0 <= start < nodes and 0 <= end < nodes)
    ]
    for name, values in (*network.node.items(), *network.edge.items()):
        bad = int((~np.isfinite(np.asarray(values, float))).sum())
        if bad:
            faults.append(f"{name} is not a finite number at {bad} places")
    if faults:
        raise InputError("graph", faults)
    wiring = Wiring(sender, receiver, nodes)
    return with_features(network, wiring.both_ways() if both_ways else wiring)


def with_features(network: Network, wiring: Wiring) -> Graph:
    """`from_network` where the wiring is known before, for use in compiled code.

    `wiring` has the edges of `network`, once or both ways.
    """
    edge = dict(network.edge)
    if wiring.edges != len(network.edge_names):
        edge = {name: jnp.concatenate([values, values], -1) for name, values in edge.items()}
        edge[DIRECTION] = jnp.repeat(jnp.array([1.0, -1.0]), len(network.edge_names))
    shapes = [jnp.shape(values)[:-1] for values in (*network.node.values(), *edge.values())]
    batch = jnp.broadcast_shapes(*shapes)
    return Graph(
        node=_stacked(network.node, (*batch, wiring.nodes)),
        edge=_stacked(edge, (*batch, wiring.edges)),
        wiring=wiring,
        node_features=tuple(network.node),
        edge_features=tuple(edge),
    )


def batched(graphs: Sequence[Graph]) -> Graph:
    """Graphs of one wiring as one, led by a batch axis.

    Raises
    ------
    InputError
        There is none, or they differ in wiring or features.
    """
    if not graphs:
        raise InputError("batch of graphs", ["there are 0 graphs, expected at least 1"])
    first = graphs[0]
    faults = [
        f"graph {at} differs from graph 0 in its wiring or its features"
        for at, graph in enumerate(graphs)
        if graph.wiring != first.wiring or graph.features != first.features
    ]
    if faults:
        raise InputError("batch of graphs", faults)
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *graphs)


def joined(graphs: Sequence[Graph]) -> Graph:
    """Graphs of any wiring and no batch as one graph without edges between them.

    Nodes and edges follow each other in the order of the graphs.

    Raises
    ------
    InputError
        There is none, they differ in features, or one has a batch.
    """
    faults = ["there are 0 graphs, expected at least 1"] if not graphs else []
    for at, graph in enumerate(graphs):
        if graph.features != graphs[0].features:
            faults.append(f"graph {at} differs from graph 0 in its features")
        if graph.batch:
            faults.append(f"graph {at} has a batch of shape {graph.batch}, expected none")
    if faults:
        raise InputError("graphs to join", faults)
    wirings = [graph.wiring for graph in graphs]
    before = np.cumsum([0, *(wiring.nodes for wiring in wirings)])
    moved = list(zip(wirings, before[:-1], strict=True))
    return replace(
        graphs[0],
        node=jnp.concatenate([graph.node for graph in graphs]),
        edge=jnp.concatenate([graph.edge for graph in graphs]),
        wiring=Wiring(
            sender=np.concatenate([wiring.sender + at for wiring, at in moved]),
            receiver=np.concatenate([wiring.receiver + at for wiring, at in moved]),
            nodes=int(before[-1]),
        ),
    )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scaling:
    """Mean and spread of every feature, by which a graph is brought to about unit size."""

    node_mean: Float[Array, " node_feature"]
    node_spread: Float[Array, " node_feature"]
    edge_mean: Float[Array, " edge_feature"]
    edge_spread: Float[Array, " edge_feature"]

    @classmethod
    def of(cls, graph: Graph) -> "Scaling":
        """Mean and standard deviation over all scenarios and elements of `graph`.

        A feature that does not vary has its size as spread, or one where it is zero, and so
        becomes zero; in another network it is not many times its size.
        """
        return cls(*_moments(graph.node), *_moments(graph.edge))

    def __call__(self, graph: Graph) -> Graph:
        """`graph` in scaled features."""
        return replace(
            graph,
            node=(graph.node - self.node_mean) / self.node_spread,
            edge=(graph.edge - self.edge_mean) / self.edge_spread,
        )


def _stacked(quantities: Mapping[str, Array], shape: tuple[int, ...]) -> Array:
    """Quantities by name as one array, features last."""
    if not quantities:
        return jnp.zeros((*shape, 0))
    return jnp.stack([jnp.broadcast_to(values, shape) for values in quantities.values()], -1)


def _moments(values: Array) -> tuple[Array, Array]:
    flat = values.reshape(-1, values.shape[-1])
    mean = flat.mean(axis=0)
    return mean, nonzero_scale(flat.std(axis=0), mean).astype(values.dtype)
