"""A family of problems that differ in one function: an initial state, the course of an inlet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import Axis
from tvilling.pinns.operators.random_function import GaussianField
from tvilling.pinns.problem.statement import Problem, Unknown
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr

Function = Callable[[ArrayLike], Array]  # of one coordinate, written with `jax.numpy`
Grid = Mapping[str, Float[np.ndarray, " place"]]
SolveMany = Callable[[Sequence[Function], Grid], Float[np.ndarray, "sample *place"]]


@dataclass(frozen=True)
class Varied:
    """The function that varies.

    Attributes
    ----------
    along
        The axis of the domain that it is a function of.
    draws
        Where the functions of an ensemble come from.
    """

    name: str
    unit: str
    along: str
    draws: GaussianField


@dataclass(frozen=True, eq=False)
class OperatorProblem:
    """The map from a function to a solution: one `Problem` for each function.

    Attributes
    ----------
    problem_of
        The problem for one function; its reference gives the truth.
    varied
        The function.
    at
        Coordinates at which the solution is wanted, such as the end of the time or of a pipe; the
        other axes span it. `varied.along` must be among these.
    points
        Even places along each of these axes in an ensemble.
    solve_many
        A quicker way to the same references, for many functions on a grid in which `at` is one
        place. Where there is a closed form, it takes longer to build and check a `Problem` than to
        solve it.

    Raises
    ------
    InputError
        On construction, with every axis that does not fit, or where there is no reference.
    """

    name: str
    problem_of: Callable[[Function], Problem]
    varied: Varied
    points: Mapping[str, int]
    at: Mapping[str, float] = field(default_factory=dict)
    solve_many: SolveMany | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        names = self.template.inputs.names
        spanned = [name for name in names if name not in self.at]
        faults = [f"{name!r} is no axis" for name in self.at if name not in names]
        if self.varied.along not in spanned:
            faults.append(
                f"{self.varied.name} varies along {self.varied.along!r}, not in {spanned}"
            )
        if sorted(self.points) != sorted(spanned):
            faults.append(f"points are given along {sorted(self.points)}, expected {spanned}")
        if len(self.template.unknowns) != 1:
            faults.append(f"it has {len(self.template.unknowns)} unknowns, expected one")
        if self.template.reference is None:
            faults.append("its problems have no reference to learn from")
        if faults:
            raise InputError(f"operator problem {self.name}", faults)

    @cached_property
    def template(self) -> Problem:
        """The problem of one function, for names, units and ranges."""
        return self.problem_of(self.varied.draws.draw(1, seed=0)[0])

    @property
    def unknown(self) -> Unknown:
        """What is solved for."""
        return self.template.unknowns[0]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that the solution spans."""
        return tuple(axis for axis in self.template.inputs.axes if axis.name not in self.at)

    @property
    def along(self) -> Axis:
        """The axis of the function that varies."""
        return next(axis for axis in self.axes if axis.name == self.varied.along)

    def grid(self, points: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
        """Even places along each axis: with both ends, or without the last of a periodic one."""
        counts = {**self.points, **(points or {})}
        return {
            axis.name: np.linspace(
                axis.low, axis.high, counts[axis.name], endpoint=not axis.periodic
            )
            for axis in self.axes
        }

    def solve(self, functions: Sequence[Function], grid: Grid) -> Float[np.ndarray, "sample *grid"]:
        """The solution for each function, by the references of the problems."""
        if self.solve_many is not None:
            return self.solve_many(functions, {**grid, **_numbers(self.at)})
        return np.stack([self.solve_one(function, grid) for function in functions])

    def solve_one(self, function: Function, grid: Grid) -> Float[np.ndarray, "*grid"]:
        """The solution for one function, by the reference of its problem."""
        reference = self.problem_of(function).reference
        assert reference is not None
        mesh = np.meshgrid(*(grid[axis.name] for axis in self.axes), indexing="ij")
        points = {axis.name: array for axis, array in zip(self.axes, mesh, strict=True)}
        points |= {name: np.full(mesh[0].shape, value) for name, value in self.at.items()}
        return np.asarray(reference.function(points)[self.unknown.name])


def _numbers(at: Mapping[str, float]) -> dict[str, np.ndarray]:
    return {name: np.array([value]) for name, value in at.items()}
