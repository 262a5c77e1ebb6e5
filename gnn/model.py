"""Encode, process, decode: a graph network for any wiring."""

from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tvilling.gnn.graph import Graph
from tvilling.gnn.message import MessageLayer, Perceptron
from tvilling.sciml.core.errors import InputError


@dataclass(frozen=True)
class ModelSettings:
    """Size of a graph network.

    Attributes
    ----------
    hidden
        Numbers that a node and an edge hold between the rounds.
    layers
        Rounds of messages, each with its own weights: a node hears of what is so many edges away.
    precision
        Of weights and features. Weights of "float32" train two to three times as fast and are
        good to about one part in 10⁶; "float64" is for comparisons to rounding.
    """

    hidden: int = 32
    layers: int = 3
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        ranges = {"hidden": (self.hidden, 1, 4096), "layers": (self.layers, 0, 100)}
        faults = [
            f"{name} is {value}, expected {low} to {high}"
            for name, (value, low, high) in ranges.items()
            if not low <= value <= high
        ]
        if self.precision not in ("float32", "float64"):
            faults.append(f"precision is {self.precision!r}, expected float32 or float64")
        if faults:
            raise InputError("settings of the graph network", faults)


class GraphNetwork(nnx.Module):
    """Node and edge answers from node and edge features; the weights do not know the wiring.

    Features are encoded one by one, `layers` rounds of messages follow, and every node and edge
    is decoded by itself [1, 2].

    [1] Battaglia et al., Relational inductive biases, deep learning, and graph networks, 2018,
    arXiv:1806.01261.
    [2] Sanchez-Gonzalez et al., Learning to simulate complex physics with graph networks, ICML
    2020, arXiv:2002.09405.

    Parameters
    ----------
    features
        Numbers of node and of edge features. Where there is none, all start from the same
        numbers.
    answers
        Numbers that are decoded for every node and for every edge; either may be zero.
    """

    def __init__(
        self,
        features: tuple[int, int],
        answers: tuple[int, int],
        settings: ModelSettings,
        rngs: nnx.Rngs,
    ) -> None:
        size, dtype = settings.hidden, jnp.dtype(settings.precision)

        def perceptron(size_in: int, size_out: int) -> Perceptron:
            return Perceptron(size_in, size, size_out, dtype, rngs)

        self.node_encoder, self.edge_encoder = (
            perceptron(max(count, 1), size) for count in features
        )
        self.layers = nnx.List(MessageLayer(size, dtype, rngs) for _ in range(settings.layers))
        self.node_decoder, self.edge_decoder = (
            perceptron(size, count) if count else None for count in answers
        )
        self.dtype = dtype

    def __call__(
        self, graph: Graph
    ) -> tuple[Float[Array, "*batch node node_answer"], Float[Array, "*batch edge edge_answer"]]:
        """Answers for nodes and edges of a scaled `graph`, in its dtype."""
        node = self.node_encoder(_some(graph.node).astype(self.dtype))
        edge = self.edge_encoder(_some(graph.edge).astype(self.dtype))
        for layer in self.layers:
            node, edge = layer(node, edge, graph.wiring)
        return _decoded(self.node_decoder, node), _decoded(self.edge_decoder, edge)


def split(model: GraphNetwork) -> tuple[nnx.GraphDef, nnx.State]:
    """The static structure of `model`, and its weights as a pytree."""
    structure, weights = nnx.split(model)
    return structure, weights


def answer(structure: nnx.GraphDef, weights: nnx.State, graph: Graph) -> tuple[Array, Array]:
    """`GraphNetwork.__call__` as a pure function of the two parts of a model."""
    model: GraphNetwork = nnx.merge(structure, weights)
    nodes, edges = model(graph)
    return nodes.astype(graph.node.dtype), edges.astype(graph.edge.dtype)


def _some(features: Array) -> Array:
    """Features, or a one for each element that has none."""
    return features if features.shape[-1] else jnp.ones((*features.shape[:-1], 1))


def _decoded(decoder: Perceptron | None, values: Array) -> Array:
    return values[..., :0] if decoder is None else decoder(values)
