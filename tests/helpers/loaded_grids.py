"""Grids with all their loads and generation times a factor, here and in scipy."""

import numpy as np
from continuation import Equations, equations

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

POWERS = {
    "load_p_mw": ("load", "p_mw"),
    "load_q_mvar": ("load", "q_mvar"),
    "sgen_p_mw": ("sgen", "p_mw"),
    "sgen_q_mvar": ("sgen", "q_mvar"),
    "gen_p_mw": ("gen", "p_mw"),
}


class Loaded:
    """A grid, and what scipy finds on it."""

    def __init__(self, source: str) -> None:
        self.net = read_power_net(source).net
        self.grid: PowerGrid = from_pandapower(self.net)
        self.equations: Equations = equations(self.net)

    def scaled(self, scales: np.ndarray) -> dict[str, np.ndarray]:
        """Scenarios with all loads and generation times each of `scales`."""
        return {
            name: np.multiply.outer(scales, self.net[table][column].to_numpy(float))
            for name, (table, column) in POWERS.items()
        }
