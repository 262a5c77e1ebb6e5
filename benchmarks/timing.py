"""How long calls take: warm, blocked until done, and taking turns."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds per call, of several calls.

    Attributes
    ----------
    first_s
        The first call, which compiles where there is something to compile.
    wall_s
        Every later call, by the clock on the wall.
    cpu_s
        Every later call, summed over the process's threads.
    """

    first_s: float
    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]

    @property
    def min_s(self) -> float:
        """Fastest call, the least disturbed by other work [s]."""
        return min(self.wall_s)

    @property
    def median_s(self) -> float:
        """Median call [s]."""
        return statistics.median(self.wall_s)

    @property
    def min_cpu_s(self) -> float:
        """Least CPU time of a call, the least disturbed by other work [s]."""
        return min(self.cpu_s)

    @property
    def median_cpu_s(self) -> float:
        """CPU time of the median call [s]."""
        return statistics.median(self.cpu_s)


def take_turns(calls: Mapping[str, Callable[[], Any]], repeats: int = 5) -> dict[str, Timing]:
    """Time each of `calls`, one after the other, `repeats` times over.

    Interleaving spreads what else the machine does over all of them. Each is called once before,
    outside the repeats, so that compilation and first reads do not count; every call is waited
    for until its arrays are there.
    """
    first = {name: _once(call)[0] for name, call in calls.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(_once(call))
    return {
        name: Timing(first[name], tuple(t[0] for t in times), tuple(t[1] for t in times))
        for name, times in taken.items()
    }


def _once(call: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds of one call, until its arrays are there."""
    import jax

    wall, cpu = time.perf_counter(), time.process_time()
    jax.block_until_ready(call())
    return time.perf_counter() - wall, time.process_time() - cpu


@contextmanager
def without_compile_cache() -> Iterator[None]:
    """Compile as on the first day, whatever the cache on disk holds."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()  # JAX decides once whether to use it
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", True)
        compilation_cache.reset_cache()
