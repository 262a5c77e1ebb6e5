"""1 000 scenarios beyond what a grid can carry: what it takes to tell how far each could go."""

from typing import Any

from tvilling.benchmarks.measurement import Measurement

CASES = {  # grid: the load at its nose, as a multiple of the file's (tests/…/test_infeasible.py)
    "pandapower:create_kerber_dorfnetz": 6.1588,
    "pandapower:mv_oberrhein": 2.9028,
    "pandapower:case57": 1.4716,
    "pandapower:case118": 3.1876,
    "pandapower:case300": 1.4152,
    "pandapower:case1354pegase": 1.5282,
}
COUNT = 1_000
BEYOND = 1.01, 1.5  # of the nose


def measure() -> Measurement:
    """CPU time per scenario without a solution, beside one at half of the nose that has one."""
    rows = [_one(source, nose) for source, nose in CASES.items()]
    shown = next(row for row in rows if row["grid"] == "pandapower:case118")
    return Measurement(
        name="power_infeasible",
        ours=shown["ms_cpu_infeasible"],
        peer=shown["ms_cpu_solved"],
        unit="ms CPU per scenario, 118 buses",
        ratio=shown["ms_cpu_solved"] / shown["ms_cpu_infeasible"],
        peer_name="ours, with a solution",
        extra={"grids": rows},
    )


def _one(source: str, nose: float) -> dict[str, Any]:
    import numpy as np

    from tvilling.benchmarks.power_grids import read_case
    from tvilling.benchmarks.timing import take_turns
    from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

    grid = read_case(source).grid
    rng = np.random.default_rng(0)
    batches = {}
    for name, (low, high) in {"infeasible": BEYOND, "solved": (0.4, 0.6)}.items():
        scale = nose * rng.uniform(low, high, COUNT)
        batches[name] = {
            f"{kind}_{power}": np.multiply.outer(scale, getattr(grid.elements[kind], power))
            for kind, power in (
                ("load", "p_mw"),
                ("load", "q_mvar"),
                ("sgen", "p_mw"),
                ("sgen", "q_mvar"),
                ("gen", "p_mw"),
            )
        }
    calls = {name: (lambda one=one: solve(grid, one)) for name, one in batches.items()}
    flows = {name: call() for name, call in calls.items()}
    if flows["infeasible"].solved.any() or not flows["solved"].solved.all():
        raise RuntimeError(f"{source}: outcomes are not those on either side of the nose")
    timing = take_turns(calls, 3)
    return {
        "grid": source,
        "buses": grid.n_bus,
        **{f"ms_cpu_{name}": timing[name].min_cpu_s / COUNT * 1e3 for name in calls},
    }
