"""Power flow of many scenarios on one grid: solved, or told why not."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from tvilling.sciml.errors import InputError
from tvilling.sciml.systems.power_grid.attempt import (
    Problem,
    attempt_closely,
    block_problem,
    part,
)
from tvilling.sciml.systems.power_grid.base import Base, base_case
from tvilling.sciml.systems.power_grid.flow import DEFAULT, Flow, Options, Outcome
from tvilling.sciml.systems.power_grid.follow import follow
from tvilling.sciml.systems.power_grid.grid import PowerGrid
from tvilling.sciml.systems.power_grid.islands import unsupplied
from tvilling.sciml.systems.power_grid.lanes import WIDTH
from tvilling.sciml.systems.power_grid.regulate import (
    entering,
    limited,
    missing,
    share,
    surplus,
)
from tvilling.sciml.systems.power_grid.scenarios import Outages, check

SHARED = 2  # steps from the base case that all scenarios take with the same factors
FIRM = 0.3  # of the pivots without load: nearer its own nose, the base case gives one such step
ROUNDS = 40  # of sharing slack and keeping limits
BLOCK = 64, 1024  # scenarios brought to the kernel at once, at least and at most …
BLOCK_BYTES = 4e6  # … so that what their buses ask for stays in the cache


def solve(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray] | None = None,
    outages: Outages | None = None,
    options: Options = DEFAULT,
) -> Flow:
    """Power flow of every scenario; the base case where nothing varies.

    Parameters
    ----------
    varying
        Arrays `[scenario, element]` by name: `load_p_mw`, `load_q_mvar`, `sgen_p_mw`,
        `sgen_q_mvar`, `storage_p_mw`, `storage_q_mvar`, `gen_p_mw`, `gen_vm_pu`,
        `ext_grid_vm_pu`, in the order and sign of the file's tables, before their scaling.
        What is not named stays as in the file.
    outages
        Branches that differ by scenario. One scenario of `varying` then serves all.

    Raises
    ------
    InputError
        If `varying` does not fit the grid.
    """
    found = check(grid, varying or {})
    counts = [len(values) for values in found.values()]
    count = len(outages.branch) if outages else (counts or [1])[0]
    if outages is not None and counts and counts[0] not in (1, count):
        raise InputError(
            grid.source, [f"{counts[0]} scenarios and {count} outages: expected 1 or {count}"]
        )
    if outages is not None and counts == [1] * len(counts):
        found = {name: np.repeat(values, count, axis=0) for name, values in found.items()}
    base = base_case(grid)
    dead = unsupplied(grid, outages)
    flow = _empty(grid, count, base, outages, dead)
    in_blocks(
        grid, count, options, lambda span: _solve_block(grid, found, flow, base, options, span)
    )
    return flow


def in_blocks(
    grid: PowerGrid, count: int, options: Options, run: Callable[[tuple[int, int]], None]
) -> None:
    """Call `run` with first and last scenario of each block, on the threads that are asked for."""
    fitting = int(BLOCK_BYTES / (16 * grid.n_bus)) // WIDTH * WIDTH
    block = min(max(fitting, BLOCK[0]), BLOCK[1])
    spans = [(first, min(first + block, count)) for first in range(0, count, block)]
    if options.workers == 1 or len(spans) == 1:
        for span in spans:
            run(span)
    else:
        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(run, spans))


def _empty(
    grid: PowerGrid, count: int, base: Base, outages: Outages | None, dead: np.ndarray | None
) -> Flow:
    """A batch in which nothing is solved yet, at the voltages of the base case."""
    return Flow(
        grid=grid,
        e=np.repeat(base.v.real[None], count, axis=0),
        f=np.repeat(base.v.imag[None], count, axis=0),
        outcome=np.full(count, int(Outcome.SOLVED), np.int8),
        iterations=np.zeros(count, np.int64),
        worst_pu=np.zeros(count),
        reached=np.ones(count),
        weakest=np.full(count, -1),
        outages=outages,
        dead=dead,
    )


def _solve_block(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    flow: Flow,
    base: Base,
    options: Options,
    span: tuple[int, int],
) -> None:
    """Solve scenarios `span[0]` to `span[1]` in place."""
    rows = slice(*span)
    problem = block_problem(grid, varying, span, flow.e[rows], flow.f[rows], flow.outages)
    problem = replace(problem, usual=base.usual)
    if flow.dead is not None:
        dead = flow.dead[rows]
        problem = replace(problem, dead=np.ascontiguousarray(dead[:, grid.bus_at[: grid.plan.m]]))
        flow.outcome[rows][dead.any(axis=1)] = Outcome.UNSUPPLIED
    p_slack = np.zeros(0)
    if options.distributed_slack:
        p_slack = entering(grid, varying, span, grid.slack, False).sum(axis=1)
        left = missing(problem, p_slack)
        problem = share(grid, problem, left)
        p_slack = p_slack + left * grid.slack_weight[grid.slack].sum()
    shared = 0 if flow.outages is not None else SHARED if base.firm > FIRM else 1
    every = np.arange(span[0], span[1])
    _settle(grid, problem, flow, base, options, every, shared)
    if options.distributed_slack or options.q_limits:
        q_load = entering(grid, varying, span, grid.held, True)
        _regulate(grid, flow, base, options, every, problem, (p_slack, q_load))


def _settle(
    grid: PowerGrid,
    problem: Problem,
    flow: Flow,
    base: Base,
    options: Options,
    rows: np.ndarray,
    shared: int = 0,
) -> None:
    """Solve `problem`, the scenarios `rows` of the batch, and note what came of it."""
    limit = options.tolerance.of(grid)
    found = attempt_closely(grid, problem, limit, options.tolerance.steps, shared)
    flow.iterations[rows] += found.iterations
    flow.worst_pu[rows] = found.worst
    left = np.flatnonzero(~(found.good(limit, base.sign) & (found.firm > 0)))
    if len(left):
        _follow(grid, problem, flow, base, limit, rows[left], left)
    flow.e[rows], flow.f[rows] = problem.e, problem.f


def _regulate(
    grid: PowerGrid,
    flow: Flow,
    base: Base,
    options: Options,
    rows: np.ndarray,
    problem: Problem,
    entered: tuple[np.ndarray, np.ndarray],
) -> None:
    """Share the slack and keep reactive limits, until neither moves anything any more.

    `entered` is what the slack buses are to give and what enters beside the machines.
    """
    p_slack, q_load = entered
    for _ in range(ROUNDS):
        done = flow.outcome[rows] != Outcome.INFEASIBLE
        moved = np.zeros(0, int)
        if options.distributed_slack:
            left = np.where(done, surplus(grid, problem, p_slack), 0.0)
            problem = share(grid, problem, left)
            p_slack = p_slack + left * grid.slack_weight[grid.slack].sum()
            moved = np.flatnonzero(np.abs(left) > options.tolerance.of(grid))
        if not len(moved) and options.q_limits:
            problem, moved = limited(grid, problem, done, q_load)
        if not len(moved):
            return
        some = part(problem, moved)
        _settle(grid, some, flow, base, options, rows[moved])
        problem.e[moved], problem.f[moved] = some.e, some.f
    lost = rows[moved]  # how far along a way is not known
    flow.outcome[lost], flow.reached[lost] = Outcome.INFEASIBLE, 0.0
    drop = np.abs(base.still) - np.hypot(problem.e[moved], problem.f[moved])
    flow.weakest[lost] = drop.argmax(axis=1)


def _follow(
    grid: PowerGrid,
    problem: Problem,
    flow: Flow,
    base: Base,
    limit: float,
    rows: np.ndarray,
    left: np.ndarray,
) -> None:
    """Follow the scenarios that Newton's method left, `left` in the block, `rows` in the batch."""
    hard = part(problem, left)
    followed = follow(grid, hard, limit, base.still, base.begin)
    problem.e[left], problem.f[left] = followed.e, followed.f
    flow.worst_pu[rows], flow.reached[rows] = followed.worst, followed.reached
    lost = followed.reached < 1.0
    flow.outcome[rows[lost]] = Outcome.INFEASIBLE
    drop = np.hypot(followed.e_still, followed.f_still) - np.hypot(followed.e, followed.f)
    flow.weakest[rows[lost]] = drop[lost].argmax(axis=1)
