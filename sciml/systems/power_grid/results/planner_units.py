"""What a power flow means in the units of a planner: voltages, currents, loadings, losses.

Names and definitions are those of pandapower's result tables. Scenarios without a solution are
NaN throughout, as are voltages where there is no supply; branches there carry nothing.
Each function takes any part of a batch as `rows`, so that a long one can be reduced as it goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.power_grid.model.grid import BranchGroup, PowerGrid
from tvilling.sciml.systems.power_grid.results.branch_flows import (
    I_FROM,
    I_TO,
    P_FROM,
    P_TO,
    Q_FROM,
    Q_TO,
    Circuits,
    circuits,
    ends,
)
from tvilling.sciml.systems.power_grid.solver.flow import Flow

ALL = slice(None)
ROOT3 = np.sqrt(3.0)
CACHED = 256  # scenarios at once: what is computed of them stays in the cache
LOSSLESS = ("xward",)  # the branch of an extended ward stands for what lies behind, not for a loss


@dataclass(frozen=True)
class BranchFlows:
    """Power and current at the ends of the branches of one table `[scenario, row]`.

    A three-winding transformer is three rows, from its high-, medium- and low-voltage side to its
    star point: the first begins at its terminal, the other two end there.

    Attributes
    ----------
    p_from_mw, q_from_mvar, p_to_mw, q_to_mvar
        Power into the branch.
    i_from_ka, i_to_ka
        Current.
    star_mw
        Active power into the iron of three-winding transformers at their star points, in the rows
        of the first side; 0 elsewhere.
    """

    p_from_mw: np.ndarray
    q_from_mvar: np.ndarray
    p_to_mw: np.ndarray
    q_to_mvar: np.ndarray
    i_from_ka: np.ndarray
    i_to_ka: np.ndarray
    star_mw: np.ndarray

    __repr__ = short_repr

    @property
    def pl_mw(self) -> np.ndarray:
        """Active power lost."""
        return self.p_from_mw + self.p_to_mw + self.star_mw


def vm_pu(flow: Flow, rows: slice = ALL) -> np.ndarray:
    """Voltage magnitude at the buses of the file `[scenario, row]` [p.u.]."""
    e, f = flow.e[rows], flow.f[rows]
    return _at_buses(flow, np.sqrt(e * e + f * f), rows)


def va_degree(flow: Flow, rows: slice = ALL) -> np.ndarray:
    """Voltage angle at the buses of the file `[scenario, row]` [degree]."""
    return _at_buses(flow, np.degrees(np.arctan2(flow.f[rows], flow.e[rows])), rows)


def branch_flows(flow: Flow, kind: str, rows: slice = ALL) -> BranchFlows:
    """Power and current of the branches of the table `kind`, such as `line` or `trafo`."""
    grid = flow.grid
    number = grid.groups[kind].branch
    chosen = circuits(flow, number, rows)
    e, f = _live_voltages(flow, rows)
    out = np.empty((6, len(e), len(number)))
    ends(e, f, chosen, out)
    star = np.zeros(out.shape[1:])
    at, bus = star_points(grid) if kind == "trafo3w" else (np.zeros(0, int), np.zeros(0, int))
    star[:, at] = (e[:, bus] ** 2 + f[:, bus] ** 2) * (grid.base_mva * grid.shunt_g[bus])
    for values in (out.swapaxes(0, 1), star):
        values[~flow.solved[rows]] = np.nan
    out[:I_FROM] *= grid.base_mva
    out[I_FROM] *= base_ka(grid, chosen.from_bus)
    out[I_TO] *= base_ka(grid, chosen.to_bus)
    p_from, q_from, p_to, q_to = out[P_FROM], out[Q_FROM], out[P_TO], out[Q_TO]
    return BranchFlows(p_from, q_from, p_to, q_to, out[I_FROM], out[I_TO], star)


def star_points(grid: PowerGrid) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three-winding transformers that are in service, and the buses of their star points.

    The first of the three branches ends there, the other two begin there.
    """
    if "trafo3w" not in grid.groups or not grid.n_branch:
        return np.zeros(0, int), np.zeros(0, int)
    number = grid.groups["trafo3w"].branch.reshape(3, -1)
    star = np.where(number >= 0, grid.from_bus[np.maximum(number, 0)], -1).max(axis=0)
    star = np.where(number[0] >= 0, grid.to_bus[np.maximum(number[0], 0)], star)
    row = np.flatnonzero(star >= 0)
    return row, star[row]


def base_ka(grid: PowerGrid, bus: np.ndarray) -> np.ndarray:
    """Current that is 1 p.u. at the buses `bus` [kA]."""
    return np.asarray(grid.base_mva / (ROOT3 * grid.vn_kv[bus]))


@dataclass(frozen=True)
class Loads:
    """How much the branches of a run of scenarios carry.

    Attributes
    ----------
    percent
        Loading by table of the file `[scenario, row]` [%]: the greater current of the ends over
        the rated one there; of the three sides of a three-winding transformer, the greatest.
    losses_mw
        Active power lost in all branches and DC lines `[scenario]`, and in the iron at star
        points.
    """

    percent: dict[str, np.ndarray]
    losses_mw: np.ndarray


