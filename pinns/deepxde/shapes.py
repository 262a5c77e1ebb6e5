"""Shapes from DeepXDE's geometries: its constructive geometry and polygons for our problems.

Nothing here imports DeepXDE; its classes are known by their names.
"""

from typing import Any

import numpy as np

from tvilling.pinns.shapes import (
    Disk,
    Interval,
    Polygon,
    Rectangle,
    Shape,
    difference,
    intersection,
    union,
)
from tvilling.sciml.core.errors import InputError

COMPOSED = {"CSGUnion": union, "CSGDifference": difference, "CSGIntersection": intersection}


def shape_of(geometry: Any) -> Shape:
    """The shape of a DeepXDE geometry: intervals, disks, polygons, and what is composed of them.

    A composition has the edges `"first"` and `"second"`.

    Raises
    ------
    InputError
        Other geometries, and compositions whose parts share a piece of their edges.
    """
    names = [kind.__name__ for kind in type(geometry).__mro__]
    if "Interval" in names:
        return Interval(float(geometry.l), float(geometry.r))
    if "Disk" in names:
        return Disk([float(at) for at in geometry.center], float(geometry.radius))
    if "Rectangle" in names:
        return Rectangle(_listed(geometry.xmin), _listed(geometry.xmax))
    if "Triangle" in names:
        return Polygon([_listed(at) for at in (geometry.x1, geometry.x2, geometry.x3)])
    if "Polygon" in names:
        return Polygon(np.asarray(geometry.vertices, float))
    for name, compose in COMPOSED.items():
        if name in names:
            return compose(first=shape_of(geometry.geom1), second=shape_of(geometry.geom2))
    known = "Interval, Disk, Rectangle, Triangle, Polygon and their CSG"
    raise InputError("DeepXDE geometry", [f"it is a {names[0]}, expected {known}"])


def _listed(values: Any) -> list[float]:
    return [float(value) for value in values]
