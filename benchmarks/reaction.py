"""Two reacting species that diffuse, by central differences and LSODA.

    a_t = 1e-3 D a_xx - k a b²,   b_t = 1e-3 D b_xx - 2 k a b²

on 0 to 1 until time 10, both equal to exp(-20 x) at first, 1 at the left and 0 at the right. It is
DeepXDE's example of an inverse problem of diffusion and reaction: D = 2 and k = 0.1 are found.
2a - b diffuses without reacting, which a test compares with its Fourier series.
"""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline, RegularGridInterpolator
from scipy.optimize import least_squares

UNTIL, SLOWNESS = 10.0, 1e-3
RATE, DIFFUSIVITY = 0.1, 2.0
GUESS = 0.05, 1.0
FINE_CELLS, FINE_TOLERANCE = 3200, 1e-9  # of the solution that errors are taken from
OBSERVED = 21  # values along each coordinate; the data of the example come with its repository only


def solved(rate: float, diffusivity: float, cells: int, tolerance: float, grid: int) -> np.ndarray:
    """Both species over an even grid [x, t, species] that reaches every edge."""
    x = np.linspace(0.0, 1.0, cells + 1)
    factor = SLOWNESS * diffusivity * cells**2

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        u = y.reshape(-1, 2)
        wide = np.concatenate([[[1.0, 1.0]], u, [[0.0, 0.0]]])
        react = rate * u[:, :1] * u[:, 1:] ** 2
        spread = factor * (wide[2:] - 2 * wide[1:-1] + wide[:-2])
        change: np.ndarray = spread - react * np.array([1.0, 2.0])
        return change.ravel()

    start = np.repeat(np.exp(-20 * x[1:-1]), 2)
    run = solve_ivp(
        slope,
        (0.0, UNTIL),
        start,
        "LSODA",
        np.linspace(0.0, UNTIL, grid),
        rtol=tolerance,
        atol=tolerance,
        lband=2,
        uband=2,
    )
    values = run.y.reshape(-1, 2, grid).transpose(0, 2, 1)
    left, right = np.ones((1, grid, 2)), np.zeros((1, grid, 2))
    found: np.ndarray = CubicSpline(x, np.concatenate([left, values, right]))(
        np.linspace(0.0, 1.0, grid)
    )
    return found


@cache
def fine(grid: int) -> np.ndarray:
    """The solution for the true parameters, within about 4e-6 of its size."""
    return solved(RATE, DIFFUSIVITY, FINE_CELLS, FINE_TOLERANCE, grid)


def exact(points: np.ndarray, grid: int) -> np.ndarray:
    """The same at points [point, (x, t)] of the grid, as [point, species]."""
    axes = np.linspace(0.0, 1.0, grid), np.linspace(0.0, UNTIL, grid)
    found: np.ndarray = RegularGridInterpolator(axes, fine(grid))(points)
    return found


def observed(grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a coarse grid [point, (x, t)] and both species there."""
    x, t = np.linspace(0.0, 1.0, OBSERVED), np.linspace(0.0, UNTIL, OBSERVED)
    points = np.stack([axis.ravel() for axis in np.meshgrid(x, t, indexing="ij")], axis=1)
    return points, exact(points, grid)


def fitted(cells: int, tolerance: float, grid: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """The solution whose parameters fit the observations, and these, by least squares."""
    every = (grid - 1) // (OBSERVED - 1)
    wanted = fine(grid)[::every, ::every]

    def misfit(parameters: np.ndarray) -> np.ndarray:
        rate, diffusivity = parameters
        values = solved(rate, diffusivity, cells, tolerance, grid)
        return np.asarray(values[::every, ::every] - wanted).ravel()

    found = least_squares(misfit, GUESS, diff_step=1e-3, xtol=tolerance, ftol=tolerance)
    rate, diffusivity = map(float, found.x)
    return solved(rate, diffusivity, cells, tolerance, grid), (rate, diffusivity)