def loads(flow: Flow, rows: slice = ALL, dtype: type = float) -> Loads:
    """Loadings and losses; tables without rated currents have no loading."""
    span = range(*rows.indices(len(flow.e)))
    rated = [group for group in flow.grid.groups.values() if is_rated(group)]
    percent: dict[str, np.ndarray] = {
        group.kind: np.empty((len(span), len(group.name) // sides(group)), dtype) for group in rated
    }
    losses_mw = np.empty(len(span))
    chosen, scale, lost = _loading_scales(flow, rows)
    _, star = star_points(flow.grid)
    iron = flow.grid.base_mva * flow.grid.shunt_g[star]
    powers = _by_power(flow.grid)
    for part in _blocks(len(span)):
        e, f = _live_voltages(flow, slice(span.start + part.start, span.start + part.stop))
        block = chosen
        if len(chosen.changed):
            block = chosen._replace(changed=chosen.changed[part], delta=chosen.delta[part])
        out = np.empty((6, len(e), len(chosen.branch)))
        ends(e, f, block, out)
        losses_mw[part] = (out[P_FROM] + out[P_TO]) @ lost
        if iron.any():
            losses_mw[part] += (e[:, star] ** 2 + f[:, star] ** 2) @ iron
        out[I_FROM] *= scale[0]
        out[I_TO] *= scale[1]
        for at, bus in ((I_FROM, chosen.from_bus), (I_TO, chosen.to_bus)):
            if len(powers):
                out[at][:, powers] *= np.hypot(e[:, bus[powers]], f[:, bus[powers]])
        loading = np.maximum(out[I_FROM], out[I_TO], out=out[I_FROM])
        for group in rated:
            percent[group.kind][part] = _of_group(loading, group)
    losses_mw += _dc_losses_mw(flow.grid)
    failed = ~flow.solved[rows]
    losses_mw[failed] = np.nan
    for values in percent.values():
        values[failed] = np.nan
    return Loads(percent, losses_mw)


def sides(group: BranchGroup) -> int:
    """Branches that stand for one row of the file."""
    return 3 if group.kind == "trafo3w" else 1


def is_rated(group: BranchGroup) -> bool:
    """Whether branches of `group` have a rated current."""
    ratings = np.concatenate([group.rated_ka_from, group.rated_ka_to])
    return bool(np.isfinite(ratings).any())


def _loading_scales(flow: Flow, rows: slice) -> tuple[Circuits, np.ndarray, np.ndarray]:
    """All branches; per cent of rated current in 1 p.u. at either end; MW in 1 p.u. of loss."""
    grid = flow.grid
    chosen = circuits(flow, np.arange(grid.n_branch), rows)
    scale, lost = np.zeros((2, grid.n_branch)), np.full(grid.n_branch, grid.base_mva)
    for group in grid.groups.values():
        on = group.branch >= 0
        number = group.branch[on]
        for end, bus, rated in (
            (0, grid.from_bus, group.rated_ka_from),
            (1, grid.to_bus, group.rated_ka_to),
        ):
            scale[end, number] = per_unit_percent(grid, group, bus[number], rated[on], on)
        if group.kind in LOSSLESS:
            lost[number] = 0.0
    return chosen, scale, lost


def _dc_losses_mw(grid: PowerGrid) -> float:
    """What DC lines take at one end and do not give at the other [MW]; both have supply."""
    ends = grid.elements["dcline"]
    on = np.repeat((ends.bus.reshape(-1, 2) >= 0).all(axis=1), 2)
    return -float((ends.sign * ends.p_mw)[on].sum())


def per_unit_percent(
    grid: PowerGrid, group: BranchGroup, bus: np.ndarray, rated_ka: np.ndarray, on: np.ndarray
) -> np.ndarray:
    """Loading of the rows `on` of `group` by a current, or a power, of 1 p.u. at their end [%]."""
    if group.rated_mva is None:
        return np.asarray(100.0 * base_ka(grid, bus) / rated_ka)
    return np.where(np.isfinite(rated_ka), 100.0 * grid.base_mva / group.rated_mva[on], 0.0)


def _by_power(grid: PowerGrid) -> np.ndarray:
    """Branches whose loading goes by power."""
    found = [group.branch for group in grid.groups.values() if group.rated_mva is not None]
    number = np.concatenate([np.zeros(0, int), *found])
    return number[number >= 0]


def _of_group(loading: np.ndarray, group: BranchGroup) -> np.ndarray:
    """Columns of the rows of `group`; 0 where a branch is switched off."""
    if not loading.shape[1]:  # a grid without branches
        own = np.zeros((len(loading), len(group.branch)))
    else:
        own = np.where(group.branch >= 0, loading[:, group.branch], 0.0)
    if sides(group) == 1:
        return own
    return np.asarray(own.reshape(len(own), 3, -1).max(axis=1))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, min(first + CACHED, count)) for first in range(0, count, CACHED))


def _live_voltages(flow: Flow, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Voltages that are 0 where there is no supply."""
    if flow.dead is None:
        return flow.e[rows], flow.f[rows]
    live = flow.dead[rows] == 0
    return flow.e[rows] * live, flow.f[rows] * live


def _at_buses(flow: Flow, values: np.ndarray, rows: slice) -> np.ndarray:
    """Values of the grid's buses at those of the file; NaN where nothing holds."""
    bus = flow.grid.buses.bus
    if flow.dead is not None:
        values = np.where(flow.dead[rows] == 0, values, np.nan)
    out = np.where(bus >= 0, values[:, bus], np.nan)
    out[~flow.solved[rows]] = np.nan
    return out
