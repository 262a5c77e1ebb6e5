"""How large the residual of a trained solution is, and how far one step of another method leads.

Two looks at points that no training has seen. The residual of each equation is set against the
terms it is made of: a network that has settled on nothing makes both small. And one step of Gauss
and Newton's method corrects the solution by polynomials over the whole domain, a basis that has
no part in the training: where it leads far, the solution was far off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import comb
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float
from numpy.polynomial.chebyshev import chebder

from tvilling.pinns.fields.domain import Axis, Points, draw_edge
from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.field import Applied, Field, Point
from tvilling.pinns.fields.jets import Jet
from tvilling.pinns.fields.symmetry import Outputs
from tvilling.pinns.network.ansatz import fields
from tvilling.pinns.network.network import embedded
from tvilling.pinns.problem.statement import Equation
from tvilling.pinns.problem.variables import Variables
from tvilling.pinns.training.quick_compile import jit_quick_compile

if TYPE_CHECKING:
    from tvilling.pinns.solution.solution import Solution

SEED = 77_003  # of points apart from those of trainings
DEGREES = {1: 60, 2: 30, 3: 9, 4: 5}  # of the polynomials, by the number of coordinates
MAX_FUNCTIONS = 800  # times unknowns: with more of these the degree is lower
PER_TERM = 3  # points for each polynomial
FLOOR = 1e-3  # of an equation's own scale: terms below it count as this large
WEAKEST = 1e-9  # of the strongest direction: weaker ones of the correction are left out


@dataclass(frozen=True)
class Defect:
    """What is left of the equations.

    Attributes
    ----------
    residual
        Of each equation: root mean square over that of its terms.
    correction
        Of each unknown: root mean square of the step over its spread with the step taken.
    left
        Share of the residuals' root mean square that the step leaves, as far as it is linear.
    """

    residual: dict[str, float]
    correction: dict[str, float]
    left: float

    @property
    def worst_residual(self) -> float:
        """Of all equations."""
        return max(self.residual.values(), default=0.0)

    @property
    def worst_correction(self) -> float:
        """Of all unknowns."""
        return max(self.correction.values(), default=0.0)


def defect(solution: "Solution") -> Defect | None:
    """The defect of `solution`; None with more coordinates than polynomials can cover."""
    problem = solution.problem
    axes = problem.inputs.axes
    if len(axes) not in DEGREES:
        return None
    degree = DEGREES[len(axes)]
    while degree > 2 and comb(degree + len(axes), degree) * len(problem.unknowns) > MAX_FUNCTIONS:
        degree -= 1
    basis = _Basis(axes, degree)
    random = np.random.default_rng(SEED)
    count = PER_TERM * basis.size
    groups: list[tuple[list[Equation], Points]] = []
    for edge in dict.fromkeys(item.face for item in problem.equations):
        held = [item for item in problem.equations if item.face == edge]
        own = problem.inputs
        points = own.draw(random, count) if edge is None else draw_edge(own, edge, random, count)
        groups.append((held, points))
    network = nnx.merge(solution.graph, solution.params.network)

    def outputs(coordinates: list[Jet]) -> Jet:
        return network(embedded(axes, coordinates, network.settings.modes))

    scales = dict(solution.scales)
    found = _looked_at(_Look(solution, outputs, basis, scales), groups)
    inside = next((points for held, points in groups if held[0].face is None), groups[0][1])
    return _judged(solution, found, inside)


@dataclass(frozen=True, eq=False)
class _Look:
    """A solution with a correction in polynomials."""

    solution: "Solution"
    outputs: Outputs
    basis: "_Basis"
    scales: dict[str, float]

    def at(self, step: Array) -> Variables:
        """Fields with a step taken."""

        def moved(coordinates: list[Jet]) -> Jet:
            return self.outputs(coordinates) + self.basis(coordinates).linear(step)

        return fields(self.solution.problem, moved, self.solution.params.free)

    def rows(self, step: Array, held: list[Equation], points: Point) -> Float[Array, "term point"]:
        """Residuals over their scales."""
        at = self.at(step)
        values = evaluate([item.field(at) for item in held], points)
        like = next(iter(points.values()))
        return jnp.stack(
            [
                jnp.broadcast_to(value, like.shape) * (item.weight**0.5 / self.scales[item.name])
                for item, value in zip(held, values, strict=True)
            ]
        )

    def sizes(self, held: list[Equation], points: Point) -> Float[Array, "term point"]:
        """Sums of the terms' magnitudes over the scales of the residuals; one where it is one."""
        at = self.at(jnp.zeros((self.basis.size, len(self.solution.problem.unknowns))))
        like = next(iter(points.values()))
        rows = []
        for item in held:
            parts = _terms(item.residual(at))
            if len(parts) < 2:
                rows.append(jnp.ones_like(like))
                continue
            total = sum(jnp.abs(value) for value in evaluate(parts, points))
            rows.append(jnp.broadcast_to(total, like.shape) / self.scales[item.name])
        return jnp.stack(rows)

    def unknowns(self, step: Array, points: Point) -> Float[Array, "unknown point"]:
        """Values with a step taken."""
        at = self.at(step)
        like = next(iter(points.values()))
        named = [getattr(at, item.name) for item in self.solution.problem.unknowns]
        return jnp.stack([jnp.broadcast_to(v, like.shape) for v in evaluate(named, points)])


@dataclass(frozen=True, eq=False)
class _Found:
    residual: dict[str, float]
    step: Float[Array, "basis unknown"]
    left: float
    look: _Look


