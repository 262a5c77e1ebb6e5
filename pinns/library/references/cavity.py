"""Steady flow in a square cavity that is driven by its lid.

    u · ∇u = -∇p + ν ∇²u,   ∇ · u = 0

for the stream function ψ with u = ψ_y and v = -ψ_x, on [-1, 1]² inside:

    ν Δ²ψ = ψ_y Δψ_x - ψ_x Δψ_y

ψ is what the lid does to the corners plus (1 - x²)(1 - y²) q, where q is a polynomial through
Chebyshev points (Trefethen, Spectral Methods in MATLAB, SIAM 2000, ch. 14,
DOI 10.1137/1.9780898719598), found by Newton's method with a Jacobian that is kept while it serves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.library.references.cavity_corners import Corners, Derivatives, Grid
from tvilling.pinns.library.references.clamped_line import Line, Matrix

Lid = Callable[[ArrayLike], Array]  # speed of the lid in the course of x from 0 to 1
COARSE = 32
RAMP = (1e3, 4.0, 2.0, 1.0)  # shares of the Reynolds number that are solved for in turn
ROUNDS = 30
ENOUGH = 1e-9  # change of q, where q is about one, at which the iteration ends
CHUNK = 20_000


@dataclass(frozen=True)
class Flow:
    """A flow in the unit square.

    Attributes
    ----------
    q
        `[x, y]` at the points of `line` in both directions.
    """

    q: Grid
    line: Line
    corner: Corners
    lid: Lid

    def velocity(
        self, x: Float[np.ndarray, "*point"], y: Float[np.ndarray, "*point"]
    ) -> tuple[Float[np.ndarray, "*point"], Float[np.ndarray, "*point"]]:
        """Both velocities, u and v, at each pair of `x` and `y`; exact on the walls and the lid."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        places, shape = (2 * x.ravel() - 1, 2 * y.ravel() - 1), x.shape
        parts = [
            self._slopes(places[0][begin : begin + CHUNK], places[1][begin : begin + CHUNK])
            for begin in range(0, x.size, CHUNK)
        ]
        psi_x, psi_y = (np.concatenate(part).reshape(shape) for part in zip(*parts, strict=True))
        walls = (x <= 0) | (x >= 1) | (y <= 0)
        u = np.where(y >= 1, self.lid(x), np.where(walls, 0.0, 2 * psi_y))
        return u, np.where(walls | (y >= 1), 0.0, -2 * psi_x)

    def _slopes(
        self, x: Float[np.ndarray, " point"], y: Float[np.ndarray, " point"]
    ) -> tuple[np.ndarray, np.ndarray]:
        """ψ_x and ψ_y on [-1, 1]²."""
        in_x, in_y = self.line.through(x), self.line.through(y)

        def at(values: Grid) -> Float[np.ndarray, " point"]:
            return np.asarray(np.sum((in_x @ values) * in_y, axis=1))

        q = at(self.q)
        q_x, q_y = at(self.line.slope @ self.q), at(self.q @ self.line.slope.T)
        corner_x, corner_y = self.corner.slopes(x, y)
        return (
            (1 - y**2) * ((1 - x**2) * q_x - 2 * x * q) + corner_x,
            (1 - x**2) * ((1 - y**2) * q_y - 2 * y * q) + corner_y,
        )


def solve(lid: Lid, reynolds: float, count: int = 64) -> Flow:
    """The flow for a lid and a Reynolds number, with side and greatest speed 1.

    A grid of 32 is solved as the Reynolds number is raised, a finer one from there.
    """
    ends = [float(lid(end)) / 2 for end in (0.0, 1.0)]
    growth = [float(jax.grad(lambda x: jnp.asarray(lid(x)))(end)) / 4 for end in (0.0, 1.0)]
    corner = Corners((ends[0], ends[1]), (growth[0], -growth[1]))
    coarse = Line.of(min(COARSE, count))
    q = _start(lid, corner, coarse)
    known = corner.derivatives(coarse.points[1:-1], coarse.points[1:-1])
    for slower in RAMP:
        q = _newton(q, coarse, known, reynolds / slower)
    if count <= COARSE:
        return Flow(q, coarse, corner, lid)
    fine = Line.of(count)
    onto = coarse.through(fine.points)
    begin = _start(lid, corner, fine)
    begin[1:-1, 1:-1] = (onto @ q @ onto.T)[1:-1, 1:-1]
    known = corner.derivatives(fine.points[1:-1], fine.points[1:-1])
    q = _newton(begin, fine, known, reynolds)
    return Flow(q, fine, corner, lid)


def _start(lid: Lid, corner: Corners, line: Line) -> Grid:
    """Zero inside, and on the lid what makes the speed right: ψ_y = -2 (1 - x²) q there."""
    q = np.zeros((len(line.points), len(line.points)))
    x = line.points[1:-1]
    slip = corner.slopes(x, np.ones(len(x)))[1]
    q[1:-1, 0] = -(np.asarray(lid((x + 1) / 2)) / 2 - slip) / (2 * (1 - x**2))
    return q


def _newton(q: Grid, line: Line, known: Derivatives, reynolds: float) -> Grid:
    """`q` with the points inside solved for, for what is `known` of the corners.

    A Jacobian serves as long as each round leaves a tenth of the change before.
    """
    q, before = q.copy(), 0.0
    for _ in range(ROUNDS):
        now = _all(q, line, known)
        off = now.bilaplacian / reynolds - now.y * now.laplacian_x + now.x * now.laplacian_y
        if not before:
            factors = scipy.linalg.lu_factor(_jacobian(now, line, reynolds), overwrite_a=True)
        change = scipy.linalg.lu_solve(factors, off.ravel()).reshape(off.shape)
        q[1:-1, 1:-1] -= change
        size = float(np.abs(change).max())
        if size < ENOUGH:
            return q
        before = size if not before or size < 0.1 * before else 0.0
    raise RuntimeError(f"the flow at Reynolds number {reynolds:g} was not found")


def _all(q: Grid, line: Line, corner: Derivatives) -> Derivatives:
    """Derivatives of ψ at the points inside."""
    p = line.clamped

    def of(along_x: int, along_y: int) -> Grid:
        return p[along_x] @ q @ p[along_y].T

    return Derivatives(
        x=of(1, 0) + corner.x,
        y=of(0, 1) + corner.y,
        laplacian_x=of(3, 0) + of(1, 2) + corner.laplacian_x,
        laplacian_y=of(2, 1) + of(0, 3) + corner.laplacian_y,
        bilaplacian=of(4, 0) + 2 * of(2, 2) + of(0, 4) + corner.bilaplacian,
    )


def _jacobian(now: Derivatives, line: Line, reynolds: float) -> Matrix:
    """Of the equation at the points inside with respect to q there."""
    p = [part[:, 1:-1] for part in line.clamped]

    def scaled(by: Grid | float, along_x: Matrix, along_y: Matrix) -> Matrix:
        by = np.broadcast_to(by, (len(along_x), len(along_y)))
        parts = by[:, :, None, None] * along_x[:, None, :, None] * along_y[None, :, None, :]
        return parts.reshape(by.size, by.size)

    total = scaled(1 / reynolds, p[4], p[0]) + scaled(2 / reynolds, p[2], p[2])
    total += scaled(1 / reynolds, p[0], p[4])
    total -= scaled(now.y, p[3], p[0])
    total -= scaled(now.y, p[1], p[2])
    total -= scaled(now.laplacian_x, p[0], p[1])
    total += scaled(now.x, p[2], p[1])
    total += scaled(now.x, p[0], p[3])
    total += scaled(now.laplacian_y, p[1], p[0])
    return total
