"""Buses that lose every way to a slack bus when branches are switched off.

Which sets of branches part a graph is told by labels: a branch outside a spanning tree gets a
random number of 64 bits, and a branch of the tree the XOR of those whose loops it lies on. The
labels of a cut XOR to zero (that of a bridge is zero, those of a pair that parts the graph are
equal), so the graph is searched only for the few scenarios in which some do: Pritchard and
Thurimella, ACM Trans. Algorithms 7(4), 2011, arXiv:cs/0702113. A set whose labels do so
by chance costs a search and changes nothing.
"""

from typing import no_type_check
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages

TRIED = 6  # branches opened at once up to which labels are tried; beyond, the graph is searched

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
_LABELS: WeakKeyDictionary[PowerGrid, np.ndarray] = WeakKeyDictionary()
_ROWS: WeakKeyDictionary[PowerGrid, Rows] = WeakKeyDictionary()


def unsupplied(grid: PowerGrid, outages: Outages | None) -> np.ndarray | None:
    """1 where a bus has no supply `[scenario, bus]`, or None where all always have."""
    if outages is None or not outages.branch.size:
        return None
    opened = np.where(is_open(grid, outages), outages.branch, -1)
    rows = np.flatnonzero(_may_part(labels(grid), opened))
    if not len(rows):
        return None
    if grid not in _ROWS:
        _ROWS[grid] = _neighbours(grid.n_bus, grid.from_bus, grid.to_bus)
    dead = np.zeros((len(opened), grid.n_bus), np.uint8)
    _search(rows, opened, grid.slack, *_ROWS[grid], dead)
    return dead if dead.any() else None


def is_open(grid: PowerGrid, outages: Outages) -> np.ndarray:
    """Whether each change switches its branch off altogether `[scenario, change]`."""
    rest = grid.two_port[outages.branch] + outages.delta
    return np.asarray((outages.branch >= 0) & (rest == 0.0).all(axis=-1))


def labels(grid: PowerGrid) -> np.ndarray:
    """A number for each branch; those of branches that part the graph together XOR to zero."""
    if grid not in _LABELS:
        node = np.arange(grid.n_bus)
        node[grid.slack] = grid.slack[0]
        ends = node[grid.from_bus], node[grid.to_bus]
        drawn = np.random.default_rng(0).integers(1, 2**64, grid.n_branch, np.uint64)
        _LABELS[grid] = _label(grid.slack[0], drawn, *ends, *_neighbours(grid.n_bus, *ends))
    return _LABELS[grid]


def _may_part(label: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """Whether the labels of some branches that are `opened` XOR to zero `[scenario]`."""
    found = np.zeros(len(opened), bool)
    if opened.shape[1] > TRIED:
        return np.asarray((opened >= 0).any(axis=1))
    sums = [(np.zeros(len(opened), np.uint64), np.ones(len(opened), bool))]
    for column in opened.T:
        more = [(total ^ label[column], whole & (column >= 0)) for total, whole in sums]
        for total, whole in more:
            found |= whole & (total == 0)
        sums += more
    return found


def _neighbours(n: int, a: np.ndarray, b: np.ndarray) -> Rows:
    """Start of each node's row, and the other end and the branch of each of its entries."""
    near = np.concatenate([a, b])
    order = np.argsort(near, kind="stable")
    first = np.searchsorted(near[order], np.arange(n + 1))
    return first, np.concatenate([b, a])[order], np.tile(np.arange(len(a)), 2)[order]


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _label(root, drawn, a, b, first, far, branch):
    """Numbers `drawn` for the branches outside a spanning tree, and their XOR along it."""
    n = first.size - 1
    by = np.full(n, -2, np.int64)  # the branch that a node was reached by
    order = np.empty(n, np.int64)
    order[0] = root
    by[root] = -1
    at, count = 0, 1
    while at < count:
        i = order[at]
        at += 1
        for k in range(first[i], first[i + 1]):
            if by[far[k]] == -2:
                by[far[k]] = branch[k]
                order[count] = far[k]
                count += 1
    label = drawn.copy()
    total = np.zeros(n, np.uint64)
    for e in range(a.size):
        if by[a[e]] != e and by[b[e]] != e:
            total[a[e]] ^= label[e]
            total[b[e]] ^= label[e]
    for at in range(count - 1, 0, -1):
        i = order[at]
        e = by[i]
        label[e] = total[i]
        total[a[e] + b[e] - i] ^= total[i]
    return label


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _search(rows, opened, slack, first, far, branch, dead):
    """Mark what cannot be reached from `slack` in the scenarios `rows`."""
    closed = np.ones(far.size // 2, np.bool_)
    queue = np.empty(dead.shape[1], np.int64)
    for row in rows:
        closed[opened[row][opened[row] >= 0]] = False
        dead[row] = 1
        count = 0
        for i in slack:
            dead[row, i] = 0
            queue[count] = i
            count += 1
        at = 0
        while at < count:
            i = queue[at]
            at += 1
            for k in range(first[i], first[i + 1]):
                if closed[branch[k]] and dead[row, far[k]]:
                    dead[row, far[k]] = 0
                    queue[count] = far[k]
                    count += 1
        closed[opened[row][opened[row] >= 0]] = True
