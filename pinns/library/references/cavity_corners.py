"""What a lid does to the flow in the corners where it meets the walls.

Beside a corner the stream function tends to a biharmonic one that is zero on the wall and on the
lid, has no slope on the wall, and slips along the lid with a speed that is constant, or in
proportion to the distance (Taylor 1962; Botella and Peyret, Comput. Fluids 27 (1998) 421-433,
DOI 10.1016/S0045-7930(98)00002-4). It has no Taylor series there, so that a polynomial follows it
slowly; taken out, the rest is followed fast. X is the distance from the wall, Y from the lid.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Line = Float[np.ndarray, " point"]
Grid = Float[np.ndarray, "x y"]
Stream = Callable[[Array, Array], Array]
CHUNK = 1024


def constant_slip(x: Array, y: Array) -> Float[Array, ""]:
    """Stream function with the speed 1 along the lid [distance]."""
    c = 1 / (1 - math.pi**2 / 4)
    angle = jnp.arctan2(x, y)
    return c * (angle * x - math.pi / 2 * x + math.pi / 2 * angle * y)


def growing_slip(x: Array, y: Array) -> Float[Array, ""]:
    """Stream function with the speed X along the lid [distance²]."""
    angle = jnp.arctan2(x, y)
    square = x**2 + y**2
    return math.pi / 8 * (y**2 - x**2) - x * y / 2 + (angle / 2 - math.pi / 8) * square


@dataclass(frozen=True)
class Derivatives:
    """Of a stream function ψ at points; Δ is the Laplacian."""

    x: Grid
    y: Grid
    laplacian_x: Grid
    laplacian_y: Grid
    bilaplacian: Grid


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Corners:
    """The stream function of both corners on [-1, 1]², with the lid at y = 1.

    Zero with its slopes at the other walls: a factor 1 - X²/2 + … leaves the corner as it is.

    Attributes
    ----------
    slip
        ψ_y on the lid in its left and right corner.
    growth
        Its slope there, away from the wall.
    """

    slip: tuple[float, float]
    growth: tuple[float, float]

    def __call__(self, x: Array, y: Array) -> Array:
        """ψ at a point."""
        left = _one(1 + x, 1 - y, self.slip[0], self.growth[0])
        return left + _one(1 - x, 1 - y, self.slip[1], self.growth[1])

    def slopes(self, x: Line, y: Line) -> tuple[Line, Line]:
        """ψ_x and ψ_y at points."""
        along = _chunks(_slopes, self, x, y)
        return along[0], along[1]

    def derivatives(self, x: Line, y: Line) -> "Derivatives":
        """What the equation of the flow takes, on the grid that the points inside span."""
        grid = np.meshgrid(x, y, indexing="ij")
        parts = _chunks(_derivatives, self, grid[0].ravel(), grid[1].ravel())
        return Derivatives(*(part.reshape(len(x), len(y)) for part in parts))


def _one(x: Array, y: Array, slip: float, growth: float) -> Array:
    fade = (1 - (x / 2) ** 2) ** 2 * (1 - (y / 2) ** 2) ** 2
    return fade * (slip * constant_slip(x, y) + growth * growing_slip(x, y))


def _laplacian(function: Stream) -> Stream:
    along_x = jax.grad(jax.grad(function, 0), 0)
    along_y = jax.grad(jax.grad(function, 1), 1)
    return lambda x, y: along_x(x, y) + along_y(x, y)


@jax.jit
def _slopes(corners: Corners, x: Array, y: Array) -> tuple[Array, ...]:
    along: tuple[Array, ...] = jax.vmap(jax.grad(corners, (0, 1)))(x, y)
    return along


@jax.jit
def _derivatives(corners: Corners, x: Array, y: Array) -> tuple[Array, ...]:
    turned = _laplacian(corners)
    spread = jax.vmap(_laplacian(turned))(x, y)
    return (*_slopes(corners, x, y), *jax.vmap(jax.grad(turned, (0, 1)))(x, y), spread)


def _chunks(
    function: Callable[..., tuple[Array, ...]], corners: Corners, x: Line, y: Line
) -> tuple[Line, ...]:
    """`function` at so many points at a time, so that it is compiled once."""
    short = -len(x) % CHUNK
    pads = [np.pad(part, (0, short), constant_values=0.5).reshape(-1, CHUNK) for part in (x, y)]
    parts = [function(corners, *pair) for pair in zip(*pads, strict=True)]
    return tuple(
        np.concatenate([np.asarray(one) for one in part])[: len(x)]
        for part in zip(*parts, strict=True)
    )
