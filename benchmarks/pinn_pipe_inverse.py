"""Speed and loss of a pipe found from four sensors, five seeds of noise and training."""

import time
from dataclasses import replace

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.pinn_accuracy import SEEDS, Reached, measurement
from tvilling.benchmarks.timing import without_compile_cache


def measure() -> Measurement:
    """Median of the greater relative error of the two; asked is 0.5 % in 30 s."""
    found = [_found(seed) for seed in range(SEEDS)]
    line = measurement("pinn_pipe_inverse", found, asked=5e-3, within_s=30)
    return replace(line, unit="relative error of the worse parameter")


def _found(seed: int) -> Reached:
    """One set of noisy readings and one training from nothing."""
    import jax

    from tvilling.pinns.inverse import invert
    from tvilling.pinns.library.heating_pipe_inverse import SHORT, SensedPipe

    jax.clear_caches()
    began = time.perf_counter()
    pipe = SensedPipe(seed=seed)
    with without_compile_cache():
        found = invert(pipe.problem(), SHORT, seed=seed)
    wall_s = time.perf_counter() - began
    worst = max(abs(found.estimates[name].value / true - 1.0) for name, true in pipe.truth.items())
    return Reached(seed, worst, wall_s, found.solution.stopped)
