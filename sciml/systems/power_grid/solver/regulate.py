"""What machines do beside holding a voltage: stay within reactive limits, share the balance.

*Limits*: a machine whose reactive power would leave its range gives the limit instead and no longer
holds its voltage; repeated until no further one leaves, as pandapower does (`enforce_q_lims`).
Slack machines are not limited.

*Distributed slack*: what the slack bus of each connected part would have to make up is shared over
its buses in proportion to the file's `slack_weight` (`sharing`): P_i = P_i⁰ + w_i S, with S such
that the slack bus too gives no more than its share. Where a round moved S by r, the next moves it
by about r times the grid's marginal losses, so a few rounds settle it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid, bus_admittance
from tvilling.sciml.systems.power_grid.solver.newton_batch import Problem, as_lanes, as_rows
from tvilling.sciml.systems.power_grid.solver.scenarios import POWERS, Outages
from tvilling.sciml.systems.power_grid.solver.slack_sharing import Sharing

PASSED_PU = 1e-9  # by which a limit may be passed before it counts [p.u.]


def net_power(grid: PowerGrid, problem: Problem, buses: np.ndarray) -> np.ndarray:
    """Complex power that enters the grid at `buses` at the voltages of `problem` [p.u.]."""
    v = problem.e + 1j * problem.f
    current = (bus_admittance(grid)[buses] @ v.T).T
    if problem.outages is not None:
        current += _changed(grid, problem.outages, v)[:, buses]
    return np.asarray(v[:, buses] * current.conj())


def _changed(grid: PowerGrid, outages: Outages, v: np.ndarray) -> np.ndarray:
    """Current into each bus that the changed branches add `[scenario, bus]` [p.u.]."""
    more = np.zeros_like(v)
    rows = np.arange(len(v))
    for change in range(outages.branch.shape[1]):
        branch = outages.branch[:, change]
        on = branch >= 0
        y = np.ascontiguousarray(outages.delta[on, change]).view(complex).T
        at, a, b = rows[on], grid.from_bus[branch[on]], grid.to_bus[branch[on]]
        np.add.at(more, (at, a), y[0] * v[at, a] + y[1] * v[at, b])
        np.add.at(more, (at, b), y[2] * v[at, a] + y[3] * v[at, b])
    return more


def entering(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    span: tuple[int, int],
    buses: np.ndarray,
    reactive: bool,
) -> np.ndarray:
    """Power that the file and scenarios `span[0]` to `span[1]` put in at `buses` [p.u.]."""
    power = grid.q_pu if reactive else grid.p_pu
    found = np.repeat(power[buses][None], span[1] - span[0], axis=0)
    column = np.full(grid.n_bus + 1, -1)
    column[buses] = np.arange(len(buses))
    for name, values in varying.items():
        if name in POWERS and POWERS[name][1] == reactive:
            elements = grid.elements[POWERS[name][0]]
            on = np.flatnonzero(column[elements.bus] >= 0)
            base = elements.q_mvar if reactive else elements.p_mw
            more = (values[span[0] : span[1], on] - base[on]) * elements.sign[on] / grid.base_mva
            np.add.at(found.T, column[elements.bus[on]], more.T)
    return found


def held_voltages(grid: PowerGrid, problem: Problem) -> np.ndarray:
    """Voltages to hold before any machine is at its limit `[scenario, machine]` [p.u.]."""
    rows = 2 * grid.place[grid.held] + 1
    return np.sqrt(as_rows(problem.asked.s)[: len(problem.e), rows])


def extra(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    span: tuple[int, int],
    vm: tuple[np.ndarray, np.ndarray],
    reactive: bool,
) -> np.ndarray:
    """What loads that depend on voltage put in at some buses beyond their power at 1 p.u. [p.u.].

    Parameters
    ----------
    vm
        The buses, and their voltages `[scenario, bus]` [p.u.].
    """
    buses, size = vm
    if not np.isin(grid.depends, buses).any():
        return np.zeros((span[1] - span[0], len(buses)))
    power, share = np.zeros(grid.n_bus), np.zeros((grid.n_bus, 2))
    power[grid.depends] = grid.depends_q_pu if reactive else grid.depends_p_pu
    share[grid.depends] = grid.depends_share[:, 2:] if reactive else grid.depends_share[:, :2]
    loads = {name: values for name, values in varying.items() if name != "gen_p_mw"}
    own = grid.q_pu if reactive else grid.p_pu
    base = power + entering(grid, loads, span, np.arange(grid.n_bus), reactive) - own
    constant_i, constant_z = share[buses].T
    return np.asarray(base[:, buses] * (constant_i * (size - 1) + constant_z * (size**2 - 1)))


def limited(
    grid: PowerGrid, problem: Problem, done: np.ndarray, q_load: np.ndarray, q_more: np.ndarray
) -> tuple[Problem, np.ndarray]:
    """The block with machines that left their range at its limit, and the scenarios concerned.

    Parameters
    ----------
    done
        Scenarios whose voltages hold; others are left as they are.
    q_load
        Reactive power that enters beside the machines, were all voltages 1 p.u.
        `[scenario, machine]` [p.u.].
    q_more
        What loads that depend on voltage add to it at the voltages that are held.
    """
    count, groups = len(problem.e), len(problem.asked.s)
    rows = 2 * grid.place[grid.held] + 1
    held = as_rows(np.repeat(problem.held, groups // len(problem.held), axis=0))[:count].copy()
    q = net_power(grid, problem, grid.held).imag - q_load - q_more
    free = (held[:, : len(grid.held)] > 0) & done[:, None]
    above, below = free & (q > grid.q_max_pu + PASSED_PU), free & (q < grid.q_min_pu - PASSED_PU)
    moved = above | below
    s = as_rows(problem.asked.s)[:count].copy()
    limit = np.where(above, grid.q_max_pu, grid.q_min_pu) + q_load
    s[:, rows] = np.where(moved, limit, s[:, rows])
    held[:, : len(grid.held)][moved] = 0.0
    asked = replace(problem.asked, s=as_lanes(s))
    return replace(problem, asked=asked, held=as_lanes(held)), np.flatnonzero(moved.any(axis=1))


@dataclass
class Spread:
    """How the scenarios of a block share what their parts make up.

    Attributes
    ----------
    sharing
        The grid and its parts.
    weight
        Shares of the buses `[scenario or 1, bus]`.
    p_slack
        What the slack buses are to give by now `[scenario, slack]` [p.u.].
    """

    sharing: Sharing
    weight: np.ndarray
    p_slack: np.ndarray

    def surplus(self, problem: Problem) -> np.ndarray:
        """Active power that the slack buses give beyond it `[scenario, slack]` [p.u.]."""
        grid = self.sharing.grid
        return np.asarray(net_power(grid, problem, grid.slack).real - self.p_slack)

    def make_up(self, problem: Problem, power: np.ndarray) -> Problem:
        """The block with `power` `[scenario, part]` [p.u.] shared out over its buses."""
        grid = self.sharing.grid
        at = grid.bus_at[: grid.plan.m]
        s = as_rows(problem.asked.s)[: len(power)].copy()
        s[:, 0 : 2 * len(at) : 2] += power[:, self.sharing.part[at]] * self.weight[:, at]
        self.p_slack = self.p_slack + power * self.weight[:, grid.slack]
        return replace(problem, asked=replace(problem.asked, s=as_lanes(s)))


def missing(problem: Problem, sharing: Sharing, p_slack: np.ndarray) -> np.ndarray:
    """What each part lacks, were there no losses `[scenario, part]` [p.u.]."""
    at = sharing.grid.bus_at[: sharing.grid.plan.m]
    asked = as_rows(problem.asked.s)[: len(p_slack), 0 : 2 * len(at) : 2]
    found = -p_slack
    for number in range(found.shape[1]):
        found[:, number] -= asked[:, sharing.part[at] == number].sum(axis=1)
    return found
