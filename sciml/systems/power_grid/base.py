"""Where every batch starts: the solved base case, and the grid without load.

Without load the operable solution is the one in which no bus is short-circuited; from there the
base case is followed where Newton's method alone did not find it, or where its Jacobian has other
signs than without load. What its pivots are here tells for every scenario whether its voltages are
on the same branch of solutions.
"""

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from tvilling.sciml.systems.power_grid.attempt import (
    Problem,
    attempt,
    block_problem,
    determinants,
)
from tvilling.sciml.systems.power_grid.flow import DEFAULT
from tvilling.sciml.systems.power_grid.follow import between, follow
from tvilling.sciml.systems.power_grid.grid import PowerGrid, bus_admittance
from tvilling.sciml.systems.power_grid.scenarios import Asked

STEPS = 30
COLLAPSED = 0.05  # a voltage [p.u.] without load below which a bus is short-circuited


@dataclass(frozen=True)
class Base:
    """Where scenarios start, and by what their Jacobians are judged.

    Attributes
    ----------
    v
        Voltages of the base case `[bus]` [p.u.]; where it has no solution those without load.
    still
        Voltages where a scenario is followed from: without load; those of the base case where
        there is no solution without load.
    begin
        What the buses ask for at `still`; None where that is nothing.
    sign
        Sign of the Jacobian's determinant.
    usual
        Determinants of its pivots, of the size that they have without load `[m]`.
    firm
        Least pivot of the base case, as a share of what it is without load.
    """

    v: np.ndarray
    still: np.ndarray
    begin: Asked | None
    sign: int
    usual: np.ndarray
    firm: float


_BASES: WeakKeyDictionary[PowerGrid, Base] = WeakKeyDictionary()


def base_case(grid: PowerGrid) -> Base:
    """The solved base case; where it has no solution, the grid without load and generation."""
    if grid not in _BASES:
        _BASES[grid] = _solve(grid)
    return _BASES[grid]


def _solve(grid: PowerGrid) -> Base:
    limit = DEFAULT.tolerance.of(grid)
    problem = _from(grid, grid.start)
    found = attempt(grid, problem, limit, STEPS)
    solved = bool((found.worst[0] <= limit) and found.step[0] < 1.0)
    v = (problem.e + 1j * problem.f)[0]
    still = _without_load(grid, [v, grid.start] if solved else [grid.start], limit)
    if still is None:
        return _from_base_alone(grid, v if solved else grid.start, problem.asked)
    usual = determinants(grid, between(grid, _from(grid, still), np.zeros(1)))
    share = determinants(grid, problem) / usual if solved else np.zeros(0)
    if not solved or not (share > 0).all():
        problem = replace(_from(grid, grid.start), usual=usual)
        way = follow(grid, problem, limit, still)
        solved = bool(way.reached[0] == 1.0)
        v = (way.e + 1j * way.f)[0] if solved else still
        problem = _from(grid, v)
        share = determinants(grid, problem) / usual if solved else np.ones(grid.plan.m)
    now = usual * np.where(share > 0, 1.0, -1.0)
    sign = -1 if (now < 0).sum() % 2 else 1
    return Base(v, still, None, sign, now, float(np.abs(share).min(initial=1.0)))


def _from(grid: PowerGrid, v: np.ndarray) -> Problem:
    return block_problem(grid, {}, (0, 1), v.real[None].copy(), v.imag[None].copy())


def _from_base_alone(grid: PowerGrid, v: np.ndarray, asked: Asked) -> Base:
    """The base case of a grid that has no solution without load."""
    now = determinants(grid, _from(grid, v))
    now = np.where(np.isfinite(now) & (now != 0.0), now, -1.0)
    sign = -1 if (now < 0).sum() % 2 else 1
    return Base(v, v, asked, sign, now, 0.0)


def _without_load(
    grid: PowerGrid, starts: list[np.ndarray], tolerance_pu: float
) -> np.ndarray | None:
    """The operable voltages without load, from the first start that leads there."""
    for start in [*starts, None]:
        start = _open_circuit(grid) if start is None else start
        problem = between(grid, _from(grid, start), np.zeros(1))
        found = attempt(grid, problem, tolerance_pu, STEPS)
        v = (problem.e + 1j * problem.f)[0]
        if found.worst[0] <= tolerance_pu and np.abs(v).min() > COLLAPSED:
            return v
    return None


def _open_circuit(grid: PowerGrid) -> np.ndarray:
    """Voltages where no current enters but at slack buses: exact where no machine holds one."""
    from scipy.sparse.linalg import spsolve

    v = np.zeros(grid.n_bus, complex)
    v[grid.slack] = grid.vm_pu[grid.slack] * np.exp(1j * grid.slack_va_rad)
    free = np.setdiff1d(np.arange(grid.n_bus), grid.slack)
    if len(free):
        rows = bus_admittance(grid)[free]
        v[free] = spsolve(rows[:, free].tocsc(), -(rows[:, grid.slack] @ v[grid.slack]))
    return np.where(np.isfinite(v), v, 1.0)
