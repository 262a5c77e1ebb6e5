"""The last steps of a fit: a network taken to the very minimum on points that stay the same.

Readings count for little beside equations here, so that a first-order method would take for ever;
Levenberg and Marquardt's does not mind. Compiled once for all data at the same sensors.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.pinns.optimisers import gauss_newton
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.training.groups import PlacedByGroup
from tvilling.pinns.training.loss_weights import Judged, LossWeights, weighing_of
from tvilling.pinns.training.objective import Physics, of_problem
from tvilling.pinns.training.settings import TrainSettings

ROWS_A_WEIGHT = 3  # residuals of equations for each weight of the network, at least
REFINED = 0x5EED  # sets its points apart from those of the training
WARM = 1e-6  # damping where the minimum is near


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Refined:
    """A minimum and what it tells.

    Attributes
    ----------
    theta
        Weights and, last, unbounded parameters in the order of their names.
    steps
        That were taken.
    """

    theta: Float[Array, " n"]
    judged: Judged
    steps: Array


@dataclass(frozen=True, eq=False)
class Polish:
    """Fits one network to readings at given sensors.

    Attributes
    ----------
    placed
        Points of all groups, with the readings.
    """

    physics: Physics
    weighing: LossWeights
    placed: PlacedByGroup

    @property
    def problem(self) -> Problem:
        """What is solved."""
        return self.physics.problem

    @cached_property
    def theta(self) -> Float[Array, " n"]:
        """Where it begins."""
        return ravel_pytree(self.physics.params)[0]

    def params(self, theta: Float[Array, " n"]) -> Any:
        """Weights as a network has them."""
        return ravel_pytree(self.physics.params)[1](theta)

    def with_readings(self, values: Float[Array, " reading"]) -> PlacedByGroup:
        """The same points with other readings, all measurements one after the other."""
        placed, begin = dict(self.placed), 0
        for index, measured in enumerate(self.problem.measured):
            count, name = len(measured.values), f"measured {index}"
            placed[name] = replace(placed[name], target=values[None, begin : begin + count])
            begin += count
        return placed

    def fit(
        self,
        theta: Float[Array, " n"],
        placed: PlacedByGroup,
        noise: Float[Array, " measured"] | None,
        steps: int,
    ) -> Refined:
        """Up to `steps` steps from `theta`; traceable by JAX."""

        def rows(theta: Array) -> Array:
            return self.physics.rows(theta, placed)

        def jacobian(theta: Array) -> Array:
            return self.physics.jacobian(theta, placed)

        begin = replace(gauss_newton.unbegun(theta), damping=jnp.full((), WARM))
        found = gauss_newton.descend(rows, jacobian, begin, steps)
        judged = self.weighing.judged(rows(found.x), jacobian(found.x), noise)
        return Refined(found.x, judged, found.steps)

    @cached_property
    def fitted(self) -> Any:
        """`fit` compiled, for the readings of the problem."""
        return jax.jit(self.fit, static_argnums=3)

    def judged(self, noise: Float[Array, " measured"] | None) -> Judged:
        """What the rows tell where the network stands."""

        @jax.jit
        def tell(theta: Array, placed: PlacedByGroup) -> Judged:
            rows = self.physics.rows(theta, placed)
            return self.weighing.judged(rows, self.physics.jacobian(theta, placed), noise)

        found: Judged = tell(self.theta, self.placed)
        return found


def refining_of(solution: Solution, problem: Problem, settings: TrainSettings, seed: int) -> Polish:
    """From a trained network, for `problem`, which is that of the solution with other weights."""
    weights = ravel_pytree(solution.params)[0].size
    inside = sum(item.face is None for item in problem.equations)
    points = max(settings.points, -(-ROWS_A_WEIGHT * weights // max(inside, 1)))
    settings = replace(settings, points=points, focus=0.0, causal=None, balance=False)
    scales = {
        item.name: item.scale or dict(solution.scales)[item.name] for item in problem.equations
    }
    physics = of_problem(problem, solution.graph, solution.params, scales, settings)
    random = np.random.default_rng([seed, REFINED])
    placed = physics.draw(random, ravel_pytree(solution.params)[0])
    return Polish(physics, weighing_of(physics, points, settings.edge_points), placed)
