"""Every branch of a grid switched off in turn, ours beside the fastest way of each peer."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from tvilling.benchmarks import power_lightsim, power_pgm
from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.power_contest import REPEATS, Ours, Peer, Way, checked, distance_pu, race
from tvilling.benchmarks.power_grids import Case, read_case
from tvilling.benchmarks.power_reduced import Reduced, reduced
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.base_case import base_case
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Options, Outcome
from tvilling.sciml.systems.power_grid.solver.scenarios import outages

CHECKED = 10  # outages compared with pandapower
SHORTEST_S = 0.06  # a run is repeated until it takes this long
METHODS = ("newton_raphson", "iterative_current")


def measure_outages(
    name: str, source: str, peers: Sequence[str], repeats: int = REPEATS
) -> Measurement:
    """CPU time per single outage on the grid that `source` names."""
    versions = {
        power_pgm.NAME: power_pgm.version(),
        power_lightsim.NAME: power_lightsim.version(),
    }
    case = read_case(source)
    grid, small = case.grid, reduced(case.grid)
    opened = small.branch[:, None]
    flow = solve(grid, outages=outages(grid, opened))
    found = known_voltages(flow)
    times = _times_over(grid, opened)

    def ways(peer: str, threads: int) -> dict[str, Way]:
        if peer == power_pgm.NAME:
            return pgm_ways(small, times, threads)
        return lightsim_ways(small, base_case(grid).v[small.bus], times, threads)

    return race(
        name,
        "µs CPU per outage",
        Ours(
            run=lambda threads: repeated(
                lambda: solve(
                    grid, outages=outages(grid, opened), options=Options(threads=threads)
                ),
                times,
            ),
            voltages=found[:, small.bus],
            count=len(opened) * times,
        ),
        [Peer(peer, versions[peer], partial(ways, peer)) for peer in peers],
        {
            "grid": source,
            "buses": grid.n_bus,
            "outages": len(opened),
            "repeated": times,
            "outcomes": outcomes(flow),
            "pandapower_away_pu": pandapower_away_pu(case, opened, found),
        },
        repeats,
    )


def pairs(source: str) -> dict[str, Any]:
    """CPU time per pair of branches switched off together, all of them on two threads as well."""
    grid = read_case(source).grid
    opened = np.array(list(combinations(range(grid.n_branch), 2)))
    told: dict[str, Any] = {"pairs": len(opened)}
    for threads in (1, 2):
        wall, cpu = time.perf_counter(), time.process_time()
        flow = solve(grid, outages=outages(grid, opened), options=Options(threads=threads))
        spent = time.perf_counter() - wall, time.process_time() - cpu
        told[f"us_wall, {threads} threads"] = spent[0] / len(opened) * 1e6
        told[f"us_cpu, {threads} threads"] = spent[1] / len(opened) * 1e6
    return told | {"outcomes": outcomes(flow)}


def outcomes(flow: Flow) -> dict[str, int]:
    """How many scenarios came out how."""
    return {one.name.lower(): int((flow.outcome == one).sum()) for one in Outcome}


def known_voltages(flow: Flow) -> np.ndarray:
    """Voltages `[scenario, bus]`, NaN without supply and in scenarios without solution."""
    v = flow.v.copy()
    v[~flow.solved] = np.nan
    if flow.dead is not None:
        v[flow.dead.astype(bool)] = np.nan
    return v


def repeated(run: Callable[[], Any], times: int) -> Callable[[], Any]:
    """A function that calls `run` so many times and returns its last answer."""

    def again() -> Any:
        for _ in range(times - 1):
            run()
        return run()

    return again


def lightsim_ways(small: Reduced, start: np.ndarray, times: int, threads: int) -> dict[str, Way]:
    """Ways of lightsim2grid's that solve what remains supplied, from the same start as ours."""
    grid = power_lightsim.model(small, start)
    opened = [[int(number)] for number in power_lightsim.branch_number(small)]
    ways = {}
    for (words, policy), tolerance in product(
        power_lightsim.POLICIES.items(), power_lightsim.TOLERANCES
    ):
        settings = {"policy": policy, "tolerance": tolerance, "threads": threads}
        run, order = power_lightsim.contingencies(grid, opened, start, settings)
        ways[f"{power_lightsim.NEWTON}, factors {words}, tolerance {tolerance:g}"] = Way(
            repeated(run, times), _in_order(order)
        )
    return ways


def _in_order(order: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Brings rows back into the order in which the outages were given."""

    def voltages(found: np.ndarray) -> np.ndarray:
        v = np.empty_like(found)
        v[order] = power_lightsim.zero_is_none(found)
        return v

    return voltages


def pgm_ways(small: Reduced, times: int, threads: int) -> dict[str, Way]:
    """Ways of power-grid-model's: each scenario tells the one branch that it switches off."""
    program = power_pgm.model(small)
    columns = power_pgm.outage_batch(np.arange(len(small.branch))[:, None])
    forms = {"columns": columns, "rows": power_pgm.rows(columns)}
    return {
        f"{method}, {form}": Way(
            repeated(power_pgm.batch(program, update, method, threads), times), power_pgm.voltages
        )
        for method, (form, update) in product(METHODS, forms.items())
    }


def pandapower_away_pu(case: Case, opened: np.ndarray, found: np.ndarray) -> float:
    """Greatest distance from pandapower's voltages in some of the outages [p.u.]."""
    away = 0.0
    own = np.unique(case.grid.buses.bus[case.grid.buses.bus >= 0])
    solved = np.flatnonzero(np.isfinite(found).any(axis=1))
    for k in solved[:: max(1, len(solved) // CHECKED)]:
        theirs = case.pandapower_voltages(opened=opened[k])
        away = max(away, distance_pu(theirs[own], found[k, own]))
    return checked(away, "pandapower")


def _times_over(grid: PowerGrid, opened: Sequence[int] | np.ndarray) -> int:
    """How often all outages are solved in one run, so that its time can be told."""
    start = time.perf_counter()
    solve(grid, outages=outages(grid, np.asarray(opened)))
    return int(np.ceil(SHORTEST_S / (time.perf_counter() - start)))
