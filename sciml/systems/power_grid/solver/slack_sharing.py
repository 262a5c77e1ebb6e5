"""A distributed slack: one reference for each connected part of a grid, and shares of its buses.

Buses share what their part has to make up in proportion to their `slack_weight`:
P_i = P_i⁰ + w_i S, with one S for each part and the w_i of a part adding up to 1. The angle of only
one bus of a part can then be given, since powers follow from differences of angles: the first of
its slack buses keeps voltage and angle, the others their voltage alone, as in pandapower.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

KEPT = 16  # sets of opened branches whose grids are kept
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Sharing:
    """A grid as its distributed slack is solved.

    Attributes
    ----------
    grid
        With one slack bus for each part; the power of its buses has a first guess of their share.
    part
        Number of the slack bus of each bus's part, by its place in `grid.slack` `[bus]`.
    weight
        Share of each bus in what its part makes up `[bus]`; adds up to 1 in each part.
    """

    grid: PowerGrid
    part: np.ndarray
    weight: np.ndarray

    def weights(self, dead: np.ndarray | None) -> np.ndarray:
        """Shares `[scenario or 1, bus]`; buses without supply leave theirs to the others."""
        if dead is None:
            return self.weight[None]
        return _normalised(self.grid, self.part, self.weight * (dead == 0))


_SHARINGS: WeakKeyDictionary[PowerGrid, dict[tuple[int, ...], Sharing]] = WeakKeyDictionary()


def sharing(grid: PowerGrid, opened: Collection[int] = ()) -> Sharing:
    """How `grid` shares its slack, with the branches `opened` out.

    Where an outage leaves a part without any weight, its reference makes up what is missing.

    Raises
    ------
    InputError
        If a weight is negative, or a part has none before anything is out.
    """
    known, key = _SHARINGS.setdefault(grid, {}), tuple(sorted(opened))
    if key not in known:
        if len(known) > KEPT:
            known.clear()
        known[key] = _sharing(grid, np.array(key, int))
    return known[key]


def _sharing(grid: PowerGrid, opened: np.ndarray) -> Sharing:
    closed = np.setdiff1d(np.arange(grid.n_branch), opened)
    ends = grid.from_bus[closed], grid.to_bus[closed]
    size = grid.n_bus, grid.n_bus
    graph = coo_matrix((np.ones(len(closed)), ends), shape=size)
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label[grid.slack], return_index=True)
    slack = np.sort(grid.slack[first])
    number = np.full(label.max(initial=0) + 1, -1)
    number[label[slack]] = np.arange(len(slack))
    part = number[label]  # -1 where opened branches cut a bus off
    if not len(opened):
        faults = _faults(grid, part, len(slack))
        if faults:
            raise InputError(grid.source, faults)
    single = _with_references(grid, slack)
    weight = _normalised(single, part, grid.slack_weight[None])[0]
    live = part >= 0
    left = -np.bincount(part[live], grid.p_pu[live], len(slack))
    shared = grid.p_pu + np.where(live, left[part], 0.0) * weight
    return Sharing(replace(single, p_pu=shared), part, weight)


def _with_references(grid: PowerGrid, slack: np.ndarray) -> PowerGrid:
    """`grid` with the slack buses `slack`; the others hold their voltage, without limits."""
    freed = np.setdiff1d(grid.slack, slack)
    held = np.concatenate([grid.held, freed])
    endless = np.full(len(freed), np.inf)
    order = np.argsort(held, kind="stable")
    return replace(
        grid,
        slack=slack,
        slack_va_rad=grid.slack_va_rad[np.isin(grid.slack, slack)],
        held=held[order],
        q_min_pu=np.concatenate([grid.q_min_pu, -endless])[order],
        q_max_pu=np.concatenate([grid.q_max_pu, endless])[order],
    )


def _normalised(grid: PowerGrid, part: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`weight` `[scenario, bus]` as shares of each part, or all to its reference."""
    given = np.where(part >= 0, weight, 0.0)
    sums = np.zeros((len(given), len(grid.slack)))
    for number in range(len(grid.slack)):
        sums[:, number] = given[:, part == number].sum(axis=1)
    none = sums <= 0.0
    given[:, grid.slack] = np.where(none, 1.0, given[:, grid.slack])
    return np.asarray(given / np.where(none, 1.0, sums)[:, part])


def _faults(grid: PowerGrid, part: np.ndarray, parts: int) -> list[str]:
    """Weights by which nothing can be shared, by name."""
    faults, kinds = [], ("ext_grid", "gen", "xward")
    for kind in kinds:
        one = grid.elements[kind]
        faults += [
            f"{kind} {one.index[row]} ({one.name[row]}): slack_weight is "
            f"{one.slack_weight[row]:g}, expected at least 0 for a distributed slack"
            for row in np.flatnonzero((one.bus >= 0) & ~(one.slack_weight >= 0))
        ]
    if faults:
        return faults
    for number in range(parts):
        if grid.slack_weight[part == number].sum() > 0:
            continue
        names = [
            f"{kind} {index}"
            for kind in kinds[:2]
            for index, bus in zip(grid.elements[kind].index, grid.elements[kind].bus, strict=True)
            if bus >= 0 and part[bus] == number
        ]
        faults.append(
            f"the slack_weight of {', '.join(names[:SHOWN])} and all others of their part of the "
            "grid is 0: a distributed slack needs one above 0"
        )
    return faults
