"""Following a scenario from no load to its own, where Newton's method alone did not find it.

All injections are scaled by λ, from 0 to 1. Each step starts from the solution before it, and is
shortened where Newton's method fails or leaves the branch of solutions that it came along. Towards
the nose of the curve its tangent grows as 1/√(λ* - λ), so two tangents foretell the nose, and the
next step goes most of the way there: predictor and corrector as by Ajjarapu and Christy, IEEE
Trans. Power Syst. 7(1), 1992, doi:10.1109/59.141737, in λ alone, since the nose itself is only to
be found to within `NARROW`.

Where a grid has no solution without load, the way is a *straight* line from any voltages: at λ = 0
every bus asks for just what it has at them, so that they are a solution, whatever the grid.

Where λ ends at a nose below 1 the scenario has no solution on the way that a grid can be loaded.
Where it ends for another reason, nothing is known.
"""

from dataclasses import dataclass, replace

import numpy as np

from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.angles import apart
from tvilling.sciml.systems.power_grid.solver.newton_batch import (
    Problem,
    as_lanes,
    attempt,
    attempt_closely,
    part,
)
from tvilling.sciml.systems.power_grid.solver.regulate import net_power
from tvilling.sciml.systems.power_grid.solver.scenarios import ScenarioValues

NARROW = 1e-5  # of the nose's λ: how closely it is found
STEPS = 6  # of Newton's method, for a step of λ
TRIES = 80
MOVED = 0.25  # [p.u.] by which voltages go with the first step, had they gone straight on
MAX = 0.8  # of what is left to the nose, at once
NUDGE = 0.15  # [p.u.] moved by a step that cannot have led to another branch of solutions
SURE = 1e-3  # of the nose's λ: how near its tangents have to foretell it where a way ends


@dataclass(frozen=True)
class Followed:
    """Where the scenarios of a block were followed to.

    Attributes
    ----------
    e, f
        The last solution on the way `[scenario, bus]` [p.u.].
    e_still, f_still
        The solution that the way begins with.
    reached
        λ of the last solution; 1 where the scenario is solved, NaN where the way has no beginning.
    nose
        Whether the way ended at a nose.
    worst
        Mismatch of the full scenario at the last solution [p.u.].
    """

    e: np.ndarray
    f: np.ndarray
    e_still: np.ndarray
    f_still: np.ndarray
    reached: np.ndarray
    nose: np.ndarray
    worst: np.ndarray


class _Way:
    """How far each scenario of a block has come, and where it tries next.

    Attributes
    ----------
    v, reached
        The last solution `[scenario, bus]` [p.u.] and its λ.
    tangent
        Derivative of `v` by λ.
    aim
        λ that is tried next.
    """

    def __init__(self, v: np.ndarray) -> None:
        count = len(v)
        self.v, self.tangent = v.copy(), np.zeros_like(v)
        self.reached, self.aim = np.zeros(count), np.ones(count)
        self.before = np.zeros(count), np.zeros(count)  # λ and slowness, as of `seen`
        self.nose = np.full(count, np.inf)  # as foretold
        self.barred = np.full(count, np.inf)  # the least λ that was tried and not reached
        self.checked = np.zeros(count, bool)
        self.tries = np.zeros(count, int)
        self.at_nose = np.zeros(count, bool)
        self.sound_v, self.sound = v.copy(), np.zeros(count)  # the last ones without a wide angle

    def seen(self, rows: np.ndarray, tangent: np.ndarray) -> None:
        """The tangents where scenarios `rows` are; towards the nose they grow as 1/√(λ* - λ)."""
        at, slow = self.reached[rows], 1.0 / np.maximum(np.abs(tangent).max(axis=1) ** 2, 1e-30)
        fall = self.before[1][rows] - slow
        gone = at - self.before[0][rows]
        self.nose[rows] = np.where(fall > 0, at + slow * gone / np.where(fall > 0, fall, 1), np.inf)
        self.nose[rows[at == 0.0]] = np.inf
        self.tangent[rows], self.before[0][rows], self.before[1][rows] = tangent, at, slow
        barred = self.barred[rows]
        kept = self.nose[rows] - at < 4 * (barred - at)  # else it was tried from too far away
        self.barred[rows] = np.where(kept, barred, np.inf)

    def won(self, rows: np.ndarray, v: np.ndarray, wide: np.ndarray) -> None:
        """Scenarios `rows` have reached their aim, at `v`; `wide` are those beyond 90°."""
        self.v[rows], self.reached[rows], self.checked[rows] = v, self.aim[rows], False
        near = rows[~wide]
        self.sound_v[near], self.sound[near] = v[~wide], self.aim[near]

    def back_to_sound(self) -> None:
        """Those at their end, but with more than 90° over a branch, go back to where none had."""
        beyond = np.flatnonzero((self.reached == 1.0) & (self.sound < 1.0))
        self.v[beyond], self.reached[beyond] = self.sound_v[beyond], self.sound[beyond]

    def lost(self, rows: np.ndarray) -> None:
        """Scenarios `rows` have not reached their aim."""
        self.barred[rows] = np.minimum(self.barred[rows], self.aim[rows])

    def go_on(self, rows: np.ndarray) -> np.ndarray:
        """Those of `rows` that have not ended; their next aim is set."""
        at, nose, barred = self.reached[rows], self.nose[rows], self.barred[rows]
        rate = np.abs(self.tangent[rows]).max(axis=1)
        first = np.clip(MOVED / np.maximum(rate, 1e-9), 1e-6, 0.5)
        halved = np.where((at == 0.0) & (barred == 1.0), first, (at + barred) / 2)
        ahead = np.where(nose > 1.0, 1.0, at + MAX * (nose - at))
        aim = np.where(np.isfinite(barred), np.minimum(ahead, halved), ahead)
        end = np.minimum(nose, barred)
        close = np.isfinite(end) & (end - at <= NARROW * end)
        over = close & (aim < 1.0)  # seen once whether there is a solution beyond the nose
        self.aim[rows] = np.where(over, np.minimum(end * (1 + NARROW), 1.0), aim)
        ended = (at >= 1.0) | (close & self.checked[rows]) | (self.tries[rows] >= TRIES)
        self.at_nose[rows] = close & self.checked[rows] & (nose - at <= SURE * nose)
        self.checked[rows] = over
        self.tries[rows] += 1
        return rows[~ended]


