"""Accuracy of the library's problems: five seeds each against the stated reference, timed."""

import os
import statistics
import time
from dataclasses import dataclass
from typing import Any

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.timing import without_compile_cache

SEEDS = 5


@dataclass(frozen=True)
class Reached:
    """One training: its error and cost, compilation included."""

    seed: int
    relative_l2: float
    wall_s: float
    stopped: str


def accuracy(name: str, asked: float, within_s: float, **changes: Any) -> Measurement:
    """Median relative L2 of five seeds of the library's full training of problem `name`.

    Parameters
    ----------
    asked, within_s
        Error and wall time [s] that the problem shall be solved to and in.
    changes
        Of the settings.
    """
    from dataclasses import replace

    from tvilling.pinns import PROBLEMS

    entry = PROBLEMS[name]
    settings = replace(entry.full, **changes)
    reached = [_reached(entry.example(), settings, seed) for seed in range(SEEDS)]
    return measurement(f"pinn_{name}", reached, asked, within_s)


def measurement(name: str, reached: list[Reached], asked: float, within_s: float) -> Measurement:
    """The median as a line of the table, every seed beside it."""
    return Measurement(
        name=name,
        ours=statistics.median(one.relative_l2 for one in reached),
        peer=None,
        unit="relative L2",
        ratio=None,
        extra={
            "errors": [float(f"{one.relative_l2:.3g}") for one in reached],
            "wall_s": [round(one.wall_s, 1) for one in reached],
            "stopped": [one.stopped for one in reached],
            "asked": asked,
            "within_s": within_s,
            "cores": len(os.sched_getaffinity(0)),
        },
    )


def _reached(problem: Any, settings: Any, seed: int) -> Reached:
    """One training from nothing: no compiled code is kept from the one before."""
    import jax

    from tvilling.pinns import train

    jax.clear_caches()
    began = time.perf_counter()
    with without_compile_cache():
        solution = train(problem, settings, seed=seed)
    wall_s = time.perf_counter() - began
    worst = max(item.relative_l2 for item in solution.error().values())
    return Reached(seed, worst, wall_s, solution.stopped)
