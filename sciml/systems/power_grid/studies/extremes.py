"""What matters of each scenario: its extremes, where they are met, and which limits it breaks."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.power_grid.results.branch_flows import Circuits, circuits
from tvilling.sciml.systems.power_grid.results.violations import SLACK_PERCENT, SLACK_PU
from tvilling.sciml.systems.power_grid.solver.flow import Flow
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored


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
        Where: row of `Monitored.kinds`, one table after the other.
    broken_vm, broken_loading
        Which limits are broken `[scenario, Watched.buses]` and `[scenario, row of the kinds]`.
    lowest, highest, fullest
        The same by element: least and greatest voltage of `Monitored.buses`, greatest loading of
        the rows of the kinds, over all scenarios.
    """

    vm_min_pu: np.ndarray
    vm_min_bus: np.ndarray
    vm_max_pu: np.ndarray
    vm_max_bus: np.ndarray
    loading_percent: np.ndarray
    loading_branch: np.ndarray
    broken_vm: np.ndarray
    broken_loading: np.ndarray
    lowest: "Peaks"
    highest: "Peaks"
    fullest: "Peaks"

    __repr__ = short_repr


@dataclass(frozen=True)
class Peaks:
    """The furthest value of each element, and in which scenario; -1 where it has none."""

    value: np.ndarray
    scenario: np.ndarray


def extremes(flow: Flow, watched: Monitored) -> Extremes:
    """The extremes of every scenario of `flow`, and of every element."""
    count, buses = len(flow.e), len(watched.buses)
    number, row, scale = watched.branches
    limit, band = watched.loading_percent, watched.band_pu
    low, high, most = np.full((3, count), np.nan)
    low_at, high_at, most_at = np.full((3, count), -1)
    broken_vm = np.zeros((count, buses), bool)
    broken_loading = np.zeros((count, len(limit)), bool)
    lowest = Peaks(np.full(buses, np.inf), np.full(buses, -1))
    highest = Peaks(np.full(buses, -np.inf), np.full(buses, -1))
    fullest = Peaks(np.full(len(limit), -np.inf), np.full(len(limit), -1))
    dead = np.zeros((0, 0), np.uint8) if flow.dead is None else flow.dead
    states = (flow.e, flow.f, dead, flow.solved)
    _voltages(
        states,
        (watched.buses, watched.bus_row, band[0] - SLACK_PU, band[1] + SLACK_PU),
        (low, low_at, high, high_at, broken_vm),
        (lowest.value, lowest.scenario, highest.value, highest.scenario),
    )
    _loadings(
        states,
        circuits(flow, number),
        (row, scale, limit + SLACK_PERCENT),
        (most, most_at, broken_loading),
        (fullest.value, fullest.scenario),
    )
    return Extremes(
        low, low_at, high, high_at, most, most_at, broken_vm, broken_loading, lowest, highest,
        fullest,
    )  # fmt: skip


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _voltages(states, limits, found, peaks):
    """Extreme voltages of every scenario that is solved, and the bands that they leave."""
    e, f, dead, solved = states
    bus, row, least, greatest = limits
    low, low_at, high, high_at, broken = found
    lowest, lowest_at, highest, highest_at = peaks
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
            if v < lowest[k]:
                lowest[k], lowest_at[k] = v, t
            if v > highest[k]:
                highest[k], highest_at[k] = v, t
        if bottom <= top:
            low[t], high[t] = bottom, top


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _loadings(states, circuits: Circuits, limits, found, peaks):
    """Greatest loading of every scenario that is solved, and the limits that are exceeded."""
    e, f, dead, solved = states
    branch, from_bus, to_bus = circuits.branch, circuits.from_bus, circuits.to_bus
    two_port, changed, delta = circuits.two_port, circuits.changed, circuits.delta
    row, scale, limit = limits
    most, most_at, broken = found
    fullest, fullest_at = peaks
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
            square, at = max(one, other), row[k]
            if square > limit[at] * limit[at]:
                broken[t, at] = True
            if square > top:
                top, most_at[t] = square, at
            if square > fullest[at]:
                fullest[at], fullest_at[at] = square, t
        if top >= 0.0:
            most[t] = np.sqrt(top)
    for at in range(fullest.size):
        fullest[at] = np.sqrt(fullest[at]) if fullest_at[at] >= 0 else np.nan
