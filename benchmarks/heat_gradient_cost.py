"""What a gradient costs: the operator's day on the 100-consumer tree, differentiated."""

from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from jaxtyping import Array

    from tvilling.sciml.core.scenario import Scenario
    from tvilling.sciml.systems.heat_network import HeatNetwork

SCENARIOS, CHUNK = 100, 50
COMFORT_DEGC = 68.0
PRICE_PER_K2 = 10.0


def day_cost(network: "HeatNetwork", scenario: "Scenario") -> "Array":
    """Heat put in over the day [GJ] and a penalty on consumers below 68 °C."""
    import jax.numpy as jnp

    from tvilling.benchmarks.heat_ensemble import FOLLOW_DRIVE
    from tvilling.sciml.core.simulate import simulate

    output = simulate(network, FOLLOW_DRIVE, scenario).output
    heat_gj = output["source_w"].sum() * scenario.dt_s / 1e9
    cold = jnp.clip(COMFORT_DEGC - output["consumer_supply_degc"], 0.0, None)
    return heat_gj + PRICE_PER_K2 * jnp.sum(cold**2)


def with_supply(scenario: "Scenario", supply_degc: "Array") -> "Scenario":
    """`scenario` with other supply temperatures `[time, source]`."""
    from dataclasses import replace

    return replace(scenario, drive={**scenario.drive, "supply_degc": supply_degc})


def batched(function: "Callable", scenarios: "Scenario") -> "Callable":
    """`function` of network, scenario and supply temperatures over the batch, in chunks."""
    import jax

    def run(network: "HeatNetwork") -> "Array":
        pair = (scenarios, scenarios.drive["supply_degc"])
        return jax.lax.map(lambda one: function(network, *one), pair, batch_size=CHUNK)

    return run


def measure() -> Measurement:
    """Time of value and gradient over time of the value, 96 supply temperatures each."""
    import jax
    import numpy as np

    from tvilling.benchmarks.heat_ensemble import day_scenarios
    from tvilling.benchmarks.networks import random_tree
    from tvilling.benchmarks.timing import take_turns
    from tvilling.sciml.systems.heat_network import Options, build

    tables = random_tree(100)
    network = build(tables, Options(cells=4))
    demand_w = tables.checked().consumers["heat_w"].to_numpy(float)
    scenarios = day_scenarios(network, demand_w, SCENARIOS)

    def value(network: "HeatNetwork", scenario: "Scenario", supply_degc: "Array") -> "Array":
        return day_cost(network, with_supply(scenario, supply_degc))

    forward = jax.jit(batched(value, scenarios))
    both = jax.jit(batched(jax.value_and_grad(value, argnums=2), scenarios))
    timing = take_turns({"forward": lambda: forward(network), "both": lambda: both(network)}, 5)
    gradient = np.asarray(both(network)[1][0])
    worst = _worst_miss(network, jax.tree.map(lambda leaf: leaf[0], scenarios), gradient)
    ratio = timing["both"].median_s / timing["forward"].median_s
    return Measurement(
        name="heat_gradient_cost",
        ours=ratio,
        peer=None,
        unit="times the forward run",
        ratio=None,
        extra={
            "scenarios": SCENARIOS,
            "forward_median_s": timing["forward"].median_s,
            "value_and_gradient_median_s": timing["both"].median_s,
            "compile_and_first_s": timing["both"].first_s,
            "worst_relative_miss_of_finite_differences": worst,
        },
    )


def _worst_miss(network: "HeatNetwork", scenario: "Scenario", gradient: "np.ndarray") -> float:
    """Largest relative distance of the gradient from central differences, at five hours."""
    import jax
    import numpy as np

    value = jax.jit(lambda supply: day_cost(network, with_supply(scenario, supply)))
    supply = scenario.drive["supply_degc"]
    step = 1e-3
    misses = []
    for at in (5, 20, 40, 60, 80):
        up, down = value(supply.at[at].add(step)), value(supply.at[at].add(-step))
        slope = float(up - down) / (2 * step)
        misses.append(abs(slope - float(gradient[at, 0])) / abs(slope))
    return float(np.max(misses))
