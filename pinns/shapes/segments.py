"""The edges of a plane region: straight sides with the region on their left."""

from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from tvilling.pinns.shapes.rfunctions import NEAR, equivalence, trimmed
from tvilling.pinns.shapes.shape import BOUNDARY, Distance, Places, Scalar, pick
from tvilling.sciml.core.errors import InputError

MAX = 200  # sides whose distances are joined; each is evaluated at every point


@dataclass(frozen=True, eq=False)
class Segments:
    """Sides with names.

    Attributes
    ----------
    start, end
        Ends of the sides `[side, 2]`.
    groups
        Indices of the sides of every named edge, `"boundary"` (all) included.
    """

    start: Float[np.ndarray, "side 2"]
    end: Float[np.ndarray, "side 2"]
    groups: dict[str, Int[np.ndarray, " member"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = {BOUNDARY: np.arange(len(self.start))}
        object.__setattr__(self, "groups", {**whole, **self.groups})

    @property
    def lengths(self) -> Float[np.ndarray, " side"]:
        """Lengths of the sides."""
        return np.linalg.norm(self.end - self.start, axis=1)

    @property
    def normals(self) -> Float[np.ndarray, "side 2"]:
        """Outward unit normals."""
        along = (self.end - self.start) / self.lengths[:, None]
        return np.stack([along[:, 1], -along[:, 0]], axis=1)

    def draw(self, edge: str, random: np.random.Generator, count: int) -> tuple[Places, Places]:
        """Points on an edge and the outward normals there, `[count, 2]` each."""
        members = self.groups[edge]
        chosen = members[pick(random, self.lengths[members], count)]
        share = random.uniform(size=(count, 1))
        points = self.start[chosen] + share * (self.end - self.start)[chosen]
        return points, self.normals[chosen]

    def distance(self, edge: str) -> Distance:
        """Distance to an edge, positive on both sides of it; see `Shape.distance`.

        A curve of many sides has unit slope within about the length of a side; further away it
        tends to the inverse of ∮ ds/r², about 1/π of the distance, however fine the sides are.
        """
        members = self.groups[edge]
        if len(members) > MAX:
            raise InputError(
                f"distance to {edge!r}",
                [
                    f"it has {len(members)} straight sides, expected at most {MAX}; name a "
                    "shorter edge, coarsen the outline, or weigh its condition in the loss"
                ],
            )
        start, end = self.start[members], self.end[members]
        low, high = self.start.min(axis=0), self.start.max(axis=0)
        unit = float(np.linalg.norm(high - low)) / 2

        def value(x: Scalar, y: Scalar) -> Scalar:
            sides = _to_sides(jnp.stack([x, y]) / unit, start / unit, end / unit)
            return unit * equivalence(sides)

        return value

    def signed(self) -> Distance:
        """Distance to the whole boundary, negative outside."""
        distance = self.distance(BOUNDARY)
        start, end = self.start, self.end
        rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
        near = NEAR * float(np.ptp(start, axis=0).max())

        def value(x: Scalar, y: Scalar) -> Scalar:
            """The sign by the sides that a ray to the right crosses."""
            spans = (start[:, 1] > y) != (end[:, 1] > y)
            meets = start[:, 0] + (y - start[:, 1]) * (end[:, 0] - start[:, 0]) / rise
            within = jnp.sum(spans & (x < meets)) % 2 == 1
            away = distance(x, y)
            return jnp.where(within | (away <= near), away, -away)

        return value


def _to_sides(
    point: Float[jnp.ndarray, "2"], start: np.ndarray, end: np.ndarray
) -> Float[jnp.ndarray, " side"]:
    """Distance to each side: to its line, trimmed by the circle over it."""
    along = end - start
    length = np.linalg.norm(along, axis=1)
    offset = point - start
    line = (along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]) / length
    middle = point - (start + end) / 2
    trim = ((length / 2) ** 2 - jnp.sum(middle**2, axis=1)) / length
    return trimmed(line, trim)
