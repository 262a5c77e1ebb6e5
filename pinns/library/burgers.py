"""Burgers' equation: a sine that steepens into a shock of the width of the viscosity.

    u_t + u u_x = ν u_xx,   u(x, 0) = -sin(π x),   u(±1, t) = 0

with ν = 0.01 / π from time 0 to 1: the benchmark of Basdevant et al., Comput. Fluids 14 (1986)
23-41, DOI 10.1016/0045-7930(86)90036-8, and of Raissi, Perdikaris and Karniadakis, J. Comput. Phys.
378 (2019) 686-707, DOI 10.1016/j.jcp.2018.10.045. The slope at x = 0 reaches -152. The front
hardly feels where it stands, and its place is kept by the symmetry u(-x) = -u(x). The reference is
the transformation of Cole and Hopf. All quantities are dimensionless.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import d
from tvilling.pinns.fields.symmetry import Symmetry
from tvilling.pinns.library.references import cole_hopf
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem, Reference, Unknown, Values
from tvilling.sciml.core.errors import InputError

MIN, MAX = 0.002, 0.1  # viscosities for which the reference was checked


@dataclass(frozen=True)
class Burgers:
    """Burgers' equation from -1 to 1, from time 0 to 1.

    Attributes
    ----------
    viscosity
        ν.
    """

    viscosity: float = 0.01 / math.pi

    def __post_init__(self) -> None:
        if not MIN <= self.viscosity <= MAX:
            fault = f"viscosity is {self.viscosity:g}, expected {MIN:g} to {MAX:g}"
            raise InputError("burgers", [fault])

    def exact(self, x: ArrayLike, t: ArrayLike) -> Float[Array, "*point"]:
        """The solution, within about 1e-13 of its size."""
        return cole_hopf.burgers(x, t, self.viscosity)

    def problem(self) -> Problem:
        """The problem, with the solution by Cole and Hopf as reference."""
        return Problem(
            name="burgers",
            domain=Box((Axis("x", "1", -1.0, 1.0), Axis("t", "1", 0.0, 1.0))),
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
            conditions=(
                Condition("u", "x", -1.0, 0.0),
                Condition("u", "x", 1.0, 0.0),
                Condition("u", "t", 0.0, lambda at: -jnp.sin(math.pi * at.x)),
            ),
            symmetries=(Symmetry("x", odd=("u",)),),
            reference=Reference(
                self._reference,
                1e-13,
                "Cole and Hopf by the trapezoidal rule; error by other rules and 30 digits",
            ),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        return {"u": np.asarray(self.exact(points["x"], points["t"]))}


def example() -> Problem:
    """The benchmark with ν = 0.01 / π."""
    return Burgers().problem()
