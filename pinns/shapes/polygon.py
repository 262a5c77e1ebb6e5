"""Polygons with holes, and several of them as one region."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from jaxtyping import Float, Int

from tvilling.pinns.shapes.flat import Flat, areas
from tvilling.pinns.shapes.segments import Segments
from tvilling.pinns.shapes.shape import BOUNDARY, Places, as_places
from tvilling.sciml.core.errors import InputError

Ring = Sequence[Sequence[float]] | Float[np.ndarray, "point 2"]


class Polygon(Flat):
    """A polygon, with holes where there are any.

    Its edges are `"outer"`, `"hole 1"`, … and each side, counted from one: side `"outer 1"` runs
    from the first corner to the second.

    Parameters
    ----------
    outer
        Its corners `[point, 2]`, either way round; the first may be repeated at the end.
    holes
        Corners of each hole.
    names
        Further edges, each a list of sides such as `{"inlet": ["outer 4"]}`.

    Raises
    ------
    InputError
        With every ring that is none, crosses itself, or lies where it must not.
    """

    def __init__(
        self,
        outer: Ring,
        holes: Sequence[Ring] = (),
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        labels = ["outer", *(f"hole {index + 1}" for index in range(len(holes)))]
        rings, faults = [], []
        for label, corners in zip(labels, (outer, *holes), strict=True):
            ring, wrong = _ring(corners, label)
            rings.append(ring)
            faults += wrong
        if not faults:
            faults = _placed(rings)
        if faults:
            raise InputError("polygon", faults)
        segments = _sides(rings, labels)
        groups, faults = _named(segments.groups, names or {})
        if faults:
            raise InputError("polygon", faults)
        outline = shapely.Polygon(rings[0], rings[1:])
        shapely.prepare(outline)
        super().__init__(
            outline, _triangles(outline), Segments(segments.start, segments.end, groups)
        )


class Rectangle(Polygon):
    """The rectangle between two corners; its edges are left, right, bottom and top."""

    def __init__(self, low: Sequence[float], high: Sequence[float]) -> None:
        (ends, faults) = as_places([low, high], 2, "corners low and high")
        if not faults and not (ends[0] < ends[1]).all():
            faults = [f"low is {ends[0]}, high is {ends[1]}, expected low below high in both"]
        if faults:
            raise InputError("rectangle", faults)
        (left, bottom), (right, top) = ends
        corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
        super().__init__(corners)
        sides = ("bottom", "right", "top", "left")
        groups = {name: np.array([index]) for index, name in enumerate(sides)}
        renamed = Segments(self.segments.start, self.segments.end, groups)
        object.__setattr__(self, "segments", renamed)


class Polygons(Flat):
    """Polygons that do not overlap, as one region.

    Its edges are those of its parts, led by `"part 1 "`, `"part 2 "`, …
    """

    def __init__(self, parts: Sequence[Polygon]) -> None:
        faults = [] if parts else ["there is no polygon"]
        for index, first in enumerate(parts):
            for other, second in enumerate(parts[:index]):
                if first.outline.intersection(second.outline).length > 0:
                    faults.append(f"parts {other + 1} and {index + 1} overlap or share a side")
        if faults:
            raise InputError("polygons", faults)
        groups, count = {}, 0
        for index, part in enumerate(parts):
            for name, members in part.segments.groups.items():
                label = f"part {index + 1}" + ("" if name == BOUNDARY else f" {name}")
                groups[label] = members + count
            count += len(part.segments.start)
        outline = shapely.MultiPolygon([part.outline for part in parts])
        shapely.prepare(outline)
        start = np.concatenate([part.segments.start for part in parts])
        end = np.concatenate([part.segments.end for part in parts])
        triangles = np.concatenate([part.triangles for part in parts])
        super().__init__(outline, triangles, Segments(start, end, groups))


def _ring(corners: Ring, label: str) -> tuple[Places, list[str]]:
    """Corners without a repeated end, and what is wrong with the ring by itself."""
    ring, faults = as_places(corners, 2, label)
    if faults:
        return ring, faults
    if len(ring) > 1 and (ring[0] == ring[-1]).all():
        ring = ring[:-1]
    if len(ring) < 3:
        return ring, [f"{label}: {len(ring)} corners, expected at least 3"]
    still = np.flatnonzero((ring == np.roll(ring, -1, axis=0)).all(axis=1))
    faults = [f"{label}: corner {row + 1} {ring[row]} is repeated by the next" for row in still]
    hull = shapely.MultiPoint(ring).convex_hull.area
    if not hull > 1e-14 * max(float(np.ptp(ring, axis=0).max()) ** 2, 1e-300):
        return ring, [*faults, f"{label}: area is {hull:g}, expected above 0"]
    shape = shapely.Polygon(ring)
    if not faults and not shape.is_valid:
        faults.append(f"{label}: {shapely.is_valid_reason(shape)}, expected no crossing")
    return ring, faults


def _placed(rings: list[Places]) -> list[str]:
    """Holes outside the outer ring, or over one another."""
    outer, *holes = (shapely.Polygon(ring) for ring in rings)
    faults = []
    for index, hole in enumerate(holes):
        if not outer.contains_properly(hole):
            faults.append(f"hole {index + 1}: it does not lie inside the outer ring")
        for other in range(index):
            if hole.intersects(holes[other]):
                faults.append(f"holes {other + 1} and {index + 1} meet or overlap")
    return faults


def _sides(rings: list[Places], labels: list[str]) -> Segments:
    """Sides of all rings, turned so that the region lies on their left."""
    starts, ends = [], []
    groups: dict[str, Int[np.ndarray, " member"]] = {}
    count = 0
    for index, (ring, label) in enumerate(zip(rings, labels, strict=True)):
        start, end = ring, np.roll(ring, -1, axis=0)
        if shapely.LinearRing(ring).is_ccw != (index == 0):
            start, end = end, start
        starts.append(start)
        ends.append(end)
        groups[label] = np.arange(count, count + len(ring))
        count += len(ring)
    for label in labels:
        for number, member in enumerate(groups[label]):
            groups[f"{label} {number + 1}"] = np.array([member])
    return Segments(np.concatenate(starts), np.concatenate(ends), groups)


def _named(
    groups: dict[str, Int[np.ndarray, " member"]], names: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Int[np.ndarray, " member"]], list[str]]:
    """The groups with those that the caller names."""
    added, faults = {}, []
    for name, sides in names.items():
        unknown = [side for side in sides if side not in groups]
        if name in groups:
            faults.append(f"{name!r} is the name of an edge already")
        elif unknown or not sides:
            faults.append(f"{name!r}: no side is named {', '.join(unknown) or 'in it'}")
        else:
            added[name] = np.unique(np.concatenate([groups[side] for side in sides]))
    return {**groups, **added}, faults


def _triangles(outline: shapely.Polygon) -> Float[np.ndarray, "triangle 3 2"]:
    """Triangles that cover the polygon, corners counter-clockwise."""
    pieces = shapely.get_parts(shapely.constrained_delaunay_triangles(outline))
    corners = np.stack([shapely.get_coordinates(piece)[:3] for piece in pieces])
    return np.where(areas(corners)[:, None, None] > 0, corners, corners[:, ::-1])
