"""Outlines from GeoJSON files (RFC 7946), in metres."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from tvilling.pinns.shapes.polygon import Polygon, Polygons
from tvilling.pinns.shapes.shape import as_places
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.strict_json import read_json

MAX_GEOJSON_BYTES = 50_000_000

EQUATOR_M = 6378137.0  # WGS 84
FLATTENING = 1 / 298.257223563
WIDEST_DEG = 0.5  # in latitude and longitude, beyond which the projection is refused

Ring = Float[np.ndarray, "point 2"]


@dataclass(frozen=True)
class LocalProjection:
    """Metres east and north of a place, equirectangular on the WGS 84 ellipsoid.

        x = N(φ₀) cos φ₀ (λ - λ₀),   y = M(φ₀) (φ - φ₀)

    with the radii of curvature N across and M along the meridian (Snyder, Map Projections: A
    Working Manual, USGS 1395, 1987, equations 4-18 and 4-20, DOI 10.3133/pp1395). Lengths from
    west to east are off by about y tan φ₀ over the radius of the Earth: at 60° of latitude, 0.03 %
    at 1 km from the place and 0.3 % at 10 km.

    Attributes
    ----------
    longitude_deg, latitude_deg
        The place [°].
    """

    longitude_deg: float
    latitude_deg: float

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {value:g} °, expected -{limit} to {limit} °"
            for name, value, limit in (
                ("longitude", self.longitude_deg, 180),
                ("latitude", self.latitude_deg, 85),
            )
            if not abs(value) <= limit
        ]
        if faults:
            raise InputError("local projection", faults)

    @property
    def metres_per_degree(self) -> Float[np.ndarray, "2"]:
        """East and north [m/°]."""
        latitude = math.radians(self.latitude_deg)
        square = FLATTENING * (2 - FLATTENING)
        root = math.sqrt(1 - square * math.sin(latitude) ** 2)
        across = EQUATOR_M / root * math.cos(latitude)
        along = EQUATOR_M * (1 - square) / root**3
        return np.radians([across, along])

    def to_m(self, degrees: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Metres east and north of longitudes and latitudes."""
        return (degrees - [self.longitude_deg, self.latitude_deg]) * self.metres_per_degree

    def to_degrees(self, metres: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Longitudes and latitudes of metres east and north."""
        return metres / self.metres_per_degree + [self.longitude_deg, self.latitude_deg]

    @classmethod
    def of(cls, path: str | Path) -> "LocalProjection":
        """Around the middle of the outlines in a file, as `read_geojson` takes it."""
        return cls._around(_read(path), str(path))

    @classmethod
    def _around(cls, polygons: list[list[Ring]], source: str) -> "LocalProjection":
        corners = np.concatenate([ring for rings in polygons for ring in rings])
        low, high = corners.min(axis=0), corners.max(axis=0)
        if (np.abs(corners) > [180, 90]).any():
            fault = f"coordinates run from {low} to {high}, expected longitude and latitude [°]"
            raise InputError(source, [f"{fault}; for metres say metric=True"])
        if (high - low > WIDEST_DEG).any():
            extent = f"{high[0] - low[0]:g} ° by {high[1] - low[1]:g} °"
            raise InputError(source, [f"it extends {extent}, expected at most {WIDEST_DEG} °"])
        middle = (low + high) / 2
        return cls(float(middle[0]), float(middle[1]))


def read_geojson(
    path: str | Path, projection: LocalProjection | None = None, metric: bool = False
) -> Polygon | Polygons:
    """All polygons of a file as one region [m].

    Parameters
    ----------
    path
        A file with a Polygon, a MultiPolygon, a Feature, or a collection of these.
    projection
        From longitude and latitude to metres. None: around the middle of the outlines.
    metric
        Whether coordinates are metres already, which RFC 7946 does not foresee.
    """
    polygons = _read(path)
    source = str(path)
    if not metric:
        around = LocalProjection._around(polygons, source)  # the range is checked in any case
        chosen = projection or around
        polygons = [[chosen.to_m(ring) for ring in rings] for rings in polygons]
    parts, faults = [], []
    for index, (outer, *holes) in enumerate(polygons):
        try:
            parts.append(Polygon(outer, holes))
        except InputError as error:
            faults += [f"polygon {index + 1}: {fault}" for fault in error.faults]
    if faults:
        raise InputError(source, faults)
    return parts[0] if len(parts) == 1 else Polygons(parts)


def _read(path: str | Path) -> list[list[Ring]]:
    """Rings of every polygon in a file, heights left out."""
    source = str(path)
    content = read_json(Path(path), MAX_GEOJSON_BYTES)
    faults: list[str] = []
    polygons = []
    for number, rings in enumerate(_polygons(content, faults), start=1):
        read = []
        for ring in rings if isinstance(rings, list) else []:
            if not isinstance(ring, list):
                faults.append(f"polygon {number}: a ring is no list of places")
                continue
            pairs = [place[:2] if isinstance(place, list) else place for place in ring]
            corners, wrong = as_places(pairs, 2, f"polygon {number}")
            read.append(corners)
            faults += wrong
        if not read:
            faults.append(f"polygon {number}: it has no ring")
        polygons.append(read)
    if not polygons and not faults:
        faults.append("there is no polygon")
    if faults:
        raise InputError(source, faults)
    return polygons


def _list(item: dict[str, Any], key: str, faults: list[str]) -> list[Any]:
    """The list `key` of an object; another type is a fault."""
    found = item.get(key)
    if found is None or isinstance(found, list):
        return found or []
    faults.append(f"{key} is no list")
    return []


def _polygons(item: Any, faults: list[str]) -> Iterator[Any]:
    """Coordinates of the polygons in a GeoJSON object."""
    kind = item.get("type") if isinstance(item, dict) else None
    if kind == "FeatureCollection":
        for feature in _list(item, "features", faults):
            yield from _polygons(feature, faults)
    elif kind == "GeometryCollection":
        for geometry in _list(item, "geometries", faults):
            yield from _polygons(geometry, faults)
    elif kind == "Feature":
        yield from _polygons(item.get("geometry"), faults)
    elif kind == "Polygon":
        yield item.get("coordinates")
    elif kind == "MultiPolygon":
        yield from _list(item, "coordinates", faults)
    else:
        faults.append(f"it holds a {kind}, expected Polygon or MultiPolygon")
