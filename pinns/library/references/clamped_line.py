"""Chebyshev points on [-1, 1] for what is zero at both ends, and its first four derivatives."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Matrix = Float[np.ndarray, "row column"]


@dataclass(frozen=True)
class Line:
    """Chebyshev points from 1 to -1, and derivatives of (1 - x²) q there from the values of q.

    Attributes
    ----------
    clamped
        Derivatives of order 0 to 4 at the points inside, from the values at all points.
    """

    points: Float[np.ndarray, " place"]
    slope: Matrix
    clamped: tuple[Matrix, ...]

    @staticmethod
    def of(count: int) -> "Line":
        """`count` + 1 points."""
        angle = np.pi * np.arange(count + 1) / count
        x = np.sin(np.pi / 2 - angle)
        power = _derivatives(angle, 4)
        across, at = np.sin(angle)[:, None] ** 2, x[:, None]
        zero = np.zeros_like(power[0])
        full = [
            across * power[n]
            - 2 * n * at * (power[n - 1] if n > 0 else zero)
            - n * (n - 1) * (power[n - 2] if n > 1 else zero)
            for n in range(5)
        ]
        return Line(x, power[1], tuple(part[1:-1] for part in full))

    def through(self, at: Float[np.ndarray, " point"]) -> Matrix:
        """Values at `at` of the polynomial through values at the points."""
        apart = at[:, None] - self.points
        hit = apart == 0
        share = _barycentric(len(self.points) - 1) / np.where(hit, 1.0, apart)
        share = np.where(hit.any(axis=1)[:, None], hit.astype(float), share)
        return share / share.sum(axis=1, keepdims=True)


def _derivatives(angle: Float[np.ndarray, " place"], order: int) -> list[Matrix]:
    """Matrices of the derivatives from 0 to `order` at the cosines of `angle`.

    Distances by sines and diagonals by the sum of a row, to lose few digits (Weideman and Reddy,
    ACM Trans. Math. Softw. 26 (2000) 465-519, DOI 10.1145/365723.365727).
    """
    one, other = angle[:, None] / 2, angle / 2
    apart = 2 * np.sin(one + other) * np.sin(other - one) + np.eye(len(angle))
    half = len(angle) // 2
    apart[-half:] = -apart[:half][::-1, ::-1]  # the far half has the smaller sines
    np.fill_diagonal(apart, 1.0)
    weight = _barycentric(len(angle) - 1)
    found = [np.eye(len(angle))]
    for number in range(1, order + 1):
        before = found[-1]
        after = number / apart * (weight / weight[:, None] * np.diag(before)[:, None] - before)
        np.fill_diagonal(after, 0.0)
        np.fill_diagonal(after, -after.sum(axis=1))
        found.append(after)
    return found


def _barycentric(count: int) -> Float[np.ndarray, " place"]:
    weight = (-1.0) ** np.arange(count + 1)
    weight[[0, -1]] /= 2
    return weight
