"""Limited-memory BFGS, for networks whose inverse Hessian would not fit.

The directions are optax's (Liu and Nocedal, Math. Program. 45 (1989) 503-528,
DOI 10.1007/BF01589116), the line search is that of the dense methods.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from tvilling.pinns.optimisers.broyden import grown_dear, next_length
from tvilling.pinns.optimisers.line_search import Gradient, search


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LimitedDescent:
    """Where a descent stands; attributes as those of `broyden.Descent`, and pairs in `memory`."""

    x: Float[Array, " n"]
    value: Float[Array, ""]
    gradient: Float[Array, " n"]
    memory: Any
    stuck: Bool[Array, ""]
    length: Float[Array, ""]
    steps: Int[Array, ""]
    evaluations: Int[Array, ""]


def unbegun(x: Float[Array, " n"], pairs: int) -> LimitedDescent:
    """A descent at `x` that keeps `pairs` steps, and knows no function yet."""
    memory = optax.scale_by_lbfgs(pairs).init(x)
    no, zero = jnp.asarray(False), jnp.asarray(0)
    return LimitedDescent(x, jnp.zeros(()), jnp.zeros_like(x), memory, no, jnp.ones(()), zero, zero)


def descend(
    slope: Gradient,
    descent: LimitedDescent,
    steps: int | Int[Array, ""],
    pairs: int,
    rounding: float = 0.0,
) -> LimitedDescent:
    """Up to `steps` more steps under the function that `slope` tells.

    Below `rounding` it ends when steps take many evaluations each, as in `broyden.descend`.
    """
    no, unknown = jnp.asarray(False), jnp.full_like(descent.value, jnp.inf)
    zero = jnp.zeros_like(descent.gradient)
    descent = replace(descent, value=unknown, gradient=zero, stuck=no)
    last = descent.steps + steps

    def going(now: LimitedDescent) -> Bool[Array, ""]:
        lost = (now.value < rounding) & grown_dear(descent, now)
        return (now.steps < last) & ~now.stuck & ~lost

    return jax.lax.while_loop(going, lambda now: _step(slope, now, pairs), descent)


def _step(slope: Gradient, now: LimitedDescent, pairs: int) -> LimitedDescent:
    unknown = jnp.isinf(now.value)  # the search then evaluates where it stands
    method = optax.scale_by_lbfgs(pairs)
    update, memory = method.update(now.gradient, now.memory, now.x)
    downhill = (update @ now.gradient > 0) | unknown
    update = jnp.where(unknown, 0.0, update)
    direction = jnp.where(downhill, -update, -now.gradient)
    found = search(slope, now.x, now.value, now.gradient, direction, now.length)
    fresh = method.init(now.x)
    kept = jax.tree.map(lambda a, b: jnp.where(found.lower & downhill, a, b), memory, fresh)
    kept = jax.tree.map(lambda a, b: jnp.where(unknown, a, b), now.memory, kept)
    begun = now.memory.count == 0
    return LimitedDescent(
        x=found.x,
        value=found.value,
        gradient=found.gradient,
        memory=kept,
        stuck=~found.lower & (begun | ~downhill | unknown),
        length=jnp.where(unknown, now.length, next_length(found, now.gradient, direction)),
        steps=now.steps + (found.lower & ~unknown),
        evaluations=now.evaluations + found.evaluations,
    )
