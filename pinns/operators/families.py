"""Families that ship: Burgers' equation from random starts, a heating pipe under random inlets."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.library.heating_pipe import HeatingPipe
from tvilling.pinns.operators.periodic_burgers import HIGH, LOW, PeriodicBurgers, solve_many
from tvilling.pinns.operators.problem import Function, Grid, OperatorProblem, Varied
from tvilling.pinns.operators.random_function import GaussianField
from tvilling.pinns.problem.statement import Problem

INLET_DEGC, SWING_K, INLET_S = 80.0, 4.0, 600.0
PIPE_M, HORIZON_S = 1500.0, 3600.0


def burgers_end(viscosity: float = 0.02) -> OperatorProblem:
    """From a periodic start to the solution at time 1, `[x]`."""
    return _burgers("burgers_end", viscosity, {"x": 64}, {"t": 1.0})


def burgers_course(viscosity: float = 0.02) -> OperatorProblem:
    """From a periodic start to the solution up to time 1, `[x, t]`."""
    return _burgers("burgers_course", viscosity, {"x": 64, "t": 21}, {})


def pipe_outlet() -> OperatorProblem:
    """From the course of the inlet to that of the outlet of `pipe_with`, `[time_s]`."""
    return _pipe("pipe_outlet", {"time_s": 129}, {"x_m": PIPE_M})


def pipe_field() -> OperatorProblem:
    """From the course of the inlet to the temperature all along `pipe_with`, `[x_m, time_s]`."""
    return _pipe("pipe_field", {"x_m": 33, "time_s": 65}, {})


def pipe_with(inlet_degc: Function) -> HeatingPipe:
    """1.5 km of DN 50 at 1 m/s for an hour, steady before the start.

    Water enters with what `inlet_degc` says from time 0 on, and with its first value before.
    """

    def held(time_s: ArrayLike) -> Array:
        return inlet_degc(jnp.maximum(jnp.asarray(time_s, float), 0.0))

    return HeatingPipe(inlet_degc=held, length_m=PIPE_M, horizon_s=HORIZON_S)


def _pipe(name: str, points: dict[str, int], at: dict[str, float]) -> OperatorProblem:
    draws = GaussianField(0.0, HORIZON_S, SWING_K, INLET_S, "free", INLET_DEGC)

    def problem_of(inlet_degc: Function) -> Problem:
        return pipe_with(inlet_degc).problem()

    def solve(functions: Sequence[Function], grid: Grid) -> Float[np.ndarray, "sample *place"]:
        x, time = np.broadcast_arrays(grid["x_m"][:, None], grid["time_s"])
        found = np.stack([np.asarray(pipe_with(f).exact_degc(x, time)) for f in functions])
        return found[:, 0] if "x_m" in at else found

    varied = Varied("inlet_degc", "°C", "time_s", draws)
    return OperatorProblem(name, problem_of, varied, points, at, solve)


def _burgers(
    name: str, viscosity: float, points: dict[str, int], at: dict[str, float]
) -> OperatorProblem:
    draws = GaussianField(LOW, HIGH, 0.5, 0.4, "periodic")

    def problem_of(start: Function) -> Problem:
        return PeriodicBurgers(start, viscosity).problem()

    def solve(functions: Sequence[Function], grid: Grid) -> Float[np.ndarray, "sample *place"]:
        return solve_many(functions, viscosity, grid["x"], grid["t"])

    varied = Varied("start", "1", "x", draws)
    return OperatorProblem(name, problem_of, varied, points, at, solve)
