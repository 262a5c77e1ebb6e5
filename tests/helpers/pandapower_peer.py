"""pandapower as the other program: the same power grid, solved by its Newton's method."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

# From each start, the tolerances that rounding may allow; pandapower stops at none above.
TOLERANCES_MVA = (1e-10, 1e-9, 1e-8, 1e-7)
STARTS: tuple[dict[str, str], ...] = (
    {},
    {"init": "flat"},
    {"algorithm": "iwamoto_nr"},
    {"algorithm": "iwamoto_nr", "init": "flat"},
)

LARGE = 1000  # buses above which pandapower's compiled parts are worth their loading


@contextmanager
def quiet() -> Iterator[None]:
    """Without the peer's warnings and prints, which concern its own code."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def voltages(net: Any, tolerance_mva: float = 1e-10, **options: Any) -> np.ndarray:
    """Complex voltages by row of the bus table [p.u.]; NaN where a bus has none.

    Raises
    ------
    pandapower.LoadflowNotConverged
        pandapower found no solution.
    """
    with quiet():
        import pandapower

        settings: dict[str, Any] = {
            "max_iteration": 20,
            "lightsim2grid": False,
            "numba": len(net.bus) > LARGE,
        }
        pandapower.runpp(net, tolerance_mva=tolerance_mva, **{**settings, **options})
    result = net.res_bus.loc[net.bus.index]
    angle = np.radians(result["va_degree"].to_numpy(float))
    return result["vm_pu"].to_numpy(float) * np.exp(1j * angle)


def best_voltages(net: Any) -> tuple[np.ndarray | None, float, dict[str, str]]:
    """Voltages at the least tolerance that pandapower reaches [MVA], and how it got there."""
    with quiet():
        from pandapower import LoadflowNotConverged
    for start in STARTS:
        for tolerance_mva in TOLERANCES_MVA:
            try:
                return voltages(net, tolerance_mva, **start), tolerance_mva, start
            except LoadflowNotConverged:
                continue
    return None, np.nan, {}


def by_row(grid: PowerGrid, v: np.ndarray) -> np.ndarray:
    """The voltages `[…, bus]` of the grid by row of the bus table; NaN where a bus has none."""
    padded = np.concatenate([v, np.full((*v.shape[:-1], 1), np.nan)], axis=-1)
    return padded[..., grid.buses.bus]
