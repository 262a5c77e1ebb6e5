"""Time and memory as scenarios grow from 100 to a million, and grids from 118 to 9 241 buses."""

import os
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tvilling.benchmarks.power_grids import Varying
    from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
CASES = ("case118", "case300", "case1354pegase", "case2869pegase", "case9241pegase")
BATCH = 1_000_000  # buses times scenarios of a batch
FEWEST = 256  # scenarios of a batch
SPREAD = 0.05  # of each load about the file's


def measure() -> Measurement:
    """CPU time per scenario and bus of the largest grid beside the smallest one's.

    Each row is measured in a process of its own, so that its peak memory is its own.
    """
    counts = [_alone(one_count, count) for count in COUNTS]
    grids = [_alone(one_grid, f"pandapower:{name}") for name in CASES]
    with _empty_cache():
        compiled = _alone(compile_s, f"pandapower:{CASES[0]}")
    small, large = (row["us_cpu_per_scenario"] / row["buses"] for row in (grids[0], grids[-1]))
    return Measurement(
        name="power_scaling",
        ours=large,
        peer=small,
        unit="µs CPU per scenario and bus, 9 241 buses",
        ratio=small / large,
        peer_name="ours with 118 buses",
        extra={"counts": counts, "grids": grids, "compile_once_s": compiled},
    )


def one_count(count: int) -> dict[str, float]:
    """Random scenarios on the medium-voltage grid, every one of them written to Zarr."""
    import time
    from pathlib import Path

    from tvilling.benchmarks.heat_scaling import peak_memory_mb
    from tvilling.benchmarks.power_grids import MV_URBAN, read_case
    from tvilling.sciml.systems.power_grid.solver.flow import Options
    from tvilling.sciml.systems.power_grid.studies.draws import Draws
    from tvilling.sciml.systems.power_grid.studies.monte_carlo_study import monte_carlo

    grid = read_case(MV_URBAN).grid
    options = Options(threads=len(os.sched_getaffinity(0)))
    monte_carlo(grid, Draws(), 10, seed=0, options=options)  # loads what is compiled
    before_mb = peak_memory_mb()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scenarios.zarr"
        wall, cpu = time.perf_counter(), time.process_time()
        monte_carlo(grid, Draws(), count, seed=1, out=out, options=options)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        stored = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return {
        "scenarios": count,
        "wall_s": wall,
        "us_cpu_per_scenario": cpu / count * 1e6,
        "peak_memory_mb": peak_memory_mb(),
        "memory_before_mb": before_mb,
        "stored_mb": stored / 1e6,
    }


def one_grid(source: str) -> dict[str, Any]:
    """A batch of scenarios about the file's loads, on the grid that `source` names."""
    import time

    import numpy as np

    from tvilling.benchmarks.heat_scaling import peak_memory_mb
    from tvilling.benchmarks.power_contest import checked
    from tvilling.benchmarks.power_grids import read_case
    from tvilling.benchmarks.timing import take_turns
    from tvilling.sciml.systems.power_grid.solver.base_case import base_case
    from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

    clock = time.perf_counter()
    case = read_case(source)
    grid = case.grid
    read_s, clock = time.perf_counter() - clock, time.perf_counter()
    plan = grid.plan
    plan_s, clock = time.perf_counter() - clock, time.perf_counter()
    base_case(grid)
    base_s = time.perf_counter() - clock
    count = max(FEWEST, BATCH // grid.n_bus)
    varying = _about_the_file(grid, count)
    before_mb = peak_memory_mb()
    flow = solve(grid, varying)
    after_mb = peak_memory_mb()
    timing = take_turns({"ours": lambda: solve(grid, varying)}, 3)["ours"]
    theirs = case.pandapower_voltages(varying, 0)
    away_pu = float(np.abs(theirs - flow.v[0])[np.isfinite(theirs)].max())
    return {
        "grid": source,
        "buses": grid.n_bus,
        "branches": grid.n_branch,
        "scenarios": count,
        "solved": int(flow.solved.sum()),
        "read_s": read_s,
        "plan_s": plan_s,
        "first_solution_s": base_s,
        "entries_of_plan": len(plan.entry_col),
        "us_cpu_per_scenario": timing.min_cpu_s / count * 1e6,
        "newton_steps": float(flow.iterations.mean()),
        "peak_memory_mb": after_mb,
        "memory_before_mb": before_mb,
        "pandapower_away_pu": checked(away_pu, "pandapower"),
    }


def _about_the_file(grid: "PowerGrid", count: int) -> "Varying":
    import numpy as np

    load, rng = grid.elements["load"], np.random.default_rng(0)
    shape = count, len(load.index)
    return {
        "load_p_mw": load.p_mw * rng.uniform(1 - SPREAD, 1 + SPREAD, shape),
        "load_q_mvar": load.q_mvar * rng.uniform(1 - SPREAD, 1 + SPREAD, shape),
    }


def compile_s(source: str) -> float:
    """Seconds of the first power flow, with nothing compiled before."""
    import time

    from tvilling.benchmarks.power_grids import read_case
    from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

    grid = read_case(source).grid
    clock = time.perf_counter()
    solve(grid)
    return time.perf_counter() - clock


def _alone(function: Callable[[Any], Any], argument: object) -> Any:
    """The function's answer from a process of its own."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (argument,))


@contextmanager
def _empty_cache() -> "Iterator[None]":
    """Processes started within compile anew, and leave what is compiled as it is."""
    before = os.environ.get("NUMBA_CACHE_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["NUMBA_CACHE_DIR"]
            if before is not None:
                os.environ["NUMBA_CACHE_DIR"] = before