def _looked_at(look: _Look, groups: list[tuple[list[Equation], Points]]) -> _Found:
    """Residuals against their terms, and the step that makes them least."""
    zero = jnp.zeros((look.basis.size, len(look.solution.problem.unknowns)))
    residual: dict[str, float] = {}
    parts, slopes = [], []
    for held, points in groups:

        def both(points: Point, held: list[Equation] = held) -> tuple[Array, Array, Array]:
            rows = look.rows(zero, held, points)
            slope = jax.jacfwd(lambda step: look.rows(step, held, points))(zero)
            return rows, look.sizes(held, points), slope

        arrays = {name: jnp.asarray(values, float) for name, values in points.items()}
        rows, sizes, slope = (np.asarray(item) for item in jit_quick_compile(both)(arrays))
        for item, row, size in zip(held, rows, sizes, strict=True):
            whole = max(_rms(size), FLOOR) * item.weight**0.5
            residual[item.name] = _rms(row) / whole
        share = rows.shape[1] ** -0.5
        parts.append(rows.ravel() * share)
        slopes.append(slope.reshape(rows.size, -1) * share)
    r, j = np.concatenate(parts), np.concatenate(slopes)
    if not (np.all(np.isfinite(r)) and np.all(np.isfinite(j))):
        return _Found(residual, zero, 1.0, look)
    lengths = np.linalg.norm(j, axis=0)
    lengths[lengths == 0] = 1.0
    step = np.linalg.lstsq(j / lengths, -r, rcond=WEAKEST)[0] / lengths
    left = float(np.linalg.norm(r + j @ step)) / max(float(np.linalg.norm(r)), 1e-300)
    return _Found(residual, jnp.asarray(step.reshape(zero.shape)), left, look)


def _rms(values: np.ndarray) -> float:
    """Root mean square, whatever their size."""
    return float(np.linalg.norm(values)) / max(values.size, 1) ** 0.5


def _judged(solution: "Solution", found: _Found, points: Points) -> Defect:
    """The step over the spread of what it leads to."""
    arrays = {name: jnp.asarray(values, float) for name, values in points.items()}
    values: Callable[[Array, Point], Array] = jit_quick_compile(found.look.unknowns)
    zero = jnp.zeros_like(found.step)
    before, after = (np.asarray(values(step, arrays)) for step in (zero, found.step))
    correction = {}
    for item, old, new in zip(solution.problem.unknowns, before, after, strict=True):
        spread = max(float(np.std(new)), float(np.std(old)))
        size = float(np.sqrt(np.mean(new**2)))
        spread = spread if spread > 1e-3 * size else size
        off = float(np.sqrt(np.mean((new - old) ** 2)))
        correction[item.name] = off / (spread or item.scale)
    return Defect(found.residual, correction, found.left)


def _terms(field: object) -> list[Field]:
    """The summands of an expression."""
    if isinstance(field, Applied):
        if field.function in (jnp.add, jnp.subtract):
            return [one for item in field.arguments for one in _terms(item)]
        if field.function is jnp.negative:
            return _terms(field.arguments[0])
    if isinstance(field, Field):
        return [field]
    return [] if np.all(np.asarray(field) == 0) else [Applied(jnp.asarray, (field,))]


class _Basis:
    """Products of Chebyshev's polynomials of coordinates, of waves on a periodic axis.

    The total degree is bounded.
    """

    def __init__(self, axes: tuple[Axis, ...], degree: int) -> None:
        self.axes, self.degree = axes, degree
        every = product(range(degree + 1), repeat=len(axes))
        self.indices = [index for index in every if sum(index) <= degree]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.indices)

    def __call__(self, coordinates: list[Jet]) -> Jet:
        """All of them, with derivatives, as the entries of a last axis."""
        each = [self._along(axis, jet) for axis, jet in zip(self.axes, coordinates, strict=True)]
        columns = np.array(self.indices).T
        return reduce(
            lambda a, b: a * b,
            (
                Jet(jet.indices, jet.values[..., column])
                for jet, column in zip(each, columns, strict=True)
            ),
        )

    def _along(self, axis: Axis, jet: Jet) -> Jet:
        """All degrees along one axis."""
        middle, half = (axis.high + axis.low) / 2, (axis.high - axis.low) / 2
        z = jet.plus(-middle).times(1.0 / half)
        wide = Jet(z.indices, jnp.broadcast_to(z.values[..., None], (*z.values.shape, self.count)))
        return wide.through(self._waves if axis.periodic else self._polynomials)

    @property
    def count(self) -> int:
        """Functions along one axis."""
        return self.degree + 1

    def _polynomials(self, z: Array, order: int) -> list[Array]:
        """Chebyshev's polynomials, each column its own, and their derivatives."""
        values = jnp.cos(jnp.arange(self.count) * jnp.arccos(jnp.clip(z, -1.0, 1.0)))
        unit = np.eye(self.count)
        return [
            values[..., : self.count - count] @ jnp.asarray(chebder(unit, count))
            for count in range(order + 1)
        ]

    def _waves(self, z: Array, order: int) -> list[Array]:
        """1, cos πz, cos 2πz, … and half as many sines, with their derivatives."""
        column = np.arange(self.count)
        turns = jnp.asarray(np.pi * ((column + 1) // 2))
        shift = jnp.asarray(np.where(column % 2, 0.0, -np.pi / 2) * (column > 0))
        return [
            turns**count * jnp.cos(turns * z + shift + count * jnp.pi / 2)
            for count in range(order + 1)
        ]
