"""How far to go along a direction: weak Wolfe conditions by bisection, with room for rounding."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Loss = Callable[[Float[Array, " n"]], Float[Array, ""]]

DECREASE, CURVATURE = 1e-4, 0.9  # of the two Wolfe conditions, usual for quasi-Newton methods
ROUNDING = 1e-13  # of the value: differences below it say nothing
TRIALS = 25


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Found:
    """The point at which a search ended.

    Attributes
    ----------
    length
        Multiple of the direction that was gone.
    lower
        Whether the value fell enough; else `x` is where the search began.
    """

    x: Float[Array, " n"]
    value: Float[Array, ""]
    gradient: Float[Array, " n"]
    length: Float[Array, ""]
    lower: Bool[Array, ""]
    evaluations: Int[Array, ""]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Bracket:
    """Lengths known to be too short and too long, and the best point so far."""

    short: Float[Array, ""]
    long: Float[Array, ""]
    trial: Float[Array, ""]
    best: Found
    done: Bool[Array, ""]


def search(
    loss: Loss,
    x: Float[Array, " n"],
    value: Float[Array, ""],
    gradient: Float[Array, " n"],
    direction: Float[Array, " n"],
) -> Found:
    """A point along `direction`, which must lead downhill, that meets the weak Wolfe conditions.

        f(x + a p) <= f(x) + 1e-4 a g·p  and  g(x + a p)·p >= 0.9 g·p

    The first is relaxed by rounding of f, without which a search near the minimum of a loss fails
    for no reason. The length is doubled while it is too short and halved towards the shortest
    known while it is too long [1]. After 25 trials the longest that met the first condition is
    taken.

    [1] Lewis and Overton, Math. Program. 141 (2013) 135-163, DOI 10.1007/s10107-012-0514-2.
    """
    slope = gradient @ direction
    zero = jnp.zeros(())

    def attempt(bracket: _Bracket) -> _Bracket:
        length = bracket.trial
        moved = x + length * direction
        new, new_gradient = jax.value_and_grad(loss)(moved)
        allowed = value + DECREASE * length * slope + ROUNDING * jnp.abs(value)
        fell = (new <= allowed) & jnp.isfinite(new_gradient @ direction)
        flat = new_gradient @ direction >= CURVATURE * slope
        evaluations = bracket.best.evaluations + 1
        here = Found(moved, new, new_gradient, length, fell, evaluations)
        best = jax.tree.map(lambda a, b: jnp.where(fell, a, b), here, bracket.best)
        short = jnp.where(fell, length, bracket.short)
        long = jnp.where(fell, bracket.long, length)
        trial = jnp.where(jnp.isfinite(long), 0.5 * (short + long), 2.0 * length)
        return _Bracket(short, long, trial, _counted(best, evaluations), fell & flat)

    nowhere = Found(x, value, gradient, zero, jnp.asarray(False), jnp.asarray(0))
    start = _Bracket(zero, zero + jnp.inf, zero + 1.0, nowhere, jnp.asarray(False))
    return jax.lax.while_loop(
        lambda now: ~now.done & (now.best.evaluations < TRIALS), attempt, start
    ).best


def _counted(found: Found, evaluations: Int[Array, ""]) -> Found:
    return Found(found.x, found.value, found.gradient, found.length, found.lower, evaluations)
