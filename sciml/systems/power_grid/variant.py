"""The same grid with other admittances: what was planned for it still holds."""

from copy import copy

import numpy as np

from tvilling.sciml.systems.power_grid.grid import PowerGrid


def with_two_port(grid: PowerGrid, two_port: np.ndarray) -> PowerGrid:
    """`grid` with the branch admittances `[branch, 8]` [p.u.] in place of its own.

    Its `branches` stay those of `grid`.
    """
    _ = grid.plan, grid.kinds, grid.entries  # so that the copy has them
    other = copy(grid)
    vars(other).pop("admittance", None)
    vars(other)["two_port"] = np.ascontiguousarray(two_port)
    return other
