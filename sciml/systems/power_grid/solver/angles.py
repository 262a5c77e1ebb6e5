"""How far the voltages of a branch's two ends are apart.

Across one series impedance no more power flows with a greater angle once the angle passes 90°: what
lies beyond is not how a grid is run (Kundur, Power System Stability and Control, 1994, ch. 2 and
12). The shift of a transformer does not count.
"""

from dataclasses import replace
from typing import NamedTuple, no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.model.islands import is_open
from tvilling.sciml.systems.power_grid.solver.newton_batch import Problem
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages


class Near(NamedTuple):
    """Voltages in whose neighbourhood no branch has more than 90°.

    Attributes
    ----------
    cos, sin
        Of their angles `[bus]`.
    slope
        Tangent of the angle by which every bus may be away from there; 0 where none may.
    """

    cos: np.ndarray
    sin: np.ndarray
    slope: float


def near(grid: PowerGrid, v: np.ndarray) -> Near:
    """The neighbourhood of the voltages `v` `[bus]`."""
    turn = v / np.maximum(np.abs(v), 1e-12)
    room = np.radians(max(90.0 - widest_degree(grid, v), 0.0)) / 2
    return Near(turn.real.copy(), turn.imag.copy(), float(np.tan(room)))


def widest_degree(grid: PowerGrid, v: np.ndarray) -> float:
    """The greatest angle over a branch at the voltages `v` `[bus]` [degree]."""
    across = v[grid.from_bus] * v[grid.to_bus].conj() * np.exp(-1j * grid.branches.shift_rad)
    return float(np.degrees(np.abs(np.angle(across)).max(initial=0.0)))


def apart(grid: PowerGrid, problem: Problem, around: Near | None = None) -> np.ndarray:
    """Scenarios with more than 90° over a branch that is in service `[scenario]`.

    Those whose buses are all `around` known voltages are seen without a look at their branches.
    """
    count = len(problem.e)
    found = np.ones(count, np.bool_)
    if around is not None:
        _away(problem.e, problem.f, *around, found)
    rows = np.flatnonzero(found)
    if len(rows):
        found[rows] = _apart_in(grid, problem if len(rows) == count else _part(problem, rows))
    return found


def _part(problem: Problem, rows: np.ndarray) -> Problem:
    """Some scenarios' voltages and what is out of service in them."""
    outages = problem.outages
    return replace(
        problem,
        e=problem.e[rows],
        f=problem.f[rows],
        dead=problem.dead[rows] if len(problem.dead) else problem.dead,
        outages=None if outages is None else Outages(outages.branch[rows], outages.delta[rows]),
    )


def _apart_in(grid: PowerGrid, problem: Problem) -> np.ndarray:
    outages, count = problem.outages, len(problem.e)
    opened = np.full((count, 0), -1)
    if outages is not None and outages.branch.size:
        opened = np.where(is_open(grid, outages), outages.branch, -1)
    dead = np.zeros((count if len(problem.dead) else 0, grid.n_bus), np.uint8)
    if len(dead):
        dead[:, grid.bus_at[: grid.plan.m]] = problem.dead
    found = np.zeros(count, np.bool_)
    turn = np.exp(1j * grid.branches.shift_rad)
    ends = grid.from_bus, grid.to_bus
    _apart(problem.e, problem.f, *ends, turn.real, turn.imag, opened, dead, found)
    return found


@njit(nogil=True, error_model="numpy", cache=True, fastmath=True)
@no_type_check
def _away(e, f, cos, sin, slope, found):
    """Mark the scenarios in which a bus is farther than `slope` from the angles given."""
    for row in range(e.shape[0]):
        worst = -1.0
        for i in range(cos.size):
            along = e[row, i] * cos[i] + f[row, i] * sin[i]
            across = f[row, i] * cos[i] - e[row, i] * sin[i]
            worst = max(worst, abs(across) - slope * along)
        found[row] = not worst < 0.0


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _apart(e, f, a, b, cos, sin, opened, dead, found):  # noqa: PLR0913
    """Mark the scenarios in which the two ends of a branch point away from each other."""
    for row in range(e.shape[0]):
        for k in range(a.size):
            i, j = a[k], b[k]
            along = e[row, i] * e[row, j] + f[row, i] * f[row, j]
            across = f[row, i] * e[row, j] - e[row, i] * f[row, j]
            if along * cos[k] + across * sin[k] < 0.0:
                out = dead.shape[0] > 0 and (dead[row, i] > 0 or dead[row, j] > 0)
                for c in range(opened.shape[1]):
                    out = out or opened[row, c] == k
                if not out:
                    found[row] = True
                    break
