"""Linear equations with the Jacobian of a solved power flow, or with its transpose."""

from collections.abc import Mapping

import numpy as np

from tvilling.sciml.systems.power_grid.kernel.groups import linear
from tvilling.sciml.systems.power_grid.kernel.workspace import room_for_factors, workspace
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.batch_solver import in_blocks
from tvilling.sciml.systems.power_grid.solver.flow import DEFAULT, Options
from tvilling.sciml.systems.power_grid.solver.newton_batch import (
    batch_of,
    block_problem,
    changes_of,
)
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages


def solve_linear(
    grid: PowerGrid,
    varying: Mapping[str, np.ndarray],
    outages: Outages | None,
    v: tuple[np.ndarray, np.ndarray] | list[np.ndarray],
    right: np.ndarray,
    mirrored: bool = False,
    options: Options = DEFAULT,
) -> np.ndarray:
    """X of J x = right, or Jᵀ x = right, for every scenario `[scenario, 2, bus]`.

    Rows of J are P and Q (v² where a machine holds the voltage), columns e and f; slack buses
    have neither and get 0.

    Parameters
    ----------
    v
        Real and imaginary part of the voltages, each `[scenario, bus]` [p.u.].
    """
    e, f = (np.ascontiguousarray(part, float) for part in v)
    x = np.array(right, float, order="C")

    def run(span: tuple[int, int]) -> None:
        rows = slice(*span)
        problem = block_problem(grid, varying, span, e[rows], f[rows], outages)
        changes, patch = changes_of(grid, problem.outages)
        linear(
            grid.plan,
            grid.admittance,
            grid.kinds,
            workspace(grid.plan, grid.kinds),
            patch,
            room_for_factors(grid.plan),
            changes,
            batch_of(problem, len(problem.e)),
            grid.bus_at,
            x[rows],
            mirrored,
        )

    in_blocks(grid, len(x), options, run)
    return x
