"""Chebyshev collocation, for references whose error falls faster than any power of the nodes.

Nodes at the extrema of a Chebyshev polynomial, derivatives by a matrix, values between the nodes
by the barycentric formula (Trefethen, Spectral Methods in MATLAB, SIAM 2000,
DOI 10.1137/1.9780898719598; Berrut and Trefethen, SIAM Review 46 (2004) 501-517,
DOI 10.1137/S0036144502417715). In time the same polynomials are used panel after panel, which is
an implicit Runge-Kutta method of high order and needs no short steps where a system is stiff.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

Matrix = Float[np.ndarray, "row column"]
Vector = Float[np.ndarray, " item"]


def nodes(low: float, high: float, count: int) -> Vector:
    """`count` Chebyshev points from `low` to `high`, both included."""
    turn = np.cos(np.pi * np.arange(count) / (count - 1))
    return (low + high) / 2 - (high - low) / 2 * turn


def differentiation(x: Vector) -> Matrix:
    """The matrix that takes values at the Chebyshev points `x` to slopes there."""
    weight = _weights(len(x))
    gap = x[:, None] - x[None, :] + np.eye(len(x))
    matrix = weight[None, :] / weight[:, None] / gap
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def interpolation(x: Vector, points: Vector) -> Matrix:
    """The matrix that takes values at the Chebyshev points `x` to values at `points`."""
    gap = points[:, None] - x[None, :]
    met = gap == 0.0
    share = _weights(len(x)) / np.where(met, 1.0, gap)
    share = np.where(met.any(axis=1, keepdims=True), met, share)
    matrix: Matrix = share / share.sum(axis=1, keepdims=True)
    return matrix


@dataclass(frozen=True)
class Course:
    """States in the course of time, a polynomial in each panel.

    Attributes
    ----------
    edges
        Ends of the panels `[panel + 1]`.
    states
        `[panel, node, state]`.
    """

    edges: Vector
    states: Float[np.ndarray, "panel node state"]

    def at(self, times: Vector) -> Float[np.ndarray, "time state"]:
        """The states at `times`, which must lie between the first and the last edge."""
        last = len(self.edges) - 2
        panel = np.clip(np.searchsorted(self.edges, times, side="right") - 1, 0, last)
        found = np.empty((len(times), self.states.shape[2]))
        for index in np.unique(panel):
            own = panel == index
            x = nodes(self.edges[index], self.edges[index + 1], self.states.shape[1])
            found[own] = interpolation(x, times[own]) @ self.states[index]
        return found


def march(
    matrix: Callable[[float], Matrix] | Matrix,
    source: Callable[[float], Vector],
    start: Vector,
    edges: Vector,
    count: int,
) -> Course:
    """Solve y' = matrix y + source(t), y(edges[0]) = start, with `count` nodes a panel.

    The matrix may depend on time; where it does not, the panels must be equally long.
    """
    from scipy.linalg import lu_factor, lu_solve

    panels, factors = [], None
    for low, high in pairwise(edges):
        times = nodes(low, high, count)
        if factors is None or callable(matrix):
            factors = lu_factor(_system(matrix, times, len(start)))
        known = np.outer(differentiation(times)[1:, 0], start)
        right = np.stack([source(time) for time in times[1:]]) - known
        later = lu_solve(factors, right.ravel()).reshape(right.shape)
        panels.append(np.vstack([start, later]))
        start = later[-1]
    return Course(np.asarray(edges, float), np.stack(panels))


def _system(matrix: Callable[[float], Matrix] | Matrix, times: Vector, size: int) -> Matrix:
    """What multiplies the states at all `times` but the first."""
    system = np.kron(differentiation(times)[1:, 1:], np.eye(size))
    for index, time in enumerate(times[1:]):
        own = slice(index * size, (index + 1) * size)
        system[own, own] -= matrix(time) if callable(matrix) else matrix
    return system


def _weights(count: int) -> Vector:
    """Barycentric weights of Chebyshev points, but for a factor."""
    weight = (-1.0) ** np.arange(count)
    weight[[0, -1]] /= 2
    return weight
