"""Shapes whose distance is one formula: an interval and a disk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tvilling.pinns.shapes.shape import (
    BOUNDARY,
    Distance,
    Places,
    Scalar,
    Shape,
    as_places,
    check_edge,
)
from tvilling.sciml.core.errors import InputError


@dataclass(frozen=True)
class Interval(Shape):
    """The numbers between two ends; its edges are low and high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            ends = f"its ends are {self.low:g} and {self.high:g}"
            raise InputError(
                "interval", [f"{ends}, expected two finite numbers, the smaller first"]
            )

    @property
    def dims(self) -> int:
        """One."""
        return 1

    @property
    def bounds(self) -> Float[np.ndarray, "2 1"]:
        """The ends."""
        return np.array([[self.low], [self.high]])

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of the edges."""
        return (BOUNDARY, "low", "high")

    @property
    def size(self) -> float:
        """Length [unit]."""
        return self.high - self.low

    def edge_size(self, edge: str) -> float:
        """Number of points."""
        check_edge(self, edge)
        return 2.0 if edge == BOUNDARY else 1.0

    def inside(self, points: Places) -> Bool[np.ndarray, " point"]:
        """Which points lie between the ends, these excluded."""
        return (self.low < points[:, 0]) & (points[:, 0] < self.high)

    def draw(self, random: np.random.Generator, count: int) -> Places:
        """Points inside."""
        return random.uniform(self.low, self.high, (count, 1))

    def draw_edge(
        self, edge: str, random: np.random.Generator, count: int
    ) -> tuple[Places, Places]:
        """An end, or both at random, with the normal -1 or 1."""
        check_edge(self, edge)
        upper = random.uniform(size=(count, 1)) < 0.5 if edge == BOUNDARY else edge == "high"
        upper = np.broadcast_to(upper, (count, 1))
        return np.where(upper, self.high, self.low), np.where(upper, 1.0, -1.0)

    def distance(self, edge: str | None = None) -> Distance:
        """(x - low)(high - x)/(high - low), or the distance to one end."""
        check_edge(self, edge or BOUNDARY)

        def value(x: Scalar) -> Scalar:
            if edge == "low":
                return x - self.low
            if edge == "high":
                return self.high - x
            return (x - self.low) * (self.high - x) / self.size

        return value


class Disk(Shape):
    """All points closer than `radius` to `centre`."""

    def __init__(self, centre: Sequence[float], radius: float) -> None:
        places, faults = as_places([centre], 2, "centre")
        if not (math.isfinite(radius) and radius > 0):
            faults.append(f"radius is {radius:g}, expected finite and above 0")
        if faults:
            raise InputError("disk", faults)
        self.centre = places[0]
        self.radius = float(radius)

    @property
    def dims(self) -> int:
        """Two."""
        return 2

    @property
    def bounds(self) -> Float[np.ndarray, "2 2"]:
        """Lowest and highest coordinates."""
        return np.stack([self.centre - self.radius, self.centre + self.radius])

    @property
    def edges(self) -> tuple[str, ...]:
        """The circle only."""
        return (BOUNDARY,)

    @property
    def size(self) -> float:
        """Area [unit²]."""
        return math.pi * self.radius**2

    def edge_size(self, edge: str) -> float:
        """Circumference [unit]."""
        check_edge(self, edge)
        return 2 * math.pi * self.radius

    def inside(self, points: Places) -> Bool[np.ndarray, " point"]:
        """Which points lie inside, the circle excluded."""
        return np.linalg.norm(points - self.centre, axis=1) < self.radius

    def draw(self, random: np.random.Generator, count: int) -> Places:
        """Points inside; the area within a radius goes by its square."""
        radii = self.radius * np.sqrt(random.uniform(size=(count, 1)))
        return self.centre + radii * _directions(random, count)

    def draw_edge(
        self, edge: str, random: np.random.Generator, count: int
    ) -> tuple[Places, Places]:
        """Points on the circle and the outward unit normals there."""
        check_edge(self, edge)
        normals = _directions(random, count)
        return self.centre + self.radius * normals, normals

    def distance(self, edge: str | None = None) -> Distance:
        """(R² - r²)/(2 R): zero with unit slope on the circle, smooth at the centre."""
        check_edge(self, edge or BOUNDARY)
        (x0, y0), radius = self.centre, self.radius

        def value(x: Scalar, y: Scalar) -> Scalar:
            return (radius**2 - (x - x0) ** 2 - (y - y0) ** 2) / (2 * radius)

        return value


def _directions(random: np.random.Generator, count: int) -> Places:
    angle = random.uniform(0.0, 2 * math.pi, count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
