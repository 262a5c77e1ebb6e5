"""What is wrong with a problem, told before any training begins."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.pinns.conditions import Condition, Measured
from tvilling.pinns.evaluation import evaluate
from tvilling.pinns.field import of
from tvilling.pinns.jets import Jet
from tvilling.pinns.problem import Equation, Problem
from tvilling.pinns.terms import UndeclaredError
from tvilling.pinns.trial import constants, fields, prescribed
from tvilling.sciml.errors import InputError

AGREEMENT = 1e-9  # of an unknown's scale, between conditions where their faces meet
CORNER_POINTS = 16


def check(problem: Problem) -> None:
    """Raise an InputError with every fault of `problem`."""
    faults = list(_declarations(problem)) + list(_places(problem))
    if not faults:  # the formulas can be tried only when the names and ranges make sense
        faults = list(_formulas(problem))
    if not faults:
        faults = list(_corners(problem))
    if faults:
        raise InputError(f"problem {problem.name}", faults)


def _declarations(problem: Problem) -> Iterator[str]:
    """Names declared twice, ranges that are none, too little to solve."""
    named = [*problem.domain.axes, *problem.told, *problem.parameters]
    for name, count in Counter(item.name for item in named).items():
        if count > 1:
            yield f"{name} is declared {count} times"
    for item in (*problem.domain.axes, *problem.parameters):
        yield from item.faults()
    for unknown in problem.unknowns:
        if not np.isfinite(unknown.scale) or unknown.scale <= 0:
            yield (
                f"{unknown.name}: its range is {unknown.low:g} to {unknown.high:g} "
                f"{unknown.unit}, expected two finite numbers, the smaller first"
            )
    for count, what in (
        (len(problem.domain.axes), "axis"),
        (len(problem.unknowns), "unknown"),
    ):
        if count == 0:
            yield f"there is no {what}"
    if not problem.equations:
        yield "there is no equation"
    for equation in problem.equations:
        if equation.scale is not None and not equation.scale > 0:
            yield f"equation {equation.name}: scale is {equation.scale:g}, expected above 0"
    if problem.free and not problem.measured:
        names = ", ".join(item.name for item in problem.free)
        yield f"nothing is measured that {names} could be found from"


def _places(problem: Problem) -> Iterator[str]:
    """Unknowns, axes and coordinates that conditions, equations and measurements name."""
    for condition in problem.conditions:
        yield from _named(problem, condition.describe(), condition.unknown)
        fault = problem.domain.edge_fault(condition.edge)
        if fault is not None:
            yield f"{condition.describe()}: {fault}"
    places = Counter((item.unknown, item.edge) for item in problem.conditions)
    for (unknown, edge), count in places.items():
        if count > 1:
            place = edge if isinstance(edge, str) else f"{edge[0]} = {edge[1]:g}"
            yield f"{unknown} has {count} conditions at {place}"
    for equation in problem.equations:
        fault = None if equation.face is None else problem.domain.edge_fault(equation.face)
        if fault is not None:
            yield f"equation {equation.name}: {fault}"
    for measured in problem.measured:
        place = f"measurements of {measured.unknown}"
        yield from _named(problem, place, measured.unknown)
        if set(measured.points) != set(problem.inputs.names):
            given, wanted = ", ".join(measured.points), ", ".join(problem.inputs.names)
            yield f"{place}: coordinates are {given or 'none'}, expected {wanted}"
        lengths = {len(values) for values in (*measured.points.values(), measured.values)}
        if len(lengths) != 1 or lengths == {0}:
            yield f"{place}: points and values differ in length, or there are none"
        else:
            yield from _readings(problem, place, measured)


def _named(problem: Problem, place: str, unknown: str) -> Iterator[str]:
    names = [item.name for item in problem.unknowns]
    if unknown not in names:
        yield f"{place}: {unknown!r} is no unknown; declared are {', '.join(names)}"


def _readings(problem: Problem, place: str, measured: Measured) -> Iterator[str]:
    """Values that are no numbers, lie elsewhere, or are in another unit."""
    values = np.asarray(measured.values, float)
    if bad := int((~np.isfinite(values)).sum()):
        first = int(np.argmax(~np.isfinite(values)))
        yield f"{place}: {bad} of {values.size} values are not finite, the first is number {first}"
    for axis in problem.inputs.axes:
        given = np.asarray(measured.points.get(axis.name, axis.low), float)
        if not np.all((given >= axis.low) & (given <= axis.high)):
            yield (
                f"{place}: {axis.name} runs from {np.min(given):g} to {np.max(given):g} "
                f"{axis.unit}, expected {axis.low:g} to {axis.high:g} {axis.unit}"
            )
    known = next((item for item in problem.unknowns if item.name == measured.unknown), None)
    if known is not None and measured.unit not in (None, known.unit):
        yield f"{place}: they are in {measured.unit}, expected {known.unit}, the unknown's unit"


def _formulas(problem: Problem) -> Iterator[str]:
    """Names that equations and values use without a declaration, and results of no use."""
    numbers = constants(problem, {item.name: jnp.zeros(()) for item in problem.free})
    point = {axis.name: jnp.asarray((axis.low + axis.high) / 2) for axis in problem.inputs.axes}
    told = [
        fault
        for condition in problem.conditions
        for value in (
            condition.value,
            getattr(condition, "slope", None),
            getattr(condition, "course", None),
        )
        if value is not None
        for fault in _tried(
            condition.describe(), lambda value=value: prescribed(value, numbers, point)
        )
    ]
    yield from told
    if told:  # the equations would only tell the same
        return
    for equation in problem.equations:
        place = f"equation {equation.name}"
        yield from _tried(place, lambda item=equation: _residual(problem, item, point))


def _residual(problem: Problem, equation: Equation, point: dict[str, Any]) -> Any:
    def zeros(coordinates: list[Jet]) -> Jet:
        shape = (*coordinates[0].values.shape, len(problem.unknowns))
        return Jet(coordinates[0].indices, jnp.zeros(shape))

    free = {item.name: jnp.zeros(()) for item in problem.free}
    normals = {f"normal_{name}": jnp.zeros(()) for name in problem.domain.names}
    point = point | (normals if equation.face is not None else {})
    return evaluate([of(lambda v: v, equation.residual(fields(problem, zeros, free)))], point)[0]


def _tried(place: str, formula: Any) -> Iterator[str]:
    """What goes wrong when a formula is traced."""
    try:
        shape = jax.eval_shape(formula).shape
    except InputError as error:
        yield from (f"{place}: {fault}" for fault in error.faults)
    except (UndeclaredError, TypeError) as error:
        yield f"{place}: {error}"
    else:
        if shape != ():
            yield f"{place}: it gives an array of shape {shape}, expected a scalar"


def _corners(problem: Problem) -> Iterator[str]:
    """Conditions that contradict each other where their faces meet."""
    for unknown in problem.unknowns:
        conditions = [
            item for item in problem.conditions_on(unknown.name) if isinstance(item, Condition)
        ]
        for index, one in enumerate(conditions):
            for other in conditions[index + 1 :]:
                if one.axis != other.axis:
                    yield from _corner(problem, one, other)


def _corner(problem: Problem, one: Condition, other: Condition) -> Iterator[str]:
    numbers = constants(problem, {item.name: jnp.zeros(()) for item in problem.free})
    points = problem.inputs.draw(np.random.default_rng(0), CORNER_POINTS)
    for face in (one, other):
        points[face.axis] = np.full(CORNER_POINTS, face.at)
    values = [
        np.asarray(
            jax.vmap(lambda point, face=face: prescribed(face.value, numbers, point))(points)
        )
        for face in (one, other)
    ]
    unknown = problem.unknown(one.unknown)
    gap = np.abs(values[0] - values[1])
    worst = int(np.argmax(np.where(np.isfinite(gap), gap, np.inf)))
    if not gap[worst] <= AGREEMENT * max(unknown.scale, *np.abs([values[0][worst]])):
        yield (
            f"conditions on {unknown.name} disagree where {one.axis} = {one.at:g} meets "
            f"{other.axis} = {other.at:g}: {values[0][worst]:g} and {values[1][worst]:g} "
            f"{unknown.unit}"
        )
