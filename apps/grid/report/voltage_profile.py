"""Voltage over the distance from the feeding bus."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.grid.report.curves import draw_profile
from tvilling.apps.grid.report.layout import feeding_rows, pairs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tvilling.apps.grid.grid_input import GridInput

RADIAL = 1.1  # branches for each bus
SHORTEST_KM = 1e-6  # an edge of no length would vanish from a sparse graph


def draw_voltages(opened: "GridInput", vm_pu: np.ndarray) -> "Figure | None":
    """The figure, or None where lines have no lengths of their own or the grid is meshed."""
    net = opened.power_net.net
    grid = opened.grid
    if net.line["length_km"].nunique() < 2 or grid.n_branch > RADIAL * grid.n_bus:
        return None
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    rows = np.array(list(pairs(net)), int).reshape(-1, 3)
    ends, line = rows[:, :2], rows[:, 2]
    km = np.where(line >= 0, net.line["length_km"].to_numpy(float)[line], 0.0)
    order = np.argsort(km, kind="stable")  # of parallel ways, the shortest
    shortest, first = np.unique(np.sort(ends[order], axis=1), axis=0, return_index=True)
    weight = np.maximum(km[order][first], SHORTEST_KM)
    size = (len(net.bus), len(net.bus))
    graph = coo_matrix((weight, shortest.T), shape=size).tocsr()
    distance = dijkstra(graph, directed=False, indices=feeding_rows(net), min_only=True)
    reached = np.where(np.isfinite(distance), distance, np.nan)
    return draw_profile(reached, vm_pu, ends, opened.limits)
