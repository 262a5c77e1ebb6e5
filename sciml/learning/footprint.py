"""What a computation took: time, memory, floating-point operations, and an estimate of energy.

Energy is an estimate of codecarbon, offline: it connects to nothing and writes no file. How it
came about stands beside it. `rapl` means that the processor counted its own energy; `cpu_load`
and `constant` that a table of rated powers was multiplied by the load, or by half of it; memory is
always a constant a module. On a shared or virtual machine only the order of magnitude is worth
anything.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tvilling.sciml.io.extras import MissingExtraError, needs_extra

COUNTRY = "DNK"
NOT_MEASURED = "not measured"


@dataclass
class Footprint:
    """What a block of code took; filled in when the block ends.

    Attributes
    ----------
    wall_s, cpu_s
        Time on the clock, and that of all cores of this process [s].
    peak_memory_bytes
        Most memory this process has held since it began, which may be before the block.
    energy_j
        Estimate of the energy used [J], or None where it was not measured.
    energy_mode
        How the energy was estimated, or why it was not.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    energy_j: float | None = None
    energy_mode: str = NOT_MEASURED


@contextmanager
def measure_footprint(energy: bool = False) -> Iterator[Footprint]:
    """Measure the block: `with measure_footprint() as footprint: …`.

    JAX computes in the background: block on the results inside (`jax.block_until_ready`).

    Parameters
    ----------
    energy
        Whether to estimate energy as well, which takes about two seconds more (outside the
        times). Where codecarbon is missing, the mode says so.
    """
    footprint = Footprint()
    tracker = _tracker(footprint) if energy else None
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield footprint
    finally:
        footprint.wall_s = time.perf_counter() - wall
        footprint.cpu_s = time.process_time() - cpu
        footprint.peak_memory_bytes = peak_memory_bytes()
        if tracker is not None:
            tracker.stop()
            _read(tracker, footprint)


def peak_memory_bytes() -> int:
    """Most memory that this process has held; 0 where the system does not tell (Windows).

    Linux counts it in `VmHWM`. `getrusage`, asked elsewhere, starts from the parent's there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ModuleNotFoundError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def count_flop(function: Callable[..., Any], *arguments: Any) -> float:
    """Floating-point operations of one call, as XLA counts them in the compiled code.

    A loop (`lax.scan`, `lax.while_loop`, `lax.map`) counts as one round of it, and a branch as the
    dearer one; exponentials and the like are not counted. Multiply by the rounds yourself, or
    count the body.

    Raises
    ------
    ValueError
        If XLA does not count for this device.
    """
    import jax

    found = jax.jit(function).lower(*arguments).compile().cost_analysis()
    if not isinstance(found, dict) or "flops" not in found:
        raise ValueError(f"XLA gives no count of operations on {jax.default_backend()}")
    return float(found["flops"])


def _tracker(footprint: Footprint) -> Any:
    """A codecarbon tracker that has started, or None where codecarbon is missing."""
    try:
        with needs_extra("track"):
            from codecarbon import OfflineEmissionsTracker
    except MissingExtraError as missing:
        footprint.energy_mode = f"{NOT_MEASURED}: {missing}"
        return None
    logging.getLogger("codecarbon").disabled = True  # it speaks before its own level is set
    tracker = OfflineEmissionsTracker(
        country_iso_code=COUNTRY,
        output_methods=[],
        log_level="critical",
        allow_multiple_runs=True,
        tracking_mode="process",
        measure_power_secs=1,
    )
    tracker.start()
    return tracker


def _read(tracker: Any, footprint: Footprint) -> None:
    """Energy and mode of a tracker that has stopped; it hides its own faults."""
    found = getattr(tracker, "final_emissions_data", None)
    if found is None:
        footprint.energy_mode = f"{NOT_MEASURED}: codecarbon failed"
        return
    hardware = getattr(tracker, "_hardware", [])
    modes = sorted({str(mode) for part in hardware if (mode := getattr(part, "_mode", None))})
    footprint.energy_j = float(found.energy_consumed) * 3.6e6
    footprint.energy_mode = (
        f"codecarbon {found.codecarbon_version}: {', '.join(modes) or 'unknown'}"
    )
