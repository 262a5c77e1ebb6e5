"""Values prescribed on parts of the boundary, imposed exactly, and values that were measured.

A solution that meets its conditions by construction leaves the training one thing to do. With
P_k u the interpolation of u along axis k from the faces that carry a condition, the lift

    L_0 = 0,  L_k = L_(k-1) + P_k (u - L_(k-1))

takes the prescribed value on each of these faces, as long as the conditions agree where faces
meet (Coons 1967; Gordon and Hall, Numer. Math. 21 (1973) 109-129, DOI 10.1007/BF01436298); where
a face prescribes a slope too, P_k is Hermite's. Values on edges of a shape come first, weighted by
the inverse of the distance to each (Rvachev et al., Comput. Aided Geom. Des. 18 (2001) 195-220).
A mask that vanishes on all of these, and only there, multiplies the network:

    u = L + scale · mask · network
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.pinns.fields.domain import Axis, Domain, Edge
from tvilling.pinns.fields.field import Coordinate, Field, Point, Scalar, at_place, d, of
from tvilling.pinns.fields.given_numbers import as_numbers
from tvilling.pinns.problem.variables import Formula
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr

Valued = Callable[[Formula | float], Field]  # what a formula prescribes, as a field


@dataclass(frozen=True, eq=False)
class Held:
    """A field as what a condition prescribes, such as where another solution ends."""

    field: Field

    def __call__(self, at: Any) -> Field:
        """The field, whatever is declared."""
        return self.field


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
    slope
        The same for the derivative along `axis`, where it is prescribed too, as at the start of an
        equation of second order in time [unit of the unknown over that of the axis].
    course
        A function of all coordinates that takes the value on the face, and carries it inside in
        place of a constant continuation: what is known of the solution near a start that is not
        smooth, for example. None: `value` holds along the axis. Not together with a slope.
    """

    unknown: str
    axis: str
    at: float
    value: Formula | float
    slope: Formula | float | None = None
    course: Formula | None = None

    @property
    def edge(self) -> Edge:
        """The face as a part of the boundary."""
        return self.axis, self.at

    @property
    def formulas(self) -> dict[str, Formula | float]:
        """What it prescribes: its value, with slope and course where it has them."""
        own = {"value": self.value, "slope": self.slope, "course": self.course}
        return {what: formula for what, formula in own.items() if formula is not None}

    def describe(self) -> str:
        """Its place, for messages."""
        return f"condition on {self.unknown} at {self.axis} = {self.at:g}"


@dataclass(frozen=True)
class EdgeCondition:
    """The value of an unknown on an edge of a shape, met exactly.

    Attributes
    ----------
    unknown
        Name of the unknown.
    edge
        Name of the edge, such as "outer" or "boundary".
    value
        A number, or a function of coordinates and parameters that is smooth in the whole domain
        and takes the prescribed values on the edge [unit of the unknown].
    """

    unknown: str
    edge: str
    value: Formula | float

    @property
    def formulas(self) -> dict[str, Formula | float]:
        """What it prescribes."""
        return {"value": self.value}

    def describe(self) -> str:
        """Its place, for messages."""
        return f"condition on {self.unknown} at {self.edge}"


