"""One go of Newton's method at a block of scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tvilling.sciml.systems.power_grid.grid import PowerGrid
from tvilling.sciml.systems.power_grid.groups import Batch, Changes, newton
from tvilling.sciml.systems.power_grid.lanes import WIDTH
from tvilling.sciml.systems.power_grid.newton import Patch, room_for_factors, workspace
from tvilling.sciml.systems.power_grid.scenarios import Asked, Outages, asked


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
    """

    e: np.ndarray
    f: np.ndarray
    asked: Asked
    held: np.ndarray
    dead: np.ndarray
    outages: Outages | None


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
    )


@dataclass(frozen=True)
class Attempt:
    """What Newton's method left behind in a block: see `Batch`."""

    iterations: np.ndarray
    worst: np.ndarray
    step: np.ndarray
    sign: np.ndarray

    def good(self, tolerance_pu: float, sign: int | np.ndarray) -> np.ndarray:
        """Scenarios that ended on the branch of solutions with this sign of the determinant."""
        return (self.worst <= tolerance_pu) & (self.step < 1.0) & (self.sign == sign)


def attempt(
    grid: PowerGrid, problem: Problem, tolerance_pu: float, steps: int, shared: int = 0
) -> Attempt:
    """Newton's method on a block, from where it stands; `shared` as in `groups.newton`."""
    count = len(problem.e)
    problem.e[:, grid.slack] = problem.asked.slack_v.real
    problem.f[:, grid.slack] = problem.asked.slack_v.imag
    batch = batch_of(problem, count)
    changes, patch = changes_of(grid, problem.outages)
    newton(
        grid.plan,
        grid.admittance,
        grid.kinds,
        workspace(grid.plan, grid.kinds, len(problem.dead) > 0),
        patch,
        (room_for_factors(grid.plan), room_for_factors(grid.plan)),
        changes,
        batch,
        grid.bus_at,
        tolerance_pu,
        steps,
        shared,
    )
    return Attempt(batch.iterations, batch.worst, batch.step, batch.sign)


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
