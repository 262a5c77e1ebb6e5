"""What a graph network's supply temperatures of 50 consumers are off by."""

import time
from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from tvilling.gnn.learned import LearnedSupply
    from tvilling.gnn.samples import Samples
    from tvilling.sciml.systems.heat_network import HeatNetwork

SEEN, JUDGED = 4096, 1024


def measure() -> Measurement:
    """Mean absolute error on held-out demands, and that of a linear regression."""
    import numpy as np

    from tvilling.benchmarks.gnn_supply_ways import formula, linear, plant
    from tvilling.gnn import train_supply
    from tvilling.gnn.samples import from_scenarios

    network, seen, judged = plant(SEEN, JUDGED)
    wall, cpu = time.perf_counter(), time.process_time()
    learned, fitted = train_supply(network, seen, seed=0)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    known, asked = (from_scenarios(network, learned.tree, data) for data in (seen, judged))
    truth = np.asarray(asked.junction_degc)
    fall_k = np.asarray(asked.supply_degc)[:, None] - truth
    error_k, extra = _judged(learned, asked)

    def miss_k(degc: "np.ndarray") -> float:
        return float(np.abs(degc - truth).mean())

    mean_degc = np.asarray(known.junction_degc).mean(axis=0)
    linear_k = miss_k(linear(known, asked))
    return Measurement(
        name="gnn_heat_supply",
        ours=error_k,
        peer=linear_k,
        unit="K",
        ratio=linear_k / error_k,
        peer_name="linear regression on total demand",
        extra={
            **extra,
            "mean_fall_k": float(fall_k.mean()),
            "greatest_fall_k": float(fall_k.max()),
            "mean_of_each_junction_error_k": miss_k(mean_degc),
            "formula_of_one_round_error_k": miss_k(
                np.asarray(formula(network, learned.tree, asked, 1)())
            ),
            "another_network_error_k": _elsewhere_k(learned, consumers=50),
            "smaller_network_error_k": _elsewhere_k(learned, consumers=20),
            **_lesser_k(network, seen, asked),
            "training_s": wall,
            "training_cpu_s": cpu,
            "training_steps": fitted.best_step,
        },
    )


def _judged(learned: "LearnedSupply", asked: "Samples") -> tuple[float, dict[str, float]]:
    """Mean absolute error [K], and what else there is to say of the answers."""
    import jax
    import numpy as np

    from tvilling.gnn import balance

    answers = jax.jit(type(learned).__call__)(learned, *asked.drives)
    error_k = np.abs(np.asarray(answers.junction_degc - asked.junction_degc))
    many = jax.vmap(balance, in_axes=(None, None, 0, 0, 0, 0))
    weigh = jax.jit(many, static_argnums=1)
    energy, exact = (
        weigh(learned.network, learned.tree, degc, *asked.drives)
        for degc in (answers.junction_degc, asked.junction_degc)
    )
    held = error_k[:, 1:] <= np.asarray(answers.error_k)[:, 1:]  # the source is known
    return float(error_k.mean()), {
        "error_95_percent_k": float(np.quantile(error_k, 0.95)),
        "greatest_error_k": float(error_k.max()),
        "interval_coverage": float(held.mean()),
        "interval_half_width_k": float(answers.error_k.mean()),
        "net_energy_share": float(energy.net_share.mean()),
        "greatest_net_energy_share": float(energy.net_share.max()),
        "gross_energy_share": float(energy.gross_share.mean()),
        "greatest_gross_energy_share_of_the_solver": float(exact.gross_share.max()),
    }


def _lesser_k(network: "HeatNetwork", seen: "xr.Dataset", asked: "Samples") -> dict[str, float]:
    """Mean absolute error [K] of what leaves out a part of the design, trained alike."""
    import jax
    import numpy as np

    from tvilling.gnn import ModelSettings, SupplySettings, train_supply
    from tvilling.gnn.train import answered

    designs = {
        "without_messages_error_k": SupplySettings(model=ModelSettings(hidden=24, layers=0)),
        "by_junction_error_k": SupplySettings(readout="junctions"),
    }
    found = {}
    for name, settings in designs.items():
        learned, _ = train_supply(network, seen, settings, seed=0)
        error_k = np.asarray(jax.jit(answered)(learned, asked) - asked.junction_degc)
        found[name] = float(np.abs(error_k).mean())
    return found


def _elsewhere_k(learned: "LearnedSupply", consumers: int) -> float:
    """Mean absolute error [K] of the same weights on a street tree they have not seen."""
    import jax
    import numpy as np

    from tvilling.benchmarks.gnn_supply_ways import plant
    from tvilling.gnn.samples import from_scenarios
    from tvilling.gnn.train import answered

    network, _, judged = plant(1, JUDGED, consumers, seed=1)
    moved = learned.for_network(network)
    asked = from_scenarios(network, moved.tree, judged)
    return float(np.abs(np.asarray(jax.jit(answered)(moved, asked) - asked.junction_degc)).mean())
