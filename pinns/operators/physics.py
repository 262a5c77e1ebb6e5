"""The residual of a problem's equation as a loss of a DeepONet, with the problem's own fields.

Wang, Wang and Perdikaris, Sci. Adv. 7 (2021) eabi8605, DOI 10.1126/sciadv.abi8605. It adds to the
samples and does not replace them: the conditions are learnt from these alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.field import Coordinate, Field, of
from tvilling.pinns.network.ansatz import constants
from tvilling.pinns.operators.layers import DTYPE
from tvilling.pinns.operators.model import Layout
from tvilling.pinns.operators.problem import OperatorProblem
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError


@dataclass(frozen=True)
class Physics:
    """How much the equation counts, and where.

    Attributes
    ----------
    scale
        Size of a residual that counts as one [unit of the equation].
    weight
        Of the mean squared scaled residual in the loss, beside 1 for the data.
    points
        Points drawn in the domain, once, from `seed`.
    """

    scale: float
    weight: float = 0.1
    points: int = 100
    seed: int = 0


def residuals(
    problem: OperatorProblem,
    solution_at: Callable[[Any], Array],
    points: dict[str, Float[Array, " point"]],
) -> Float[Array, "equation point"]:
    """Residuals inside of a function of a point in the place of the unknown."""
    template = problem.template
    named: dict[str, Any] = {problem.unknown.name: Field(solution_at)}
    named |= {axis.name: Coordinate(axis.name) for axis in template.inputs.axes}
    numbers = constants(template, {})
    named |= {name: of(jnp.asarray, value) for name, value in numbers.items()}
    equations = [item for item in template.equations if item.face is None]
    return jnp.stack(evaluate([item.residual(Variables(named)) for item in equations], points))


def physics_loss(
    problem: OperatorProblem, network: Any, layout: Layout, scaling: Any, physics: Physics
) -> Callable[[Any, Array], Array]:
    """The mean squared scaled residual over functions and points."""
    if problem.at:
        missing = ", ".join(problem.at)
        raise InputError(f"operator for {problem.name}", [f"the equation needs {missing} as well"])
    drawn = problem.template.inputs.draw(np.random.default_rng(physics.seed), physics.points)
    points = {name: jnp.asarray(values) for name, values in drawn.items()}

    def loss(weights: Any, functions: Array) -> Array:
        branch = network.branch(weights, functions.astype(DTYPE))

        def one(coefficients: Array) -> Array:
            def solution_at(point: Any) -> Array:
                scaled = network.trunk(layout, weights, point) @ coefficients + weights["mean"]
                return scaling.solution(scaled.astype(float))

            return residuals(problem, solution_at, points)

        return physics.weight * jnp.mean((jax.vmap(one)(branch) / physics.scale) ** 2)

    return loss
