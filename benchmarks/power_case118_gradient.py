"""The sum of all voltage magnitudes of case118, and its gradient by every load's P and Q."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np

    from tvilling.benchmarks.power_grids import Case, Varying
    from tvilling.benchmarks.timing import Timing

SCENARIOS = 2_000
REPEATS = 7
AGREED = 1e-8  # of the greatest entry of the gradient
NAMES = ("load_p_mw", "load_q_mvar")

Gradients = dict[str, "np.ndarray"]


def measure() -> Measurement:
    """CPU time per scenario for value and gradient, beside lightsim2grid's torch form."""
    from tvilling.benchmarks import power_lightsim
    from tvilling.benchmarks.power_contest import CORES, checked, distance_pu
    from tvilling.benchmarks.power_grids import CASE118, random_scenarios, read_case
    from tvilling.benchmarks.power_injections import pandapower_away_pu, solved
    from tvilling.benchmarks.timing import take_turns

    version = power_lightsim.version()
    case = read_case(CASE118)
    varying = random_scenarios(case.grid, SCENARIOS)
    flow = solved(case, varying)
    mine = _ours(case, varying, 1)
    best, theirs, told = _fastest(_lightsim_ways(case, varying, 1), mine.gradients())
    timing = take_turns(
        {
            "ours, forward": mine.forward,
            "ours": mine.both,
            f"ours, {CORES} threads": _ours(case, varying, CORES).both,
            "lightsim2grid, forward": theirs.forward,
            "lightsim2grid": theirs.both,
            f"lightsim2grid, {CORES} threads": _lightsim_ways(case, varying, CORES)[best].both,
        },
        REPEATS,
    )
    us = {name: _us(found) for name, found in timing.items()}
    return Measurement(
        name="power_case118_gradient",
        ours=us["ours"]["us_cpu"],
        peer=us["lightsim2grid"]["us_cpu"],
        unit="µs CPU per scenario, value and gradient",
        ratio=us["lightsim2grid"]["us_cpu"] / us["ours"]["us_cpu"],
        peer_name="lightsim2grid, torch",
        peer_version=f"{version}, {_torch().__version__}",
        extra={
            "scenarios": SCENARIOS,
            "parameters": sum(values.shape[1] for values in varying.values()),
            "times": us,
            "us_cpu_gradient_alone": {
                side: us[side]["us_cpu"] - us[f"{side}, forward"]["us_cpu"]
                for side in ("ours", "lightsim2grid")
            },
            "away_pu": checked(distance_pu(theirs.voltages(), flow.v), "lightsim2grid"),
            "pandapower_away_pu": pandapower_away_pu(case, varying, flow),
            **told,
        },
    )


@dataclass(frozen=True)
class Side:
    """Value, value with gradient, the gradient by name, and the voltages."""

    forward: Callable[[], Any]
    both: Callable[[], Any]
    gradients: Callable[[], Gradients]
    voltages: Callable[[], Any]


def _ours(case: "Case", varying: "Varying", threads: int) -> Side:
    import jax
    import jax.numpy as jnp
    import numpy as np

    from tvilling.sciml.systems.power_grid.solver.differentiable import power_flow
    from tvilling.sciml.systems.power_grid.solver.flow import Options

    options = Options(threads=threads)

    def value(given: dict[str, jax.Array]) -> jax.Array:
        return power_flow(case.grid, given, options=options).vm_pu.sum()

    def voltages() -> np.ndarray:
        found = power_flow(case.grid, given, options=options)
        return np.asarray(found.e + 1j * found.f)

    given = {name: jnp.asarray(values) for name, values in varying.items()}
    forward, both = jax.jit(value), jax.jit(jax.value_and_grad(value))
    return Side(
        forward=lambda: forward(given),
        both=lambda: both(given),
        gradients=lambda: {name: np.asarray(found) for name, found in both(given)[1].items()},
        voltages=voltages,
    )


def _fastest(ways: dict[str, Side], wanted: Gradients) -> tuple[str, Side, dict[str, Any]]:
    """The way with the least CPU time among those whose gradients agree, and what was tried."""
    from tvilling.benchmarks.timing import take_turns

    away = {words: _away(way.gradients(), wanted) for words, way in ways.items()}
    trial = take_turns({words: ways[words].both for words in away if away[words] <= AGREED}, 2)
    if not trial:
        raise RuntimeError(f"gradients differ by {min(away.values()):g} of the greatest")
    best = min(trial, key=lambda words: trial[words].min_cpu_s)
    told = {
        "gradients_differ_by": away[best],
        "fastest_exact_way": best,
        "ways": {words: _us(found)["us_cpu"] for words, found in trial.items()},
    }
    return best, ways[best], told


def _lightsim_ways(case: "Case", varying: "Varying", threads: int) -> dict[str, Side]:
    """Its batch by tolerance and policy of factors, from the same start as ours."""
    from itertools import product

    from tvilling.benchmarks import power_lightsim
    from tvilling.benchmarks.power_reduced import reduced
    from tvilling.sciml.systems.power_grid.solver.base_case import base_case

    small = reduced(case.grid)
    start = base_case(case.grid).v[small.bus]
    grid = power_lightsim.model(small, start)
    injections = power_lightsim.loads(small, varying)
    return {
        f"factors {words}, tolerance {tolerance:g}": _lightsim_side(
            power_lightsim.differentiable(grid, start, policy, tolerance, threads), injections
        )
        for (words, policy), tolerance in product(
            power_lightsim.POLICIES.items(), power_lightsim.TOLERANCES
        )
    }


def _lightsim_side(batch: Any, injections: tuple["np.ndarray", "np.ndarray"]) -> Side:
    torch = _torch()
    torch.set_num_threads(1)  # more of them wait for each other
    p, q = (torch.tensor(values, requires_grad=True) for values in injections)

    def voltages() -> Any:
        with torch.no_grad():
            return batch(load_p=p, load_q=q).numpy()

    def forward() -> Any:
        with torch.no_grad():
            return batch(load_p=p, load_q=q).abs().sum().item()

    def both() -> Any:
        p.grad = q.grad = None
        batch(load_p=p, load_q=q).abs().sum().backward()

    def gradients() -> Gradients:
        both()
        return dict(zip(NAMES, (p.grad.numpy(), q.grad.numpy()), strict=True))

    return Side(forward, both, gradients, voltages)


def _torch() -> Any:
    from tvilling.sciml.io.extras import needs_extra

    with needs_extra("graph"):
        import torch
    return torch


def _away(one: Gradients, other: Gradients) -> float:
    """Greatest difference of the gradients, relative to the greatest entry."""
    import numpy as np

    return max(
        float(np.abs(one[name] - other[name]).max() / np.abs(other[name]).max()) for name in NAMES
    )


def _us(timing: "Timing") -> dict[str, float]:
    per = 1e6 / SCENARIOS
    return {
        "us_cpu": timing.min_cpu_s * per,
        "us_cpu_median": timing.median_cpu_s * per,
        "us_wall": timing.min_s * per,
    }
