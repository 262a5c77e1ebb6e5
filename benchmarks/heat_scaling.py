"""How the cost of a scenario grows with the network: 100, 1 000 and 5 000 consumers."""

from typing import Any

from tvilling.benchmarks.measurement import Measurement

SIZES = {100: 50, 1000: 20, 5000: 10}  # consumers and scenarios


def measure() -> Measurement:
    """Cost of a scenario-step per consumer at 5 000 consumers over that at 100.

    Each size runs in a process of its own, so that its peak memory is its own.
    """
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    rows = []
    for consumers, scenarios in SIZES.items():
        with context.Pool(1) as pool:
            rows.append(pool.apply(one_size, (consumers, scenarios)))
    small, large = rows[0], rows[-1]
    return Measurement(
        name="heat_scaling",
        ours=large["us_per_scenario_step_and_consumer"],
        peer=small["us_per_scenario_step_and_consumer"],
        unit="µs per scenario, step and consumer",
        ratio=small["us_per_scenario_step_and_consumer"]
        / large["us_per_scenario_step_and_consumer"],
        peer_name="ours at 100 consumers",
        extra={"sizes": rows},
    )


def one_size(consumers: int, scenarios: int) -> dict[str, Any]:
    """Time and peak memory of `scenarios` days on a tree of `consumers`."""
    from tvilling.benchmarks.heat_ensemble import STEPS, compiled_ensemble, day_scenarios
    from tvilling.benchmarks.networks import random_tree
    from tvilling.benchmarks.timing import take_turns
    from tvilling.sciml.systems.heat_network import Options, build

    tables = random_tree(consumers, heat_w=20e3, reach=max(8, consumers // 12))
    network = build(tables, Options(cells=2))
    demand_w = tables.checked().consumers["heat_w"].to_numpy(float)
    batch = day_scenarios(network, demand_w, scenarios)
    before_mb = peak_memory_mb()
    run, compile_s = compiled_ensemble(network, batch, chunk=10)
    median_s = take_turns({"ours": run}, 3)["ours"].median_s
    per_step = median_s / (scenarios * STEPS) * 1e6
    return {
        "consumers": consumers,
        "scenarios": scenarios,
        "compile_s": compile_s,
        "s_per_scenario_day": median_s / scenarios,
        "us_per_scenario_step": per_step,
        "us_per_scenario_step_and_consumer": per_step / consumers,
        "peak_memory_mb": peak_memory_mb(),
        "memory_before_mb": before_mb,
    }


def peak_memory_mb() -> float:
    """Most memory this process has held so far; unlike `ru_maxrss` not its parent's."""
    from pathlib import Path

    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024
    return float("nan")
