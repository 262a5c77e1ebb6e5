"""Conduction of heat along a rod whose ends are kept at zero.

    u_t = α u_xx,   u(x, 0) = sin(π x),   u(0, t) = u(1, t) = 0

with the solution exp(-α π² t) sin(π x); α = 1/4 by default. All quantities are dimensionless.
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
class Heat:
    """A rod from 0 to 1, from time 0 to 1.

    Attributes
    ----------
    diffusivity
        α.
    """

    diffusivity: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.diffusivity < math.inf:
            raise InputError("heat", [f"diffusivity is {self.diffusivity:g}, expected above 0"])

    def exact(self, x: ArrayLike, t: ArrayLike) -> Float[Array, "*point"]:
        """The solution."""
        decay = jnp.exp(-self.diffusivity * PI**2 * jnp.asarray(t))
        return decay * jnp.sin(PI * jnp.asarray(x))

    def problem(self) -> Problem:
        """The problem, with its solution as reference."""
        return Problem(
            name="heat",
            domain=Box((Axis("x", "1", 0.0, 1.0), Axis("t", "1", 0.0, 1.0))),
            unknowns=(Unknown("u", "1", -1.0, 1.0),),
            parameters=(Fixed("diffusivity", "1", self.diffusivity),),
            equations=(
                Equation("heat", "1", lambda at: d(at.u, "t") - at.diffusivity * d(at.u, "x", "x")),
            ),
            conditions=(
                Condition("u", "x", 0.0, 0.0),
                Condition("u", "x", 1.0, 0.0),
                Condition("u", "t", 0.0, lambda at: jnp.sin(PI * at.x)),
            ),
            reference=closed_form(self.exact, "x", "t"),
        )


def example() -> Problem:
    """The rod with α = 1/4."""
    return Heat().problem()
