"""What is wrong with a problem, told before any training begins."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.pinns.fields import symmetry
from tvilling.pinns.fields.evaluation import evaluate, needs
from tvilling.pinns.fields.field import OF_ARRAYS
from tvilling.pinns.fields.jets import Jet
from tvilling.pinns.fields.jumps import jumps
from tvilling.pinns.fields.region import Region
from tvilling.pinns.network.ansatz import constants, fields, prescribed, unsought
from tvilling.pinns.problem.compatibility import agreement, place_of
from tvilling.pinns.problem.conditions import EdgeCondition, Measured
from tvilling.pinns.problem.parameters import Fixed
from tvilling.pinns.problem.statement import Equation, Problem
from tvilling.pinns.problem.variables import Recorded, Variables, everything
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.typed import type_errors

FIELD_SIGNS = (  # what JAX, NumPy and Python say of a field where they expect numbers
    "abstract array",
    "Error interpreting",
    "does not support ufuncs",
    "not supported between instances",
)
TRACED_SIGNS = ("traced array", "Abstract tracer")  # what they say of arrays that JAX follows
OF_JAX = (
    "it takes a function of NumPy, SciPy or Python of a field, expected one of jax.numpy, such as "
    "of(jnp.interp, field, places, values)"
)


def check(problem: Problem) -> None:
    """Raise an InputError with every fault of `problem`."""
    if told := list(type_errors(problem)):  # nothing else can be looked at
        raise InputError(f"problem {problem.name}", told)
    faults = list(_declarations(problem)) + list(_places(problem))
    faults += list(symmetry.declaration_faults(problem))
    if not faults:  # the formulas can be tried only when the names and ranges make sense
        faults = list(_formulas(problem))
    if not faults:
        faults = list(agreement(problem))
    if not faults:
        faults = list(jumps(problem))
    if not faults:
        faults = list(symmetry.faults(problem, partial(_with, problem)))
    if faults:
        raise InputError(f"problem {problem.name}", faults)


def _with(problem: Problem, outputs: symmetry.Outputs) -> Variables:
    return fields(problem, outputs, unsought(problem))


def _declarations(problem: Problem) -> Iterator[str]:
    """Names declared twice, ranges that are none, too little to solve."""
    named = [*problem.domain.axes, *problem.told, *problem.parameters]
    for name, count in Counter(item.name for item in named).items():
        if count > 1:
            yield f"{name} is declared {count} times"
    for item in named:
        if not item.name.isidentifier() or item.name.startswith("normal_"):
            yield f"{item.name!r} is no name that formulas can use, or one of a normal"
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
        if equation.scale is not None and not 0 < equation.scale < np.inf:
            yield f"equation {equation.name}: scale is {equation.scale:g}, expected above 0"
        if not (np.isfinite(equation.weight) and equation.weight > 0):
            yield f"equation {equation.name}: weight is {equation.weight:g}, expected above 0"
    for name, count in Counter(item.name for item in problem.equations).items():
        if count > 1:
            yield f"{count} equations are named {name}"
    for measured in problem.measured:
        if not (np.isfinite(measured.weight) and measured.weight > 0):
            place = f"measurements of {measured.unknown}"
            yield f"{place}: weight is {measured.weight:g}, expected above 0"
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
        elif isinstance(condition, EdgeCondition) and isinstance(problem.domain, Region):
            rough = problem.domain.exact_fault(condition.edge)
            yield from [f"{condition.describe()}: {rough}"] if rough else []
        if {"slope", "course"} <= set(condition.formulas):
            yield f"{condition.describe()}: it has a slope and a course, expected one at most"
    places = Counter((item.unknown, item.edge) for item in problem.conditions)
    for (unknown, edge), count in places.items():
        if count > 1:
            yield f"{unknown} has {count} conditions at {place_of(edge)}"
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
        first = int(np.argmax(~np.isfinite(values))) + 1
        yield f"{place}: {bad} of {values.size} values are not finite, the first is number {first}"
    given_axes = []
    for axis in problem.inputs.axes:
        told = axis.leaving(measured.points.get(axis.name, axis.low))
        yield from (f"{place}: {fault}" for fault in told)
        if not told and axis.name in measured.points:
            given_axes.append(axis.name)
    if set(problem.domain.names) <= set(given_axes):
        points = {name: np.asarray(measured.points[name], float) for name in problem.domain.names}
        outside = ~problem.domain.within(points)
        if outside.any():
            first = int(np.argmax(outside))
            where = ", ".join(f"{name} = {values[first]:g}" for name, values in points.items())
            yield (
                f"{place}: {int(outside.sum())} of {values.size} lie outside the shape, "
                f"the first at {where}"
            )
    known = next((item for item in problem.unknowns if item.name == measured.unknown), None)
    if known is not None and measured.unit not in (None, known.unit):
        yield f"{place}: they are in {measured.unit}, expected {known.unit}, the unknown's unit"


def _formulas(problem: Problem) -> Iterator[str]:
    """Names that equations and values use without a declaration, and results of no use."""
    numbers = constants(problem, unsought(problem))
    point = {axis.name: jnp.asarray((axis.low + axis.high) / 2) for axis in problem.inputs.axes}
    told = [
        fault
        for condition in problem.conditions
        for value in condition.formulas.values()
        for fault in _tried(
            condition.describe(), lambda value=value: prescribed(value, numbers, point)
        )
    ]
    yield from told
    if told:  # the equations would only tell the same
        return
    told = [
        fault
        for equation in problem.equations
        for fault in _tried(
            f"equation {equation.name}", lambda item=equation: _residual(problem, item, point)
        )
    ]
    yield from told or _unused(problem, numbers, point)


def _unused(problem: Problem, numbers: dict[str, Any], point: dict[str, Any]) -> Iterator[str]:
    """Parameters that nothing depends on: whatever their range, the solution would be the same."""
    at, used = everything(_with(problem, _zeros(problem))), set[str]()
    for equation in problem.equations:
        equation.residual(Recorded(at, used))
    for derived in problem.derived:
        derived.formula(Recorded(at, used))
    for condition in problem.conditions:
        for value in condition.formulas.values():
            if callable(value):
                value(Recorded({**point, **numbers}, used))
    for item in problem.parameters:
        if item.name not in used and not isinstance(item, Fixed):
            kind = type(item).__name__.lower()
            yield f"{item.name} is {kind}, but no equation, condition or derived quantity uses it"


def _zeros(problem: Problem) -> symmetry.Outputs:
    """Networks that say zero everywhere."""

    def zeros(coordinates: list[Jet]) -> Jet:
        shape = (*coordinates[0].values.shape, len(problem.unknowns))
        return Jet(coordinates[0].indices, jnp.zeros(shape))

    return zeros


def _residual(problem: Problem, equation: Equation, point: dict[str, Any]) -> Any:
    normals = {f"normal_{name}": jnp.zeros(()) for name in problem.domain.names}
    at = fields(problem, _zeros(problem), unsought(problem))
    if equation.face is None:
        used: set[str] = set()
        if equation.residual(Recorded(everything(at), used)) is None:
            raise TypeError("it returns nothing, expected a field")
        if odd := sorted(used & set(normals)):
            raise TypeError(f"{odd[0]!r} is known on edges only, expected a face")
    else:
        point = point | normals
    field = equation.field(at)
    if not needs([field], point):
        raise TypeError("it holds no unknown")
    return evaluate([field], point)[0]


def _tried(place: str, formula: Any) -> Iterator[str]:
    """What goes wrong when a formula is traced."""
    try:
        shape = jax.eval_shape(formula).shape
    except InputError as error:
        yield from (f"{place}: {fault}" for fault in error.faults)
    except (AttributeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        yield f"{place}: {_sentence(error)}"
    else:
        if shape != ():
            yield f"{place}: it gives an array of shape {shape}, expected a scalar"


def _sentence(error: Exception) -> str:
    """What an error says, in its first line."""
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    if any(sign in told for sign in FIELD_SIGNS):
        return OF_ARRAYS
    return OF_JAX if any(sign in told for sign in TRACED_SIGNS) else told
