"""Functions that vanish on an edge, to multiply a network that must not change values there.

A normalised distance has a second derivative of 1/r at distance r from every corner, so that the
residual of an equation of second order has no mean square there, and a network cannot be trained.
A factor need not have unit slope. Here the half-planes of the sides, (h > 0) inside, are joined by

    a and b = a b (1 + ε) / (a + b + ε)        a or b = (a₊³ + b₊³)^(1/3)

The first is smooth at a corner of less than 180°, where it is a product. At a corner of more than
180° the second has the 1/r still, as solutions have a singularity themselves: weigh the equation
there by the distance. Which sides are joined how is Peterson's formula, each side once: Dobkin,
Guibas, Hershberger and Snoeyink, Algorithmica 10 (1993) 1-23, DOI 10.1007/BF01908629.
"""

from collections.abc import Callable, Sequence
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import shapely
from jaxtyping import Array, Float

from tvilling.pinns.shapes.combined import Combined
from tvilling.pinns.shapes.flat import Flat
from tvilling.pinns.shapes.segments import MAX
from tvilling.pinns.shapes.shape import BOUNDARY, Distance, Places, Scalar, Shape
from tvilling.pinns.shapes.surface import Surface

SOFT = 1.0  # ε, in half extents
FLAT = 1e-9  # of the extent: closer to a line than that is on it
TRIED = 4096  # points of a fixed seed by which a formula is proved

Signed = Callable[[Array], Scalar]  # takes a point [dim]


def factor(shape: Shape, edge: str | None = None) -> Distance:
    """Zero on an edge (None: the whole boundary) and positive elsewhere inside.

    Counted in half extents of the shape, and about the distance near the edge. Where no formula is
    found it is `shape.distance`.
    """
    unit = float(np.ptp(shape.bounds, axis=0).max()) / 2
    found = _found(shape, edge or BOUNDARY, 1.0, unit)
    if found is not None and _positive(shape, found):
        return lambda *point: found(jnp.stack([jnp.asarray(x, float) for x in point]))
    distance = shape.distance(edge)
    return lambda *point: distance(*point) / unit


def _positive(shape: Shape, found: Signed) -> bool:
    """Whether a factor keeps its sign inside."""
    points = shape.draw(np.random.default_rng(0), TRIED)
    return bool((np.asarray(jax.vmap(found)(jnp.asarray(points))) > 0).all())


def _found(shape: Shape, edge: str, turn: float, unit: float) -> Signed | None:
    """The factor of an edge, positive inside the shape, or outside it for a `turn` of -1."""
    if isinstance(shape, Flat):
        return _of_rings(shape, edge, turn, unit) or _of_planes(shape, edge, turn, unit)
    if isinstance(shape, Combined):
        return _of_parts(shape, edge, turn, unit)
    if isinstance(shape, Surface):
        return _of_planes(shape, edge, turn, unit)
    distance = shape.distance(edge)
    return lambda point: turn * distance(*point) / unit


def _of_parts(shape: Combined, edge: str, turn: float, unit: float) -> Signed | None:
    """Of an edge of one part, or of what all parts bound together."""
    turns = dict(zip(shape.parts, shape.turns, strict=True))
    if edge != BOUNDARY:
        name, own = shape._split(edge)
        return _found(shape.parts[name], own, turn * turns[name], unit)
    found = [_found(part, BOUNDARY, turn * turns[name], unit) for name, part in shape.parts.items()]
    joined = shape.joined == (turn > 0)
    known = [item for item in found if item is not None]
    return (_any(known) if joined else _all(known)) if len(known) == len(found) else None


def _of_planes(shape: Flat | Surface, edge: str, turn: float, unit: float) -> Signed | None:
    """Of sides that the whole shape lies on one side of."""
    if isinstance(shape, Flat):
        ends = np.stack([shape.segments.start, shape.segments.end], axis=1)
        normals, members = shape.segments.normals, shape.segments.groups[edge]
    else:
        ends, normals, members = shape.triangles, shape.normals, shape.groups[edge]
    own = normals[members]
    above = np.sum(own * ends[members, 0], axis=1)
    height = above[:, None, None] - np.einsum("md,scd->msc", own, ends)
    on_it = np.abs(height) <= FLAT * unit
    if turn < 0 or len(members) > MAX or (height < -FLAT * unit).any():
        return None
    touching = on_it.all(axis=2)
    if not np.isin(np.flatnonzero(touching.any(axis=0)), members).all():
        return None
    return _all([_plane(*pair, unit) for pair in _apart(ends[members, 0], own, unit)])


