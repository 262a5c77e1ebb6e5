"""Korteweg and de Vries' equation: a cosine that breaks up into solitons.

    u_t + u u_x + δ² u_xxx = 0,   u(x, 0) = cos(π x),   x from -1 to 1 and periodic

with δ = 0.022 from time 0 to 1 (Zabusky and Kruskal, Phys. Rev. Lett. 15 (1965) 240-243,
DOI 10.1103/PhysRevLett.15.240). All quantities are dimensionless.
"""

import math
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.library.references.evolutions import kdv
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values

DISPERSION = 0.022
REFERENCE_ERROR = 1e-10


def solution(
    x: Float[np.ndarray, "*point"], t: Float[np.ndarray, "*point"]
) -> Float[np.ndarray, "*point"]:
    """The solution by Fourier modes and ETDRK4; the first call takes about 2 s."""
    return kdv(DISPERSION)(x, t)


def example() -> Problem:
    """The problem of Zabusky and Kruskal, with its solution by Fourier modes as reference."""
    return Problem(
        name="kdv",
        domain=Box((Axis("x", "1", -1.0, 1.0, periodic=True), Axis("t", "1", 0.0, 1.0))),
        unknowns=(Unknown("u", "1", -1.0, 2.5),),
        parameters=(Fixed("dispersion", "1", DISPERSION),),
        equations=(
            Equation(
                "kdv",
                "1",
                lambda at: (
                    d(at.u, "t") + at.u * d(at.u, "x") + at.dispersion**2 * d(at.u, "x", "x", "x")
                ),
            ),
        ),
        conditions=(Condition("u", "t", 0.0, lambda at: jnp.cos(math.pi * at.x)),),
        reference=Reference(
            _reference,
            REFERENCE_ERROR,
            "256 Fourier modes and 20 000 steps of ETDRK4; error by refinement of both",
        ),
    )


def _reference(points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
    return {"u": solution(points["x"], points["t"])}
