"""Where every batch starts: the solved base case, and the grid without load.

Without load the operable solution is the one in which no bus is short-circuited; from there the
base case is followed where Newton's method alone did not find it, or where its Jacobian has other
signs than without load. What its pivots are here tells for every scenario whether its voltages are
on the same branch of solutions.

Newton's method knows the nearest solution only, so several starts are tried (`starts`), with load
and without. Where a grid has no solution without load, as when what circulates between its
machines is more than its one slack bus can bring to them, the base case is followed in a straight
line from the voltages that machines alone make: there every bus is served where it stands.
"""

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.angles import Near, apart, near
from tvilling.sciml.systems.power_grid.solver.continuation import between, follow
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT
from tvilling.sciml.systems.power_grid.solver.newton_batch import (
    Problem,
    attempt,
    block_problem,
    determinants,
)
from tvilling.sciml.systems.power_grid.solver.polar import attempt_polar
from tvilling.sciml.systems.power_grid.solver.starts import (
    DC,
    NO_LOAD,
    STRAIGHT,
    balanced_start,
    loaded_starts,
    sources,
    still_angles,
    still_starts,
    straightened,
)

STEPS = 30
COLLAPSED = 0.05  # a voltage [p.u.] without load below which a bus is short-circuited
APART = 1e-3  # by which two solutions differ [p.u.]


@dataclass(frozen=True)
class Base:
    """Where scenarios start, and by what their Jacobians are judged.

    Attributes
    ----------
    v
        Voltages of the base case `[bus]` [p.u.]; where it has no solution those without load.
    still
        Voltages where a scenario is followed from: without load; those of the base case, or where
        machines are sources, where there is no solution without load.
    straight
        Whether scenarios are followed from `still` in a straight line.
    sign
        Sign of the Jacobian's determinant.
    usual
        Determinants of its pivots, of the size that they have without load `[m]`.
    firm
        Least pivot of the base case, as a share of what it is without load.
    start
        What led to `v`; empty where nothing did.
    near
        Where `v` lies.
    """

    v: np.ndarray
    still: np.ndarray
    straight: bool
    sign: int
    usual: np.ndarray
    firm: float
    start: str
    near: Near


_BASES: WeakKeyDictionary[PowerGrid, Base] = WeakKeyDictionary()


def base_case(grid: PowerGrid) -> Base:
    """The solved base case; where it has no solution, the grid without load and generation."""
    if grid not in _BASES:
        _BASES[grid] = _solve(grid)
    return _BASES[grid]


def _solve(grid: PowerGrid) -> Base:
    limit = DEFAULT.tolerance.of(grid)
    loaded, still = _from(grid, grid.start), _from(grid, sources(grid, still_angles(grid)))
    solved = _newton(grid, loaded, loaded, limit)
    if _newton(grid, between(grid, still, np.zeros(1)), still, limit) and solved:
        found = _agreeing(grid, DC, _voltages(loaded)[0], _voltages(still)[0], False)
        if found is not None:
            return found
    return _thorough(grid, limit)


def _newton(grid: PowerGrid, asked: Problem, place: Problem, limit: float) -> bool:
    """Whether Newton's method solves `asked`, at voltages that stand in `place` afterwards."""
    found = attempt(grid, asked, limit, STEPS)
    good = bool(found.worst[0] <= limit and found.step[0] < 1.0)
    return good and bool(_sound(grid, place)[0])


def _thorough(grid: PowerGrid, limit: float) -> Base:
    """The base case from every start and along every way, until one stands beyond doubt."""
    known, roots = _solutions(grid, limit), _roots(grid, limit)
    begin = sources(grid, still_angles(grid))
    for name, v in known.items():
        found = _agreeing(grid, name, v, roots[0] if roots else begin, not roots)
        if found is not None:
            return found if roots else replace(found, still=v)
    ways = [(root, False) for root in roots]
    ways += [(start, True) for start in (begin, balanced_start(grid))]
    for start, straight in ways:
        found = _at_end(grid, start, straight, limit)
        if found is not None:
            return found
    still = roots[0] if roots else begin
    usual = _pivots(grid, still, not roots)
    return Base(still, still, not roots, _sign(usual), usual, 1.0, "", near(grid, still))


