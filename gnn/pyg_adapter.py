"""PyTorch Geometric: graphs to and from its data, and the same model built from its parts."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.gnn.graph import Graph, Wiring
from tvilling.gnn.message import MessageLayer, Perceptron
from tvilling.gnn.model import GraphNetwork
from tvilling.sciml.errors import InputError
from tvilling.sciml.extras import needs_extra

with needs_extra("graph"):
    import torch
    from torch_geometric.data import Data
    from torch_geometric.nn import MessagePassing

if TYPE_CHECKING:
    from flax import nnx


def to_pyg(graph: Graph, answers: Float[Array, "*batch element answer"] | None = None) -> list[Any]:
    """One `Data` a scenario, with `x`, `edge_index`, `edge_attr`, and `answers` as `y`.

    Features keep their order and their precision; a graph without a batch gives one.
    """
    nodes, edges = _rows(graph.node, graph.batch), _rows(graph.edge, graph.batch)
    index = torch.tensor(np.stack([graph.wiring.sender, graph.wiring.receiver]))
    data = [
        Data(x=torch.tensor(node), edge_index=index, edge_attr=torch.tensor(edge))
        for node, edge in zip(nodes, edges, strict=True)
    ]
    if answers is not None:
        for one, answer in zip(data, _rows(answers, graph.batch), strict=True):
            one.y = torch.tensor(answer)
    return data


def _rows(values: Array, batch: tuple[int, ...]) -> np.ndarray:
    """`values` with the whole batch on one axis."""
    return np.asarray(values).reshape(math.prod(batch), *values.shape[len(batch) :])


def from_pyg(dataset: Iterable[Any]) -> tuple[list[Graph], list[Array]]:
    """The graphs of a PyG data set, or of any iterable of `Data`, and their `y`.

    Features get the names x0, x1, … and edge_attr0, …; a graph without `edge_attr` has no edge
    features. Graphs of one wiring become one by `tvilling.gnn.graph.batched`, others by `joined`.

    Returns
    -------
    graphs, answers
        In the order of the data set; an answer has the shape that `y` has.

    Raises
    ------
    InputError
        An entry lacks `x`, `edge_index` or `y`, or they do not fit each other.
    """
    entries = list(dataset)
    faults = [fault for at, data in enumerate(entries) for fault in _faults(at, data)]
    if faults:
        raise InputError("PyG data set", faults)
    return [_graph(data) for data in entries], [jnp.asarray(data.y.numpy()) for data in entries]


def _faults(at: int, data: Any) -> list[str]:
    """What is wrong with one entry."""
    missing = [name for name in ("x", "edge_index", "y") if getattr(data, name, None) is None]
    if missing:
        return [f"entry {at} has no {' and no '.join(missing)}"]
    faults = []
    nodes, edges = len(data.x), data.edge_index.shape[1]
    if edges and not 0 <= int(data.edge_index.min()) <= int(data.edge_index.max()) < nodes:
        faults.append(
            f"entry {at}: edge_index is {int(data.edge_index.min())} to "
            f"{int(data.edge_index.max())}, expected 0 to {nodes - 1}"
        )
    if data.edge_attr is not None and len(data.edge_attr) != edges:
        faults.append(f"entry {at}: edge_attr has {len(data.edge_attr)} rows, expected {edges}")
    return faults


def _graph(data: Any) -> Graph:
    node = _two_dimensional(data.x)
    edges = data.edge_index.shape[1]
    edge = np.zeros((edges, 0)) if data.edge_attr is None else _two_dimensional(data.edge_attr)
    sender, receiver = data.edge_index.numpy()
    return Graph(
        node=jnp.asarray(node),
        edge=jnp.asarray(edge),
        wiring=Wiring(sender, receiver, len(node)),
        node_features=tuple(f"x{at}" for at in range(node.shape[1])),
        edge_features=tuple(f"edge_attr{at}" for at in range(edge.shape[1])),
    )


def _two_dimensional(values: "torch.Tensor") -> np.ndarray:
    """Features as floating-point numbers, one row an element."""
    array = values.detach().cpu().numpy()
    array = array if array.ndim > 1 else array[:, None]
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


class PygLayer(MessagePassing):
    """`MessageLayer` by PyG's gather and scatter, the first map of an edge in one piece."""

    def __init__(self, layer: MessageLayer) -> None:
        super().__init__(aggr="sum", flow="source_to_target")
        parts = (layer.of_edge, layer.of_sender, layer.of_receiver)
        kernel = np.concatenate([np.asarray(part.kernel[...]) for part in parts])
        self.look = _linear(kernel, _bias(layer.of_edge))
        self.message_of = _copied(layer.message)
        self.update_of = _perceptron(layer.update)

    def forward(
        self, x: torch.Tensor, edge_index: torch.Tensor, edge: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Nodes and edges after the round."""
        edge = self.edge_updater(edge_index, x=x, edge=edge)
        inflow = self.propagate(edge_index, edge=edge, size=(len(x), len(x)))
        return x + self.update_of(torch.cat([x, inflow], dim=-1)), edge

    def edge_update(self, x_i: torch.Tensor, x_j: torch.Tensor, edge: torch.Tensor) -> torch.Tensor:
        """New value of each edge from x_j, where it starts, and x_i, where it ends."""
        seen = self.look(torch.cat([edge, x_j, x_i], dim=-1))
        return edge + self.message_of(torch.nn.functional.silu(seen))

    def message(self, edge: torch.Tensor) -> torch.Tensor:
        """What a node gets from an edge: all of it."""
        return edge


class PygNetwork(torch.nn.Module):
    """The PyG twin of a `GraphNetwork`, with a copy of its weights."""

    def __init__(self, model: GraphNetwork) -> None:
        super().__init__()
        self.node_encoder = _perceptron(model.node_encoder)
        self.edge_encoder = _perceptron(model.edge_encoder)
        self.layers = torch.nn.ModuleList(PygLayer(layer) for layer in model.layers)
        self.node_decoder = _perceptron(model.node_decoder) if model.node_decoder else None
        self.edge_decoder = _perceptron(model.edge_decoder) if model.edge_decoder else None

    def forward(self, data: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Answers for nodes and edges of a `Data`, or of a `Batch` of them, in scaled features."""
        node = self.node_encoder(_some(data.x))
        edge = self.edge_encoder(_some(data.edge_attr))
        for layer in self.layers:
            node, edge = layer(node, data.edge_index, edge)
        said_node = node[:, :0] if self.node_decoder is None else self.node_decoder(node)
        said_edge = edge[:, :0] if self.edge_decoder is None else self.edge_decoder(edge)
        return said_node, said_edge


def _some(features: torch.Tensor) -> torch.Tensor:
    """Features, or a one for each element that has none."""
    return features if features.shape[-1] else features.new_ones((*features.shape[:-1], 1))


def _linear(kernel: np.ndarray, bias: np.ndarray) -> torch.nn.Linear:
    linear = torch.nn.Linear(*kernel.shape).to(torch.tensor(kernel).dtype)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(kernel.T))
        linear.bias.copy_(torch.tensor(bias))
    return linear


def _copied(linear: "nnx.Linear") -> torch.nn.Linear:
    return _linear(np.asarray(linear.kernel[...]), _bias(linear))


def _bias(linear: "nnx.Linear") -> np.ndarray:
    if linear.bias is None:
        return np.zeros(linear.out_features)
    return np.asarray(linear.bias[...])


def _perceptron(perceptron: Perceptron) -> torch.nn.Sequential:
    return torch.nn.Sequential(_copied(perceptron.first), torch.nn.SiLU(), _copied(perceptron.last))
