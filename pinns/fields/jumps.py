"""Jumps under a derivative: what an equation differentiates must not break.

Automatic differentiation takes the slope of `where(x < 0.5, 1, 0.1)` as zero everywhere; the peak
at the break is lost. A residual without it can be made zero by a solution of another equation, and
no loss tells. So each expression under a derivative in which something is compared, chosen or
rounded is computed on lines through the domain, with waves in place of the unknowns, and its
steepest places are looked at ever more closely: what does not shrink with the step is a jump.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.pinns.fields.domain import Edge
from tvilling.pinns.fields.evaluation import Along, Place, evaluate, merged, needs
from tvilling.pinns.fields.field import Applied, Derivative, Elsewhere, Field, d
from tvilling.pinns.fields.jets import Jet, sine_tower
from tvilling.pinns.fields.symmetry import Outputs
from tvilling.pinns.network.ansatz import constants, fields, prescribed, unsought
from tvilling.pinns.network.network import embedded, inputs_of
from tvilling.pinns.problem.conditions import Held, Prescribed
from tvilling.pinns.problem.statement import Problem
from tvilling.sciml.core.errors import InputError

CHOICES = {
    *("lt", "le", "gt", "ge", "eq", "ne", "select_n", "cond", "sign", "floor", "ceil", "round"),
    *("max", "min", "abs", "clamp", "rem", "argmax", "argmin", "is_finite", "nextafter", "sort"),
    *("gather", "dynamic_slice", "while", "scan"),
}

LINES, PLACES, STEEPEST = 12, 257, 4  # lines through the domain, places on each, looked at closer
CLOSER, LEVELS = 33, 6  # places in an interval, and how often: down to 1e-11 of the range
JUMP = 1e-4  # of the range of values on a line: what is left of it at the end
WAVE = 2.0  # amplitude of the waves in place of unknowns, in halves of their range
WAYS_OUT = (
    "automatic differentiation loses the derivative of a jump, and a wrong solution would look "
    "solved; take the flux as an unknown of its own (flux_equations), or one unknown a layer "
    "(Layers), as docs/pinn-layers.md shows"
)


def jumps(problem: Problem) -> Iterator[str]:
    """A sentence for each equation, and each condition, with a jump under a derivative."""
    at = fields(problem, waves(problem), unsought(problem))
    for equation in problem.equations:
        for inner, name, place in _differentiated(equation.field(at)):
            if not _chooses(inner):
                continue
            where = _jump(problem, Elsewhere(inner, place) if place else inner, name, equation.face)
            if where is not None:
                unit = problem.inputs_axis(name).unit
                yield (
                    f"equation {equation.name}: what it differentiates along {name} jumps, as at "
                    f"{name} = {where:.6g} {unit}; {WAYS_OUT}"
                )
                break
    orders = _orders(problem, [equation.field(at) for equation in problem.equations])
    yield from _steps_prescribed(problem, orders)


def _orders(problem: Problem, residuals: list[Field]) -> dict[tuple[str, str], int]:
    """How often equations differentiate an unknown along a coordinate."""
    names = [*problem.inputs.names, *(f"normal_{name}" for name in problem.domain.names)]
    found: dict[tuple[str, str], int] = {}
    for _, _, wanted in needs(residuals, dict.fromkeys(names, 0.0)):
        for unknown, alongs in wanted.items():
            for along in alongs:
                for name in along:
                    key = unknown, name
                    found[key] = max(found.get(key, 0), along.count(name))
    return found


def _steps_prescribed(problem: Problem, orders: dict[tuple[str, str], int]) -> Iterator[str]:
    """Conditions with a value, or a slope of it, that jumps where equations differentiate it."""
    numbers = constants(problem, unsought(problem))
    for condition in problem.conditions:
        carried = {"course"} if "course" in condition.formulas else {"value", "slope"}
        edge = None if "course" in condition.formulas else condition.edge
        for what, value in condition.formulas.items():
            if what not in carried or not callable(value) or isinstance(value, Held):
                continue
            field = Field(partial(prescribed, value, numbers))
            if not _chooses(field, dict.fromkeys(problem.inputs.names, 0.5)):
                continue
            for (unknown, name), order in sorted(orders.items()):
                if unknown == condition.unknown:
                    yield from _step(problem, condition, (what, edge), field, (name,) * order)


def _step(
    problem: Problem,
    condition: Prescribed,
    carried: tuple[str, Edge | None],
    field: Field,
    along: Along,
) -> Iterator[str]:
    """The first jump of a prescribed value, or of its derivatives."""
    what, edge = carried
    for count, name in enumerate(along):
        where = _jump(problem, d(field, *along[:count]) if count else field, name, edge)
        if where is not None:
            axis = problem.inputs_axis(name)
            jumping = "its slope jumps" if count == 1 else f"its derivative {count} jumps"
            yield (
                f"{condition.describe()}: {jumping if count else f'its {what} jumps'}, as at "
                f"{name} = {where:.6g} {axis.unit}; it is carried into the domain, where the "
                f"equations differentiate it along {name}; give its course, which says how it "
                "becomes smooth, or make it smooth over a width, such as by jnp.tanh"
            )
            return


def waves(problem: Problem) -> Outputs:
    """In place of a network: waves that fill the ranges of the unknowns, with all derivatives."""
    axes, random = problem.inputs.axes, np.random.default_rng(7)
    shape = inputs_of(axes, 1), len(problem.unknowns)
    kernel = jnp.asarray(random.choice((-1.0, 1.0), shape) * random.uniform(1.5, 3.0, shape))
    shift = jnp.asarray(random.uniform(-1.0, 1.0, shape[1]))

    def outputs(coordinates: list[Jet]) -> Jet:
        inner = embedded(axes, coordinates, 1).linear(kernel, shift)
        return inner.through(sine_tower).times(WAVE)

    return outputs


def _differentiated(field: Field) -> Iterator[tuple[Field, str, Place]]:
    """Expressions that are differentiated, each with the coordinate, outermost first."""
    seen: set[tuple[int, Along, Place]] = set()

    def visit(field: Any, along: Along, place: Place) -> Iterator[tuple[Field, str, Place]]:
        key = id(field), along, place
        if not isinstance(field, Field) or key in seen:
            return
        seen.add(key)
        if isinstance(field, Derivative):
            yield from visit(field.field, tuple(sorted(along + field.along)), place)
        elif isinstance(field, Elsewhere):
            if not any(name in dict(field.place) for name in along):
                yield from visit(field.field, along, merged(place, field.place))
        elif isinstance(field, Applied):
            node: Field = field
            for name in along:
                yield node, name, place
                node = node.slope(name) if isinstance(node, Applied) else node
            for argument in field.arguments:
                yield from visit(argument, (), place)
        elif type(field) is Field:
            for count, name in enumerate(along):
                yield (Derivative(field, along[:count]) if count else field), name, place

    yield from visit(field, (), ())


def _chooses(field: Any, point: dict[str, float] | None = None) -> bool:
    """Whether anything in an expression is compared, chosen or rounded."""
    if isinstance(field, Derivative | Elsewhere):
        return _chooses(field.field, point)
    if isinstance(field, Applied):
        scalars = [1.0 if isinstance(item, Field) else item for item in field.arguments]
        own = _has_choice(field.function, scalars)
        return own or any(_chooses(item, point) for item in field.arguments)
    if type(field) is Field:
        if point is None:  # its coordinates are not known here
            return True
        return _has_choice(lambda *values: field.function(dict(zip(point, values, strict=True))),
                           list(point.values()))  # fmt: skip
    return False


def _has_choice(function: Any, arguments: list[Any]) -> bool:
    try:
        closed = jax.make_jaxpr(function)(*arguments)
    except (TypeError, ValueError, IndexError):  # it wants whole numbers or truth values
        return True
    return any(eqn.primitive.name in CHOICES or _truncates(eqn) for eqn in _equations(closed.jaxpr))


def _truncates(eqn: Any) -> bool:
    """Whether a number becomes a whole one."""
    if eqn.primitive.name != "convert_element_type":
        return False
    return not jnp.issubdtype(eqn.params["new_dtype"], jnp.inexact) or not jnp.issubdtype(
        eqn.invars[0].aval.dtype, jnp.inexact
    )


def _equations(jaxpr: Any) -> Iterator[Any]:
    """All equations, those of inner functions too."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in _inner(eqn.params.values()):
            yield from _equations(inner)


