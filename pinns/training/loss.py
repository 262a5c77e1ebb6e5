"""What training makes small: residuals of the equations, and misfit to what was measured.

loss = sum over equations of weight · mean (residual / scale)²
       + sum over measurements of weight · mean (misfit / scale of the unknown)²
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.domain import draw_edge
from tvilling.pinns.fields.evaluation import evaluate, moved, needs
from tvilling.pinns.fields.jets import Jet
from tvilling.pinns.network.ansatz import (
    Lifts,
    Params,
    constants,
    depends_on_free,
    fields,
    indices_of,
    lift_and_mask,
    lift_key,
    terms,
    unsought,
)
from tvilling.pinns.network.network import Network
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.training.groups import Group, Placed, PlacedByGroup, groups_of


@dataclass(frozen=True, eq=False)
class PhysicsLoss:
    """The residual rows of one problem and network."""

    problem: Problem
    graph: nnx.GraphDef[Network]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The terms of the loss by their points."""
        return groups_of(self.problem)

    def rows(self, params: Params, placed: PlacedByGroup) -> Float[Array, " row"]:
        """Scaled residuals, whose squares add up to the loss."""
        parts = [self.group_rows(group, params, placed[group.name]) for group in self.groups]
        return jnp.concatenate([part.ravel() for part in parts])

    def group_rows(self, group: Group, params: Params, placed: Placed) -> Float[Array, "term n"]:
        """The rows of one group."""
        at = terms(self.problem, self.graph, params, placed.lifts)
        values = evaluate(group.fields(at), placed.points)
        full = [jnp.broadcast_to(value, placed.target.shape[1:]) for value in values]
        return (jnp.stack(full) - placed.target) * placed.factor

    def place(
        self, group: Group, points: Mapping[str, ArrayLike], factors: Float[ArrayLike, " term"]
    ) -> Placed:
        """`points` with all that does not change while they are trained on.

        `factors` are the roots of the weights of the terms over their scales.
        """
        count = jnp.shape(next(iter(points.values())))[0]
        each = jnp.asarray(factors)[:, None] / count**0.5
        target = jnp.zeros((each.shape[0], count))
        if group.measured is not None:
            target = jnp.asarray(group.measured.values)[None, :]
        arrays = {name: jnp.asarray(value, float) for name, value in points.items()}
        factor = jnp.broadcast_to(each, target.shape)
        return Placed(arrays, target, factor, self._lifts(group, arrays))

    def _lifts(self, group: Group, points: dict[str, Array]) -> Lifts:
        """Lifts and masks at `points` of the unknowns that need them and nothing that is found."""
        free = unsought(self.problem)
        numbers = constants(self.problem, free)
        at = fields(self.problem, _nothing, free)
        found: Lifts = {}
        for _, place, wanted in needs(group.fields(at), points):
            there = moved(points, place)
            indices = indices_of(wanted, self.problem.inputs.names)
            for name in wanted:
                unknown = self.problem.unknown(name)
                fixed = not depends_on_free(self.problem, unknown)
                if self.problem.conditions_on(name) and fixed:
                    key = lift_key(name, place)
                    found[key] = lift_and_mask(self.problem, unknown, numbers, there, indices)
        return found


def _nothing(coordinates: list[Jet]) -> Jet:
    """In place of a network where only the form of an expression is looked at."""
    raise AssertionError("an expression was computed without a network")


def drawn(
    problem: Problem, group: Group, random: np.random.Generator, count: int
) -> dict[str, Float[np.ndarray, " point"]]:
    """Points of a group: its own where something was measured, else drawn anew."""
    if group.measured is not None:
        names = problem.inputs.names
        return {name: np.asarray(group.measured.points[name], float) for name in names}
    if group.edge is None:
        return problem.inputs.draw(random, count)
    return draw_edge(problem.inputs, group.edge, random, count)
