"""Power flow of many scenarios on one grid: solved, or told why not."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.model.islands import is_open, unsupplied
from tvilling.sciml.systems.power_grid.solver.angles import apart
from tvilling.sciml.systems.power_grid.solver.base_case import Base, base_case
from tvilling.sciml.systems.power_grid.solver.continuation import follow
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Flow, Options, Outcome, holds
from tvilling.sciml.systems.power_grid.solver.newton_batch import (
    Problem,
    attempt_closely,
    block_problem,
    part,
)
from tvilling.sciml.systems.power_grid.solver.regulate import (
    Spread,
    entering,
    extra,
    held_voltages,
    limited,
    missing,
)
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages, check
from tvilling.sciml.systems.power_grid.solver.slack_sharing import Sharing, sharing

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
    options = options.on(grid)
    if not options.distributed_slack:
        return _solve(grid, found, outages, options, count)
    return _solve_shared(grid, found, outages, options, count)


def _solve(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    outages: Outages | None,
    options: Options,
    count: int,
    shared: Sharing | None = None,
) -> Flow:
    """Every scenario on one set of slack buses: those of `grid`, or those that share."""
    acting = grid if shared is None else shared.grid
    base = base_case(acting)
    flow = _empty(acting, count, base, outages, unsupplied(acting, outages))
    in_blocks(
        acting,
        count,
        options,
        lambda span: _solve_block(acting, varying, flow, base, options, span, shared),
    )
    return replace(flow, grid=grid, options=options)


def _solve_shared(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    outages: Outages | None,
    options: Options,
    count: int,
) -> Flow:
    """Every scenario with a distributed slack.

    Where outages part the grid between two slack buses, each part gets a reference of its own,
    and such scenarios are solved one by one.
    """
    shared = sharing(grid)
    flow = _solve(grid, varying, outages, options, count, shared)
    if outages is None or flow.dead is None or len(shared.grid.slack) == len(grid.slack):
        return flow
    least = unsupplied(grid, outages)
    apart = flow.dead if least is None else flow.dead > least
    for row in np.flatnonzero(apart.any(axis=1)):
        part = {name: values[row : row + 1] for name, values in varying.items()}
        out = Outages(outages.branch[row : row + 1], outages.delta[row : row + 1])
        opened = out.branch[0][is_open(grid, out)[0]].tolist()
        own = _solve(grid, part, out, options, 1, sharing(grid, opened))
        for name in ("e", "f", "outcome", "iterations", "worst_pu", "reached", "weakest"):
            getattr(flow, name)[row] = getattr(own, name)[0]
        flow.dead[row] = 0 if own.dead is None else own.dead[0]
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
        start=base.start,
    )


def _solve_block(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    flow: Flow,
    base: Base,
    options: Options,
    span: tuple[int, int],
    shared: Sharing | None = None,
) -> None:
    """Solve scenarios `span[0]` to `span[1]` in place."""
    rows = slice(*span)
    problem = block_problem(grid, varying, span, flow.e[rows], flow.f[rows], flow.outages)
    problem = replace(problem, usual=base.usual)
    if flow.dead is not None:
        dead = flow.dead[rows]
        problem = replace(problem, dead=np.ascontiguousarray(dead[:, grid.bus_at[: grid.plan.m]]))
        flow.outcome[rows][dead.any(axis=1)] = Outcome.UNSUPPLIED
    spread = None
    if shared is not None:
        weight = shared.weights(None if flow.dead is None else flow.dead[rows])
        p_slack = entering(grid, varying, span, grid.slack, False)
        p_slack += extra(grid, varying, span, (grid.slack, np.abs(problem.asked.slack_v)), False)
        spread = Spread(shared, weight, p_slack)
        problem = spread.make_up(problem, missing(problem, shared, p_slack))
    first = 0 if flow.outages is not None else SHARED if base.firm > FIRM else 1
    every = np.arange(span[0], span[1])
    _settle(grid, problem, flow, base, options, every, first)
    if spread is not None or options.q_limits:
        q_load = entering(grid, varying, span, grid.held, True)
        held = grid.held, held_voltages(grid, problem)
        q_more = extra(grid, varying, span, held, True)
        _regulate(grid, flow, base, options, every, problem, (spread, q_load, q_more))


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
    good = found.good(limit, base.sign) & (found.firm > 0) & ~apart(grid, problem, base.near)
    left = np.flatnonzero(~good)
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
    regulated: tuple[Spread | None, np.ndarray, np.ndarray],
) -> None:
    """Share the slack and keep reactive limits, until neither moves anything any more.

    `regulated` is how the slack is shared and what enters beside the machines, as `limited` has it.
    """
    spread, q_load, q_more = regulated
    for _ in range(ROUNDS):
        done = holds(flow.outcome[rows])
        moved = np.zeros(0, int)
        if spread is not None:
            left = np.where(done[:, None], spread.surplus(problem), 0.0)
            problem = spread.make_up(problem, left)
            moved = np.flatnonzero((np.abs(left) > options.tolerance.of(grid)).any(axis=1))
        if not len(moved) and options.q_limits:
            problem, moved = limited(grid, problem, done, q_load, q_more)
        if not len(moved):
            return
        some = part(problem, moved)
        _settle(grid, some, flow, base, options, rows[moved])
        problem.e[moved], problem.f[moved] = some.e, some.f
    lost = rows[moved]
    flow.outcome[lost], flow.reached[lost] = Outcome.UNKNOWN, np.nan
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
    followed = follow(grid, hard, limit, base.still, base.straight)
    problem.e[left], problem.f[left] = followed.e, followed.f
    flow.worst_pu[rows], flow.reached[rows] = followed.worst, followed.reached
    lost = followed.reached != 1.0
    invented = base.straight and not base.start  # a way that no grid is loaded on says nothing
    nose = followed.nose & (not invented)
    flow.outcome[rows[lost]] = np.where(nose, Outcome.INFEASIBLE, Outcome.UNKNOWN)[lost]
    if invented:
        flow.reached[rows[lost]] = np.nan
    drop = np.hypot(followed.e_still, followed.f_still) - np.hypot(followed.e, followed.f)
    flow.weakest[rows[lost]] = drop[lost].argmax(axis=1)
