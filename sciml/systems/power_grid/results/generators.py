"""What slack buses and generators give: the balance of the buses that they feed.

A machine makes up what its bus sends into the grid, less whatever else feeds the bus in that
scenario. Machines at one bus share it as pandapower's do: active power of slack buses by
`slack_share`, reactive power in proportion to their ranges.

pandapower counts a voltage-dependent load at a machine's bus with its power at 1 p.u., and so
gives the machine as much too much or too little; here the balance closes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from tvilling.sciml.systems.power_grid.model.grid import Elements, PowerGrid
from tvilling.sciml.systems.power_grid.results.branch_flows import (
    P_FROM,
    P_TO,
    Q_FROM,
    Q_TO,
    circuits,
    ends,
)
from tvilling.sciml.systems.power_grid.results.planner_units import ALL
from tvilling.sciml.systems.power_grid.solver.flow import Flow
from tvilling.sciml.systems.power_grid.solver.scenarios import POWERS

KINDS = ("ext_grid", "gen", "dcline")
SHARING = (*KINDS, "xward")  # where the slack is distributed


@dataclass(frozen=True)
class Machines:
    """Power that the machines of one table give `[scenario, row]`; 0 where out of service."""

    p_mw: np.ndarray
    q_mvar: np.ndarray


def machines(
    flow: Flow, varying: Mapping[str, np.ndarray] | None = None, rows: slice = ALL
) -> dict[str, Machines]:
    """Power of external grids (`ext_grid`), generators (`gen`) and ends of DC lines (`dcline`).

    Where the slack was distributed, also what extended wards (`xward`) give of it.

    Parameters
    ----------
    varying
        What `solve` was given; one scenario stands for all.
    rows
        Scenarios of the batch to look at, of `varying` as well.
    """
    grid, varying = flow.grid, varying or {}
    shares = flow.options is not None and bool(flow.options.distributed_slack)
    kinds = SHARING if shares else KINDS
    elements = [grid.elements[kind] for kind in kinds]
    bus = np.concatenate([one.bus for one in elements])
    at, where = np.unique(bus[bus >= 0], return_inverse=True)
    place = np.full(len(bus), -1)
    place[bus >= 0] = where
    p, q = _sent(flow, at, rows)
    other_p, other_q = _other(flow, at, varying, rows)
    p, q = p - other_p, q - other_q
    set_p = np.concatenate([_set_p(grid, kind, varying, rows, len(p)) for kind in kinds], axis=1)
    share = _shares(elements, place, len(at)) if shares else _own_shares(elements)
    low = np.concatenate([one.q_min_mvar for one in elements])
    high = np.concatenate([one.q_max_mvar for one in elements])
    left = p - set_p @ _placed(place, len(at))
    active = np.where(place >= 0, set_p + share * left[:, place], 0.0)
    holds = np.concatenate([np.full(len(one.bus), one.kind != "xward") for one in elements])
    reactive = _shared(q, np.where(holds, place, -1), low, high)
    if flow.options is not None and flow.options.q_limits:
        reactive = _within_limits(reactive, np.where(holds, place, -1), elements)
    if flow.dead is not None:
        off = (flow.dead[rows][:, bus] > 0) & (bus >= 0)
        active[off], reactive[off] = 0.0, 0.0
    nothing = ~flow.solved[rows]
    active[nothing], reactive[nothing] = np.nan, np.nan
    first = np.cumsum([0, *(len(one.bus) for one in elements)])
    return {
        kind: Machines(active[:, a:b], reactive[:, a:b])
        for kind, a, b in zip(kinds, first[:-1], first[1:], strict=True)
    }


def _own_shares(elements: Sequence[Elements]) -> np.ndarray:
    return np.concatenate([one.slack_share for one in elements])


def _shares(elements: Sequence[Elements], place: np.ndarray, count: int) -> np.ndarray:
    """Shares in what each bus makes up of a distributed slack: by weight where it has some."""
    weight = np.concatenate([np.where(one.bus >= 0, one.slack_weight, 0.0) for one in elements])
    sums = (_placed(place, count).T @ weight)[place]
    own = _own_shares(elements)
    return np.where((place >= 0) & (sums > 0), weight / np.where(sums > 0, sums, 1.0), own)


def _placed(place: np.ndarray, count: int) -> csr_matrix:
    """Adds up elements `[element]` at their places `[place]`; -1 has none."""
    on = np.flatnonzero(place >= 0)
    return csr_matrix((np.ones(len(on)), (on, place[on])), shape=(len(place), count))


def _shared(q: np.ndarray, place: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Reactive power of the buses to their machines, in proportion to ranges, else equally."""
    sums = _placed(place, q.shape[1]).T
    least, range_ = sums @ low, sums @ (high - low)
    wide = range_ > 0
    count = np.maximum(sums @ np.ones(len(place)), 1.0)
    scale = np.where(wide, (q - least) / np.where(wide, range_, 1.0), 0.0)
    by_range = low + (high - low) * scale[:, place]
    return np.where(place >= 0, np.where(wide[place], by_range, (q / count)[:, place]), 0.0)


