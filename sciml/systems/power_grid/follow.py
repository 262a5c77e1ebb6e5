"""Following a scenario from no load to its own, where Newton's method alone did not find it.

All injections are scaled by λ from 0, where a grid has a solution, to 1. Each step starts from
the solution before it, and is halved where Newton's method fails or where the sign of the
Jacobian's determinant changes, which it does beyond the nose of the curve: Ajjarapu and Christy,
IEEE Trans. Power Syst. 7(1), 1992, doi:10.1109/59.141737, without their corrector, since the nose
itself is only to be found to within `SHORTEST`.

Where λ cannot reach 1 the scenario has no solution on the way that a grid can be loaded.
"""

from dataclasses import dataclass, replace

import numpy as np

from tvilling.sciml.systems.power_grid.attempt import Problem, attempt
from tvilling.sciml.systems.power_grid.grid import PowerGrid
from tvilling.sciml.systems.power_grid.lanes import WIDTH
from tvilling.sciml.systems.power_grid.scenarios import Asked, Outages

SHORTEST = 1e-5  # of λ
FIRST = 0.25
STEPS = 15


@dataclass(frozen=True)
class Followed:
    """Where the scenarios of a block were followed to.

    Attributes
    ----------
    e, f
        The last solution on the way `[scenario, bus]` [p.u.].
    e_still, f_still
        The solution without load.
    reached
        Its λ; 1 where the scenario is solved.
    sign
        Sign of the determinant on the way.
    worst
        Mismatch of the full scenario at the last solution [p.u.].
    """

    e: np.ndarray
    f: np.ndarray
    e_still: np.ndarray
    f_still: np.ndarray
    reached: np.ndarray
    sign: np.ndarray
    worst: np.ndarray


def follow(grid: PowerGrid, problem: Problem, tolerance_pu: float) -> Followed:
    """Follow every scenario of `problem` from no load to λ = 1, as far as there are solutions."""
    count = len(problem.e)
    still = part(problem, np.arange(count))
    found = attempt(grid, scaled(grid, still, np.zeros(count)), tolerance_pu, 30)
    e, f = still.e, still.f
    e_still, f_still = e.copy(), f.copy()
    sign = found.sign
    reached, step = np.zeros(count), np.full(count, FIRST)
    open_ = np.flatnonzero((found.worst <= tolerance_pu) & (found.step < 1.0))
    while len(open_):
        aim = np.minimum(reached[open_] + step[open_], 1.0)
        one = part(problem, open_)
        one.e[:], one.f[:] = e[open_], f[open_]
        found = attempt(grid, scaled(grid, one, aim), tolerance_pu, STEPS)
        good = found.good(tolerance_pu, sign[open_])
        won = open_[good]
        e[won], f[won], reached[won] = one.e[good], one.f[good], aim[good]
        step[open_] *= np.where(good, 1.5, 0.5)
        open_ = open_[(reached[open_] < 1.0) & (step[open_] > SHORTEST)]
    worst = _mismatch(grid, problem, e, f)
    return Followed(e, f, e_still, f_still, reached, sign, worst)


def _mismatch(grid: PowerGrid, problem: Problem, e: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Greatest mismatch of each full scenario at the voltages `e`, `f` [p.u.]."""
    whole = part(problem, np.arange(len(e)))
    whole.e[:], whole.f[:] = e, f
    return attempt(grid, whole, np.inf, 0).worst


def part(problem: Problem, rows: np.ndarray) -> Problem:
    """Some scenarios of a block, as a block of their own."""
    asked = problem.asked
    slack_v = asked.slack_v if len(asked.slack_v) == 1 else asked.slack_v[rows]
    outages = problem.outages
    return Problem(
        problem.e[rows].copy(),
        problem.f[rows].copy(),
        Asked(_lanes(asked.s, rows), _lanes(asked.load, rows), slack_v),
        _lanes(problem.held, rows),
        problem.dead[rows] if len(problem.dead) else problem.dead,
        None if outages is None else Outages(outages.branch[rows], outages.delta[rows]),
    )


def _lanes(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Lanes of the scenarios `rows`, packed anew; one group that stands for all is kept."""
    if len(values) == 1 and rows.max(initial=0) >= WIDTH:
        return values
    return as_lanes(as_rows(values)[rows])


def as_rows(lanes: np.ndarray) -> np.ndarray:
    """One row for each scenario of `lanes` `[group, row, 8]`, those that only fill up included."""
    return lanes.transpose(0, 2, 1).reshape(-1, lanes.shape[1])


def as_lanes(rows: np.ndarray) -> np.ndarray:
    """Groups of eight of the scenarios `[scenario, row]`, filled up with the last one."""
    padded = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % WIDTH, axis=0)])
    return np.ascontiguousarray(padded.reshape(-1, WIDTH, rows.shape[1]).transpose(0, 2, 1))


def scaled(grid: PowerGrid, problem: Problem, share: np.ndarray) -> Problem:
    """The block with every injection times `share`; voltages to hold stay as they are."""
    padded = np.concatenate([share, np.repeat(share[-1:], -len(share) % WIDTH)])
    lanes = padded.reshape(-1, 1, WIDTH)
    asked = problem.asked
    s = asked.s * lanes
    rows = 2 * grid.place[grid.held] + 1
    held = np.broadcast_to(problem.held, (len(s), *problem.held.shape[1:]))[:, : len(rows)]
    s[:, rows] = np.where(held > 0, asked.s[:, rows], s[:, rows])
    return replace(problem, asked=Asked(s, asked.load * lanes, asked.slack_v))
