"""Burgers' equation on a ring, from any smooth start.

    u_t + u u_x = ν u_xx,   u(x, 0) = a(x),   x from -1 to 1 and periodic, t from 0 to 1

All quantities are dimensionless. Solved by Fourier modes and ETDRK4 in time; for a = -sin(π x) it
is the problem of `tvilling.pinns.library.burgers`, which is solved by Cole and Hopf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.references.etdrk4 import Course, evolve
from tvilling.pinns.operators.operator_ensemble import values_of
from tvilling.pinns.operators.problem import Function
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.sciml.core.errors import InputError

LOW, HIGH, HORIZON = -1.0, 1.0, 1.0
MIN, MAX = 0.02, 0.5  # viscosities for which the reference was checked
MODES, STEPS, PEAK = 128, 100, 1.5  # what starts up to this height need
GROUP = 50  # samples at a time, for memory
REFERENCE_ERROR = 1e-4


@dataclass(frozen=True)
class PeriodicBurgers:
    """Burgers' equation from -1 to 1, periodic, from time 0 to 1.

    Attributes
    ----------
    start
        u at time 0, smooth and periodic.
    viscosity
        ν.
    """

    start: Function
    viscosity: float = 0.02

    def __post_init__(self) -> None:
        if not MIN <= self.viscosity <= MAX:
            fault = f"viscosity is {self.viscosity:g}, expected {MIN:g} to {MAX:g}"
            raise InputError("periodic burgers", [fault])

    def problem(self) -> Problem:
        """The problem, with the solution by Fourier modes as reference."""
        return Problem(
            name="periodic_burgers",
            domain=Box((Axis("x", "1", LOW, HIGH, periodic=True), Axis("t", "1", 0.0, HORIZON))),
            unknowns=(Unknown("u", "1", -1.0, 1.0),),
            parameters=(Fixed("viscosity", "1", self.viscosity),),
            equations=(
                Equation(
                    "burgers",
                    "1",
                    lambda at: (
                        d(at.u, "t") + at.u * d(at.u, "x") - at.viscosity * d(at.u, "x", "x")
                    ),
                ),
            ),
            conditions=(Condition("u", "t", 0.0, lambda at: self.start(at.x)),),
            reference=Reference(
                self._reference,
                REFERENCE_ERROR,
                f"{MODES} Fourier modes and {STEPS} steps of ETDRK4; error by Cole and Hopf",
            ),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        (course,) = courses([self.start], self.viscosity)
        return {"u": course(np.asarray(points["x"]), np.asarray(points["t"]))}


def courses(functions: Sequence[Function], viscosity: float) -> list[Course]:
    """The solution from each start; higher ones take more modes and steps.

    A front from a start of height h is about 4 ν / h wide, and moves at speeds up to h.
    """
    peaks = np.abs(values_of(functions, _places(MODES))).max(axis=1)
    levels = np.maximum(1, np.ceil(peaks / PEAK)).astype(int)
    found: dict[int, Course] = {}
    for level in np.unique(levels):
        own = np.flatnonzero(levels == level).tolist()
        those = [functions[index] for index in own]
        solutions = by_modes(those, viscosity, MODES * int(level), STEPS * int(level) ** 2)
        found |= dict(zip(own, solutions, strict=True))
    return [found[index] for index in range(len(functions))]


def by_modes(
    functions: Sequence[Function], viscosity: float, modes: int, steps: int
) -> list[Course]:
    """The solution from each start with so many modes and steps; ten steps at least.

    Raises
    ------
    InputError
        If a solution runs away, as with too few modes or steps for its start.
    """
    wave_number = 2 * np.pi * np.arange(modes) / (HIGH - LOW)

    def nonlinear(v: Complex[np.ndarray, "sample mode"]) -> Complex[np.ndarray, "sample mode"]:
        return -0.5j * wave_number * _to_modes(_to_grid(v) ** 2)

    start = _to_modes(values_of(functions, _places(modes)))
    linear = -viscosity * wave_number**2 + 0j
    with np.errstate(over="ignore", invalid="ignore"):
        kept = evolve(start, linear, nonlinear, HORIZON, steps)
    if not np.isfinite(kept[-1]).all():
        fault = f"{modes} modes and {steps} steps are too few for its start"
        raise InputError("periodic burgers", [fault])
    rates = np.zeros(modes)  # the modes of a front follow the front, not their own decay
    return [
        Course(kept[:, sample], HORIZON, LOW, HIGH - LOW, rates) for sample in range(len(functions))
    ]


def _places(modes: int) -> Float[np.ndarray, " place"]:
    """Even places on the ring, two a mode."""
    return LOW + (HIGH - LOW) * np.arange(2 * modes) / (2 * modes)


def solve_many(
    functions: Sequence[Function],
    viscosity: float,
    x: Float[np.ndarray, " x"],
    t: Float[np.ndarray, " t"],
) -> Float[np.ndarray, "sample x *t"]:
    """Solutions on a grid, for many starts together; without the last axis at a single time."""
    shape = (len(x), len(t)) if len(t) > 1 else (len(x),)
    places, times = np.broadcast_arrays(x[:, None], t)
    found = [
        course(places, times).reshape(shape)
        for first in range(0, len(functions), GROUP)
        for course in courses(functions[first : first + GROUP], viscosity)
    ]
    return np.stack(found)


def _to_grid(modes: Complex[np.ndarray, "*batch mode"]) -> Float[np.ndarray, "*batch place"]:
    """Values at twice as many even places as there are modes."""
    count = modes.shape[-1]
    full = np.concatenate([modes * count, np.zeros((*modes.shape[:-1], 1))], axis=-1)
    full[..., 0] *= 2
    return np.fft.irfft(full, 2 * count, axis=-1)


def _to_modes(values: Float[np.ndarray, "*batch place"]) -> Complex[np.ndarray, "*batch mode"]:
    """Half as many modes as there are even places."""
    count = values.shape[-1] // 2
    modes = np.fft.rfft(values, axis=-1)[..., :count] / count
    modes[..., 0] /= 2
    return modes