def _within_limits(
    reactive: np.ndarray, place: np.ndarray, elements: Sequence[Elements]
) -> np.ndarray:
    """Generators beside slack machines kept within their limits; what is over goes to the slack.

    Where no slack machine is at the bus, limits were kept in the solution itself.
    """
    slack = _own_shares(elements) > 0
    there = np.isin(place, place[slack & (place >= 0)]) & (place >= 0)
    bound = there & ~slack
    if not bound.any():
        return reactive
    low = np.concatenate([one.q_min_mvar for one in elements])
    high = np.concatenate([one.q_max_mvar for one in elements])
    kept = np.where(bound, np.clip(reactive, low, high), reactive)
    buses = int(place.max()) + 1
    over = (reactive - kept) @ _placed(place, buses)
    count = _placed(np.where(slack, place, -1), buses).sum(axis=0)
    spread = over / np.maximum(np.asarray(count).ravel(), 1.0)
    return kept + np.where(slack & there, spread[:, place], 0.0)


def _sent(flow: Flow, at: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Power that goes from the buses `at` into branches and shunts `[scenario, at]` [MW, Mvar]."""
    grid = flow.grid
    place = np.full(grid.n_bus, -1)
    place[at] = np.arange(len(at))
    near = np.flatnonzero((place[grid.from_bus] >= 0) | (place[grid.to_bus] >= 0))
    e, f = flow.e[rows], flow.f[rows]
    out = np.empty((6, len(e), len(near)))
    ends(e, f, circuits(flow, near, rows), out)
    forth, back = (_placed(place[bus[near]], len(at)) for bus in (grid.from_bus, grid.to_bus))
    square = e[:, at] ** 2 + f[:, at] ** 2
    p = out[P_FROM] @ forth + out[P_TO] @ back + square * grid.shunt_g[at]
    q = out[Q_FROM] @ forth + out[Q_TO] @ back - square * grid.shunt_b[at]
    return grid.base_mva * p, grid.base_mva * q


def _other(
    flow: Flow, at: np.ndarray, varying: Mapping[str, np.ndarray], rows: slice
) -> tuple[np.ndarray, np.ndarray]:
    """What else feeds the buses `at`: loads, static generators, storage [MW, Mvar]."""
    grid = flow.grid
    place = np.full(grid.n_bus + 1, -1)
    place[at] = np.arange(len(at))
    given_p = np.zeros(len(at))
    for one in (grid.elements["gen"], grid.elements["dcline"]):
        given_p += _placed(place[one.bus], len(at)).T @ (one.sign * one.p_mw)
    power = [grid.base_mva * grid.p_pu[at] - given_p, grid.base_mva * grid.q_pu[at]]
    varied: list[np.ndarray | float] = [0.0, 0.0]
    for name, values in varying.items():
        if name not in POWERS or name == "gen_p_mw":
            continue
        kind, reactive = POWERS[name]
        one = grid.elements[kind]
        part = values if len(values) == 1 else values[rows]
        near = np.flatnonzero(place[one.bus] >= 0)
        nominal = (one.q_mvar if reactive else one.p_mw)[near]
        change = (part[:, near] - nominal) * one.sign[near]
        varied[reactive] = varied[reactive] + change @ _placed(place[one.bus[near]], len(at))
    size = np.hypot(flow.e[rows][:, at], flow.f[rows][:, at])
    more = _more(grid, at, size, varied)
    return power[0] + varied[0] + more[0], power[1] + varied[1] + more[1]


def _more(
    grid: PowerGrid, at: np.ndarray, size: np.ndarray, varied: list[np.ndarray | float]
) -> list[np.ndarray]:
    """What voltage-dependent loads at `at` take beyond their power at 1 p.u., as an injection."""
    more = []
    for part, base in enumerate((grid.depends_p_pu, grid.depends_q_pu)):
        power, share = np.zeros(grid.n_bus), np.zeros((2, grid.n_bus))
        power[grid.depends] = grid.base_mva * base
        share[:, grid.depends] = grid.depends_share[:, 2 * part : 2 * part + 2].T
        constant_i, constant_z = share[:, at]
        factor = constant_i * (size - 1.0) + constant_z * (size**2 - 1.0)
        more.append((power[at] + varied[part]) * factor)
    return more


def _set_p(
    grid: PowerGrid, kind: str, varying: Mapping[str, np.ndarray], rows: slice, count: int
) -> np.ndarray:
    """Active power that the machines are set to `[scenario, row]` [MW]."""
    one = grid.elements[kind]
    free = kind in ("ext_grid", "xward")  # what a ward draws is among the loads
    values = np.zeros((1, len(one.bus))) if free else one.p_mw[None]
    if kind == "gen":
        values = varying.get("gen_p_mw", values)
    part = values if len(values) == 1 else values[rows]
    return np.broadcast_to(np.where(one.bus >= 0, part * one.sign, 0.0), (count, len(one.bus)))