def _inner(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _inner(value)
        elif hasattr(value, "eqns"):
            yield value
        elif hasattr(value, "jaxpr"):
            yield value.jaxpr


def _jump(problem: Problem, field: Field, name: str, edge: Edge | None) -> float | None:
    """Where along `name` a field jumps; None where no jump is met."""
    if isinstance(edge, str) or (edge is not None and edge[0] == name):
        return None
    axis, random = problem.inputs_axis(name), np.random.default_rng(11)
    start = problem.inputs.draw(random, LINES)
    if edge is not None:
        start[edge[0]] = np.full(LINES, edge[1])

    def values(line: np.ndarray, along: np.ndarray) -> np.ndarray:
        points = {key: np.broadcast_to(at[line][:, None], along.shape).ravel()
                  for key, at in start.items()}  # fmt: skip
        points[name] = along.ravel()
        normals = {f"normal_{key}": np.zeros(along.size) for key in problem.domain.names}
        found = np.asarray(evaluate([field], points | normals)[0])
        return np.broadcast_to(found, along.size).reshape(along.shape)

    margin = 1e-6 * (axis.high - axis.low)
    line = np.arange(LINES)
    grid = np.linspace(axis.low + margin, axis.high - margin, PLACES)
    along = np.broadcast_to(grid, (LINES, PLACES))
    try:
        coarse = values(line, along)
    except (InputError, TypeError, ValueError):  # told elsewhere
        return None
    spread = np.nanmax(coarse, axis=1) - np.nanmin(coarse, axis=1)
    line, low, high = _steepest(coarse, along)
    for _ in range(LEVELS):
        along = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, CLOSER)
        steps = np.nan_to_num(np.abs(np.diff(values(line, along), axis=1)))
        place = np.argmax(steps, axis=1)
        rows = np.arange(len(line))
        low, high, left = along[rows, place], along[rows, place + 1], steps[rows, place]
    jumped = (left > JUMP * spread[line]) & (spread[line] > 0)
    points = {key: at[line] for key, at in start.items()} | {name: low}
    jumped &= problem.domain.within(points) if edge is None else True
    return float(low[np.flatnonzero(jumped)[0]]) if jumped.any() else None


def _steepest(values: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Line, start and end of the intervals with the greatest steps and changes of steps."""
    steps = np.nan_to_num(np.abs(np.diff(values, axis=1)))
    bends = np.zeros_like(steps)
    bends[:, 1:-1] = np.nan_to_num(np.abs(np.diff(values, 3, axis=1)))
    chosen = np.concatenate(
        [np.argsort(-size, axis=1)[:, :STEEPEST] for size in (steps, bends)], axis=1
    )
    line = np.repeat(np.arange(len(values)), chosen.shape[1])
    place = chosen.ravel()
    return line, along[line, place], along[line, place + 1]
