"""Steady flow in a square cavity that is driven by its lid.

    u · ∇u = -∇p + ∇²u / Re,   ∇ · u = 0   on the unit square

with u = 0 on the walls and the speed of the lid at y = 1. The lid slows down towards its corners,

    u(x, 1) = 1 - cosh(50 (x - 1/2)) / cosh(25)

as in Wang, Li, Chen and Perdikaris, J. Mach. Learn. Res. 25 (2024) 402, since a constant speed
contradicts the walls. All quantities are dimensionless; Re = 400 by default.

It is solved for the streamfunction ψ and the vorticity ω, so that the flow is free of divergence
whatever the network says:

    ω = -∇²ψ,   ψ_y ω_x - ψ_x ω_y = ∇²ω / Re,   u = ψ_y,   v = -ψ_x

ψ is a function that has the lid's speed, plus one that vanishes on all walls with its slope. In
the corners under the lid the vorticity jumps with the angle, since the slope of the lid's speed
there contradicts the wall. A network cannot follow that closest to the corners, and both equations
count for little there, by a weight that falls as the square of the distance.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.fields.field import Field, d, laplacian, of
from tvilling.pinns.library.references.cavity import Flow, solve
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Derived, Equation, Problem, Reference, Unknown, Values
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError

STEEPNESS = 50.0
CORNER, TINY = 0.1, 1e-12  # of the weight around corners; keeps 0 / 0 away
MIN, MAX = 1.0, 400.0  # Reynolds numbers for which the reference was checked
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
        if not MIN <= self.reynolds <= MAX:
            fault = f"reynolds is {self.reynolds:g}, expected {MIN:g} to {MAX:g}"
            raise InputError("lid cavity", [fault])

    def problem(self) -> Problem:
        """Streamfunction and vorticity, with the velocities by Chebyshev points as reference."""
        return Problem(
            name="lid_cavity",
            domain=Box((Axis("x", "1", 0.0, 1.0), Axis("y", "1", 0.0, 1.0))),
            unknowns=(Unknown("inner", "1", -0.1, 0.1), Unknown("omega", "1", -10.0, 10.0)),
            parameters=(Fixed("reynolds", "1", self.reynolds),),
            derived=(
                Derived("psi", "1", _streamfunction),
                Derived("u", "1", lambda at: d(at.psi, "y")),
                Derived("v", "1", lambda at: -d(at.psi, "x")),
            ),
            equations=(
                Equation("vorticity", "1", _vorticity),
                Equation("transport", "1", _transport),
            ),
            reference=Reference(
                self._reference,
                REFERENCE_ERROR,
                "64 x 64 Chebyshev points; error by refinement and by finite differences",
            ),
        )

    def _reference(self, points: Mapping[str, Float[np.ndarray, "*point"]]) -> Values:
        u, v = flow(self.reynolds).velocity(points["x"], points["y"])
        return {"u": u, "v": v}


def carried(x: ArrayLike, y: ArrayLike) -> Array:
    """A streamfunction with the lid's speed at the lid and none at the walls.

    Towards the walls it eases as x² / (x² + (1 - y)²), so that its slope vanishes there.
    """
    left, right, depth = jnp.asarray(x), 1.0 - jnp.asarray(x), 1.0 - jnp.asarray(y)
    eased = jnp.ones(())
    for away in (left, right):
        eased = eased * away**2 / (away**2 + depth**2 + TINY)
    return -depth * (1.0 - depth) ** 2 * lid_speed(left) * eased


def walls(x: Array, y: Array) -> Array:
    """Vanishes on all walls with its slope; one in the middle."""
    return (16.0 * x * (1.0 - x) * y * (1.0 - y)) ** 2


def away_from_corners(x: Array, y: Array) -> Array:
    """Nought in the two corners under the lid, near one a few tenths away from them."""
    depth, product = (1.0 - y) ** 2, jnp.ones(())
    for side in (x, 1.0 - x):
        distance = side**2 + depth
        product = product * distance / (distance + CORNER**2)
    return product


def _streamfunction(at: Variables) -> Field:
    inner: Field = of(walls, at.x, at.y) * at.inner
    return of(carried, at.x, at.y) + inner


def _vorticity(at: Variables) -> Field:
    return (laplacian(at.psi, "x", "y") + at.omega) * of(away_from_corners, at.x, at.y)


def _transport(at: Variables) -> Field:
    """What the flow carries of the vorticity less what spreads."""
    carried: Field = at.u * d(at.omega, "x") + at.v * d(at.omega, "y")
    spread = laplacian(at.omega, "x", "y") / at.reynolds
    return (carried - spread) * of(away_from_corners, at.x, at.y)


def example() -> Problem:
    """The cavity at Re = 400."""
    return LidCavity().problem()
