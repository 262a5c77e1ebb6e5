"""Coordinates in the column `geo` of pandapower's tables: GeoJSON points and lines as text."""

import json
from typing import Any

import numpy as np
from jaxtyping import Float


def geo_points(cell: Any) -> Float[np.ndarray, "point 2"]:
    """The points of a cell in the coordinates of the file; none of them where it holds none.

    H. Butler et al., The GeoJSON Format, RFC 7946, 2016: a point is one position, a line a list of
    them; what follows the first two numbers of a position is left out.
    """
    none = np.empty((0, 2))
    try:
        content = json.loads(cell) if isinstance(cell, str) else None
        place = content.get("coordinates") if isinstance(content, dict) else None
        points = np.atleast_2d(np.asarray(place or (), float))
    except ValueError:  # no JSON, no numbers, or positions of several lengths
        return none
    return points[:, :2] if points.ndim == 2 and points.shape[1] >= 2 else none
