"""Newton's method in polar coordinates, from several starts at once.

The direction of a step is that of the kernel: both systems of coordinates linearise the same
equations. But it changes magnitudes and angles instead of real and imaginary parts, so that
voltages keep their size while they turn, which leads farther from a start with wrong angles
(Stott, Proc. IEEE 62(7), 1974, doi:10.1109/PROC.1974.9544).
"""

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.newton_batch import Problem, attempt

LONGEST = 100.0  # relative step after which a start is given up


def attempt_polar(grid: PowerGrid, problem: Problem, tolerance_pu: float, steps: int) -> np.ndarray:
    """Which scenarios of the block are solved; their voltages stand in it afterwards."""
    lost = np.zeros(len(problem.e), bool)
    worst = attempt(grid, problem, np.inf, 0).worst
    for _ in range(steps):
        left = ~lost & ~(worst <= tolerance_pu)
        if not left.any():
            break
        before = problem.e + 1j * problem.f
        attempt(grid, problem, np.inf, 1)
        with np.errstate(invalid="ignore", over="ignore"):  # a start that went astray is given up
            change = problem.e + 1j * problem.f - before
            step = np.divide(change, before, out=np.zeros_like(before), where=before != 0.0)
            longest = np.abs(step).max(axis=1)
        lost |= ~(longest < LONGEST)
        step[lost | ~left] = 0.0
        v = before * (1.0 + step.real) * np.exp(1j * step.imag)
        problem.e[:], problem.f[:] = v.real, v.imag
        worst = attempt(grid, problem, np.inf, 0).worst
    return np.asarray(~lost & (worst <= tolerance_pu))
