"""The order in which buses are eliminated, and where every number then goes.

The Jacobian of a power flow has the pattern of the admittance matrix, with a 2 × 2 block for each
entry. The order of elimination and the fill it causes depend on the pattern alone, so they
are found once for a grid, and every scenario, contingency and iteration follows the same plan.
Radial grids get an order without fill.

Order: minimum degree, Tinney and Walker, Proc. IEEE 55(11), 1967, doi:10.1109/PROC.1967.6011
(their scheme 2).
"""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Plan(NamedTuple):
    """Where each entry of a row-by-row factorisation is read and written.

    Buses stand at *positions*: `m` unknown ones in the order of elimination, then the slack
    buses up to `n`. Row i of the factors has the *slots* 0 … : its columns left of the diagonal,
    the diagonal, its columns right of it.

    Attributes
    ----------
    lower_ptr, lower_col
        Columns left of the diagonal, by row, ascending.
    upper_ptr, upper_col
        Columns right of the diagonal, by row, ascending.
    target
        For each row, each lower column k of it and each upper column of row k: the slot that the
        product lands in, in the order in which the elimination meets them.
    entry_ptr, entry_col, entry_slot
        Off-diagonal entries of the admittance matrix, by row; the slot is -1 where the column is
        a slack bus.
    new_ptr, new_slot
        Slots of each row that only the elimination fills.
    widest
        Slots of the widest row.
    """

    lower_ptr: np.ndarray
    lower_col: np.ndarray
    upper_ptr: np.ndarray
    upper_col: np.ndarray
    target: np.ndarray
    entry_ptr: np.ndarray
    entry_col: np.ndarray
    entry_slot: np.ndarray
    new_ptr: np.ndarray
    new_slot: np.ndarray
    widest: int
    m: int
    n: int


def plan(
    n_bus: int, from_bus: np.ndarray, to_bus: np.ndarray, slack: np.ndarray
) -> tuple[Plan, np.ndarray]:
    """The plan for a grid, and the bus that stands at each position.

    Parameters
    ----------
    from_bus, to_bus
        Ends of the branches; parallel ones count once.
    slack
        Buses whose voltage is given.
    """
    is_slack = np.zeros(n_bus, bool)
    is_slack[slack] = True
    near: list[set[int]] = [set() for _ in range(n_bus)]
    for a, b in zip(from_bus.tolist(), to_bus.tolist(), strict=True):
        if a != b:
            near[a].add(b)
            near[b].add(a)
    unknown = np.flatnonzero(~is_slack)
    order, later = _minimum_degree(unknown.tolist(), near, is_slack)
    bus_at = np.concatenate([np.array(order, int), np.flatnonzero(is_slack)])
    place = np.empty(n_bus, int)
    place[bus_at] = np.arange(n_bus)
    m = len(order)
    upper = [sorted(place[list(found)].tolist()) for found in later]
    neighbours = [sorted(place[list(near[bus])].tolist()) for bus in order]
    return _layout(upper, neighbours, m, n_bus), bus_at


def _minimum_degree(
    buses: list[int], near: list[set[int]], is_slack: np.ndarray
) -> tuple[list[int], list[set[int]]]:
    """Buses in the order of elimination, and the neighbours each then still has."""
    graph = {bus: {other for other in near[bus] if not is_slack[other]} for bus in buses}
    queue = [(len(found), bus) for bus, found in graph.items()]
    heapq.heapify(queue)
    order, later = [], []
    while queue:
        degree, bus = heapq.heappop(queue)
        if bus not in graph or degree != len(graph[bus]):
            continue  # an entry from before its degree changed
        found = graph.pop(bus)
        order.append(bus)
        later.append(found)
        for other in found:
            graph[other] |= found
            graph[other] -= {other, bus}
        for other in found:
            heapq.heappush(queue, (len(graph[other]), other))
    return order, later


def _layout(upper: list[list[int]], neighbours: list[list[int]], m: int, n: int) -> Plan:
    lower: list[list[int]] = [[] for _ in range(m)]
    for row, columns in enumerate(upper):
        for column in columns:
            lower[column].append(row)
    target: list[int] = []
    entry_slot: list[int] = []
    new: list[list[int]] = []
    widest = 1
    for row in range(m):
        columns = [*lower[row], row, *upper[row]]
        widest = max(widest, len(columns))
        slot = {column: at for at, column in enumerate(columns)}
        for left in lower[row]:
            target += [slot[column] for column in upper[left]]
        entry_slot += [slot.get(column, -1) for column in neighbours[row]]
        known = {row, *neighbours[row]}
        new.append([at for column, at in slot.items() if column not in known])
    return Plan(
        *_ragged(lower),
        *_ragged(upper),
        np.array(target, np.int64),
        *_ragged(neighbours),
        np.array(entry_slot, np.int64),
        *_ragged(new),
        widest,
        m,
        n,
    )


def _ragged(rows: Iterable[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Starts of the rows, and all rows after each other."""
    kept = list(rows)
    lengths = [len(row) for row in kept]
    flat = [value for row in kept for value in row]
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.array(flat, np.int64)
