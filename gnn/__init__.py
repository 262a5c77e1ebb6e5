"""Graph neural networks: graphs, message passing, and learned answers for networks."""

from tvilling.gnn.graph import Graph, Scaling, Wiring, batched, from_network, joined
from tvilling.gnn.learned import LearnedSupply, SupplyAnswer
from tvilling.gnn.model import GraphNetwork, ModelSettings
from tvilling.gnn.physics import Balance, balance
from tvilling.gnn.supply import SupplyTree, supply_graphs, supply_tree
from tvilling.gnn.train import SupplySettings, train_supply

__all__ = [
    "Balance",
    "Graph",
    "GraphNetwork",
    "LearnedSupply",
    "ModelSettings",
    "Scaling",
    "SupplyAnswer",
    "SupplySettings",
    "SupplyTree",
    "Wiring",
    "balance",
    "batched",
    "from_network",
    "joined",
    "supply_graphs",
    "supply_tree",
    "train_supply",
]
