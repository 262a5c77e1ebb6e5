"""Plane regions made of triangles and bounded by straight sides."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Bool, Float

from tvilling.pinns.shapes.segments import Segments
from tvilling.pinns.shapes.shape import BOUNDARY, Distance, Places, Shape, check_edge, pick


@dataclass(frozen=True, eq=False)
class Flat(Shape):
    """A region of the plane; made by `Polygon`, `Rectangle`, `read_geojson` or `TriangleMesh`.

    Attributes
    ----------
    outline
        The region in the terms of shapely.
    triangles
        Triangles that cover it without overlap `[triangle, corner, 2]`.
    segments
        Its sides.
    """

    outline: shapely.Geometry
    triangles: Float[np.ndarray, "triangle 3 2"]
    segments: Segments

    @property
    def dims(self) -> int:
        """Two."""
        return 2

    @property
    def bounds(self) -> Float[np.ndarray, "2 2"]:
        """Lowest and highest coordinates."""
        return np.reshape(self.outline.bounds, (2, 2))

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of the edges."""
        return tuple(self.segments.groups)

    @property
    def size(self) -> float:
        """Area [unit²]."""
        return float(self.outline.area)

    def edge_size(self, edge: str) -> float:
        """Length of an edge [unit]."""
        check_edge(self, edge)
        return float(self.segments.lengths[self.segments.groups[edge]].sum())

    def inside(self, points: Places) -> Bool[np.ndarray, " point"]:
        """Which points lie inside, the boundary excluded."""
        return shapely.contains_xy(self.outline, points[:, 0], points[:, 1])

    def draw(self, random: np.random.Generator, count: int) -> Places:
        """Points inside: a triangle by its area, then a point in it."""
        chosen = self.triangles[pick(random, areas(self.triangles), count)]
        return in_triangles(random, chosen)

    def draw_edge(
        self, edge: str, random: np.random.Generator, count: int
    ) -> tuple[Places, Places]:
        """Points on an edge and the outward unit normals there."""
        check_edge(self, edge)
        return self.segments.draw(edge, random, count)

    def distance(self, edge: str | None = None) -> Distance:
        """Smooth distance, joined from those of the sides; see `Shape.distance`."""
        check_edge(self, edge or BOUNDARY)
        if edge in (None, BOUNDARY):
            return self.segments.signed()
        return self.segments.distance(edge)


def areas(triangles: Float[np.ndarray, "triangle 3 2"]) -> Float[np.ndarray, " triangle"]:
    """Areas, positive where the corners run counter-clockwise."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


def in_triangles(
    random: np.random.Generator, triangles: Float[np.ndarray, "point 3 dim"]
) -> Places:
    """One uniform point in each triangle: half a parallelogram, folded onto the other half."""
    share = random.uniform(size=(len(triangles), 2))
    share = np.where(share.sum(axis=1, keepdims=True) > 1, 1 - share, share)
    corner = triangles[:, 0]
    return (
        corner
        + share[:, :1] * (triangles[:, 1] - corner)
        + share[:, 1:] * (triangles[:, 2] - corner)
    )
