"""What training makes small: residuals of the equations, and misfit to what was measured."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from tvilling.pinns.conditions import Measured
from tvilling.pinns.domain import Points
from tvilling.pinns.field import Field, of
from tvilling.pinns.network import Network
from tvilling.pinns.problem import Equation, Problem
from tvilling.pinns.terms import Terms
from tvilling.pinns.trial import Params, start, terms

Weights = Float[Array, " n"]

UNTRAINED, SCALE_POINTS, SCALE_SEED = 3, 512, 20_240  # networks and points behind a scale


def over(field: Field, points: Points) -> Float[Array, " point"]:
    """The values of `field` at `points`."""
    return jax.vmap(field)(points)


def residual(equation: Equation, at: Terms, points: Points) -> Float[Array, " point"]:
    """The residual of one equation [its unit], at `points` or at their feet on its face."""
    if equation.face is not None:
        axis, coordinate = equation.face
        points = {**points, axis: jnp.full_like(points[axis], coordinate)}
    return over(of(lambda value: value, equation.residual(at)), points)


@dataclass(frozen=True, eq=False)
class PhysicsLoss:
    """The loss of one problem and network, as a function of weights and points.

        sum over equations of weight · mean (residual / scale)²
        + sum over measurements of weight · mean (misfit / scale of the unknown)²

    Attributes
    ----------
    scales
        Of the residuals, by name of the equation [its unit].
    """

    problem: Problem
    graph: nnx.GraphDef[Network]
    scales: dict[str, float]

    def __call__(self, params: Params, points: Points) -> Float[Array, ""]:
        """The loss of weights `params` over `points`."""
        at = terms(self.problem, self.graph, params)
        total = jnp.zeros(())
        for equation in self.problem.equations:
            scaled = residual(equation, at, points) / self.scales[equation.name]
            total = total + equation.weight * jnp.mean(scaled**2)
        for measured in self.problem.measured:
            total = total + measured.weight * jnp.mean(self._misfit(at, measured) ** 2)
        return total

    def _misfit(self, at: Terms, measured: Measured) -> Float[Array, " point"]:
        points = {name: jnp.asarray(values) for name, values in measured.points.items()}
        found = over(getattr(at, measured.unknown), points)
        return (found - jnp.asarray(measured.values)) / self.problem.unknown(measured.unknown).scale


def residual_scales(problem: Problem, width: int, depth: int) -> dict[str, float]:
    """Size of each residual [its unit]: as declared, or its root mean square untrained.

    The networks behind it are always the same, whatever the seed of a training.
    """
    wanted = [item for item in problem.equations if item.scale is None]
    scales = {item.name: item.scale for item in problem.equations if item.scale is not None}
    points_key, *keys = jax.random.split(jax.random.key(SCALE_SEED), UNTRAINED + 1)
    points = problem.inputs.sample(points_key, SCALE_POINTS)
    graph, _ = start(problem, width, depth, keys[0])

    @jax.jit
    def squares(params: Params) -> dict[str, Float[Array, ""]]:
        at = terms(problem, graph, params)
        return {item.name: jnp.mean(residual(item, at, points) ** 2) for item in wanted}

    if wanted:
        found = [squares(start(problem, width, depth, key)[1]) for key in keys]
        for item in wanted:
            size = float(np.sqrt(np.mean([float(one[item.name]) for one in found])))
            scales[item.name] = size if np.isfinite(size) and size > 0 else 1.0
    return scales


@dataclass(frozen=True, eq=False)
class FlatLoss:
    """The same loss as a function of one flat array of weights."""

    physics: PhysicsLoss
    unravel: Callable[[Weights], Params]

    def __call__(self, theta: Weights, points: Points) -> Float[Array, ""]:
        """The loss of weights `theta` over `points`."""
        return self.physics(self.unravel(theta), points)
