"""Steady flow in a square cavity that is driven by its lid.

    u · ∇u = -∇p + ∇²u / Re,   ∇ · u = 0   on the unit square

with u = 0 on the walls and the speed of the lid at y = 1. The lid slows down towards its corners,

    u(x, 1) = 1 - cosh(50 (x - 1/2)) / cosh(25)

as in Wang et al., arXiv 2308.08468, since a constant speed contradicts the walls. All quantities
are dimensionless; Re = 400 by default.

In the corners under the lid the slope of the lid's speed contradicts the continuity of the flow
along the wall: the vorticity jumps with the angle, and the pressure grows as the logarithm of the
distance. A network does not follow that closest to the corners. The pressure is known but for a
constant, so that the reference gives u and v only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.conditions import Condition
from tvilling.pinns.domain import Axis, Box
from tvilling.pinns.field import Field, d, laplacian
from tvilling.pinns.library.references.cavity import Flow, solve
from tvilling.pinns.parameters import Fixed
from tvilling.pinns.problem import Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.terms import Terms
from tvilling.sciml.errors import InputError

STEEPNESS = 50.0
LEAST, MOST = 1.0, 400.0  # Reynolds numbers for which the reference was checked
REFERENCE_ERROR = 2e-4  # 1.1e-4 against 92 x 92 points; it falls with the fourth power


def lid_speed(x: ArrayLike) -> Array:
    """Speed of the lid, written to hold for any steepness."""
    left, right = jnp.asarray(x), 1.0 - jnp.asarray(x)
    whole = 1.0 + math.exp(-STEEPNESS)
    return 1.0 - (jnp.exp(-STEEPNESS * left) + jnp.exp(-STEEPNESS * right)) / whole


@cache
def flow(reynolds: float) -> Flow:
    """The flow by Chebyshev points; the first call takes some seconds."""
    return solve(lid_speed, reynolds)


@dataclass(frozen=True)
class LidCavity:
    """The cavity at one Reynolds number.

    Attributes
    ----------
    reynolds
        Speed of the lid times side over viscosity.
    """

    reynolds: float = 400.0

    def __post_init__(self) -> None:
        if not LEAST <= self.reynolds <= MOST:
            fault = f"reynolds is {self.reynolds:g}, expected {LEAST:g} to {MOST:g}"
            raise InputError("lid cavity", [fault])

    def problem(self) -> Problem:
        """Velocities and pressure, with the velocities by Chebyshev points as reference."""
        return Problem(
            name="lid_cavity",
            domain=Box((Axis("x", "1", 0.0, 1.0), Axis("y", "1", 0.0, 1.0))),
            unknowns=(
                Unknown("u", "1", -1.0, 1.0),
                Unknown("v", "1", -1.0, 1.0),
                Unknown("p", "1", -0.2, 0.2),
            ),
            parameters=(Fixed("reynolds", "1", self.reynolds),),
            equations=(
                Equation("continuity", "1", lambda at: d(at.u, "x") + d(at.v, "y")),
                Equation("momentum_x", "1", lambda at: _momentum(at, at.u, "x")),
                Equation("momentum_y", "1", lambda at: _momentum(at, at.v, "y")),
            ),
            conditions=(*_still("u"), *_still("v"), _lid(), Condition("v", "y", 1.0, 0.0)),
            reference=Reference(
                self._reference,
                REFERENCE_ERROR,
                "64 x 64 Chebyshev points; error by refinement and by finite differences",
            ),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        u, v = flow(self.reynolds).velocity(points["x"], points["y"])
        return {"u": u, "v": v}


def _momentum(at: Terms, speed: Field, along: str) -> Field:
    """What accelerates the fluid along one coordinate less what is needed for it."""
    carried: Field = at.u * d(speed, "x") + at.v * d(speed, "y")
    return carried + d(at.p, along) - laplacian(speed, "x", "y") / at.reynolds


def _still(name: str) -> tuple[Condition, ...]:
    """No speed on the three walls."""
    walls = (("x", 0.0), ("x", 1.0), ("y", 0.0))
    return tuple(Condition(name, axis, at, 0.0) for axis, at in walls)


def _lid() -> Condition:
    return Condition("u", "y", 1.0, lambda at: lid_speed(at.x))


def example() -> Problem:
    """The cavity at Re = 400."""
    return LidCavity().problem()
