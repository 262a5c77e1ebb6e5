"""Lines and points of a network on the map: GeoJSON in, lengths, and the order of coordinates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.json_text import parse_json

EARTH_RADIUS_M = 6_371_000.0
Point = tuple[float, float]


def parse_points(geometry: Any) -> list[Point]:
    """Points `(x, y)` of a GeoJSON Point or LineString, given as text or mapping.

    Anything else, a blank among them, has no points.
    """
    if isinstance(geometry, str):
        try:
            geometry = parse_json(geometry, "geometry")
        except InputError:
            return []
    if not isinstance(geometry, Mapping):
        return []
    coordinates: Any = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        coordinates = [coordinates]
    elif geometry.get("type") != "LineString":
        return []
    try:
        points = [(_number(point[0]), _number(point[1])) for point in coordinates]
    except (TypeError, LookupError, OverflowError):
        return []
    return points if np.isfinite(points).all() else []


def _number(value: Any) -> float:
    if isinstance(value, bool | str):
        raise TypeError
    return float(value)


def swap(points: Sequence[Point]) -> list[Point]:
    """The same points with x and y exchanged."""
    return [(y, x) for x, y in points]


def in_degrees(points: Float[np.ndarray, "point 2"]) -> bool:
    """Whether all coordinates can be longitudes and latitudes, in either order."""
    if not len(points):
        return False
    greatest = np.abs(points).max(axis=0)
    return bool(greatest.max() <= 180.0 and greatest.min() <= 90.0)


def route_length_m(points: Sequence[Point], degrees: bool) -> float:
    """Length of a line [m]: of metres as they are, of degrees on a sphere.

    Degrees are longitude, latitude; each leg is taken as plane (equirectangular), which is
    exact to 1e-6 for legs of a few kilometres.
    """
    line = np.asarray(points, dtype=float)
    if len(line) < 2:
        return 0.0
    if degrees:
        radians = np.radians(line)
        middle = (radians[1:, 1] + radians[:-1, 1]) / 2
        east = np.diff(radians[:, 0]) * np.cos(middle)
        return float(EARTH_RADIUS_M * np.hypot(east, np.diff(radians[:, 1])).sum())
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def latitude_first(routes: Sequence[Sequence[Point]], length_m: Sequence[float]) -> bool:
    """Whether the routes hold latitude before longitude.

    A value beyond 90 in second place cannot be a latitude. Otherwise the lengths tell: away from
    the equator the length of a line comes out right in one order only, so the order whose lengths
    agree better with `length_m` (median of the logarithmic ratio) is taken, if it does so clearly.
    Needs coordinates in degrees; the routes without length are left out.
    """
    every = np.array([point for route in routes for point in route], dtype=float).reshape(-1, 2)
    if not in_degrees(every):
        return False
    beyond = np.abs(every).max(axis=0) > 90.0
    if beyond.any():
        return bool(beyond[1])
    misfit = []
    for turned in (False, True):
        ratio = [
            np.log(found / length)
            for route, length in zip(routes, length_m, strict=True)
            if length > 0
            and (found := route_length_m(swap(route) if turned else route, degrees=True)) > 0
        ]
        misfit.append(np.median(np.abs(ratio)) if ratio else np.inf)
    return bool(np.isfinite(misfit[1]) and misfit[1] < 0.5 * misfit[0])
