"""The trial solution: a network that meets the conditions by construction, as fields."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from tvilling.pinns.conditions import Condition, lift, mask
from tvilling.pinns.field import Field, Point, Scalar, of
from tvilling.pinns.network import Network
from tvilling.pinns.problem import Problem, Unknown
from tvilling.pinns.terms import Terms

Outputs = Callable[[Point], Float[Array, " unknown"]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """What training changes: the network's weights, and free parameters by name, unbounded."""

    network: nnx.State
    free: dict[str, Float[Array, ""]]


def start(
    problem: Problem, width: int, depth: int, key: jax.Array
) -> tuple[nnx.GraphDef[Network], Params]:
    """An untrained network for `problem`, with free parameters in the middle of their range."""
    sizes = len(problem.inputs.axes), len(problem.unknowns), width, depth
    weights = jax.jit(lambda key: nnx.state(Network(*sizes, key)))(key)
    graph = nnx.graphdef(nnx.eval_shape(lambda: Network(*sizes, key)))
    return graph, Params(weights, {item.name: jnp.zeros(()) for item in problem.free})


def terms(problem: Problem, graph: nnx.GraphDef[Network], params: Params) -> Terms:
    """Unknowns, coordinates and parameters as fields, with the weights `params`."""
    network = nnx.merge(graph, params.network)
    inputs = problem.inputs

    def outputs(point: Point) -> Float[Array, " unknown"]:
        result: Float[Array, " unknown"] = network(inputs.scaled(dict(point)))
        return result

    return fields(problem, outputs, params.free)


def fields(problem: Problem, outputs: Outputs, free: dict[str, Float[Array, ""]]) -> Terms:
    """The same for any function `outputs` in place of the network."""
    numbers = constants(problem, free)
    named: dict[str, Any] = {}
    for index, unknown in enumerate(problem.unknowns):
        named[unknown.name] = _unknown_field(problem, unknown, index, outputs, numbers)
    for axis in problem.inputs.axes:
        named[axis.name] = Field(itemgetter(axis.name))
    for name, value in numbers.items():
        named[name] = of(jnp.asarray, value)  # the same everywhere
    return Terms(named)


def constants(problem: Problem, free: dict[str, Float[Array, ""]]) -> dict[str, Scalar]:
    """Fixed and free parameters by name, in their units."""
    known = {item.name: jnp.asarray(item.value, float) for item in problem.fixed}
    return known | {item.name: item.value(free[item.name]) for item in problem.free}


def prescribed(condition: Condition, numbers: dict[str, Scalar], point: Point) -> Scalar:
    """The value of `condition` at a point of its face."""
    value = condition.value
    if not callable(value):
        return jnp.asarray(value, float)
    found = value(Terms({**point, **numbers}))
    return found(point) if isinstance(found, Field) else jnp.asarray(found, float)


def _unknown_field(
    problem: Problem,
    unknown: Unknown,
    index: int,
    outputs: Outputs,
    numbers: dict[str, Scalar],
) -> Field:
    conditions = problem.conditions_on(unknown.name)
    domain = problem.domain

    def value(point: Point) -> Scalar:
        network = outputs(point)[index]
        if not conditions:
            return unknown.middle + unknown.scale * network
        carried = lift(conditions, domain, point, lambda face, at: prescribed(face, numbers, at))
        return carried + unknown.scale * mask(conditions, domain, point) * network

    return Field(value)