def follow(
    grid: PowerGrid,
    problem: Problem,
    tolerance_pu: float,
    start: np.ndarray,
    straight: bool = False,
) -> Followed:
    """Follow every scenario of `problem` to λ = 1, as far as there are solutions.

    Parameters
    ----------
    start
        Voltages without load `[bus]` [p.u.].
    straight
        `start` are any voltages, and the way is a straight line from what the buses have there.
    """
    count = len(problem.e)
    whole = part(problem, np.arange(count))
    whole.e[:], whole.f[:] = start.real, start.imag
    begin = start if straight else None
    found = attempt(grid, between(grid, whole, np.zeros(count), begin), tolerance_pu, 30)
    begun = (found.worst <= tolerance_pu) & (found.step < 1.0) & ~apart(grid, whole)
    whole.e[~begun], whole.f[~begun] = start.real, start.imag
    e_still, f_still, sign = whole.e.copy(), whole.f.copy(), found.sign
    way = _Way(e_still + 1j * f_still)
    new = np.flatnonzero(begun)
    way.seen(new, _tangents(grid, part(problem, new), way.v[new], way.reached[new]))
    open_ = way.go_on(new)
    while len(open_):
        one, aim = part(problem, open_), way.aim[open_]
        guess = way.v[open_] + way.tangent[open_] * (aim - way.reached[open_])[:, None]
        one.e[:], one.f[:] = guess.real, guess.imag
        found = attempt_closely(grid, between(grid, one, aim, begin), tolerance_pu, STEPS)
        v = one.e + 1j * one.f
        good = found.good(tolerance_pu, sign[open_])
        good &= (found.firm > 0) | (np.abs(v - way.v[open_]).max(axis=1) < NUDGE)
        way.won(open_[good], v[good], apart(grid, one)[good])
        way.lost(open_[~good])
        new = open_[good & (aim < 1.0)]
        way.seen(new, _tangents(grid, part(problem, new), way.v[new], way.reached[new]))
        open_ = way.go_on(open_)
    way.back_to_sound()
    whole.e[:], whole.f[:] = way.v.real, way.v.imag
    worst = attempt(grid, whole, np.inf, 0).worst
    reached = np.where(begun & (way.reached > 0.0), way.reached, np.nan)
    return Followed(whole.e, whole.f, e_still, f_still, reached, way.at_nose, worst)


def _tangents(grid: PowerGrid, problem: Problem, v: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Derivative of the voltages by λ, at the solutions `v` for λ = `share`."""
    problem.e[:], problem.f[:] = v.real, v.imag
    attempt(grid, problem, np.inf, 1)  # what is left of λ, in one step on the tangent
    return np.asarray((problem.e + 1j * problem.f - v) / (1.0 - share)[:, None])


def between(
    grid: PowerGrid, problem: Problem, share: np.ndarray, begin: np.ndarray | None = None
) -> Problem:
    """The block with `share` of every injection, and the rest of what buses have at `begin`.

    Voltages to hold are those of the block where there is no `begin`, else they go with it.
    """
    padded = np.concatenate([share, np.repeat(share[-1:], -len(share) % WIDTH)])
    lanes = padded.reshape(-1, 1, WIDTH)
    asked = problem.asked
    s, load = asked.s * lanes, asked.load * lanes
    if begin is not None:
        return replace(
            problem,
            asked=ScenarioValues(s + _had(grid, problem, begin) * (1 - lanes), load, asked.slack_v),
        )
    rows = 2 * grid.place[grid.held] + 1
    held = np.broadcast_to(problem.held, (len(s), *problem.held.shape[1:]))[:, : len(rows)]
    s[:, rows] = np.where(held > 0, asked.s[:, rows], s[:, rows])
    return replace(problem, asked=ScenarioValues(s, load, asked.slack_v))


def _had(grid: PowerGrid, problem: Problem, v: np.ndarray) -> np.ndarray:
    """What the buses have at the voltages `v`, as lanes; v² where they hold a voltage."""
    at = grid.bus_at[: grid.plan.m]
    there = part(problem, np.arange(len(problem.e)))
    there.e[:], there.f[:] = v.real, v.imag
    power = net_power(grid, there, at)
    s = np.zeros((len(power), problem.asked.s.shape[1]))
    s[:, 0 : 2 * len(at) : 2], s[:, 1 : 2 * len(at) : 2] = power.real, power.imag
    found, rows = as_lanes(s), 2 * grid.place[grid.held] + 1
    held = np.broadcast_to(problem.held, (len(found), *problem.held.shape[1:]))[:, : len(rows)]
    square = (np.abs(v[grid.held]) ** 2)[:, None]
    found[:, rows] = np.where(held > 0, square, found[:, rows])
    return found
