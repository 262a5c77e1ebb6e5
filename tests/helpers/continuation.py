"""How far a grid can be loaded: the nose of its curve, by continuation in scipy.

The equations are those of pandapower, in polar coordinates and on its admittance matrix; the
curve is followed by its arc length: Keller, "Numerical solution of bifurcation and nonlinear
eigenvalue problems", in Applications of Bifurcation Theory, 1977. Nothing of the package is used.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pandapower_peer import quiet
from scipy.sparse import bmat, csr_matrix, diags
from scipy.sparse.linalg import splu, spsolve

TIGHT = 1e-10  # p.u.


@dataclass(frozen=True)
class Equations:
    """Mismatch of every bus as pandapower has it, with all injections times λ.

    Attributes
    ----------
    y
        Admittance matrix [p.u.].
    s
        Complex power that enters each bus at λ = 1 [p.u.].
    v0
        Voltages to start with; those of slack buses and machines hold.
    pv, pq
        Buses whose voltage a machine holds, and those where none does.
    """

    y: Any
    s: np.ndarray
    v0: np.ndarray
    pv: np.ndarray
    pq: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """Buses whose angle is unknown."""
        return np.concatenate([self.pv, self.pq])

    def voltage(self, x: np.ndarray) -> np.ndarray:
        """Complex voltages of all buses [p.u.] from angles, then magnitudes."""
        angle, size = np.angle(self.v0), np.abs(self.v0)
        angle[self.free], size[self.pq] = x[: len(self.free)], x[len(self.free) :]
        return size * np.exp(1j * angle)

    def unknowns(self, v: np.ndarray) -> np.ndarray:
        """Angles and magnitudes that are not given."""
        return np.concatenate([np.angle(v)[self.free], np.abs(v)[self.pq]])

    def left(self, v: np.ndarray, share: float | np.ndarray) -> np.ndarray:
        """Power and held voltages that `v` misses at λ = `share`, of all buses but slack [p.u.]."""
        power = v * np.conj(self.y @ v.T).T - np.multiply.outer(share, self.s)
        held = np.abs(v[..., self.pv]) - np.abs(self.v0[self.pv])
        return np.concatenate([power.real[..., self.free], power.imag[..., self.pq], held], axis=-1)

    def mismatch(self, x: np.ndarray, share: float) -> np.ndarray:
        """P of the free buses and Q of those without a machine, less what is asked [p.u.]."""
        return self.left(self.voltage(x), share)[: len(x)]

    def by_share(self) -> np.ndarray:
        """Derivative of the mismatch by λ."""
        return -np.concatenate([self.s.real[self.free], self.s.imag[self.pq]])

    def jacobian(self, x: np.ndarray) -> Any:
        """Derivative of the mismatch by the unknowns."""
        v = self.voltage(x)
        current, turn = diags(self.y @ v), diags(v / np.abs(v))
        by_angle = (1j * diags(v) @ (current - self.y @ diags(v)).conj()).tocsr()
        by_size = (turn @ current.conj() + diags(v) @ (self.y @ turn).conj()).tocsr()
        columns = by_angle[:, self.free], by_size[:, self.pq]
        return bmat(
            [[one.real[self.free] for one in columns], [one.imag[self.pq] for one in columns]],
            format="csc",
        )


def equations(net: Any) -> Equations:
    """The equations of a net, λ = 1 being its own loads and generation.

    Where pandapower finds no solution, they start with the voltages without any current, which
    is right where no machine holds one.
    """
    solved, inner = _tried(net)
    y, v = csr_matrix(inner["Ybus"]), np.array(inner["V"])
    ref, pv, pq = (np.asarray(inner[name], int) for name in ("ref", "pv", "pq"))
    if not solved:
        assert not len(pv)
        v[ref] = net.ext_grid["vm_pu"].to_numpy() + 0j
        v[pq] = spsolve(y[pq][:, pq].tocsc(), -(y[pq][:, ref] @ v[ref]))
    return Equations(y, np.asarray(inner["Sbus"]), v, pv, pq)


def with_power(grid: Equations, net: Any) -> Equations:
    """The grid with the loads and generation of `net` at λ = 1."""
    return replace(grid, s=np.asarray(_tried(net)[1]["Sbus"]))


def _tried(net: Any) -> tuple[bool, dict[str, Any]]:
    """Whether pandapower finds a solution, and its matrices."""
    with quiet():
        import pandapower

        try:
            pandapower.runpp(
                net, tolerance_mva=1e-9, max_iteration=20, lightsim2grid=False, numba=False
            )
        except pandapower.LoadflowNotConverged:
            return False, net._ppc["internal"]
    return True, net._ppc["internal"]


@dataclass(frozen=True)
class Curve:
    """Solutions from no load up to the nose.

    Attributes
    ----------
    share, x
        λ and unknowns of each point, from no load up to the nose.
    nose
        Greatest λ; infinite where the curve was left before.
    """

    share: np.ndarray
    x: np.ndarray
    nose: float

    def at(self, grid: Equations, share: float) -> np.ndarray:
        """Voltages of all buses on the way to the nose [p.u.]."""
        points = np.column_stack([self.x, self.share])
        near = np.flatnonzero(self.share >= share)[0]
        low, high = points[near - 1], points[near]
        found = _between(grid, low, high, lambda point, _: point[-1] < share)[0]
        x = newton(grid, found[:-1], share)
        assert x is not None
        return grid.voltage(x)


def newton(grid: Equations, x: np.ndarray, share: float) -> np.ndarray | None:
    """The solution near `x`, or None."""
    for _ in range(30):
        left = grid.mismatch(x, share)
        if np.abs(left).max() < TIGHT:
            return x
        x = x - splu(grid.jacobian(x)).solve(left)
        if not np.isfinite(x).all():
            return None
    return None


def curve(grid: Equations, until: float = np.inf, longest: float = 0.4) -> Curve:
    """Follow the solutions from no load until λ is `until`, or has fallen behind the nose."""
    start = newton(grid, grid.unknowns(grid.v0), 0.0)
    assert start is not None
    points = [np.append(start, 0.0)]
    way = _tangent(grid, points[0], np.append(np.zeros(len(start)), 1.0))
    step, top = longest / 10, 0.0
    while 0.95 * top <= points[-1][-1] < until:
        found = _correct(grid, points[-1] + step * way, way)
        if found is None:
            step /= 2
            assert step > 1e-9
            continue
        points.append(found)
        top = max(top, found[-1])
        way = _tangent(grid, found, way)
        step = min(1.5 * step, longest)
    if points[-1][-1] >= until:
        path = np.array(points)
        return Curve(path[:, -1], path[:, :-1], np.inf)
    at = int(np.argmax([point[-1] for point in points]))
    low, high = _between(grid, points[at - 1], points[at + 1], lambda _, way: way[-1] > 0)
    path = np.array([*points[:at], low, high])
    path = path[np.r_[True, np.diff(path[:, -1]) > 0]]
    return Curve(path[:, -1], path[:, :-1], float(path[-1, -1]))


def _bordered(grid: Equations, point: np.ndarray, way: np.ndarray) -> Any:
    column = csr_matrix(grid.by_share()[:, None])
    below = [csr_matrix(way[None, :-1]), csr_matrix([[way[-1]]])]
    return splu(bmat([[grid.jacobian(point[:-1]), column], below], format="csc"))


def _tangent(grid: Equations, point: np.ndarray, last: np.ndarray) -> np.ndarray:
    way = _bordered(grid, point, last).solve(np.append(np.zeros(len(point) - 1), 1.0))
    return np.asarray(way / np.linalg.norm(way))


def _correct(grid: Equations, guess: np.ndarray, way: np.ndarray) -> np.ndarray | None:
    """The point of the curve in the plane through `guess` across `way`."""
    point = guess
    for _ in range(8):
        left = np.append(grid.mismatch(point[:-1], point[-1]), way @ (point - guess))
        if np.abs(left).max() < TIGHT:
            return point
        point = point - _bordered(grid, point, way).solve(left)
        if not np.isfinite(point).all():
            return None
    return None


def _between(
    grid: Equations, low: np.ndarray, high: np.ndarray, before: Callable[..., bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Two near points of the curve: for the first `before` holds, for the second it does not."""
    way = (high - low) / np.linalg.norm(high - low)
    for _ in range(25):
        found = _correct(grid, (low + high) / 2, way)
        assert found is not None
        earlier = before(found, _tangent(grid, found, way))
        low, high = (found, high) if earlier else (low, found)
    return low, high
