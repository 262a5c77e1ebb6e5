"""What an answer of the graph network costs, beside solvers of the same question."""

from tvilling.benchmarks.measurement import Measurement

SEEN, JUDGED = 256, 1024
ROUNDS = 8  # of the formula: then it is nearer to the solver than the graph network is


def measure() -> Measurement:
    """Microseconds a scenario on a batch; the peer is the cheapest solver of at least its accuracy.

    The time does not depend on the weights, so training is cut to one step.
    """
    import jax
    import numpy as np

    from tvilling.benchmarks.gnn_supply_ways import formula, plant, solver
    from tvilling.benchmarks.timing import take_turns
    from tvilling.gnn import SupplySettings, train_supply
    from tvilling.gnn.samples import from_scenarios
    from tvilling.gnn.train import answered
    from tvilling.sciml.learning.fit import FitSettings

    network, seen, judged = plant(SEEN, JUDGED)
    learned, _ = train_supply(network, seen, SupplySettings(fit=FitSettings(steps=1)))
    asked = from_scenarios(network, learned.tree, judged)
    run = jax.jit(answered)
    calls = {
        "gnn": lambda: run(learned, asked),
        "solver": solver(network, learned.tree, asked),
        "formula": formula(network, learned.tree, asked, ROUNDS),
    }
    timing = take_turns(calls, 7)
    us = {name: found.median_s / JUDGED * 1e6 for name, found in timing.items()}
    cpu_us = {name: min(found.cpu_s) / JUDGED * 1e6 for name, found in timing.items()}
    formula_k = np.abs(np.asarray(calls["formula"]()) - np.asarray(asked.junction_degc))
    return Measurement(
        name="gnn_heat_supply_speed",
        ours=us["gnn"],
        peer=us["formula"],
        unit="µs per scenario",
        ratio=us["formula"] / us["gnn"],
        peer_name=f"plain formula, {ROUNDS} rounds",
        extra={
            "scenarios": JUDGED,
            "solver_us": us["solver"],
            "solver_over_gnn": us["solver"] / us["gnn"],
            **{f"{name}_cpu_us": value for name, value in cpu_us.items()},
            "formula_error_k": float(formula_k.mean()),
            "greatest_formula_error_k": float(formula_k.max()),
        },
    )
