"""A body in space inside a closed surface of triangles, as STL files hold it."""

import math
from functools import reduce
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tvilling.pinns.shapes.files import read_file
from tvilling.pinns.shapes.flat import in_triangles
from tvilling.pinns.shapes.rfunctions import NEAR, both, equivalence, trimmed
from tvilling.pinns.shapes.segments import MAX
from tvilling.pinns.shapes.shape import (
    BOUNDARY,
    Distance,
    Places,
    Scalar,
    Shape,
    as_places,
    check_edge,
    drawn,
    pick,
)
from tvilling.sciml.core.errors import InputError

CREASE_DEG = 30.0
CHUNK = 2_000_000  # pairs of points and triangles looked at together


class Surface(Shape):
    """What lies inside a closed surface.

    Its edges are `"face 1"`, `"face 2"`, … : parts of the surface without a crease of more than
    30°, in the order in which the triangles first touch them.

    Parameters
    ----------
    points
        Corners `[corner, 3]`; corners at the same place are one.
    triangles
        Corners of each triangle `[triangle, 3]`, all counter-clockwise seen from outside, or all
        clockwise.
    source
        What errors name as their place.

    Raises
    ------
    InputError
        With every corner that is not finite, triangle without area, and gap in the surface.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "corner 3"],
        triangles: Int[np.ndarray, "triangle 3"],
        source: str = "surface",
    ) -> None:
        places, faults = as_places(points, 3, "points")
        cells = np.asarray(triangles, int).reshape(-1, 3)
        if not faults and not len(cells):
            faults = ["there are no triangles"]
        if not faults and ((cells < 0) | (cells >= len(places))).any():
            faults = [f"triangles name corners up to {cells.max()}, there are {len(places)}"]
        if faults:
            raise InputError(source, faults)
        unique, index = np.unique(places, axis=0, return_inverse=True)
        cells = index.reshape(-1)[cells]
        faults = _surface_faults(unique, cells)
        if faults:
            raise InputError(source, faults)
        volume = _volume(unique[cells])
        self.triangles = unique[cells if volume > 0 else cells[:, ::-1]]
        self._volume = abs(volume)
        cross = np.cross(*_sides(self.triangles))
        self.areas = np.linalg.norm(cross, axis=1) / 2
        self.normals = cross / (2 * self.areas[:, None])
        faces = _faces(cells, self.normals)
        labels, first = np.unique(faces, return_index=True)
        named = {
            f"face {number + 1}": np.flatnonzero(faces == label)
            for number, label in enumerate(labels[np.argsort(first)])
        }
        self.groups = {BOUNDARY: np.arange(len(cells)), **named}

    @property
    def dims(self) -> int:
        """Three."""
        return 3

    @property
    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """Lowest and highest coordinates."""
        corners = self.triangles.reshape(-1, 3)
        return np.stack([corners.min(axis=0), corners.max(axis=0)])

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of the faces."""
        return tuple(self.groups)

    @property
    def size(self) -> float:
        """Volume [unit³]."""
        return self._volume

    def edge_size(self, edge: str) -> float:
        """Area of a face [unit²]."""
        check_edge(self, edge)
        return float(self.areas[self.groups[edge]].sum())

    def edge_planes(self, edge: str) -> int:
        """In how many different planes the triangles of a face lie."""
        check_edge(self, edge)
        members = self.groups[edge]
        offsets = np.sum(self.normals[members] * self.triangles[members, 0], axis=1)
        keys = np.column_stack([self.normals[members], offsets / np.ptp(self.bounds)])
        return len(np.unique(np.round(keys, 7), axis=0))

    def inside(self, points: Places) -> Bool[np.ndarray, " point"]:
        """Which points lie inside, by the winding number."""
        step = max(1, CHUNK // len(self.triangles))
        parts = [
            _winding(points[at : at + step, None], self.triangles, np) > 0.5
            for at in range(0, len(points), step)
        ]
        return np.concatenate([np.zeros(0, bool), *parts])

    def draw(self, random: np.random.Generator, count: int) -> Places:
        """Points inside: those of the bounds that are."""
        low, high = self.bounds
        (points,) = drawn(
            lambda ask: (random.uniform(low, high, (ask, 3)),), self.inside, count, "surface"
        )
        return points

    def draw_edge(
        self, edge: str, random: np.random.Generator, count: int
    ) -> tuple[Places, Places]:
        """Points on a face and the outward unit normals there."""
        check_edge(self, edge)
        members = self.groups[edge]
        chosen = members[pick(random, self.areas[members], count)]
        return in_triangles(random, self.triangles[chosen]), self.normals[chosen]

    def distance(self, edge: str | None = None) -> Distance:
        """Distances to the triangles' planes, each trimmed to its triangle, and joined.

        The slope is one but for corners and the lines between triangles.
        """
        name = edge or BOUNDARY
        check_edge(self, name)
        members = self.groups[name]
        if len(members) > MAX:
            raise InputError(
                f"distance to {name!r}",
                [f"it has {len(members)} triangles, expected at most {MAX}"],
            )
        unit = float(np.linalg.norm(np.ptp(self.bounds, axis=0))) / 2
        corners, normals = self.triangles[members] / unit, self.normals[members]
        order = _order(len(members))
        inward = _inward(corners, normals)

        def value(x: Scalar, y: Scalar, z: Scalar) -> Scalar:
            point = jnp.stack([x, y, z]) / unit
            line = jnp.sum((corners[:, 0] - point) * normals, axis=1)
            sides = jnp.sum((point - corners.swapaxes(0, 1)) * inward, axis=-1)
            away = equivalence(trimmed(line, reduce(both, sides)), order)
            if name != BOUNDARY:
                return unit * away
            within = _winding(point, corners, jnp) > 0.5
            return unit * jnp.where(within | (away <= NEAR), away, -away)

        return value


def read_stl(path: str | Path, unit: float = 1.0) -> Surface:
    """The body in an STL file, text or binary.

    Parameters
    ----------
    path
        File.
    unit
        Length of the file's unit in the unit wanted, such as 0.001 for mm in m.
    """
    mesh = read_file(path)
    if "triangle" not in mesh.cells_dict:
        raise InputError(str(path), ["there are no triangles"])
    return Surface(unit * np.asarray(mesh.points, float), mesh.cells_dict["triangle"], str(path))


def _order(count: int) -> int:
    """Order of the equivalence of `count` triangles, 1 up to eight of them.

    The sum over n triangles of like distance h is h / n^(1/order): with a fixed order, a surface of
    many small triangles would be flat beyond their size.
    """
    return max(1, math.ceil(math.log2(count / 4)))


def _sides(triangles: Float[np.ndarray, "triangle 3 3"]) -> tuple[Places, Places]:
    return triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]


