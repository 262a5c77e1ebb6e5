"""The same grid with other admittances: what was planned for it still holds."""

from copy import copy
from weakref import WeakKeyDictionary

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid

KEPT = 4
_KEPT: WeakKeyDictionary[PowerGrid, list[PowerGrid]] = WeakKeyDictionary()


def with_two_port(grid: PowerGrid, two_port: np.ndarray) -> PowerGrid:
    """`grid` with the branch admittances `[branch, 8]` [p.u.] in place of its own.

    Its `branches` stay those of `grid`. The last few are kept, since a simulation asks for the
    same ones at every step.
    """
    if np.array_equal(two_port, grid.two_port):
        return grid
    kept = _KEPT.setdefault(grid, [])
    for known in kept:
        if np.array_equal(known.two_port, two_port):
            return known
    other = _with(grid, two_port)
    kept[:] = [*kept[1 - KEPT :], other]
    return other


def _with(grid: PowerGrid, two_port: np.ndarray) -> PowerGrid:
    _ = grid.plan, grid.kinds, grid.entries  # so that the copy has them
    other = copy(grid)
    for name in ("admittance", "bus_admittance"):
        vars(other).pop(name, None)
    vars(other)["two_port"] = np.ascontiguousarray(two_port)
    return other