def _apart(places: Places, normals: Places, unit: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """A place and normal for each plane, once."""
    offsets = np.sum(places * normals, axis=1)
    keys = np.round(np.column_stack([normals, offsets / unit]), 7)
    first = np.unique(keys, axis=0, return_index=True)[1]
    return [(places[row], normals[row]) for row in sorted(first)]


def _of_rings(shape: Flat, edge: str, turn: float, unit: float) -> Signed | None:
    """Of whole rings of sides."""
    start, end = shape.segments.start, shape.segments.end
    members = shape.segments.groups[edge]
    rings = _rings(start[members], end[members])
    if len(members) > MAX or rings is None:
        return None
    known = [_ring(ring, turn, unit) for ring in rings]
    outer = [shapely.LinearRing(ring).is_ccw for ring in rings]
    proved = [item for item in known if item is not None]
    if len(proved) < len(known):
        return None
    parts = [item for item, out in zip(proved, outer, strict=True) if out]
    holes = [item for item, out in zip(proved, outer, strict=True) if not out]
    some, every = (_any, _all) if turn > 0 else (_all, _any)
    return every([some(parts), *holes] if parts else holes)


def _rings(start: Places, end: Places) -> list[Places] | None:
    """Corners of each closed ring that the sides form; None where some are open."""
    following = {tuple(place): index for index, place in enumerate(start.tolist())}
    left, rings = set(range(len(start))), []
    while left:
        first = now = min(left)
        ring = []
        while now in left:
            left.remove(now)
            ring.append(start[now])
            now = following.get(tuple(end[now].tolist()), -1)
        if now != first:
            return None
        rings.append(np.array(ring))
    return rings


def _ring(ring: Places, turn: float, unit: float) -> Signed | None:
    """Positive to the left of a ring, or to its right; None where the formula does not hold."""
    inner = shapely.LinearRing(ring).is_ccw
    corners = ring if inner else ring[::-1]
    low, high = np.lexsort(corners.T)[[0, -1]]
    corners = np.roll(corners, -low, axis=0)
    middle = (high - low) % len(corners)
    chains = corners[: middle + 1], np.concatenate([corners[middle:], corners[:1]])
    outward = inner != (turn > 0)
    found = _joined([_chain(chain, outward, unit) for chain in chains], True, outward)
    box = np.ptp(corners, axis=0).max()
    places = np.random.default_rng(0).uniform(
        corners.min(axis=0) - box / 4, corners.max(axis=0) + box / 4, (TRIED, 2)
    )
    wanted = shapely.contains_xy(shapely.Polygon(corners), *places.T) != outward
    value = np.asarray(jax.vmap(found)(jnp.asarray(places)))
    return found if ((value > 0) == wanted).all() else None


def _chain(corners: Places, outward: bool, unit: float) -> Signed:
    """A chain of sides with the region on its left, cut at a corner of its convex hull."""
    if len(corners) == 2:
        along = corners[1] - corners[0]
        normal = np.array([along[1], -along[0]]) / np.linalg.norm(along)
        return _plane(corners[0], -normal if outward else normal, unit)
    rays = np.stack([corners[0] - corners[1], corners[-1] - corners[-2]])
    away = -np.sum(rays / np.linalg.norm(rays, axis=1, keepdims=True), axis=0)
    if np.linalg.norm(away) < FLAT:
        away = np.array([-rays[0, 1], rays[0, 0]])
        heights = (corners - corners[0]) @ away
        away = away if heights.max() > -heights.min() else -away
    cut = 1 + int(np.argmax(corners[1:-1] @ away))
    before, after = corners[cut] - corners[cut - 1], corners[cut + 1] - corners[cut]
    convex = bool(before[0] * after[1] - before[1] * after[0] >= 0)
    halves = [_chain(part, outward, unit) for part in (corners[: cut + 1], corners[cut:])]
    return _joined(halves, convex, outward)


def _joined(parts: list[Signed], convex: bool, outward: bool) -> Signed:
    """Both are needed at a convex corner, seen from the region's side."""
    return _all(parts) if convex != outward else _any(parts)


def _plane(place: np.ndarray, normal: np.ndarray, unit: float) -> Signed:
    """Height above a plane, against its normal."""
    return lambda point: jnp.sum((jnp.asarray(place) - point) * normal) / unit


def _all(parts: Sequence[Signed]) -> Signed:
    """Positive where all are."""

    def both(a: Scalar, b: Scalar) -> Scalar:
        inside = (a > -FLAT) & (b > -FLAT)  # on the edge the slope is that of the inside
        below = jnp.where(inside, a + b, 0.0) + SOFT
        return jnp.where(inside, a * b * (1.0 + SOFT) / below, jnp.minimum(a, b))

    return lambda point: reduce(both, [part(point) for part in parts])


def _any(parts: Sequence[Signed]) -> Signed:
    """Positive where one is."""

    def value(point: Float[Array, " dim"]) -> Scalar:
        each = jnp.stack([part(point) for part in parts])
        most = jnp.argmax(each)
        largest = each[most]
        safe = jnp.where(largest > 0, largest, 1.0)
        others = jnp.where(jnp.arange(each.size) == most, 0.0, jnp.maximum(each, 0.0) / safe)
        share = jnp.where(largest > 0, 1.0 + jnp.sum(others**3), 1.0)
        return largest * share ** (1.0 / 3.0)

    return value
