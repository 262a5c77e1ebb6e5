"""The trial solution: a network that meets the conditions by construction, as fields."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tvilling.pinns.fields.evaluation import (
    Along,
    NeededDerivatives,
    Place,
    derivative,
    evaluate,
    real,
)
from tvilling.pinns.fields.field import Coordinate, Field, Point, Scalar, Solved, d, of
from tvilling.pinns.fields.jets import Index, Jet, closed, coordinate
from tvilling.pinns.fields.symmetry import Outputs, symmetric
from tvilling.pinns.network.network import Network, NetworkSettings, embedded, inputs_of
from tvilling.pinns.problem.conditions import Held, lift, mask
from tvilling.pinns.problem.parameters import Free
from tvilling.pinns.problem.statement import Problem, Unknown
from tvilling.pinns.problem.variables import Formula, Recorded, Variables
from tvilling.sciml.core.errors import InputError

Lifts = dict[str, tuple[Float[Array, "index point"], Float[Array, "index point"]]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """What training changes: the network's weights, and free parameters by name, unbounded."""

    network: nnx.State
    free: dict[str, Float[Array, ""]]


def start(
    problem: Problem, settings: NetworkSettings, key: jax.Array
) -> tuple[nnx.GraphDef[Network], Params]:
    """An untrained network for `problem`, with free parameters in the middle of their range."""
    inputs = inputs_of(problem.inputs.axes, settings.modes)
    make, graph = _maker(inputs, len(problem.unknowns), settings)
    return graph, Params(make(key), unsought(problem))


def unsought(problem: Problem) -> dict[str, Float[Array, ""]]:
    """Free parameters in the middle of their range, where nothing was found yet, unbounded."""
    return {item.name: jnp.zeros(()) for item in problem.free}


@cache
def _maker(
    inputs: int, outputs: int, settings: NetworkSettings
) -> tuple[Callable[[jax.Array], nnx.State], nnx.GraphDef[Network]]:
    """Draws weights, compiled, and the graph they belong to."""
    make = jax.jit(lambda key: nnx.state(Network(inputs, outputs, settings, key)))
    key = jax.random.key(0)
    return make, nnx.graphdef(nnx.eval_shape(lambda: Network(inputs, outputs, settings, key)))


class Ansatz:
    """The unknowns of a problem with one network: a source of fields.

    Parameters
    ----------
    outputs
        Takes the embedded coordinates and gives the network's outputs.
    numbers
        Fixed and free parameters by name.
    lifts
        Derivatives of lift and mask of each unknown that were computed beforehand.
    """

    def __init__(
        self,
        problem: Problem,
        outputs: Outputs,
        numbers: dict[str, Scalar],
        lifts: Lifts | None = None,
    ) -> None:
        self.problem, self.numbers = problem, numbers
        self.outputs = symmetric(problem, outputs)
        self.lifts = lifts or {}

    def derivatives(
        self, points: Point, wanted: NeededDerivatives, place: Place = ()
    ) -> dict[tuple[str, Along], Array]:
        """The wanted derivatives of the unknowns, from one pass through the network."""
        check_place(self.problem, place)
        names = self.problem.inputs.names
        indices = indices_of(wanted, names)
        shape = jnp.shape(points[names[0]])
        flat = {name: jnp.atleast_1d(points[name]) for name in names}
        given = [coordinate(indices, row, flat[name]) for row, name in enumerate(names)]
        network = self.outputs(given)
        found = {}
        for row, unknown in enumerate(self.problem.unknowns):
            if unknown.name in wanted:
                own = Jet(indices, network.values[..., row])
                jet = self._imposed(unknown, own, flat, place)
                for along in wanted[unknown.name]:
                    index = index_of(along, names)
                    found[unknown.name, along] = jet[index].reshape(shape)
        return found

    def _imposed(self, unknown: Unknown, network: Jet, points: Point, place: Place) -> Jet:
        """Lift plus mask times network; without conditions about the middle of the range."""
        scaled = network.times(unknown.scale)
        if not self.problem.conditions_on(unknown.name):
            return scaled.plus(unknown.middle)
        indices = network.indices
        known = self.lifts.get(lift_key(unknown.name, place))
        if known is None:
            known = lift_and_mask(self.problem, unknown, self.numbers, points, indices)
        return Jet(indices, known[0]) + Jet(indices, known[1]) * scaled


def check_place(problem: Problem, place: Place) -> None:
    """Raise an InputError where a field is wanted outside the domain."""
    axes = {axis.name: axis for axis in problem.inputs.axes if not axis.periodic}
    faults = [
        f"{name} = {value:g} {axes[name].unit} lies outside {problem.name}, "
        f"expected {axes[name].low:g} to {axes[name].high:g} {axes[name].unit}"
        for name, value in place
        if name in axes and not axes[name].low <= value <= axes[name].high
    ]
    if faults:
        raise InputError("at_place()", faults)


