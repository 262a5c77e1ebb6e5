"""One go of Newton's method at a block of scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tvilling.sciml.systems.power_grid.kernel.groups import Batch, Changes, newton
from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH
from tvilling.sciml.systems.power_grid.kernel.workspace import (
    Factors,
    Patch,
    room_for_factors,
    workspace,
)
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages, ScenarioValues, asked

NEAR = 0.1  # of the usual pivot: below, it is looked at anew at the solution itself


@dataclass(frozen=True)
class Problem:
    """A block of scenarios as the kernel takes it.

    Attributes
    ----------
    e, f
        Where to start; the solution stands in their place afterwards.
    asked
        What the buses ask for.
    held
        As in `Work`, `[group or 1, machine, 8]`.
    dead
        1 at buses without supply `[scenario, m]`; no rows where all have.
    outages
        Branches that differ by scenario, or None.
    usual
        Determinants of the pivots that those of each scenario are compared with `[m]`.
    """

    e: np.ndarray
    f: np.ndarray
    asked: ScenarioValues
    held: np.ndarray
    dead: np.ndarray
    outages: Outages | None
    usual: np.ndarray


def block_problem(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    span: tuple[int, int],
    e: np.ndarray,
    f: np.ndarray,
    outages: Outages | None = None,
) -> Problem:
    """Scenarios `span[0]` to `span[1]`, to start from their voltages `e`, `f`."""
    rows = slice(*span)
    return Problem(
        e,
        f,
        asked(grid, varying, *span),
        np.ones((1, max(len(grid.held), 1), WIDTH)),
        np.zeros((0, grid.plan.m), np.uint8),
        None if outages is None else Outages(outages.branch[rows], outages.delta[rows]),
        grid.kinds.usual,
    )


def part(problem: Problem, rows: np.ndarray) -> Problem:
    """Some scenarios of a block, as a block of their own."""
    asked, outages = problem.asked, problem.outages
    return replace(
        problem,
        e=problem.e[rows].copy(),
        f=problem.f[rows].copy(),
        asked=ScenarioValues(
            _lanes(asked.s, rows),
            _lanes(asked.load, rows),
            asked.slack_v if len(asked.slack_v) == 1 else asked.slack_v[rows],
        ),
        held=_lanes(problem.held, rows),
        dead=problem.dead[rows] if len(problem.dead) else problem.dead,
        outages=None if outages is None else Outages(outages.branch[rows], outages.delta[rows]),
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


@dataclass(frozen=True)
class NewtonBatch:
    """What Newton's method left behind in a block: see `Batch`."""

    iterations: np.ndarray
    worst: np.ndarray
    step: np.ndarray
    sign: np.ndarray
    firm: np.ndarray

    def good(self, tolerance_pu: float, sign: int | np.ndarray) -> np.ndarray:
        """Scenarios that ended at a solution with this sign of the Jacobian's determinant."""
        return (self.worst <= tolerance_pu) & (self.step < 1.0) & (self.sign == sign)


def attempt(
    grid: PowerGrid, problem: Problem, tolerance_pu: float, steps: int, shared: int = 0
) -> NewtonBatch:
    """Newton's method on a block, from where it stands; `shared` as in `groups.newton`."""
    found, _ = _newton(grid, problem, tolerance_pu, steps, shared)
    return NewtonBatch(found.iterations, found.worst, found.step, found.sign, found.firm)


def attempt_closely(
    grid: PowerGrid, problem: Problem, tolerance_pu: float, steps: int, shared: int = 0
) -> NewtonBatch:
    """`attempt`, and where a pivot is small one step more, so that it is known at the solution."""
    found = attempt(grid, problem, tolerance_pu, steps, shared)
    near = np.flatnonzero((found.worst <= tolerance_pu) & (np.abs(found.firm) < NEAR))
    if len(near):
        some = part(problem, near)
        closer = attempt(grid, some, np.inf, 1)
        problem.e[near], problem.f[near] = some.e, some.f
        for name in ("worst", "step", "sign", "firm"):
            getattr(found, name)[near] = getattr(closer, name)
    return found


def determinants(grid: PowerGrid, problem: Problem) -> np.ndarray:
    """Determinant of every pivot of the Jacobian at the first scenario's voltages `[m]`."""
    one = part(problem, np.zeros(1, int))
    _, factors = _newton(grid, one, np.inf, 1, 0)
    inverse = factors.pivot[: 4 * grid.plan.m].reshape(-1, 4, WIDTH)[:, :, 0]
    with np.errstate(divide="ignore"):
        return 1.0 / (inverse[:, 0] * inverse[:, 3] - inverse[:, 1] * inverse[:, 2])


def _newton(
    grid: PowerGrid, problem: Problem, tolerance_pu: float, steps: int, shared: int
) -> tuple[Batch, Factors]:
    """What the kernel found, and the factors of the last group."""
    count = len(problem.e)
    problem.e[:, grid.slack] = problem.asked.slack_v.real
    problem.f[:, grid.slack] = problem.asked.slack_v.imag
    batch = batch_of(problem, count)
    changes, patch = changes_of(grid, problem.outages)
    own = room_for_factors(grid.plan)
    newton(
        grid.plan,
        grid.admittance,
        grid.kinds._replace(usual=problem.usual),
        workspace(grid.plan, grid.kinds, len(problem.dead) > 0),
        patch,
        (room_for_factors(grid.plan), own),
        changes,
        batch,
        grid.bus_at,
        tolerance_pu,
        steps,
        shared,
    )
    return batch, own


def batch_of(problem: Problem, count: int) -> Batch:
    """The block for the kernel, with room for what it finds."""
    return Batch(
        problem.e,
        problem.f,
        problem.asked.s,
        problem.held,
        problem.asked.load,
        problem.dead,
        np.zeros(count, np.int64),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, np.int64),
        np.zeros(count),
    )


def changes_of(grid: PowerGrid, outages: Outages | None) -> tuple[Changes, Patch]:
    """The changed branches for the kernel, and room to link them to rows."""
    if outages is None:
        branch, delta = np.empty((0, 0), np.int64), np.empty((0, 0, 8))
    else:
        branch, delta = outages.branch, outages.delta
    places = grid.place[grid.from_bus], grid.place[grid.to_bus]
    room = max(4 * WIDTH * branch.shape[1], 1)
    link, lane, col, slot = np.empty((4, room), np.int64)
    head = np.full(max(grid.plan.m, 1), -1, np.int64)
    patch = Patch(head, link, lane, col, slot, np.empty((room, 4)))
    return Changes(branch, delta, *places, *grid.slots), patch
