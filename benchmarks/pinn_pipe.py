"""A network that solves the heating pipe, against a classical solver of equal error."""

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.timing import without_compile_cache

if TYPE_CHECKING:
    import numpy as np

    from tvilling.pinns import Problem
    from tvilling.pinns.library.heating_pipe import HeatingPipe

SEEDS = 5
GRID = 141  # nodes along each axis of the grid on which both errors are taken
MOST_CELLS = 140 * 64
TOLERANCE = 1e-8  # of the solver in time; its error is then that of its cells


@dataclass(frozen=True)
class Run:
    """One solution: its errors over the grid and its cost."""

    relative_l2: float
    relative_to_spread: float
    wall_s: float
    cpu_s: float


def measure() -> Measurement:
    """Median relative error of five seeds; the ratio is the solver's time over ours."""
    import scipy

    from tvilling.pinns.library.heating_pipe import example_pipe

    pipe = example_pipe()
    problem = pipe.problem()
    trained, solved = [], []
    cells = 0
    for seed in range(SEEDS):
        trained.append(_trained(problem, seed))
        cells = cells or _cells_for(pipe, trained[0].relative_l2)
        solved.append(_solved(pipe, cells))
    ours_s = statistics.median(run.wall_s for run in trained)
    peer_s = statistics.median(run.wall_s for run in solved)
    return Measurement(
        name="pinn_pipe",
        ours=statistics.median(run.relative_l2 for run in trained),
        peer=solved[-1].relative_l2,
        unit="relative L2; ratio of times",
        ratio=peer_s / ours_s,
        peer_name="scipy solve_ivp",
        peer_version=scipy.__version__,
        extra={
            "wins": "solver" if peer_s < ours_s else "network",
            "ours_wall_s": ours_s,
            "ours_cpu_s": statistics.median(run.cpu_s for run in trained),
            "peer_wall_s": peer_s,
            "peer_cpu_s": statistics.median(run.cpu_s for run in solved),
            "peer_cells": cells,
            "seeds": SEEDS,
            "relative_l2_of_each_seed": [run.relative_l2 for run in trained],
            "relative_to_spread_of_each_seed": [run.relative_to_spread for run in trained],
            "wall_s_of_each_seed": [run.wall_s for run in trained],
            "compilation": "included, without a cache",
        },
    )


def _trained(problem: "Problem", seed: int) -> Run:
    """A network with the default settings, compiled anew."""
    from tvilling.pinns import train

    wall, cpu = time.perf_counter(), time.process_time()
    with without_compile_cache():
        solution = train(problem, seed=seed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    error = solution.error(points=GRID**2)["water_degc"]
    return Run(error.relative_l2, error.relative_to_spread, wall, cpu)


def _cells_for(pipe: "HeatingPipe", error: float) -> int:
    """The fewest cells, by doubling, with which the solver errs no more than `error`."""
    cells = GRID - 1
    while cells < MOST_CELLS and _solved(pipe, cells).relative_l2 > error:
        cells *= 2
    return cells


def _solved(pipe: "HeatingPipe", cells: int) -> Run:
    """The method of lines with `cells` cells, and its error at the nodes of the grid."""
    import numpy as np

    wall, cpu = time.perf_counter(), time.process_time()
    x_m, times_s, found = _method_of_lines(pipe, cells)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    true = np.asarray(pipe.exact_degc(x_m[:, None], times_s))
    rms = float(np.sqrt(np.mean((found - true) ** 2)))
    return Run(rms / float(np.sqrt(np.mean(true**2))), rms / float(np.std(true)), wall, cpu)


def _inlet_degc(time_s: "np.ndarray | float") -> "np.ndarray":
    """The inlet of the example, by NumPy, which is quicker for single numbers."""
    import numpy as np

    from tvilling.pinns.library.heating_pipe import MEAN_DEGC, PERIOD_S, SWING_K

    return MEAN_DEGC + SWING_K * np.sin(2 * np.pi * np.asarray(time_s) / PERIOD_S)


def _method_of_lines(
    pipe: "HeatingPipe", cells: int
) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Upwind differences of second order, and an explicit Runge-Kutta method of order eight.

    The `GRID` nodes along the pipe and in time, and the values there.
    """
    import numpy as np
    from scipy.integrate import solve_ivp

    x_m = np.linspace(0.0, pipe.length_m, cells + 1)
    spacing = x_m[1]

    def rate(now_s: float, inside: "np.ndarray") -> "np.ndarray":
        degc = np.concatenate([[_inlet_degc(now_s)], inside])
        slope = np.empty(cells)
        slope[0] = (degc[2] - degc[0]) / (2 * spacing)
        slope[1:] = (3 * degc[2:] - 4 * degc[1:-1] + degc[:-2]) / (2 * spacing)
        return -pipe.speed_m_per_s * slope - pipe.decay_per_s * (inside - pipe.ground_degc)

    times_s = np.linspace(0.0, pipe.horizon_s, GRID)
    start = np.asarray(pipe.start_degc(x_m[1:]))
    run = solve_ivp(
        rate, times_s[[0, -1]], start, "DOP853", times_s, rtol=TOLERANCE, atol=TOLERANCE
    )
    step = cells // (GRID - 1)
    return x_m[::step], times_s, np.vstack([_inlet_degc(times_s), run.y])[::step]
