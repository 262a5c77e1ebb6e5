"""Geometries in the cells of a net: GeoJSON of points and lines in the plane, and nothing else.

H. Butler et al., The GeoJSON Format, RFC 7946, 2016.
"""

import json
from typing import Any

import numpy as np

from tvilling.datasets.readers.heat.geometry import parse_points
from tvilling.sciml.io.json_text import parse_json

MEMBERS = {"type", "coordinates"}


def geometry_text(cell: Any) -> str | None:
    """A Point or LineString as GeoJSON text of its own two members; None where it is none.

    What is written so already keeps its text.
    """
    if not isinstance(cell, str | dict):
        return None
    points = parse_points(cell)
    if not points:
        return None
    content = parse_json(cell, "geometry") if isinstance(cell, str) else cell
    flat = [content["coordinates"]] if content["type"] == "Point" else content["coordinates"]
    if isinstance(cell, str) and content.keys() == MEMBERS and _plain_pairs(flat):
        return cell
    coordinates: Any = [list(point) for point in points]
    if content["type"] == "Point":
        coordinates = coordinates[0]
    return json.dumps({"coordinates": coordinates, "type": content["type"]})


def _plain_pairs(points: list[Any]) -> bool:
    """Whether every point is two finite numbers."""
    return all(
        isinstance(point, list)
        and len(point) == 2
        and all(type(value) in (int, float) and np.isfinite(value) for value in point)
        for point in points
    )
