"""A domain of any shape, with time or parameters as further axes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import jax
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Box, Edge
from tvilling.pinns.shapes.combined import Combined
from tvilling.pinns.shapes.factors import factor
from tvilling.pinns.shapes.shape import Distance, Places, Scalar, Shape
from tvilling.pinns.shapes.surface import Surface
from tvilling.sciml.core.errors import InputError

MAX_PLANES = 12  # of a surface on which a value is met exactly
ON_EDGE = 1e-6  # of the extent: closer than that to an edge counts as on it
Coordinates = dict[str, Float[np.ndarray, " point"]]


class Region:
    """All points whose first coordinates lie in a shape, and the others in the ranges of axes.

    Parameters
    ----------
    shape
        A shape of one, two or three coordinates.
    names
        Names of these coordinates, such as `("x_m", "y_m")`.
    unit
        Their unit, which is the shape's.
    others
        Further axes, such as time.

    Attributes
    ----------
    axes
        The shape's coordinates, each over its bounds, then the others.

    Raises
    ------
    InputError
        With every name that is missing or given twice, and every range that is none.
    """

    def __init__(
        self, shape: Shape, names: Sequence[str], unit: str, others: Sequence[Axis] = ()
    ) -> None:
        faults = []
        if len(names) != shape.dims:
            given = f"{len(names)} ({', '.join(names) or 'none'})"
            faults.append(f"names are {given}, expected {shape.dims}, one a coordinate")
        for name, count in Counter([*names, *(axis.name for axis in others)]).items():
            if count > 1:
                faults.append(f"{name} is the name of {count} axes")
        for axis in others:
            faults += axis.faults()
        if faults:
            raise InputError("region", faults)
        low, high = shape.bounds
        own = [
            Axis(name, unit, float(low[index]), float(high[index]))
            for index, name in enumerate(names)
        ]
        self.shape = shape
        self.unit = unit
        self.others = tuple(others)
        self.axes = (*own, *others)
        self._factors: dict[str, Distance] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all coordinates."""
        return tuple(axis.name for axis in self.axes)

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of the shape's edges."""
        return self.shape.edges

    def axis(self, name: str) -> Axis:
        """The axis of that name."""
        return next(axis for axis in self.axes if axis.name == name)

    def edge_fault(self, edge: Edge) -> str | None:
        """What is wrong with `edge` as an edge of the shape or an end of another axis."""
        if not isinstance(edge, str):
            if edge[0] in self.names[: self.shape.dims]:
                return (
                    f"{edge[0]} is a coordinate of the shape, expected an EdgeCondition or the "
                    f"name of one of its edges: {', '.join(self.edges)}"
                )
            return Box(self.others).edge_fault(edge)
        if edge in self.edges:
            return None
        return f"{edge!r} is no edge; there are {', '.join(self.edges)}"

    def exact_fault(self, edge: str) -> str | None:
        """Why a value cannot be met exactly on an edge of the shape; None where it can."""
        parts = dict(self.shape.parts) if isinstance(self.shape, Combined) else {"": self.shape}
        for name, part in parts.items():
            own = edge.removeprefix(f"{name}.") if name else edge
            if not isinstance(part, Surface) or own not in part.edges:
                continue
            if (planes := part.edge_planes(own)) > MAX_PLANES:
                return (
                    f"its triangles lie in {planes} planes, expected at most {MAX_PLANES} for a "
                    "value that is met exactly: a factor of so many is flat, or takes for ever to "
                    f"compile. Prescribe it by an equation, Equation({edge!r}, …, lambda at: at.u "
                    f"- value, face={edge!r})"
                )
        return None

    def nearness(self, edge: Edge, point: Mapping[str, Array]) -> Scalar:
        """Zero on an edge and positive inside: about the distance, in half extents of the shape."""
        if not isinstance(edge, str):
            return Box(self.others).nearness(edge, point)
        if edge not in self._factors:
            with jax.ensure_compile_time_eval():
                self._factors[edge] = factor(self.shape, edge)
        return self._factors[edge](*(point[name] for name in self.names[: self.shape.dims]))

    def inside(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """Which points lie inside `[point]`; the ends of the other axes count as inside."""
        own = self.names[: self.shape.dims]
        found = self.shape.inside(np.stack([points[name] for name in own], axis=1))
        return found & Box(self.others).inside(points)

    def within(self, points: Mapping[str, Float[np.ndarray, " point"]]) -> np.ndarray:
        """Which points lie inside or on an edge, within rounding, `[point]`."""
        found = self.inside(points)
        own = self.axes[: self.shape.dims]
        step = ON_EDGE * max(axis.high - axis.low for axis in own)
        for way in product((-step, 0.0, step), repeat=len(own)):
            moved = {axis.name: points[axis.name] + by for axis, by in zip(own, way, strict=True)}
            found = found | self.inside({**points, **moved})
        return found

    def draw(self, random: np.random.Generator, count: int) -> Coordinates:
        """Points inside `[count]` by name.

        Those in the shape are uniform and independent. The other axes are drawn by a Latin
        hypercube: one point in each of `count` slices (McKay, Beckman and Conover, Technometrics
        21 (1979), 239-245, DOI 10.1080/00401706.1979.10489755).
        """
        return self._named(self.shape.draw(random, count), random)

    def draw_edge(
        self, edge: Edge, random: np.random.Generator, count: int
    ) -> tuple[Coordinates, Coordinates]:
        """Points on an edge, and the outward unit normals there by coordinate."""
        if not isinstance(edge, str):
            inside = self._named(self.shape.draw(random, count), random)
            there, along = Box(self.others).draw_edge(edge, random, count)
            return inside | there, {name: np.zeros(count) for name in self.names} | along
        places, normals = self.shape.draw_edge(edge, random, count)
        own = self.names[: self.shape.dims]
        by_name = {name: np.zeros(count) for name in self.names}
        by_name |= {name: normals[:, index] for index, name in enumerate(own)}
        return self._named(places, random), by_name

    def distance(self, edge: str | None = None) -> Callable[[Mapping[str, Array]], Scalar]:
        """The shape's distance [unit], as a function of a point by name."""
        value = self.shape.distance(edge)
        own = self.names[: self.shape.dims]
        return lambda point: value(*(point[name] for name in own))

    def _named(self, places: Places, random: np.random.Generator) -> Coordinates:
        """Places by name, with the other axes drawn."""
        count = len(places)
        points = {
            axis.name: places[:, index] for index, axis in enumerate(self.axes[: self.shape.dims])
        }
        return points | Box(self.others).draw(random, count)
