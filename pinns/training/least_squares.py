"""What a training works on: residual rows of flat weights over batches of points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Weights = Float[Array, " n"]
Batch = Any  # a pytree of arrays
Rows = Callable[[Weights, Batch], Float[Array, " row"]]


@dataclass(frozen=True, eq=False)
class Task:
    """A sum of squares to be made small over points that are drawn anew now and then.

    Attributes
    ----------
    theta
        Weights to begin with.
    rows
        Scaled residuals; the loss is the sum of their squares. Traceable by JAX.
    draw
        New points from random numbers, for weights, on the host: `draw(random, theta)`. Shapes
        never change.
    held_out
        Points that are never trained on.
    jacobian
        Derivatives of the rows by weights; None: by forward mode, a column a weight.
    slope
        Loss and gradient together; None: by reverse mode over `rows`.
    held
        The loss over held-out points, compiled already; None: it will be.
    typical
        The same without the few points where it is largest, by which states are compared; None:
        `held` itself.
    declared
        What the problem says, as far as words can: a training of another one is told apart.
    unravel
        The weights as arrays in a pytree, for optimisers that go by matrices.
    """

    name: str
    theta: Weights
    rows: Rows
    draw: Callable[[np.random.Generator, Weights], Batch]
    held_out: Batch
    jacobian: Callable[[Weights, Batch], Float[Array, "row n"]] | None = None
    slope: Callable[[Weights, Batch], tuple[Array, Weights]] | None = None
    held: Callable[[Weights, Batch], Float[Array, ""]] | None = None
    unravel: Callable[[Weights], Any] | None = None
    declared: str = ""
    typical: Callable[[Weights, Batch], Float[Array, ""]] | None = None

    def loss(self, theta: Weights, batch: Batch) -> Float[Array, ""]:
        """The sum of squares."""
        return jnp.sum(self.rows(theta, batch) ** 2)

    def value_and_slope(self, theta: Weights, batch: Batch) -> tuple[Array, Weights]:
        """The loss with its gradient."""
        if self.slope is not None:
            return self.slope(theta, batch)
        return jax.value_and_grad(self.loss)(theta, batch)

    def jacobian_of(self, theta: Weights, batch: Batch) -> Float[Array, "row n"]:
        """Derivatives of the rows by weights."""
        if self.jacobian is not None:
            return self.jacobian(theta, batch)
        return jax.jacfwd(self.rows)(theta, batch)

    def shaped(self, theta: Weights) -> Any:
        """The weights, or a gradient, as arrays in a pytree."""
        return theta if self.unravel is None else self.unravel(theta)
