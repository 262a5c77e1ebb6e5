"""What a system asks of networks: values at places for parameters of a family, and residuals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Edge, Points, draw_edge
from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.field import at_place, of
from tvilling.pinns.network.ansatz import Params, terms
from tvilling.pinns.network.network import Network, NetworkSettings
from tvilling.pinns.problem.specification import declared
from tvilling.pinns.problem.statement import Equation, Problem
from tvilling.pinns.problem.variables import Formula, Variables

PLACES = 16  # where each equation's residual is taken for one answer
REACH = 1.25  # half widths from the middle of its range up to which an input enters the network
INSIDE = None  # the key of places that are on no edge

Inputs = dict[str, Float[Array, ""]]


@dataclass(frozen=True)
class SurrogateOutput:
    """An output of the system: a quantity at a place.

    Attributes
    ----------
    name, unit, low, high
        Of the channel; its values are kept within `low` and `high`.
    of
        Name of an unknown, or a formula such as `lambda at: at.hot_degc - at.cold_degc`.
    place
        Coordinate of each axis of the domain. The end of the step where time is not named.
    description
        What it is, in a few words; its name where empty.
    """

    name: str
    unit: str
    low: float
    high: float
    of: str | Formula
    place: Mapping[str, float] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True)
class StateMapping:
    """A parameter of the family that is a state, and what it is when the step ends.

    Attributes
    ----------
    parameter
        Name of the `Ranged` parameter: one that a condition takes its start value from, or one
        that nobody sets and a twin is to find, such as fouling.
    of
        The unknown, or a formula such as `lambda at: d(at.angle_rad, "time_s")`, that has become
        of it at the end of the step. None: it stays as it is.
    place
        Coordinates of axes other than time.
    """

    parameter: str
    of: str | Formula | None = None
    place: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class SurrogateQuery:
    """A problem's network, what is asked of it, and where its residual is taken.

    Attributes
    ----------
    targets
        What is asked and the place of it: carried values first, then gauges.
    half
        Half the width of the range of each target.
    scales
        Residual of each equation that counts as one [unit of the equation].
    """

    problem: Problem
    graph: nnx.GraphDef[Network]
    network: NetworkSettings
    targets: tuple[tuple[str | Formula, Mapping[str, float]], ...]
    half: tuple[float, ...]
    scales: Mapping[str, float]
    places: Mapping[Edge | None, Points]

    def __repr__(self) -> str:
        """The same in every process, since versions of models are told apart by it."""
        asked = [(what if isinstance(what, str) else "formula", at) for what, at in self.targets]
        return f"SurrogateQuery({declared(self.problem)}, {asked}, {self.half}, {self.network})"

    @property
    def ranged(self) -> tuple[Axis, ...]:
        """Parameters of the family, which are the inputs."""
        return self.problem.inputs.ranged

    def scaled(self, inputs: Inputs) -> Float[Array, " input"]:
        """Inputs from -1 to 1 over their ranges."""
        return jnp.stack([2 * axis.share(inputs[axis.name]) - 1 for axis in self.ranged])

    def held(self, scaled: Float[Array, " input"]) -> Inputs:
        """Inputs in their units, none farther out than a network may be asked."""
        kept = jnp.clip(scaled, -REACH, REACH)
        return {
            axis.name: axis.low + (axis.high - axis.low) * (1 + share) / 2
            for axis, share in zip(self.ranged, kept, strict=True)
        }

    def answer(
        self, params: Params, scaled: Float[Array, " input"]
    ) -> tuple[Float[Array, " target"], Float[Array, ""]]:
        """The targets by one network, and the root mean square of its scaled residuals."""
        inputs = self.held(scaled)
        at = terms(self.problem, self.graph, params)
        asked = [at_place(_field(what, at), **place) for what, place in self.targets]
        origin = {axis.name: jnp.asarray(axis.low) for axis in self.problem.domain.axes}
        values = jnp.stack(evaluate(asked, origin | inputs))
        return values, self._residual(at, inputs)

    def answers(
        self, params: Params, scaled: Float[Array, " input"]
    ) -> tuple[Float[Array, "member target"], Float[Array, " member"]]:
        """The same by every network of an ensemble, whose weights are stacked; compiled."""
        values, residuals = _answers(self, params, scaled)
        return values, residuals

    def _residual(self, at: Variables, inputs: Inputs) -> Float[Array, ""]:
        squares = []
        for edge, points in self.places.items():
            equations = [item for item in self.problem.equations if item.face == edge]
            count = len(next(iter(points.values())))
            here = {name: jnp.asarray(values) for name, values in points.items()}
            here |= {name: jnp.broadcast_to(value, (count,)) for name, value in inputs.items()}
            fields = [item.field(at) for item in equations]
            for item, value in zip(equations, evaluate(fields, here), strict=True):
                squares.append(jnp.mean((value / self.scales[item.name]) ** 2))
        return jnp.sqrt(jnp.mean(jnp.stack(squares)) + jnp.finfo(float).tiny)


@partial(jax.jit, static_argnums=0)
def _answers(question: SurrogateQuery, params: Params, scaled: Array) -> tuple[Array, Array]:
    return jax.vmap(question.answer, (0, None))(params, scaled)


def _field(what: str | Formula, at: Variables) -> Any:
    """The unknown of that name, or what a formula makes of it."""
    return getattr(at, what) if isinstance(what, str) else of(lambda value: value, what(at))


def places_of(problem: Problem) -> dict[Edge | None, Points]:
    """Where residuals are taken: some points inside, and some on each edge with an equation."""
    random = np.random.default_rng(0)
    found: dict[Edge | None, Points] = {}
    equations: tuple[Equation, ...] = problem.equations
    for edge in dict.fromkeys(item.face for item in equations):
        if edge is None:
            found[INSIDE] = problem.domain.draw(random, PLACES)
        else:
            found[edge] = draw_edge(problem.domain, edge, random, PLACES)
    return found
