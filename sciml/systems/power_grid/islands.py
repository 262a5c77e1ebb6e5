"""Buses that lose every way to a slack bus when branches are switched off."""

import numpy as np

from tvilling.sciml.systems.power_grid.grid import PowerGrid
from tvilling.sciml.systems.power_grid.scenarios import Outages


def unsupplied(grid: PowerGrid, outages: Outages | None) -> np.ndarray | None:
    """1 where a bus has no supply `[scenario, bus]`, or None where all always have.

    Only branches that lie on no loop can cut a bus off, so a graph is searched only for
    scenarios that open several branches or such a one.
    """
    if outages is None:
        return None
    opened = np.where(is_open(grid, outages), outages.branch, -1)
    several = (opened >= 0).sum(axis=1) > 1
    alone = np.isin(opened, np.flatnonzero(bridges(grid))).any(axis=1)
    rows = np.flatnonzero(several | alone)
    if not len(rows):
        return None
    dead = np.zeros((len(opened), grid.n_bus), np.uint8)
    known: dict[tuple[int, ...], np.ndarray] = {}
    for row in rows:
        key = tuple(sorted(set(opened[row][opened[row] >= 0].tolist())))
        if key not in known:
            known[key] = _cut_off(grid, np.array(key))
        dead[row] = known[key]
    return dead if dead.any() else None


def is_open(grid: PowerGrid, outages: Outages) -> np.ndarray:
    """Whether each change switches its branch off altogether `[scenario, change]`."""
    rest = grid.two_port[outages.branch] + outages.delta
    return (outages.branch >= 0) & (np.abs(rest).max(axis=-1) == 0.0)


def _cut_off(grid: PowerGrid, opened: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    closed = np.ones(grid.n_branch, bool)
    closed[opened] = False
    ends = grid.from_bus[closed], grid.to_bus[closed]
    graph = coo_matrix((np.ones(closed.sum()), ends), shape=(grid.n_bus, grid.n_bus))
    _, part = connected_components(graph, directed=False)
    return np.asarray(~np.isin(part, part[grid.slack]), np.uint8)


def bridges(grid: PowerGrid) -> np.ndarray:
    """Branches whose loss parts the graph, all slack buses taken as one `[branch]`.

    Tarjan, Inf. Process. Lett. 2(6), 1974, doi:10.1016/0020-0190(74)90003-9, by networkx.
    """
    import networkx as nx

    node = np.arange(grid.n_bus)
    node[grid.slack] = grid.slack[0]
    ends = np.sort(np.column_stack([node[grid.from_bus], node[grid.to_bus]]), axis=1)
    pairs, number, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    graph = nx.Graph()
    graph.add_edges_from(pairs[pairs[:, 0] != pairs[:, 1]].tolist())
    cut = {tuple(sorted(edge)) for edge in nx.bridges(graph)}
    single = np.array([tuple(pair) in cut for pair in pairs.tolist()], bool) & (count == 1)
    return single[number.ravel()]
