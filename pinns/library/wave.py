"""A string that is plucked in two modes.

    u_tt = c² u_xx,   u(0, t) = u(1, t) = 0,
    u(x, 0) = sin(π x) + sin(4 π x) / 2,   u_t(x, 0) = 0

with the solution sin(π x) cos(π c t) + sin(4 π x) cos(4 π c t) / 2, and c = 2: the benchmark of
Wang, Yu and Perdikaris, J. Comput. Phys. 449 (2022) 110768, DOI 10.1016/j.jcp.2021.110768. All
quantities are dimensionless.
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

PI = math.pi


@dataclass(frozen=True)
class Wave:
    """A string from 0 to 1, from time 0 to 1.

    Attributes
    ----------
    speed
        c.
    """

    speed: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.speed < math.inf:
            raise InputError("wave", [f"speed is {self.speed:g}, expected above 0"])

    def exact(self, x: ArrayLike, t: ArrayLike) -> Float[Array, "*point"]:
        """The solution."""
        phase, place = PI * self.speed * jnp.asarray(t), PI * jnp.asarray(x)
        return jnp.sin(place) * jnp.cos(phase) + 0.5 * jnp.sin(4 * place) * jnp.cos(4 * phase)

    def problem(self) -> Problem:
        """The problem, with its solution as reference."""
        return Problem(
            name="wave",
            domain=Box((Axis("x", "1", 0.0, 1.0), Axis("t", "1", 0.0, 1.0))),
            unknowns=(Unknown("u", "1", -1.5, 1.5),),
            parameters=(Fixed("speed", "1", self.speed),),
            equations=(
                Equation(
                    "wave",
                    "1",
                    lambda at: d(at.u, "t", "t") - at.speed**2 * d(at.u, "x", "x"),
                ),
            ),
            conditions=(
                Condition("u", "x", 0.0, 0.0),
                Condition("u", "x", 1.0, 0.0),
                Condition(
                    "u",
                    "t",
                    0.0,
                    lambda at: jnp.sin(PI * at.x) + 0.5 * jnp.sin(4 * PI * at.x),
                    slope=0.0,
                ),
            ),
            reference=closed_form(self.exact, "x", "t"),
        )


def example() -> Problem:
    """The string with c = 2: each mode returns to its start at t = 1."""
    return Wave().problem()
