"""PyTorch Geometric: graphs to and from its data, and the same model built from its parts."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.gnn.message import MessageLayer, Perceptron
from tvilling.gnn.model import GraphNetwork
from tvilling.gnn.pyg_data import PygGraphs, from_pyg, to_pyg
from tvilling.sciml.io.extras import needs_extra

with needs_extra("graph"):
    import torch
    from torch_geometric.nn import MessagePassing

if TYPE_CHECKING:
    from flax import nnx


__all__ = ["PygGraphs", "PygLayer", "PygNetwork", "from_pyg", "to_pyg"]


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
        """Answers for nodes and edges of a `Data`, or of a `Batch` of them, in scaled features.

        An `edge_weight` is the last feature of the edges, as `from_pyg` has it. Features are
        brought to the precision of the weights.
        """
        dtype = next(self.parameters()).dtype
        node = self.node_encoder(_some(data.x.to(dtype)))
        edge = self.edge_encoder(_some(_edge_features(data, dtype)))
        for layer in self.layers:
            node, edge = layer(node, data.edge_index, edge)
        said_node = node[:, :0] if self.node_decoder is None else self.node_decoder(node)
        said_edge = edge[:, :0] if self.edge_decoder is None else self.edge_decoder(edge)
        return said_node, said_edge


def _edge_features(data: Any, dtype: torch.dtype) -> torch.Tensor:
    """`edge_attr`, and after it `edge_weight`, as far as they are there."""
    given = (getattr(data, name, None) for name in ("edge_attr", "edge_weight"))
    count = data.edge_index.shape[1]
    rows = [values.to(dtype).reshape(count, -1) for values in given if values is not None]
    return torch.cat(rows, dim=-1) if rows else torch.zeros((count, 0), dtype=dtype)


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
