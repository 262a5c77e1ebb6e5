"""Poisson's equation on the unit square, the first test of any solver.

    -(u_xx + u_yy) = 2 π² sin(π x) sin(π y),   u = 0 on the boundary

with the solution sin(π x) sin(π y). All quantities are dimensionless.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import laplacian, sin
from tvilling.pinns.library.references.closed_form import closed_form
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.statement import Equation, Problem, Unknown

PI = math.pi


def exact(x: ArrayLike, y: ArrayLike) -> Float[Array, "*point"]:
    """The solution."""
    return jnp.sin(PI * jnp.asarray(x)) * jnp.sin(PI * jnp.asarray(y))


def example() -> Problem:
    """The problem, with its solution as reference."""
    return Problem(
        name="poisson",
        domain=Box((Axis("x", "1", 0.0, 1.0), Axis("y", "1", 0.0, 1.0))),
        unknowns=(Unknown("u", "1", -1.0, 1.0),),
        equations=(
            Equation(
                "poisson",
                "1",
                lambda at: laplacian(at.u, "x", "y") + 2 * PI**2 * sin(PI * at.x) * sin(PI * at.y),
            ),
        ),
        conditions=tuple(
            Condition("u", axis, end, 0.0) for axis in ("x", "y") for end in (0.0, 1.0)
        ),
        reference=closed_form(exact, "x", "y"),
    )
