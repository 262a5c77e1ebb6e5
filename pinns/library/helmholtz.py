"""Helmholtz' equation with a solution of two scales.

    u_xx + u_yy + k² u = q  on [-1, 1]²,   u = 0 on the boundary

with q such that u = sin(π x) sin(4 π y), and k = 1: the benchmark of Wang, Teng and Perdikaris,
SIAM J. Sci. Comput. 43 (2021) A3055-A3081, DOI 10.1137/20M1318043. All quantities are
dimensionless.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import laplacian, sin
from tvilling.pinns.library.references.closed_form import closed_form
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Unknown
from tvilling.sciml.core.errors import InputError

PI = math.pi


@dataclass(frozen=True)
class Helmholtz:
    """A wave number and the periods of the solution along both axes.

    Attributes
    ----------
    wave_number
        k; where k² is near π² (m² + n²) / 4 with whole m and n, the square resonates and small
        residuals leave large errors.
    along_x, along_y
        Whole numbers a and b of the solution sin(a π x) sin(b π y).
    """

    wave_number: float = 1.0
    along_x: int = 1
    along_y: int = 4

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {getattr(self, name)}, expected a whole number from 1"
            for name in ("along_x", "along_y")
            if getattr(self, name) < 1 or getattr(self, name) != int(getattr(self, name))
        ]
        if not 0 <= self.wave_number < math.inf:
            faults.append(f"wave_number is {self.wave_number:g}, expected 0 or more")
        if faults:
            raise InputError("helmholtz", faults)

    def exact(self, x: ArrayLike, y: ArrayLike) -> Float[Array, "*point"]:
        """The solution."""
        return jnp.sin(self.along_x * PI * jnp.asarray(x)) * jnp.sin(
            self.along_y * PI * jnp.asarray(y)
        )

    def problem(self) -> Problem:
        """The problem, with its solution as reference."""
        a, b = self.along_x * PI, self.along_y * PI
        return Problem(
            name="helmholtz",
            domain=Box((Axis("x", "1", -1.0, 1.0), Axis("y", "1", -1.0, 1.0))),
            unknowns=(Unknown("u", "1", -1.0, 1.0),),
            parameters=(Fixed("k", "1", self.wave_number),),
            equations=(
                Equation(
                    "helmholtz",
                    "1",
                    lambda at: (
                        laplacian(at.u, "x", "y")
                        + at.k**2 * at.u
                        - (at.k**2 - a**2 - b**2) * sin(a * at.x) * sin(b * at.y)
                    ),
                ),
            ),
            conditions=tuple(
                Condition("u", axis, end, 0.0) for axis in ("x", "y") for end in (-1.0, 1.0)
            ),
            reference=closed_form(self.exact, "x", "y"),
        )


def example() -> Problem:
    """One period along x, four along y, and k = 1."""
    return Helmholtz().problem()