Prescribed = Condition | EdgeCondition


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
    unit
        Unit of `values`. None: that of the unknown. Another one is refused.
    """

    unknown: str
    points: Mapping[str, Float[np.ndarray, " point"]]
    values: Float[np.ndarray, " point"]
    weight: float = 1.0
    unit: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        """Lists and whole numbers become arrays of floating-point numbers."""
        place = f"measurements of {self.unknown}"
        if not isinstance(self.points, Mapping):
            raise InputError(place, ["points are no coordinates by name"])
        faults, found = [], {}
        for name, given in {**self.points, "values": self.values}.items():
            try:
                found[name] = as_numbers(given)
            except ValueError as error:
                faults.append(f"{name} {error}")
                continue
            if found[name].ndim != 1:
                faults.append(f"{name} have {found[name].ndim} axes, expected one, a list")
        if faults:
            raise InputError(place, faults)
        object.__setattr__(self, "values", found.pop("values"))
        object.__setattr__(self, "points", found)


def mask(conditions: Sequence[Prescribed], domain: Domain, point: Point) -> Scalar:
    """Zero on the parts of the boundary that carry `conditions`, positive elsewhere.

    Where a slope is prescribed too, its first derivative vanishes as well.
    """
    product = jnp.ones(())
    for condition in conditions:
        away = domain.nearness(condition.edge, point)
        sloped = isinstance(condition, Condition) and condition.slope is not None
        product = product * (away**2 if sloped else away)
    return product


def lift(conditions: Sequence[Prescribed], domain: Domain, valued: Valued) -> Field:
    """A smooth field that takes the value of every condition on its part of the boundary."""
    edges = [item for item in conditions if isinstance(item, EdgeCondition)]
    by_axis: dict[str, list[Condition]] = {}
    for condition in conditions:
        if isinstance(condition, Condition):
            by_axis.setdefault(condition.axis, []).append(condition)
    carried = _from_edges(edges, domain, valued)
    for name, faces in by_axis.items():
        carried = _with_axis(carried, domain.axis(name), faces, valued)
    return carried


def _from_edges(edges: list[EdgeCondition], domain: Domain, valued: Valued) -> Field:
    """Values of edges carried inside, each weighted by the distances to the others."""
    if not edges:
        return of(float, 0.0)
    values = [valued(edge.value) for edge in edges]
    if len(edges) == 1:
        return values[0]

    def share(point: Point, own: int) -> Any:
        far = [domain.nearness(edge.edge, point) for edge in edges]
        weights = [
            jnp.prod(jnp.stack([away for j, away in enumerate(far) if j != i]))
            for i in range(len(edges))
        ]
        return weights[own] / (sum(weights) + jnp.finfo(float).tiny)  # all vanish where edges meet

    parts = [Field(partial(share, own=own)) * value for own, value in enumerate(values)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _with_axis(before: Field, axis: Axis, faces: list[Condition], valued: Valued) -> Field:
    """`before`, corrected to take the values, and slopes, on the faces of one more axis."""
    total, along = before, Coordinate(axis.name)
    for face in faces:
        there = {axis.name: face.at}
        weigh = partial(_weight, axis, face, faces)
        if face.course is None:
            value = at_place(valued(face.value), **there)
        else:
            value = valued(face.course)
        total = total + of(partial(weigh, part=0), along) * (value - at_place(before, **there))
        if face.slope is not None:
            rise = at_place(valued(face.slope), **there) - at_place(d(before, axis.name), **there)
            total = total + of(partial(weigh, part=1), along) * rise
    return total


def _weight(axis: Axis, face: Condition, faces: list[Condition], at: Any, part: int) -> Any:
    """Of the value (part 0) or of the slope (part 1) of a face."""
    return _weights(axis, face, faces, at)[part]


def _weights(axis: Axis, face: Condition, faces: list[Condition], value: Any) -> tuple[Any, Any]:
    """Of the value and of the slope of `face` in Hermite's interpolation between `faces`."""
    share = axis.share(value)
    away = share if face.at == axis.low else 1.0 - share  # 0 on the face
    length = (axis.high - axis.low) * (1.0 if face.at == axis.low else -1.0)
    other = next((item for item in faces if item is not face), None)
    if other is None:
        return 1.0, away * length
    if face.slope is None:
        return (1.0 - away if other.slope is None else (1.0 - away) ** 2), 0.0
    if other.slope is None:
        return 1.0 - away**2, away * (1.0 - away) * length
    return (1.0 + 2.0 * away) * (1.0 - away) ** 2, away * (1.0 - away) ** 2 * length
