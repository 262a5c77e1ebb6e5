"""After how many cases a network that has learnt a family costs less than solving each case.

A case is a value of the family's parameter, and its answer an unknown on a grid. The solver is the
least exact of its kind that errs no more than the network over the same cases, and so the
quickest. Both are timed a case at a time, and with many cases in one call.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    import numpy as np

    from tvilling.pinns import Problem, TrainSettings

CASES, REPEATS = 12, 5
TOGETHER = 100  # cases in one call; a tenth where the solver takes one after the other anyway
TIMES = 201  # on the grid of the swing equation
PLACES = 61  # along the heat exchanger
LOSSES = (0.5, 2.0)  # of the pipe's decay in the example

Answer = Callable[["np.ndarray"], "np.ndarray"]  # of cases
Solve = Callable[["np.ndarray", float], "np.ndarray"]  # cases and effort: values [case, …]


@dataclass(frozen=True)
class Family:
    """A problem with one parameter, and how a solver answers it.

    Attributes
    ----------
    grid
        Coordinates of a case's answer, flat, by name.
    efforts
        What the solver may be told, the least first.
    """

    name: str
    problem: "Problem"
    settings: "TrainSettings"
    parameter: str
    unknown: str
    grid: "dict[str, np.ndarray]"
    solver: str
    solve: Solve
    efforts: tuple[float, ...]
    together: int = TOGETHER


@dataclass(frozen=True)
class BreakEven:
    """One family: errors (relative L2), times [s], and when the network pays.

    Attributes
    ----------
    network_s, solver_s
        Of a case that is asked for alone.
    network_together_s, solver_together_s
        Of a case among many in one call.
    break_even, break_even_together
        Cases after which training and evaluating cost less; `inf` where the solver always wins.
    """

    network_error: float
    solver_error: float
    solver: str
    effort: float
    train_s: float
    network_s: float
    solver_s: float
    network_together_s: float
    solver_together_s: float
    break_even: str
    break_even_together: str


def measure() -> Measurement:
    """Times a case alone, summed over three families; the ratio is the smallest of the three."""
    import scipy

    found = {family.name: compared(family) for family in (_swing(), _exchanger(), _pipe())}
    return Measurement(
        name="pinn_break_even",
        ours=sum(item.network_s for item in found.values()),
        peer=sum(item.solver_s for item in found.values()),
        unit="s for one case of each of three families, training apart",
        ratio=min(item.solver_s / item.network_s for item in found.values()),
        peer_name="scipy and NumPy at equal error",
        peer_version=scipy.__version__,
        extra={
            "break_even": {name: item.break_even for name, item in found.items()},
            "break_even_together": {name: item.break_even_together for name, item in found.items()},
            "compilation": "in the training, without a cache; not in evaluations",
            **{name: asdict(item) for name, item in found.items()},
        },
    )


def compared(family: Family) -> BreakEven:
    """Network and solver on one family."""
    import numpy as np

    from tvilling.benchmarks.timing import without_compile_cache
    from tvilling.pinns import train

    start = time.perf_counter()
    with without_compile_cache():
        solution = train(family.problem, family.settings, seed=0)
    train_s = time.perf_counter() - start

    def network(cases: "np.ndarray") -> "np.ndarray":
        points = _points(family, cases)
        return np.asarray(solution.values_at(points, [family.unknown])[family.unknown])

    def solve(effort: float) -> "Answer":
        return lambda cases: family.solve(cases, effort)

    axis = next(it for it in family.problem.inputs.ranged if it.name == family.parameter)
    random = np.random.default_rng(1)
    cases, many = (random.uniform(axis.low, axis.high, count) for count in (CASES, family.together))
    true = _true(family, cases)
    error = _error(network(cases), true)
    effort, solver_error = _effort(family, cases, true, error)
    network_s, solver_s = (_each_s(call, cases[:1]) for call in (network, solve(effort)))
    network_100_s, solver_100_s = (_each_s(call, many) for call in (network, solve(effort)))
    return BreakEven(
        network_error=error,
        solver_error=solver_error,
        solver=family.solver,
        effort=effort,
        train_s=train_s,
        network_s=network_s,
        solver_s=solver_s,
        network_together_s=network_100_s,
        solver_together_s=solver_100_s,
        break_even=break_even(train_s, network_s, solver_s),
        break_even_together=break_even(train_s, network_100_s, solver_100_s),
    )


def break_even(train_s: float, network_s: float, solver_s: float) -> str:
    """Cases after which a training has paid, rounded up; `inf` where it never does."""
    gain_s = solver_s - network_s
    return f"{math.ceil(train_s / gain_s)}" if gain_s > 0 else "inf"


def _points(family: Family, cases: "np.ndarray") -> "dict[str, np.ndarray]":
    """The grid for each case, one after the other."""
    import numpy as np

    count = len(next(iter(family.grid.values())))
    tiled = {name: np.tile(values, len(cases)) for name, values in family.grid.items()}
    return tiled | {family.parameter: np.repeat(cases, count)}


def _true(family: Family, cases: "np.ndarray") -> "np.ndarray":
    import numpy as np

    reference = family.problem.reference
    assert reference is not None
    return np.asarray(reference.function(_points(family, cases))[family.unknown])


def _error(found: "np.ndarray", true: "np.ndarray") -> float:
    """Relative L2."""
    import numpy as np

    return float(np.linalg.norm(found.ravel() - true.ravel()) / np.linalg.norm(true))


def _effort(
    family: Family, cases: "np.ndarray", true: "np.ndarray", error: float
) -> tuple[float, float]:
    """The least effort with which the solver errs no more than `error`, and its error."""
    for effort in family.efforts:
        found = _error(family.solve(cases, effort), true)
        if found <= error:
            return effort, found
    raise RuntimeError(f"{family.name}: the solver did not reach an error of {error:g}")


def _each_s(answer: Answer, cases: "np.ndarray") -> float:
    """The shortest of some calls [s], after a first one, over the number of cases."""
    answer(cases)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        answer(cases)
        times.append(time.perf_counter() - start)
    return min(times) / len(cases)


def _settings(width: int, depth: int, points: int, steps: int) -> "TrainSettings":
    from tvilling.pinns import Broyden, NetworkSettings, TrainSettings

    return TrainSettings(
        NetworkSettings(width=width, depth=depth), points, stages=(Broyden(steps),)
    )


def _swing() -> Family:
    """A machine's angle over 20 s, for any power."""
    import numpy as np

    from tvilling.pinns.library.swing_equation import OneMachine

    machine = OneMachine()
    times = np.linspace(0.0, machine.horizon_s, TIMES)

    def solve(cases: "np.ndarray", tolerance: float) -> "np.ndarray":
        powers = np.repeat(cases, TIMES)
        return machine.solved(np.tile(times, len(cases)), powers, tolerance)

    return Family(
        "swing_equation",
        machine.problem(),
        _settings(20, 2, 500, 2000),
        "power_pu",
        "angle_rad",
        {"time_s": times},
        "DOP853",
        solve,
        tuple(10.0**-digits for digits in np.arange(1.0, 12.5, 0.5)),
    )


