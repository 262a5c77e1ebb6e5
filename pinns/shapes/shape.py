"""What a region of the line, the plane or space has to offer."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.core.errors import InputError

Scalar = Float[Array, ""]
Distance = Callable[..., Scalar]  # takes the coordinates of one point, one argument each
Places = Float[np.ndarray, "point dim"]

BOUNDARY = "boundary"  # the edge that is all edges together


class Shape(Protocol):
    """A bounded region with named edges; all lengths in one unit of the caller's choice."""

    @property
    def dims(self) -> int:
        """Number of coordinates: 1, 2 or 3."""

    @property
    def bounds(self) -> Float[np.ndarray, "2 dim"]:
        """Lowest and highest coordinates; of a composed shape, bounds of its parts."""

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of the edges; the first is `"boundary"`, all of them together."""

    @property
    def size(self) -> float:
        """Length, area or volume [unit, unit², unit³]."""

    def edge_size(self, edge: str) -> float:
        """Number of points, length or area of an edge [1, unit, unit²]."""

    def inside(self, points: Places) -> Bool[np.ndarray, " point"]:
        """Which points lie inside."""

    def draw(self, random: np.random.Generator, count: int) -> Places:
        """Points inside, uniform and independent."""

    def draw_edge(
        self, edge: str, random: np.random.Generator, count: int
    ) -> tuple[Places, Places]:
        """Points on an edge, uniform and independent, and the outward unit normals there."""

    def distance(self, edge: str | None = None) -> Distance:
        """A smooth function of the coordinates that behaves like the distance near an edge.

        It is zero on the edge, positive elsewhere inside, and has unit slope at the edge (but for
        corners). Away from the edge it is no distance. None or `"boundary"`: the whole boundary,
        and negative outside.
        """


def check_edge(shape: Shape, edge: str) -> None:
    """Raise an InputError where `shape` has no edge of that name."""
    if edge not in shape.edges:
        known = ", ".join(shape.edges)
        raise InputError("shape", [f"{edge!r} is no edge; the edges are {known}"])


def as_places(values: object, dim: int, what: str) -> tuple[Places, list[str]]:
    """`values` as an array `[point, dim]`, with what is wrong with it."""
    try:
        places = np.asarray(values, float)
    except (TypeError, ValueError):
        return np.zeros((0, dim)), [f"{what}: expected numbers [point, {dim}]"]
    if places.ndim != 2 or places.shape[1] != dim:
        return np.zeros((0, dim)), [f"{what}: shape is {places.shape}, expected [point, {dim}]"]
    broken = np.flatnonzero(~np.isfinite(places).all(axis=1))
    return places, [f"{what}: point {row + 1} is {places[row]}, expected finite" for row in broken]


def drawn(
    propose: Callable[[int], tuple[Places, ...]],
    keep: Callable[..., Bool[np.ndarray, " point"]],
    count: int,
    what: str,
) -> tuple[Places, ...]:
    """The first `count` proposed rows that `keep` accepts.

    Raises
    ------
    InputError
        If fewer than one in 100 000 is accepted, where the region is too thin to be met by chance.
    """
    found: list[tuple[Places, ...]] = []
    have, tried = 0, 0
    ask = max(2 * count, 64)
    while have < count:
        rows = propose(ask)
        kept = keep(*rows)
        found.append(tuple(item[kept] for item in rows))
        have, tried = have + int(kept.sum()), tried + ask
        if tried > 100_000 and have < tried / 100_000:
            raise InputError(what, [f"{have} of {tried} proposed points lie on it, expected more"])
        share = max(have / tried, 1e-3)
        ask = int(min(max(1.2 * (count - have) / share, 64), 1_000_000))
    return tuple(
        np.concatenate([rows[index] for rows in found])[:count] for index in range(len(found[0]))
    )


def pick(
    random: np.random.Generator, sizes: Sequence[float] | Float[np.ndarray, " piece"], count: int
) -> np.ndarray:
    """Indices of pieces `[count]`, each as likely as it is large."""
    ends = np.cumsum(sizes)
    return np.searchsorted(ends, random.uniform(0.0, ends[-1], count), side="right").clip(
        max=len(ends) - 1
    )
