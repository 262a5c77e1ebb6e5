"""Regions of the line, the plane and space, with points in them and distances to their edges."""

from tvilling.pinns.shapes.combined import Combined, difference, intersection, union
from tvilling.pinns.shapes.geojson import LocalProjection, read_geojson
from tvilling.pinns.shapes.mesh import TriangleMesh, read_mesh
from tvilling.pinns.shapes.polygon import Polygon, Polygons, Rectangle
from tvilling.pinns.shapes.shape import BOUNDARY, Distance, Shape
from tvilling.pinns.shapes.simple import Disk, Interval
from tvilling.pinns.shapes.surface import Surface, read_stl

__all__ = [
    "BOUNDARY",
    "Combined",
    "Disk",
    "Distance",
    "Interval",
    "LocalProjection",
    "Polygon",
    "Polygons",
    "Rectangle",
    "Shape",
    "Surface",
    "TriangleMesh",
    "difference",
    "intersection",
    "read_geojson",
    "read_mesh",
    "read_stl",
    "union",
]
