"""Classical solvers of four of DeepXDE's examples: central differences and LSODA."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from tvilling.benchmarks import reaction
from tvilling.benchmarks.deepxde_problems import GRID

Source = Callable[[np.ndarray, float], np.ndarray]
Solved = tuple[np.ndarray, tuple[float, ...]]  # values [x, t, …], and what was found
OBSERVED = 10  # values at the end of the inverse example


@dataclass(frozen=True)
class Lines:
    """u_t = diffusivity u_xx - speed u u_x + source(x, t), zero at both ends.

    `start` gives the values at time zero.
    """

    ends: tuple[float, float]
    until: float
    diffusivity: float
    start: Callable[[np.ndarray], np.ndarray]
    speed: float = 0.0
    source: Source = lambda x, t: np.zeros_like(x)

    def solve(self, cells: int, tolerance: float) -> np.ndarray:
        """Values over the even grid [x, t] on which errors are taken."""
        x = np.linspace(*self.ends, cells + 1)
        inner, spacing = x[1:-1], x[1] - x[0]

        def rate(t: float, u: np.ndarray) -> np.ndarray:
            wide = np.concatenate([[0.0], u, [0.0]])
            bend = (wide[2:] - 2 * wide[1:-1] + wide[:-2]) / spacing**2
            flux = self.speed * wide**2 / 2
            slope = (flux[2:] - flux[:-2]) / (2 * spacing)
            return self.diffusivity * bend - slope + self.source(inner, t)

        times = np.linspace(0.0, self.until, GRID)
        run = solve_ivp(
            rate,
            (0.0, self.until),
            self.start(inner),
            "LSODA",
            times,
            rtol=tolerance,
            atol=tolerance,
            lband=1,
            uband=1,
        )
        values = np.pad(run.y, ((1, 1), (0, 0)))
        found: np.ndarray = CubicSpline(x, values)(np.linspace(*self.ends, GRID))
        return found


def burgers(cells: int, tolerance: float) -> Solved:
    """Burgers' equation of viscosity 0.01/π."""
    lines = Lines((-1.0, 1.0), 0.99, 0.01 / np.pi, lambda x: -np.sin(np.pi * x), 1.0)
    return lines.solve(cells, tolerance), ()


def heat(cells: int, tolerance: float) -> Solved:
    """Diffusion of 0.4 in a bar."""
    lines = Lines((0.0, 1.0), 1.0, 0.4, lambda x: np.sin(np.pi * x))
    return lines.solve(cells, tolerance), ()


def diffusion_inverse(cells: int, tolerance: float) -> Solved:
    """Diffusion with a source, the diffusivity fitted to ten values at the end."""
    places = np.linspace(-1, 1, OBSERVED)
    grid = np.linspace(-1, 1, GRID)
    observed = np.sin(np.pi * places) * np.exp(-1.0)

    def solved(diffusivity: float) -> np.ndarray:
        lines = Lines(
            (-1.0, 1.0),
            1.0,
            diffusivity,
            lambda x: np.sin(np.pi * x),
            source=lambda x, t: (np.pi**2 - 1) * np.exp(-t) * np.sin(np.pi * x),
        )
        return lines.solve(cells, tolerance)

    def misfit(parameters: np.ndarray) -> np.ndarray:
        end = CubicSpline(grid, solved(float(parameters[0]))[:, -1])
        return np.asarray(end(places)) - observed

    fitted = least_squares(misfit, [2.0], diff_step=1e-3, xtol=tolerance, ftol=tolerance)
    found = float(fitted.x[0])
    return solved(found), (found,)


def reaction_inverse(cells: int, tolerance: float) -> Solved:
    """Two species, diffusivity and rate fitted to values everywhere."""
    return reaction.fitted(cells, tolerance, GRID)


SOLVERS: dict[str, Callable[[int, float], Solved]] = {
    "burgers": burgers,
    "heat": heat,
    "diffusion_inverse": diffusion_inverse,
    "reaction_inverse": reaction_inverse,
}