def _volume(triangles: Float[np.ndarray, "triangle 3 3"]) -> float:
    """Signed volume, by the divergence theorem."""
    moved = triangles - triangles[0, 0]
    return float(np.sum(moved[:, 0] * np.cross(moved[:, 1], moved[:, 2])) / 6)


def _surface_faults(points: Places, cells: Int[np.ndarray, "cell 3"]) -> list[str]:
    """Triangles without area, and sides that do not have one triangle either way."""
    areas = np.linalg.norm(np.cross(*_sides(points[cells])), axis=1) / 2
    longest = float(np.ptp(points, axis=0).max())
    flat = np.flatnonzero(areas <= 1e-14 * longest**2)
    faults = [f"triangle {row + 1}: its area is 0, expected above 0" for row in flat]
    lines = np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]])
    ways = {tuple(line) for line in lines.tolist()}
    if len(ways) < len(lines):
        faults.append(
            f"{len(lines) - len(ways)} sides are run through twice the same way: "
            "triangles are turned against one another, or repeated"
        )
    alone = sum((end, start) not in ways for start, end in ways)
    if alone:
        faults.append(f"{alone} sides have no triangle on the other side, expected 0")
    if not faults and abs(_volume(points[cells])) <= 1e-14 * longest**3:
        faults.append("its volume is 0, expected above 0")
    return faults


def _faces(
    cells: Int[np.ndarray, "cell 3"], normals: Float[np.ndarray, "cell 3"]
) -> Int[np.ndarray, " cell"]:
    """A number for each triangle, the same across sides without a crease."""
    lines = np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]])
    owner = {tuple(line): row % len(cells) for row, line in enumerate(lines.tolist())}
    pairs = np.array([(cell, owner[end, start]) for (start, end), cell in owner.items()])
    smooth = np.sum(normals[pairs[:, 0]] * normals[pairs[:, 1]], axis=1) >= math.cos(
        math.radians(CREASE_DEG)
    )
    first, second = pairs[smooth].T
    links = coo_array((np.ones(len(first)), (first, second)), (len(cells),) * 2)
    return connected_components(links, directed=False)[1]


def _inward(
    corners: Float[np.ndarray, "triangle 3 3"], normals: Float[np.ndarray, "triangle 3"]
) -> Float[np.ndarray, "3 triangle 3"]:
    """In the plane of each triangle, unit vectors from its three sides to its inside."""
    along = (np.roll(corners, -1, axis=1) - corners).swapaxes(0, 1)
    inward = np.cross(normals[None], along)
    return inward / np.linalg.norm(inward, axis=-1, keepdims=True)


def _winding(
    points: Float[Array | np.ndarray, "*point 3"],
    triangles: Float[np.ndarray, "triangle 3 3"],
    xp: Any,
) -> Float[Array | np.ndarray, "*point"]:
    """How often the surface goes round: 1 inside, 0 outside; `xp` is numpy or jax.numpy.

    Solid angles after van Oosterom and Strackee, IEEE Trans. Biomed. Eng. 30 (1983) 125-126,
    DOI 10.1109/TBME.1983.325207.
    """
    first, second, third = (triangles[:, corner] - points for corner in range(3))
    a, b, c = (xp.sqrt(xp.sum(side**2, axis=-1)) for side in (first, second, third))
    volume = xp.sum(first * xp.cross(second, third), axis=-1)
    below = (
        a * b * c
        + xp.sum(first * second, axis=-1) * c
        + xp.sum(second * third, axis=-1) * a
        + xp.sum(third * first, axis=-1) * b
    )
    return xp.sum(2 * xp.arctan2(volume, below), axis=-1) / (4 * math.pi)
