"""A network as a graph: what joins what, spanned by trees and split into supply and return."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from tvilling.sciml.systems.heat_network.topology.connectivity import parts

PIPE, EXCHANGER, PUMP = 0, 1, 2  # kinds of branch; valves and boosters count as pipes
NONE = -1


@dataclass(frozen=True)
class Graph:
    """A network before it is laid out.

    Attributes
    ----------
    junctions
        Number of junctions.
    kind, start, end
        Kind and ends of every branch. The pump of a source runs from its supply to its return
        junction, against the flow.
    anchors
        Junctions whose pressure is held; a connected part may have several.
    feeds, exits
        Junctions at which water enters the supply side, and leaves the return side.
    returns
        Junctions at which consumers hand their water back.
    outlets
        Junctions at which injections take water out.
    """

    junctions: int
    kind: np.ndarray
    start: np.ndarray
    end: np.ndarray
    anchors: np.ndarray
    feeds: np.ndarray
    exits: np.ndarray
    returns: np.ndarray
    outlets: np.ndarray


def mark_bypasses(graph: Graph, draws: np.ndarray) -> Graph:
    """The same graph, in which the fewest pipes that join supply and return count as exchangers.

    `draws` are the junctions at which consumers take their water. The cut is found by maximum
    flow; it is empty unless somebody has laid a pipe from the one side to the other.
    """
    hot, cold = graph.junctions, graph.junctions + 1
    supply = np.unique(np.concatenate([graph.feeds, draws])).astype(int)
    back = np.unique(np.concatenate([graph.exits, graph.returns])).astype(int)
    pipe = np.flatnonzero(graph.kind == PIPE)
    start = np.concatenate([graph.start[pipe], graph.end[pipe], np.full(len(supply), hot), back])
    end = np.concatenate([graph.end[pipe], graph.start[pipe], supply, np.full(len(back), cold)])
    room = np.concatenate([np.ones(2 * len(pipe)), np.full(len(start) - 2 * len(pipe), 10**6)])
    shape = (graph.junctions + 2,) * 2
    capacity = coo_array((room.astype(np.int32), (start, end)), shape=shape).tocsr()
    found = maximum_flow(capacity, hot, cold)
    if found.flow_value == 0 or found.flow_value >= 10**6:
        return graph
    left = capacity - found.flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    near = np.zeros(graph.junctions + 2, bool)
    near[breadth_first_order(left, hot, return_predecessors=False)] = True
    kind = graph.kind.copy()
    kind[pipe[near[graph.start[pipe]] != near[graph.end[pipe]]]] = EXCHANGER
    return replace(graph, kind=kind)


def span(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """Branch and junction above each junction; pipes first, so that other kinds close loops.

    Every anchor is the root of a tree of its own, also where several lie in one connected part:
    the trees grow side by side, and a branch between two of them closes a loop through the
    pressures that the anchors hold. A part without an anchor hangs below its first junction.
    """
    tree, above = np.full(graph.junctions, NONE), np.full(graph.junctions, NONE)
    touching: list[list[int]] = [[] for _ in range(graph.junctions)]
    for b, (start, end) in enumerate(zip(graph.start, graph.end, strict=True)):
        touching[start].append(b)
        touching[end].append(b)
    seen = np.zeros(graph.junctions, bool)
    for roots in (graph.anchors, *np.arange(graph.junctions)[:, None]):
        roots = roots[~seen[roots]]
        seen[roots] = True
        waiting: dict[int, deque] = {kind: deque() for kind in (PIPE, PUMP, EXCHANGER)}
        for root in roots:
            _wait(graph, touching[root], int(root), waiting)
        while queue := next((queue for queue in waiting.values() if queue), None):
            b, near = queue.popleft()
            far = graph.end[b] if graph.start[b] == near else graph.start[b]
            if not seen[far]:
                seen[far], tree[far], above[far] = True, b, near
                _wait(graph, touching[far], int(far), waiting)
    return tree, above


def _wait(graph: Graph, branches: list[int], near: int, waiting: dict[int, deque]) -> None:
    for b in branches:
        waiting[int(graph.kind[b])].append((b, near))


def _parts(graph: Graph) -> np.ndarray:
    """Number of the part of each junction when only pipes connect."""
    pipe = graph.kind == PIPE
    return parts(graph.junctions, graph.start[pipe], graph.end[pipe])


def return_side(graph: Graph, tree: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Which junctions carry water back: behind a source's pump, or where consumers return it.

    A part that holds a pressure and takes returned water, but has no source, counts too.
    """
    part = _parts(graph)
    takes_back = set(part[np.concatenate([graph.returns, graph.exits]).astype(int)])
    return np.isin(part, list(takes_back - set(part[graph.feeds])))
