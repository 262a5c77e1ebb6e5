"""Where an equation holds: a box of named coordinates, and points drawn in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.typed import lists_to_tuples, type_errors

Points = dict[str, Float[np.ndarray, " point"]]
Edge = tuple[str, float] | str  # the face of a box, or the named edge of a shape


@dataclass(frozen=True)
class Axis:
    """One coordinate, in space or time, or a parameter of a family.

    Attributes
    ----------
    low, high
        Ends of its range [unit].
    periodic
        Whether the ends are the same place: every unknown and all its derivatives agree there.
    """

    name: str
    unit: str
    low: float
    high: float
    periodic: bool = False

    def faults(self) -> list[str]:
        """What is wrong with it."""
        if math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high:
            return []
        return [
            f"{self.name}: its range is {self.low:g} to {self.high:g} {self.unit}, "
            "expected two finite numbers, the smaller first"
        ]

    def leaving(self, values: Any) -> list[str]:
        """What is wrong with coordinates outside the range, or none at all; no fault inside it."""
        given = np.asarray(values, float)
        if not given.size:
            return [f"{self.name} has no values, expected one at least"]
        if np.all((given >= self.low) & (given <= self.high)):
            return []
        return [
            f"{self.name} runs from {given.min():.9g} to {given.max():.9g} {self.unit}, "
            f"expected {self.low:g} to {self.high:g} {self.unit}"
        ]

    def share(self, value: Array) -> Array:
        """Where `value` lies between the ends: 0 at `low` and 1 at `high`, exactly."""
        return (value - self.low) / (self.high - self.low)


@runtime_checkable
class Domain(Protocol):
    """Coordinates with their ranges, and points drawn inside and on edges."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Coordinates, each with the range that bounds the domain."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""

    def axis(self, name: str) -> Axis:
        """The axis of that name."""

    def draw(self, random: np.random.Generator, count: int) -> Points:
        """`count` points inside."""

    def edge_fault(self, edge: Edge) -> str | None:
        """What is wrong with `edge` as a part of the boundary; None where nothing is."""

    def draw_edge(
        self, edge: Edge, random: np.random.Generator, count: int
    ) -> tuple[Points, Points]:
        """`count` points of an edge, and the outward unit normals there by coordinate."""

    def nearness(self, edge: Edge, point: Mapping[str, Any]) -> Any:
        """Zero on an edge, positive inside and smooth, about one at most."""

    def inside(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """Which points lie inside `[point]`."""

    def within(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """Which points lie inside or on an edge, within rounding, `[point]`."""


@dataclass(frozen=True)
class Box:
    """All points whose every coordinate lies in the range of its axis."""

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        lists_to_tuples(self)
        if faults := list(type_errors(self)):
            raise InputError("box", faults)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(axis.name for axis in self.axes)

    def axis(self, name: str) -> Axis:
        """The axis of that name."""
        return next(axis for axis in self.axes if axis.name == name)

    def draw(self, random: np.random.Generator, count: int) -> Points:
        """`count` points of a Latin hypercube: one in each of `count` slices of every axis.

        McKay, Beckman and Conover, Technometrics 21 (1979), 239-245,
        DOI 10.1080/00401706.1979.10489755.
        """
        points = {}
        for axis in self.axes:
            share = (random.permutation(count) + random.random(count)) / count
            points[axis.name] = axis.low + (axis.high - axis.low) * share
        return points

    def edge_fault(self, edge: Edge) -> str | None:
        """What is wrong with `edge` as a face; None where nothing is."""
        if isinstance(edge, str):
            return f"{edge!r} is no edge, expected an axis and one of its ends"
        name, at = edge
        if name not in self.names:
            return f"{name!r} is no axis; declared are {', '.join(self.names)}"
        axis = self.axis(name)
        if at not in (axis.low, axis.high):
            where = "inside" if axis.low < at < axis.high else "outside"
            return (
                f"{at:.17g} {axis.unit} lies {where} the domain, "
                f"expected one of its ends, {axis.low:.17g} or {axis.high:.17g} {axis.unit}"
            )
        return f"{name} is periodic and has no ends" if axis.periodic else None

    def draw_edge(
        self, edge: Edge, random: np.random.Generator, count: int
    ) -> tuple[Points, Points]:
        """`count` points of the face, and the outward normals."""
        name, at = _face(edge)
        points = self.draw(random, count)
        points[name] = np.full(count, at)
        outward = 1.0 if at == self.axis(name).high else -1.0
        normals = {other: np.zeros(count) for other in self.names}
        return points, normals | {name: np.full(count, outward)}

    def nearness(self, edge: Edge, point: Mapping[str, Any]) -> Any:
        """Share of the way from a face to the opposite one."""
        name, at = _face(edge)
        axis = self.axis(name)
        share = axis.share(point[axis.name])
        return share if at == axis.low else 1.0 - share

    def inside(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """Which points have every coordinate in its range, the ends included, `[point]`."""
        held = [
            (axis.low <= points[axis.name]) & (points[axis.name] <= axis.high) for axis in self.axes
        ]
        return np.all(held, axis=0)

    def within(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """The same: a box holds its faces."""
        return self.inside(points)


def _face(edge: Edge) -> tuple[str, float]:
    """A face of a box, whose edges have no other names."""
    if isinstance(edge, str):
        raise TypeError(f"{edge!r} is no face of a box")
    return edge


def draw_edge(
    domain: "Domain | Family", edge: Edge, random: np.random.Generator, count: int
) -> Points:
    """`count` points of an edge, the outward normals among their coordinates."""
    points, normals = domain.draw_edge(edge, random, count)
    return points | {f"normal_{name}": values for name, values in normals.items()}


@dataclass(frozen=True)
class Family:
    """A domain together with the ranges of parameters that are inputs.

    Attributes
    ----------
    place
        Where the equation holds for each value of the parameters.
    ranged
        One axis a parameter.
    """

    place: Domain
    ranged: tuple[Axis, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Coordinates, then parameters."""
        return tuple(self.place.axes) + self.ranged

    @property
    def names(self) -> tuple[str, ...]:
        """Names of coordinates and parameters."""
        return tuple(axis.name for axis in self.axes)

    def draw(self, random: np.random.Generator, count: int) -> Points:
        """`count` points of the domain, each with values of the parameters."""
        return self.place.draw(random, count) | Box(self.ranged).draw(random, count)

    def draw_edge(
        self, edge: Edge, random: np.random.Generator, count: int
    ) -> tuple[Points, Points]:
        """The same on an edge, with the outward normals."""
        points, normals = self.place.draw_edge(edge, random, count)
        further = Box(self.ranged).draw(random, count)
        return points | further, normals
