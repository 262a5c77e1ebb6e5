"""Batches of loads and generation on a grid, ours beside the fastest way of each peer."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tvilling.benchmarks import power_lightsim, power_pgm
from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.power_contest import CHAINED, Ours, Peer, Way, checked, race
from tvilling.benchmarks.power_grids import Case, Varying, random_scenarios, read_case
from tvilling.benchmarks.power_reduced import Reduced, reduced
from tvilling.sciml.systems.power_grid.solver.base_case import base_case
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Options

SCENARIOS = 5_000
CHECKED = 20  # scenarios compared with pandapower
TOLERANCES = power_lightsim.TOLERANCES
NEWTON = power_lightsim.NEWTON
DECOUPLED = ("FDPF_XB_KLU", "FDPF_BX_KLU")
METHODS = ("newton_raphson", "iterative_current", "linear_current")


def measure_batch(name: str, source: str, peers: Sequence[str]) -> Measurement:
    """CPU time per scenario of random loads and generation on the grid that `source` names."""
    versions = {
        power_pgm.NAME: power_pgm.version(),
        power_lightsim.NAME: power_lightsim.version(),
    }
    case = read_case(source)
    varying = random_scenarios(case.grid, SCENARIOS)
    flow = solved(case, varying)
    small = reduced(case.grid)
    start = base_case(case.grid).v[small.bus]

    def ways(peer: str, threads: int) -> dict[str, Way]:
        if peer == power_pgm.NAME:
            return pgm_ways(small, varying, threads)
        return lightsim_ways(small, varying, start, threads)

    return race(
        name,
        "µs CPU per scenario",
        Ours(
            run=lambda threads: lambda: solve(case.grid, varying, options=Options(threads=threads)),
            voltages=flow.v[:, small.bus],
            count=SCENARIOS,
        ),
        [Peer(peer, versions[peer], partial(ways, peer)) for peer in peers],
        {
            "grid": source,
            "buses": case.grid.n_bus,
            "buses_of_peers": len(small.bus),
            "branches": case.grid.n_branch,
            "pandapower_away_pu": pandapower_away_pu(case, varying, flow),
            "newton_steps": float(flow.iterations.mean()),
        },
    )


def solved(case: Case, varying: Varying) -> Flow:
    """Our voltages of all scenarios.

    Raises
    ------
    RuntimeError
        If one of them has none.
    """
    flow = solve(case.grid, varying)
    if not flow.solved.all():
        raise RuntimeError(f"{case.grid.source}: {(~flow.solved).sum()} scenarios have no solution")
    return flow


def pandapower_away_pu(case: Case, varying: Varying, flow: Flow) -> float:
    """Greatest distance of our voltages from pandapower's in some scenarios [p.u.]."""
    away = 0.0
    for k in range(0, len(flow.e), max(1, len(flow.e) // CHECKED)):
        theirs = case.pandapower_voltages(varying, k)
        known = np.isfinite(theirs)
        away = max(away, float(np.abs(theirs - flow.v[k])[known].max()))
    return checked(away, "pandapower")


def lightsim_ways(
    small: Reduced, varying: Varying, start: np.ndarray, threads: int
) -> dict[str, Way]:
    """All ways of lightsim2grid's that can be exact, from the same start as ours."""
    algorithms = (power_lightsim.NEWTON, *DECOUPLED)
    grids = {name: power_lightsim.model(small, start, name) for name in algorithms}
    injections = power_lightsim.loads(small, varying)
    ways = {}
    for words, algorithm, settings in _lightsim_settings(threads):
        run = power_lightsim.batch(grids[algorithm], injections, start, settings)
        ways[words] = Way(run, power_lightsim.zero_is_none)
    return ways


def _lightsim_settings(threads: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Words, algorithm and settings of each way."""
    newton = [
        (f"{NEWTON}, factors {words}, tolerance {tolerance:g}", NEWTON, policy, tolerance)
        for (words, policy), tolerance in product(power_lightsim.POLICIES.items(), TOLERANCES)
    ]
    plain = [
        (f"{algorithm}, tolerance {tolerance:g}", algorithm, None, tolerance)
        for algorithm, tolerance in product(DECOUPLED, TOLERANCES)
    ]
    return [
        (
            words + CHAINED * chained,
            algorithm,
            {"policy": policy, "tolerance": tolerance, "chained": chained, "threads": threads},
        )
        for words, algorithm, policy, tolerance in newton + plain
        for chained in ((False, True) if threads == 1 and policy is not None else (False,))
    ]


def pgm_ways(small: Reduced, varying: Varying, threads: int) -> dict[str, Way]:
    """All ways of power-grid-model's, at its own tolerance of 1e-8."""
    program = power_pgm.model(small)
    columns = power_pgm.load_batch(small, varying)
    forms = {"columns": columns, "rows": power_pgm.rows(columns)}
    return {
        f"{method}, {form}": Way(
            power_pgm.batch(program, update, method, threads), power_pgm.voltages
        )
        for method, (form, update) in product(METHODS, forms.items())
    }
