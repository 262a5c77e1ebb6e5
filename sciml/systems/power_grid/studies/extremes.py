"""What matters of each scenario: its extremes, where they are met, and which limits it breaks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.ends import Circuits, circuits
from tvilling.sciml.systems.power_grid.flow import Flow
from tvilling.sciml.systems.power_grid.grid import PowerGrid
from tvilling.sciml.systems.power_grid.labels import unique
from tvilling.sciml.systems.power_grid.results import base_ka, sides
from tvilling.sciml.systems.power_grid.violations import SLACK_PERCENT, SLACK_PU, Limits


@dataclass(frozen=True, eq=False)
class Watched:
    """The buses and branches of a grid that have limits.

    Buses are those of the grid that at least one bus of the file is part of, with the narrowest of
    their bands; star points and open ends of lines are none.

    Attributes
    ----------
    grid, limits
        The grid and its limits.
    """

    grid: PowerGrid
    limits: Limits

    @cached_property
    def buses(self) -> np.ndarray:
        """Numbers of the buses in the grid, ascending."""
        bus = self.grid.buses.bus
        return np.unique(bus[bus >= 0])

    @cached_property
    def bus_row(self) -> np.ndarray:
        """For each of `buses`, the first row of the file that is part of it."""
        bus = self.grid.buses.bus
        first = np.full(self.grid.n_bus, -1)
        first[bus[::-1]] = np.arange(len(bus))[::-1]
        return np.asarray(first[self.buses])

    @cached_property
    def joined(self) -> np.ndarray:
        """How many buses of the file are part of each bus of the grid `[bus]`."""
        bus = self.grid.buses.bus
        return np.bincount(bus[bus >= 0], minlength=self.grid.n_bus)

    @cached_property
    def band_pu(self) -> np.ndarray:
        """Least and greatest voltage of each of `buses` `[2, bus]` [p.u.]."""
        bus = self.grid.buses.bus
        on = bus >= 0
        low, high = np.full(self.grid.n_bus, -np.inf), np.full(self.grid.n_bus, np.inf)
        np.maximum.at(low, bus[on], self.limits.vm_min_pu[on])
        np.minimum.at(high, bus[on], self.limits.vm_max_pu[on])
        return np.stack([low[self.buses], high[self.buses]])

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Tables of the file whose branches have a rated current."""
        return tuple(
            kind
            for kind in self.limits.loading_percent
            if np.isfinite(self.grid.groups[kind].rated_ka_from).any()
            or np.isfinite(self.grid.groups[kind].rated_ka_to).any()
        )

    @cached_property
    def loading_percent(self) -> np.ndarray:
        """Greatest loading of the rows of all `kinds`, one table after the other [%]."""
        return np.concatenate([[], *(self.limits.loading_percent[kind] for kind in self.kinds)])

    @cached_property
    def branches(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Branches with a rated current, the row that each is part of, and its loading by 1 p.u.

        The loading is that by the current at either end `[2, branch]` [%].
        """
        grid, first = self.grid, 0
        numbers, rows, scales = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros((2, 0))]
        for kind in self.kinds:
            group = grid.groups[kind]
            count = len(group.name) // sides(group)
            on = group.branch >= 0
            number = group.branch[on]
            rated = group.rated_ka_from[on], group.rated_ka_to[on]
            ends = grid.from_bus[number], grid.to_bus[number]
            scales.append(
                np.stack(
                    [
                        100 * base_ka(grid, ends[0]) / rated[0],
                        100 * base_ka(grid, ends[1]) / rated[1],
                    ]
                )
            )
            numbers.append(number)
            rows.append(first + np.tile(np.arange(count), sides(group))[on])
            first += count
        return np.concatenate(numbers), np.concatenate(rows), np.concatenate(scales, axis=1)

    def coordinates(self) -> dict[str, Any]:
        """Names of the buses of the file and of the branches, for a dataset."""
        buses = self.grid.buses
        kind: list[str] = []
        name: list[str] = []
        index: list[int] = []
        for each in self.kinds:
            group = self.grid.groups[each]
            rows = len(group.name) // sides(group)
            kind.extend([each] * rows)
            name.extend(unique(group.name[:rows], group.index[:rows]))
            index.extend(group.index[:rows].tolist())
        return {
            "bus": unique(buses.name, buses.index),
            "bus_index": ("bus", buses.index),
            "branch_kind": ("branch", np.array(kind, str)),
            "branch_name": ("branch", np.array(name, str)),
            "branch_index": ("branch", np.array(index, np.int64)),
        }


@dataclass(frozen=True)
class Extremes:
    """Extremes by scenario; NaN and -1 where there is no solution.

    Attributes
    ----------
    vm_min_pu, vm_max_pu, loading_percent
        Least and greatest voltage, greatest loading.
    vm_min_bus, vm_max_bus
        Where: row of the file's buses.
    loading_branch
        Where: row of `Watched.kinds`, one table after the other.
    broken_vm, broken_loading
        Which limits are broken `[scenario, Watched.buses]` and `[scenario, row of the kinds]`.
    """

    vm_min_pu: np.ndarray
    vm_min_bus: np.ndarray
    vm_max_pu: np.ndarray
    vm_max_bus: np.ndarray
    loading_percent: np.ndarray
    loading_branch: np.ndarray
    broken_vm: np.ndarray
    broken_loading: np.ndarray


def extremes(flow: Flow, watched: Watched) -> Extremes:
    """The extremes of every scenario of `flow`."""
    count = len(flow.e)
    number, row, scale = watched.branches
    limit = watched.loading_percent
    low, high, most = np.full((3, count), np.nan)
    low_at, high_at, most_at = np.full((3, count), -1)
    broken_vm = np.zeros((count, len(watched.buses)), bool)
    broken_loading = np.zeros((count, len(limit)), bool)
    dead = np.zeros((0, 0), np.uint8) if flow.dead is None else flow.dead
    _voltages(
        (flow.e, flow.f, dead, flow.solved),
        (
            watched.buses,
            watched.bus_row,
            watched.band_pu[0] - SLACK_PU,
            watched.band_pu[1] + SLACK_PU,
        ),
        (low, low_at, high, high_at, broken_vm),
    )
    _loadings(
        (flow.e, flow.f, dead, flow.solved),
        circuits(flow, number),
        (row, scale, limit + SLACK_PERCENT),
        (most, most_at, broken_loading),
    )
    return Extremes(low, low_at, high, high_at, most, most_at, broken_vm, broken_loading)


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _voltages(states, limits, found):
    """Extreme voltages of every scenario that is solved, and the bands that they leave."""
    e, f, dead, solved = states
    bus, row, least, greatest = limits
    low, low_at, high, high_at, broken = found
    for t in range(e.shape[0]):
        if not solved[t]:
            continue
        bottom, top = np.inf, -np.inf
        for k in range(bus.size):
            i = bus[k]
            if dead.shape[0] > 0 and dead[t, i]:
                continue
            v = np.sqrt(e[t, i] * e[t, i] + f[t, i] * f[t, i])
            broken[t, k] = v < least[k] or v > greatest[k]
            if v < bottom:
                bottom, low_at[t] = v, row[k]
            if v > top:
                top, high_at[t] = v, row[k]
        if bottom <= top:
            low[t], high[t] = bottom, top


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _loadings(states, circuits: Circuits, limits, found):
    """Greatest loading of every scenario that is solved, and the limits that are exceeded."""
    e, f, dead, solved = states
    branch, from_bus, to_bus, two_port = (
        circuits.branch,
        circuits.from_bus,
        circuits.to_bus,
        circuits.two_port,
    )
    changed, delta = circuits.changed, circuits.delta
    row, scale, limit = limits
    most, most_at, broken = found
    y = np.empty(8)
    live_e, live_f = np.empty(e.shape[1]), np.empty(e.shape[1])
    for t in range(e.shape[0]):
        if not solved[t]:
            continue
        for i in range(e.shape[1]):
            alive = dead.shape[0] == 0 or dead[t, i] == 0
            live_e[i], live_f[i] = (e[t, i], f[t, i]) if alive else (0.0, 0.0)
        top = -1.0
        for k in range(branch.size):
            for part in range(8):
                y[part] = two_port[k, part]
            for c in range(changed.shape[1]):
                if changed[t, c] == branch[k]:
                    for part in range(8):
                        y[part] += delta[t, c, part]
            e_f, f_f = live_e[from_bus[k]], live_f[from_bus[k]]
            e_t, f_t = live_e[to_bus[k]], live_f[to_bus[k]]
            re_f = y[0] * e_f - y[1] * f_f + y[2] * e_t - y[3] * f_t
            im_f = y[1] * e_f + y[0] * f_f + y[3] * e_t + y[2] * f_t
            re_t = y[4] * e_f - y[5] * f_f + y[6] * e_t - y[7] * f_t
            im_t = y[5] * e_f + y[4] * f_f + y[7] * e_t + y[6] * f_t
            one = scale[0, k] * scale[0, k] * (re_f * re_f + im_f * im_f)
            other = scale[1, k] * scale[1, k] * (re_t * re_t + im_t * im_t)
            square = max(one, other)
            at = row[k]
            if square > limit[at] * limit[at]:
                broken[t, at] = True
            if square > top:
                top, most_at[t] = square, at
        if top >= 0.0:
            most[t] = np.sqrt(top)
