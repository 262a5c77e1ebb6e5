"""The fixed graph of a heat network, laid out for fast sums over its spanning trees.

Every junction hangs in a tree below a root at which the pressure is held. Junctions are numbered
so that those on the supply side come first; branch `v` is the tree branch above junction `v`, and
the branches that close loops (chords) follow. Each branch has a reference direction: away from
the root on the supply side, towards it on the return side, which is how water usually flows.
"""

from dataclasses import dataclass

import numpy as np

from tvilling.sciml.core.static import HashedArrays
from tvilling.sciml.systems.heat_network.topology.graph import NONE, PUMP, Graph, return_side, span


@dataclass(frozen=True, eq=False)
class Topology(HashedArrays):
    """Index arrays of one network; hashable by content, so that equal networks compile once.

    Attributes
    ----------
    junction
        Given number of each laid-out junction.
    supply
        How many junctions the supply side has; they are 0 … supply - 1.
    branch
        Given number of each laid-out branch, or `NONE` above a root.
    sign
        +1 where the reference direction is the given one, else -1.
    upstream, downstream
        Junctions of each branch in its reference direction; the same at a root.
    parent
        Junction above each junction; a root is its own parent.
    order, last
        Junctions in pre-order, and for each junction the place after its subtree.
    link
        Branches that lead from the supply to the return side: exchangers, bypass pipes.
    pump
        Branches that are the pump of a source.
    cut_off
        Junctions with no path to a held pressure.
    extra_supply, extra_return
        At most so many junctions more inflows than one (supply) or outflows (return) can occur;
        zero means that the flow can never turn round on that side.
    """

    junction: np.ndarray
    supply: int
    branch: np.ndarray
    sign: np.ndarray
    upstream: np.ndarray
    downstream: np.ndarray
    parent: np.ndarray
    order: np.ndarray
    last: np.ndarray
    link: np.ndarray
    pump: np.ndarray
    cut_off: np.ndarray
    extra_supply: int
    extra_return: int

    @property
    def junctions(self) -> int:
        """Number of junctions."""
        return len(self.junction)

    @property
    def chords(self) -> int:
        """Number of branches beyond the trees: one for each independent loop."""
        return len(self.branch) - len(self.junction)

    @property
    def tree_sign(self) -> np.ndarray:
        """+1 where a tree branch's reference direction leads away from the root."""
        below = np.arange(self.junctions)
        return np.where(self.downstream[: self.junctions] == below, 1.0, -1.0)

    def branch_number(self, count: int) -> np.ndarray:
        """Laid-out place of each of the `count` given branches."""
        place = np.full(count, NONE)
        real = self.branch != NONE
        place[self.branch[real]] = np.flatnonzero(real)
        return place


def lay_out(graph: Graph) -> Topology:
    """Span the network by trees and number it."""
    tree, above = span(graph)
    on_return = return_side(graph, tree, above)
    preorder = _preorder(tree, above, on_return)
    junction = np.concatenate([preorder[~on_return[preorder]], preorder[on_return[preorder]]])
    number = _inverse(junction)
    chords = np.setdiff1d(np.arange(len(graph.kind)), tree)
    branch = np.concatenate([tree[junction], chords])
    upstream, downstream, sign = _directions(graph, branch, junction, above, on_return)
    supply = int((~on_return).sum())
    is_pump = np.array([b != NONE and graph.kind[b] == PUMP for b in branch], bool)
    up, down = number[upstream], number[downstream]
    place = _inverse(preorder)
    chord_at = np.arange(graph.junctions, len(branch))
    return Topology(
        junction=junction,
        supply=supply,
        branch=branch,
        sign=sign,
        upstream=up,
        downstream=down,
        parent=number[np.where(tree[junction] == NONE, junction, above[junction])],
        order=number[preorder],
        last=(place + _subtree_sizes(preorder, tree, above))[junction],
        link=np.flatnonzero((up < supply) & (down >= supply) & ~is_pump),
        pump=np.flatnonzero(is_pump),
        cut_off=np.sort(number[~_held(graph, tree, above, preorder)]),
        extra_supply=_extra(np.maximum(up, down)[chord_at] < supply, graph.feeds),
        extra_return=_extra(
            np.minimum(up, down)[chord_at] >= supply,
            np.concatenate([graph.exits, graph.outlets[on_return[graph.outlets]]]),
        )
        + int(any(graph.kind[b] != PUMP for b in branch[supply : graph.junctions]
                  if b != NONE and on_return[graph.start[b]] != on_return[graph.end[b]])),
    )  # fmt: skip


def _extra(inside: np.ndarray, ends: np.ndarray) -> int:
    return int(inside.sum()) + max(len(ends) - 1, 0)


def _inverse(order: np.ndarray) -> np.ndarray:
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    return place


def _preorder(tree: np.ndarray, above: np.ndarray, on_return: np.ndarray) -> np.ndarray:
    """Junctions, each before those below it."""
    children: list[list[int]] = [[] for _ in tree]
    for below in np.flatnonzero(tree != NONE):
        children[above[below]].append(int(below))
    order, stack = [], [int(v) for v in np.flatnonzero(tree == NONE)[::-1]]
    while stack:
        v = stack.pop()
        order.append(v)
        stack.extend(sorted(children[v], key=lambda w: not on_return[w]))
    return np.array(order, int)


def _directions(
    graph: Graph,
    branch: np.ndarray,
    junction: np.ndarray,
    above: np.ndarray,
    on_return: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Given junctions up- and downstream of each laid-out branch, and its sign."""
    up, down, sign = (np.empty(len(branch), int) for _ in range(3))
    for at, b in enumerate(branch):
        if b == NONE:
            up[at] = down[at] = junction[at]
            sign[at] = 1
            continue
        start, end = graph.start[b], graph.end[b]
        if on_return[start] != on_return[end]:
            up[at] = end if on_return[start] else start
        elif at < len(junction):
            up[at] = junction[at] if on_return[end] else above[junction[at]]
        else:
            up[at] = start
        down[at] = start + end - up[at]
        sign[at] = 1 if up[at] == start else -1
    return up, down, sign


def _subtree_sizes(preorder: np.ndarray, tree: np.ndarray, above: np.ndarray) -> np.ndarray:
    size = np.ones(len(preorder), int)
    for v in preorder[::-1]:
        if tree[v] != NONE:
            size[above[v]] += size[v]
    return size


def _held(graph: Graph, tree: np.ndarray, above: np.ndarray, preorder: np.ndarray) -> np.ndarray:
    """Whether each junction hangs below a held pressure."""
    held = np.zeros(graph.junctions, bool)
    held[graph.anchors] = True
    for v in preorder:
        if tree[v] != NONE:
            held[v] = held[above[v]]
    return held