def _exchanger() -> Family:
    """Hot water along an exchanger, for any fouling."""
    import numpy as np

    from tvilling.pinns.library.heat_exchanger import HeatExchanger

    exchanger = HeatExchanger()
    x_m = np.linspace(0.0, exchanger.length_m, PLACES)

    def solve(cases: "np.ndarray", steps: float) -> "np.ndarray":
        per_m = exchanger.conductance_kw_per_k(cases) / exchanger.length_m
        return _by_shooting(exchanger, per_m, round(steps))[:, :: round(steps) // (PLACES - 1)]

    return Family(
        "heat_exchanger",
        exchanger.problem(),
        _settings(20, 2, 300, 1500),
        "fouling_m2k_per_kw",
        "hot_degc",
        {"x_m": x_m},
        "trapezoidal rule with linear shooting",
        solve,
        tuple(float((PLACES - 1) * 2**power) for power in range(11)),
    )


def _by_shooting(exchanger: Any, per_m: "np.ndarray", steps: int) -> "np.ndarray":
    """Hot temperatures `[case, step]` by the trapezoidal rule, two starts combined.

    The difference D of both temperatures obeys D' = -a D, so each step multiplies it by one number
    a case, and the unknown D at the hot inlet follows from the cold inlet at the other end.
    """
    import numpy as np

    width = exchanger.length_m / steps
    rate = per_m * (1 / exchanger.hot_kw_per_k - 1 / exchanger.cold_kw_per_k)
    factor = (1 - rate * width / 2) / (1 + rate * width / 2)
    shape = factor[:, None] ** np.arange(steps + 1)  # D for D(0) = 1
    passed = np.zeros_like(shape)
    passed[:, 1:] = np.cumsum((shape[:, 1:] + shape[:, :-1]) * width / 2, axis=1)
    passed *= per_m[:, None]  # heat that has passed, in kW for D(0) = 1 K
    span_k = exchanger.hot_in_degc - exchanger.cold_in_degc
    start_k = span_k / (shape[:, -1] + passed[:, -1] / exchanger.hot_kw_per_k)
    return exchanger.hot_in_degc - start_k[:, None] * passed / exchanger.hot_kw_per_k


def _pipe() -> Family:
    """Water in a pipe over an hour, for any loss."""
    import numpy as np

    from tvilling.benchmarks.pinn_pipe import GRID, _method_of_lines
    from tvilling.pinns.library.heating_pipe import example_pipe

    pipe = example_pipe()
    per_decay = pipe.loss_w_per_mk / pipe.decay_per_s
    x_m, time_s = np.meshgrid(
        np.linspace(0.0, pipe.length_m, GRID), np.linspace(0.0, pipe.horizon_s, GRID), indexing="ij"
    )

    def solve(cases: "np.ndarray", cells: float) -> "np.ndarray":
        pipes = [replace(pipe, loss_w_per_mk=float(decay) * per_decay) for decay in cases]
        return np.stack([_method_of_lines(one, round(cells))[2] for one in pipes])

    return Family(
        "heating_pipe",
        _pipes(),
        _settings(20, 2, 1000, 2500),
        "decay_per_s",
        "water_degc",
        {"x_m": x_m.ravel(), "time_s": time_s.ravel()},
        "upwind differences and DOP853",
        solve,
        tuple(float((GRID - 1) * 2**power) for power in range(7)),
        TOGETHER // 10,
    )


def _pipes() -> "Problem":
    """The example of a pipe for a range of decay, each filled as if its inlet had always held."""
    import jax.numpy as jnp
    import numpy as np

    from tvilling.pinns import Condition, Reference
    from tvilling.pinns.library.heating_pipe import example_pipe
    from tvilling.pinns.problem.families import over_ranges

    pipe = example_pipe()

    def course(x_m: Any, time_s: Any, decay_per_s: Any) -> Any:
        age_s = x_m / pipe.speed_m_per_s
        excess_k = pipe.inlet_degc(time_s - age_s) - pipe.ground_degc
        return pipe.ground_degc + excess_k * jnp.exp(-decay_per_s * age_s)

    def exact(points: Any) -> Any:
        names = ("x_m", "time_s", "decay_per_s")
        return {"water_degc": np.asarray(course(*(jnp.asarray(points[name]) for name in names)))}

    low, high = (share * pipe.decay_per_s for share in LOSSES)
    reference = Reference(exact, 1e-14, "method of characteristics, exact but for rounding")
    family = over_ranges(pipe.problem(), reference, decay_per_s=(low, high))
    inlet = family.conditions[0]
    start = Condition("water_degc", "time_s", 0.0, lambda at: course(at.x_m, 0.0, at.decay_per_s))
    return replace(family, conditions=(inlet, start))
