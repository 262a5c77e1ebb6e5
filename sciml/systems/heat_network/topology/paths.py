"""Shortest ways from the sources to every junction."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import branches

MIN_LENGTH_M = 1e-3  # of valves and pipes without length: a graph drops edges of weight zero


@dataclass(frozen=True)
class Paths:
    """Shortest ways from a set of roots.

    Attributes
    ----------
    parent, branch
        Junction before each junction on its way from the nearest root, and the row of `branches`
        between the two; -1 at a root and where no way leads.
    distance_m
        Length of the way [m]; infinite where none leads.
    order
        Junctions that a way leads to, the farthest first.
    """

    parent: Int[np.ndarray, " junction"]
    branch: Int[np.ndarray, " junction"]
    distance_m: Float[np.ndarray, " junction"]
    order: Int[np.ndarray, " reached"]

    def carried(
        self,
        junction: Int[np.ndarray, " load"],
        values: Float[np.ndarray, "load kind"],
        count: int,
    ) -> Float[np.ndarray, "branch kind"]:
        """Sum over each of `count` branches of the `values` whose way from the root uses it."""
        below = np.zeros((len(self.parent), values.shape[1]))
        np.add.at(below, junction, values)
        total = np.zeros((count, values.shape[1]))
        for at in self.order:
            if self.parent[at] >= 0:
                below[self.parent[at]] += below[at]
                total[self.branch[at]] += below[at]
        return total


def shortest_paths(tables: HeatNetworkTables) -> tuple[Paths, Paths]:
    """Ways from the supply junctions of all sources, and from their return junctions.

    Closed valves are no way. Lengths are the pipes'; everything else counts as short.
    """
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    rows = branches(tables)
    start, end = rows["start"].to_numpy(int), rows["end"].to_numpy(int)
    length = np.maximum(rows["length_m"].to_numpy(float), MIN_LENGTH_M)
    feeds = [position[name] for name in tables.sources["supply_junction"]]
    exits = [position[name] for name in tables.sources["return_junction"] if name]
    return _from(feeds, start, end, length, len(position)), _from(
        exits, start, end, length, len(position)
    )


def _from(
    roots: list[int], start: np.ndarray, end: np.ndarray, length: np.ndarray, count: int
) -> Paths:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    nowhere = np.full(count, -1)
    if not roots:
        return Paths(nowhere, nowhere, np.full(count, np.inf), np.array([], dtype=int))
    shortest: dict[tuple[int, int], int] = {}
    for at in np.argsort(length, kind="stable")[::-1]:
        shortest[min(start[at], end[at]), max(start[at], end[at])] = int(at)
    used = np.array(list(shortest.values()), dtype=int)
    graph = coo_array((length[used], (start[used], end[used])), shape=(count, count)).tocsr()
    distance, before, _ = dijkstra(
        graph, directed=False, indices=roots, min_only=True, return_predecessors=True
    )
    parent = np.where(before < 0, -1, before)
    branch = np.array(
        [-1 if up < 0 else shortest[min(up, at), max(up, at)] for at, up in enumerate(parent)]
    )
    reached = np.flatnonzero(np.isfinite(distance))
    return Paths(parent, branch, distance, reached[np.argsort(-distance[reached], kind="stable")])
