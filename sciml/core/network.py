"""A directed graph of nodes joined by edges, the form that physics and graph networks share."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Network:
    """Nodes and edges with named quantities, as arrays.

    Attributes
    ----------
    sender, receiver
        The node each edge leaves and the node it enters.
    node, edge
        Quantities by name, with the unit in the name.
    node_names, edge_names
        Names in the order of the arrays.
    """

    sender: Int[Array, " edge"]
    receiver: Int[Array, " edge"]
    node: dict[str, Float[Array, "*batch node"]]
    edge: dict[str, Float[Array, "*batch edge"]]
    node_names: tuple[str, ...] = jax.tree.static()
    edge_names: tuple[str, ...] = jax.tree.static()

    def inflow(self, flow: Float[Array, " edge"]) -> Float[Array, " node"]:
        """Net flow into each node, in the unit of `flow`."""
        into = jnp.zeros(len(self.node_names)).at[self.receiver].add(flow)
        return into.at[self.sender].add(-flow)
