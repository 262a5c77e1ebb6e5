"""A sine carried around a circle.

    u_t + β u_x = 0,   u(x, 0) = sin(x),   x from 0 to 2 π and periodic

with the solution sin(x - β t). At β = 30 and above it is the case in which plain networks settle
on a wrong solution (Krishnapriyan et al., Adv. Neural Inf. Process. Syst. 34 (2021) 26548-26560,
arXiv 2109.01050). All quantities are dimensionless.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.references.closed_form import closed_form
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Unknown
from tvilling.sciml.core.errors import InputError


@dataclass(frozen=True)
class Advection:
    """The circle from time 0 to 1, in which the sine goes around β / 2 π times.

    Attributes
    ----------
    speed
        β.
    """

    speed: float = 30.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.speed):
            raise InputError("advection", [f"speed is {self.speed}, expected a finite number"])

    def exact(self, x: ArrayLike, t: ArrayLike) -> Float[Array, "*point"]:
        """The solution."""
        return jnp.sin(jnp.asarray(x) - self.speed * jnp.asarray(t))

    def problem(self) -> Problem:
        """The problem, with its solution as reference."""
        return Problem(
            name="advection",
            domain=Box((Axis("x", "1", 0.0, 2 * math.pi, periodic=True), Axis("t", "1", 0.0, 1.0))),
            unknowns=(Unknown("u", "1", -1.0, 1.0),),
            parameters=(Fixed("speed", "1", self.speed),),
            equations=(
                Equation("advection", "1", lambda at: d(at.u, "t") + at.speed * d(at.u, "x")),
            ),
            conditions=(Condition("u", "t", 0.0, lambda at: jnp.sin(at.x)),),
            reference=closed_form(self.exact, "x", "t"),
        )


def example() -> Problem:
    """The sine at β = 30: almost five rounds."""
    return Advection().problem()