def lift_key(unknown: str, place: Place) -> str:
    """Under which name lift and mask of an unknown at a place are kept."""
    return unknown + "".join(f"@{name}={value!r}" for name, value in place)


def lift_and_mask(
    problem: Problem,
    unknown: Unknown,
    numbers: dict[str, Scalar],
    points: Point,
    indices: tuple[Index, ...],
) -> tuple[Array, Array]:
    """Derivatives of both over `points`, each `[index, point]`."""
    conditions, domain = problem.conditions_on(unknown.name), problem.domain
    names = problem.inputs.names
    own = {name: points[name] for name in names}
    alongs = [along_of(index, names) for index in indices]
    carried = lift(conditions, domain, lambda value: valued(value, numbers))
    wanted = [d(carried, *along) if along else carried for along in alongs]
    shape = jnp.shape(own[names[0]])
    lifted = [jnp.broadcast_to(found, shape) for found in evaluate(wanted, own)]

    def free(point: Point) -> Scalar:
        return mask(conditions, domain, point)

    return jnp.stack(lifted), jnp.stack([derivative(free, along, own) for along in alongs])


def valued(value: Formula | float, numbers: dict[str, Scalar]) -> Field:
    """What a condition prescribes as a field."""
    if isinstance(value, Held):
        return value.field
    return Field(lambda point: prescribed(value, numbers, point))


def index_of(along: Along, names: tuple[str, ...]) -> Index:
    """`("x", "x")` among coordinates x and t is (2, 0)."""
    return tuple(along.count(name) for name in names)


def along_of(index: Index, names: tuple[str, ...]) -> Along:
    """The other way round."""
    return tuple(name for name, count in zip(names, index, strict=True) for _ in range(count))


def indices_of(wanted: NeededDerivatives, names: tuple[str, ...]) -> tuple[Index, ...]:
    """All indices that the wanted derivatives of all unknowns take."""
    every = frozenset(index_of(along, names) for items in wanted.values() for along in items)
    return closed(every, len(names))


def terms(
    problem: Problem,
    graph: nnx.GraphDef[Network],
    params: Params,
    lifts: Lifts | None = None,
) -> Variables:
    """Unknowns, coordinates and parameters as fields, with the weights `params`."""
    network = nnx.merge(graph, params.network)
    axes = problem.inputs.axes

    def outputs(coordinates: list[Jet]) -> Jet:
        return network(embedded(axes, coordinates, network.settings.modes))

    return fields(problem, outputs, params.free, lifts)


def fields(
    problem: Problem,
    outputs: Outputs,
    free: dict[str, Float[Array, ""]],
    lifts: Lifts | None = None,
) -> Variables:
    """The same for any function `outputs` in place of the network."""
    numbers = constants(problem, free)
    return fields_of(problem, Ansatz(problem, outputs, numbers, lifts), numbers)


def fields_of(problem: Problem, source: Any, numbers: dict[str, Scalar]) -> Variables:
    """The same for any source of the unknowns and their derivatives."""
    named: dict[str, Any] = {item.name: Solved(item.name, source) for item in problem.unknowns}
    named |= {axis.name: Coordinate(axis.name) for axis in problem.inputs.axes}
    named |= {f"normal_{name}": Coordinate(f"normal_{name}") for name in problem.domain.names}
    named |= {name: of(jnp.asarray, value) for name, value in numbers.items()}
    for item in problem.derived:
        named[item.name] = item.formula(Variables(named))
    return Variables(named)


def constants(problem: Problem, free: dict[str, Float[Array, ""]]) -> dict[str, Scalar]:
    """Fixed and free parameters by name, in their units."""
    known = {item.name: jnp.asarray(item.value, float) for item in problem.fixed}
    return known | {item.name: item.value(free[item.name]) for item in problem.free}


def prescribed(value: Formula | float, numbers: dict[str, Scalar], point: Point) -> Scalar:
    """The number that a condition's value or slope is at a point."""
    if not callable(value):
        return jnp.asarray(value, float)
    found = value(Variables({**point, **numbers}))
    return found(point) if isinstance(found, Field) else real(found)


def depends_on_free(problem: Problem, unknown: Unknown) -> bool:
    """Whether a condition on `unknown` uses a parameter that is to be found."""
    names: set[str] = set()
    point = {axis.name: jnp.asarray((axis.low + axis.high) / 2) for axis in problem.inputs.axes}
    numbers = constants(problem, unsought(problem))
    for condition in problem.conditions_on(unknown.name):
        for value in condition.formulas.values():
            if callable(value):
                value(Recorded({**point, **numbers}, names))
    free: tuple[Free, ...] = problem.free
    return bool(names & {item.name for item in free})
