"""District heating: hydraulics and heat transport of trees and looped networks."""

from tvilling.sciml.systems.heat_network.build import Options, build
from tvilling.sciml.systems.heat_network.network import HeatNetwork, HeatState
from tvilling.sciml.systems.heat_network.tables import COLUMNS, HeatNetworkTables

__all__ = ["COLUMNS", "HeatNetwork", "HeatNetworkTables", "HeatState", "Options", "build"]