def _solutions(grid: PowerGrid, limit: float) -> dict[str, np.ndarray]:
    """Solutions of the base case, by the start that leads to them."""
    starts = loaded_starts(grid)
    problem = _block(grid, list(starts.values()))
    solved = attempt_polar(grid, problem, limit, STEPS)
    wide = np.flatnonzero(solved & apart(grid, problem))
    if len(wide):
        again = _block(grid, [straightened(grid, v) for v in _voltages(problem)[wide]])
        solved[wide] = attempt_polar(grid, again, limit, STEPS)
        problem.e[wide], problem.f[wide] = again.e, again.f
    good = solved & _sound(grid, problem)
    return {name: v for name, v, one in zip(starts, _voltages(problem), good, strict=True) if one}


def _roots(grid: PowerGrid, limit: float) -> list[np.ndarray]:
    """Different voltages without load that a grid can be run at, from the most likely start on."""
    starts = still_starts(grid)
    problem = _block(grid, starts)
    asked = between(grid, problem, np.zeros(len(starts)))
    good = attempt_polar(grid, asked, limit, STEPS) & _sound(grid, problem)
    found: list[np.ndarray] = []
    for v in _voltages(problem)[good]:
        if all(np.abs(v - other).max() > APART for other in found):
            found.append(v)
    return found


def _sound(grid: PowerGrid, problem: Problem) -> np.ndarray:
    """Scenarios without a short circuit, and without more than 90° over a branch."""
    size = np.hypot(problem.e, problem.f).min(axis=1, initial=np.inf)
    return np.asarray((size > COLLAPSED) & ~apart(grid, problem))


def _agreeing(
    grid: PowerGrid, name: str, v: np.ndarray, still: np.ndarray, straight: bool
) -> Base | None:
    """The base case at `v`, where all its pivots have the signs that they have at `still`."""
    usual = _pivots(grid, still, straight)
    share = determinants(grid, _from(grid, v)) / usual
    if not (share > 0).all():
        return None
    firm = float(share.min(initial=1.0))
    return Base(v, still, straight, _sign(usual), usual, firm, name, near(grid, v))


def _at_end(grid: PowerGrid, start: np.ndarray, straight: bool, limit: float) -> Base | None:
    """The base case at the end of the way from `start`, if it gets there."""
    usual = _pivots(grid, start, straight)
    way = follow(grid, replace(_from(grid, start), usual=usual), limit, start, straight)
    if way.reached[0] != 1.0:
        return None
    v = (way.e + 1j * way.f)[0]
    share = determinants(grid, _from(grid, v)) / usual
    now = usual * np.where(share > 0, 1.0, -1.0)
    firm = float(np.abs(share).min(initial=1.0))
    name, still = (STRAIGHT, v) if straight else (NO_LOAD, start)
    return Base(v, still, straight, _sign(now), now, firm, name, near(grid, v))


def _pivots(grid: PowerGrid, v: np.ndarray, straight: bool) -> np.ndarray:
    """Determinants of the pivots where a way begins."""
    begin = v if straight else None
    return determinants(grid, between(grid, _from(grid, v), np.zeros(1), begin))


def _sign(pivots: np.ndarray) -> int:
    """Sign of the product of determinants."""
    return -1 if (pivots < 0).sum() % 2 else 1


def _from(grid: PowerGrid, v: np.ndarray) -> Problem:
    return _block(grid, [v])


def _block(grid: PowerGrid, starts: list[np.ndarray]) -> Problem:
    """The base case from each of `starts`."""
    v = np.array(starts)
    return block_problem(grid, {}, (0, len(starts)), v.real.copy(), v.imag.copy())


def _voltages(problem: Problem) -> np.ndarray:
    """Voltages of every scenario `[scenario, bus]` [p.u.]."""
    return np.asarray(problem.e + 1j * problem.f)
