"""Values prescribed on faces of the domain, imposed exactly, and values that were measured.

A solution that meets its conditions by construction leaves the training one thing to do. With
P_k u the interpolation of u along axis k from the faces that carry a condition, the lift

    L_0 = 0,  L_k = L_(k-1) + P_k (u - L_(k-1))

takes the prescribed value on each of these faces, as long as the conditions agree where faces
meet (Coons 1967; Gordon and Hall, Numer. Math. 21 (1973) 109-129, DOI 10.1007/BF01436298). A mask
that vanishes there, and only there, multiplies the network:

    u = L + scale · mask · network
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.pinns.domain import Axis, Box
from tvilling.pinns.field import Point, Scalar
from tvilling.pinns.terms import Formula

Valued = Callable[["Condition", Point], Any]  # the prescribed value at a point of the face


@dataclass(frozen=True)
class Condition:
    """The value of an unknown on one face of the domain, met exactly.

    Attributes
    ----------
    unknown
        Name of the unknown.
    axis, at
        The face: where coordinate `axis` is `at`, one end of its range [its unit].
    value
        A number, or a function of the other coordinates and parameters, such as
        `lambda at: 80 + 5 * jnp.sin(at.time_s / 600)` [unit of the unknown].
    """

    unknown: str
    axis: str
    at: float
    value: Formula | float

    def describe(self) -> str:
        """Its place, for messages."""
        return f"condition on {self.unknown} at {self.axis} = {self.at:g}"


@dataclass(frozen=True, eq=False)
class Measured:
    """Values of an unknown known at points, from sensors or another solver.

    Attributes
    ----------
    points
        Coordinates of the points by name, each `[point]`.
    values
        `[point]`, in the unit of the unknown.
    weight
        Of their mean squared misfit in the loss, in which it is counted in scales of the unknown.
    """

    unknown: str
    points: Mapping[str, Float[np.ndarray, " point"]]
    values: Float[np.ndarray, " point"]
    weight: float = 1.0


def mask(conditions: Sequence[Condition], domain: Box, point: Point) -> Scalar:
    """Zero on the faces of `conditions`, positive elsewhere, at most 1."""
    product = jnp.ones(())
    for condition in conditions:
        axis = domain.axis(condition.axis)
        share = axis.share(point[axis.name])
        product = product * (share if condition.at == axis.low else 1.0 - share)
    return product


def lift(conditions: Sequence[Condition], domain: Box, point: Point, valued: Valued) -> Scalar:
    """A smooth function that takes the value of every condition on its face."""
    by_axis: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_axis.setdefault(condition.axis, []).append(condition)
    carried: Callable[[Point], Any] = lambda point: 0.0  # noqa: E731
    for name, faces in by_axis.items():
        carried = _with_axis(carried, domain.axis(name), faces, valued)
    return jnp.asarray(carried(point), float)


def _with_axis(
    before: Callable[[Point], Any], axis: Axis, faces: list[Condition], valued: Valued
) -> Callable[[Point], Any]:
    """`before`, corrected to take the values on the faces of one more axis."""

    def after(point: Point) -> Any:
        share = axis.share(point[axis.name])
        total = before(point)
        for face in faces:
            low = face.at == axis.low
            weight = 1.0 if len(faces) == 1 else (1.0 - share if low else share)
            there = {**point, axis.name: jnp.asarray(face.at)}
            total = total + weight * (valued(face, there) - before(there))
        return total

    return after
