"""Symmetry as a hard constraint: an unknown that is even or odd about the middle of an axis.

With M the reflection of a coordinate, a network N becomes N(p) + N(Mp), which is even, or
N(p) - N(Mp), which is odd, whatever its weights. A solution that is odd about a front cannot
misplace it, an error that the equation's residual hardly feels where a front moves slowly.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from tvilling.pinns.fields.domain import Axis, Box, draw_edge
from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.jets import Jet, sine_tower, stacked

if TYPE_CHECKING:
    from tvilling.pinns.problem.statement import Problem
    from tvilling.pinns.problem.variables import Variables

TRIED = 16  # points at which a problem and its reflection are compared
ROUNDING = 1e-9  # of the largest value there

Outputs = Callable[[list[Jet]], Jet]  # a network over the coordinates


@dataclass(frozen=True)
class Symmetry:
    """The solution is its own reflection about the middle of an axis of a box.

    Attributes
    ----------
    axis
        Name of a coordinate.
    odd
        Unknowns that are reflected about the middle of their range; the others keep their value.
    """

    axis: str
    odd: tuple[str, ...] = ()


def symmetric(problem: "Problem", outputs: Outputs) -> Outputs:
    """`outputs` with the symmetries of `problem`, by a pass for each reflection."""
    if not problem.symmetries:
        return outputs
    names = problem.inputs.names
    flips = list(_subsets(problem.symmetries))

    def reflected(coordinates: list[Jet]) -> Jet:
        total = jnp.zeros(())
        for flipped in flips:
            moved = {item.axis for item in flipped}
            there = [
                _mirrored(problem, name, jet) if name in moved else jet
                for name, jet in zip(names, coordinates, strict=True)
            ]
            total = total + outputs(there).values * _signs(problem, flipped)
        return Jet(coordinates[0].indices, total)

    return reflected


def _subsets(items: Sequence[Symmetry]) -> Iterator[tuple[Symmetry, ...]]:
    return chain.from_iterable(combinations(items, count) for count in range(len(items) + 1))


def _mirrored(problem: "Problem", name: str, coordinate: Jet) -> Jet:
    axis = problem.domain.axis(name)
    return coordinate.times(-1.0).plus(axis.low + axis.high)


def _signs(problem: "Problem", flipped: Sequence[Symmetry]) -> np.ndarray:
    """With which sign a reflected network adds to each unknown."""
    names = [item.name for item in problem.unknowns]
    return np.array([(-1.0) ** sum(name in item.odd for item in flipped) for name in names])


def declaration_faults(problem: "Problem") -> Iterator[str]:
    """What names and axes of symmetries are wrong."""
    if problem.symmetries and not isinstance(problem.domain, Box):
        yield "symmetries are known of boxes only"
        return
    unknowns = [item.name for item in problem.unknowns]
    axes = [item.axis for item in problem.symmetries]
    for item in problem.symmetries:
        if item.axis not in problem.domain.names:
            known = ", ".join(problem.domain.names)
            yield f"symmetry: {item.axis!r} is no axis; declared are {known}"
        for name in item.odd:
            if name not in unknowns:
                known = ", ".join(unknowns)
                yield f"symmetry in {item.axis}: {name!r} is no unknown; declared are {known}"
    for name in sorted({name for name in axes if axes.count(name) > 1}):
        yield f"symmetry: {name} is named {axes.count(name)} times"


def faults(problem: "Problem", at: Callable[[Outputs], "Variables"]) -> Iterator[str]:
    """Conditions and equations that are not their own reflection, tried with a smooth field.

    `at` gives the fields of the problem for any function in place of its network.
    """
    if not problem.symmetries:
        return
    terms = at(lambda coordinates: _waves(coordinates, len(problem.unknowns)))
    points = problem.inputs.draw(np.random.default_rng(0), TRIED)
    inside = [item for item in problem.equations if item.face is None]
    for symmetry in problem.symmetries:
        axis = problem.domain.axis(symmetry.axis)
        mirrored = points | {axis.name: axis.low + axis.high - points[axis.name]}
        for item in problem.unknowns:
            sign = -1.0 if item.name in symmetry.odd else 1.0
            here, there = _over(getattr(terms, item.name), points, mirrored)
            if _differ(here - item.middle, sign * (there - item.middle)):
                kind = "odd" if sign < 0 else "even"
                yield f"conditions on {item.name} are not {kind} about the middle of {axis.name}"
        for equation in inside:
            here, there = _over(equation.field(terms), points, mirrored)
            if _differ(np.abs(here), np.abs(there)):
                yield f"equation {equation.name} changes when {axis.name} is reflected"
        yield from _face_faults(problem, terms, axis)


def _face_faults(problem: "Problem", terms: "Variables", axis: Axis) -> Iterator[str]:
    """Equations on faces without one that is their reflection, maybe themselves."""
    on_faces = [(item, item.face) for item in problem.equations if isinstance(item.face, tuple)]
    for equation, face in on_faces:
        name, at = face
        opposite = (name, axis.low + axis.high - at) if name == axis.name else face
        points = draw_edge(problem.inputs, face, np.random.default_rng(0), TRIED)
        normal = f"normal_{axis.name}"
        mirrored = points | {
            axis.name: axis.low + axis.high - points[axis.name],
            normal: -points[normal],
        }
        here = np.abs(_over(equation.field(terms), points)[0])
        twins = [item for item, other in on_faces if other == opposite]
        there = [np.abs(_over(item.field(terms), mirrored)[0]) for item in twins]
        if all(_differ(here, other) for other in there):
            yield (
                f"equation {equation.name} at {name} = {at:g} has no reflection: "
                f"none at {opposite[0]} = {opposite[1]:g} says the same"
            )


def _waves(coordinates: list[Jet], outputs: int) -> Jet:
    """A smooth field of every coordinate, another one for each unknown."""
    found = []
    for row in range(outputs):
        phase = coordinates[0].times(0.0).plus(0.3 + row)
        for number, coordinate in enumerate(coordinates):
            size = 1.0 / (1.0 + float(jnp.max(jnp.abs(coordinate.value))))
            phase = phase + coordinate.times(size * (1.1 + 0.7 * number + 0.4 * row))
        found.append(phase.through(sine_tower))
    return stacked(found)


def _over(field: Any, *places: dict[str, np.ndarray]) -> list[np.ndarray]:
    found = [np.asarray(evaluate([field], place)[0]) for place in places]
    return [np.broadcast_to(values, TRIED) for values in found]


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    size = max(float(np.abs(one).max()), float(np.abs(other).max()))
    return bool(np.abs(one - other).max() > ROUNDING * size)
