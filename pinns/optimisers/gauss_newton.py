"""Levenberg and Marquardt's method: a natural gradient of the residual, damped.

    (JᵀJ + λ I) s = -Jᵀ r

with residual rows r and their Jacobian J. JᵀJ is the metric that the network induces on functions
through the equation, so that this is natural-gradient descent too (Müller and Zeinhofer, ICML
2023; Jnini et al. 2024). λ follows Nielsen (IMM-REP-1999-05, Technical University of Denmark). With
fewer rows than weights the same step is found from the smaller system in J Jᵀ.

A step costs the product JᵀJ: meant for up to two thousand weights or rows. It converges in few
steps where the residual can vanish and weights are few: ordinary equations, inverse problems.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

MIN_DAMPING, MAX_DAMPING = 1e-15, 1e8  # of the mean diagonal of JᵀJ
TRIALS = 20


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Damped:
    """Where a descent stands.

    Attributes
    ----------
    damping
        λ over the mean diagonal of JᵀJ.
    growth
        By which a refused step multiplies it.
    """

    x: Float[Array, " n"]
    value: Float[Array, ""]
    damping: Float[Array, ""]
    growth: Float[Array, ""]
    stuck: Bool[Array, ""]
    steps: Int[Array, ""]


Rows = Callable[[Float[Array, " n"]], Float[Array, " row"]]
Jacobian = Callable[[Float[Array, " n"]], Float[Array, "row n"]]


def unbegun(x: Float[Array, " n"]) -> Damped:
    """A descent at `x` that knows no function yet."""
    return Damped(
        x,
        jnp.zeros(()),
        jnp.full((), 1e-3),
        jnp.full((), 2.0),
        jnp.asarray(False),
        jnp.asarray(0),
    )


def descend(rows: Rows, jacobian: Jacobian, state: Damped, steps: int | Int[Array, ""]) -> Damped:
    """Up to `steps` more steps; a sum of squares that is not finite is never accepted."""
    value = jnp.sum(rows(state.x) ** 2)
    state = replace(state, value=value, stuck=jnp.asarray(False))
    last = state.steps + steps
    return jax.lax.while_loop(
        lambda now: (now.steps < last) & ~now.stuck,
        lambda now: _step(rows, jacobian, now),
        state,
    )


def _step(rows: Rows, jacobian: Jacobian, now: Damped) -> Damped:
    """One accepted step, or `stuck` where none of twenty is lower."""
    r, j = rows(now.x), jacobian(now.x)
    gradient = j.T @ r
    wide = j.shape[0] < j.shape[1]
    gram = j @ j.T if wide else j.T @ j
    unit = jnp.trace(gram) / j.shape[1]

    def step(damping: Array) -> Array:
        regular = gram + damping * unit * jnp.eye(gram.shape[0])
        factor = jax.scipy.linalg.cho_factor(regular)
        if wide:
            return -j.T @ jax.scipy.linalg.cho_solve(factor, r)
        return -jax.scipy.linalg.cho_solve(factor, gradient)

    def attempt(
        carry: tuple[Damped, Bool[Array, ""], Array],
    ) -> tuple[Damped, Array, Array]:
        trial, _, count = carry
        s = step(trial.damping)
        new = jnp.sum(rows(now.x + s) ** 2)
        predicted = -(gradient @ s) + trial.damping * unit * (s @ s)
        gain = (now.value - new) / predicted
        accepted = (new < now.value) & jnp.isfinite(gain)
        shrunk = trial.damping * jnp.maximum(
            1.0 / 3.0, 1.0 - (2.0 * jnp.minimum(gain, 1.0) - 1.0) ** 3
        )
        damping = jnp.where(accepted, shrunk, trial.damping * trial.growth)
        following = replace(
            trial,
            x=jnp.where(accepted, now.x + s, now.x),
            value=jnp.where(accepted, new, now.value),
            damping=jnp.clip(damping, MIN_DAMPING, MAX_DAMPING),
            growth=jnp.where(accepted, 2.0, 2.0 * trial.growth),
        )
        return following, accepted, count + 1

    done, accepted, _ = jax.lax.while_loop(
        lambda carry: ~carry[1] & (carry[2] < TRIALS),
        attempt,
        (now, jnp.asarray(False), jnp.asarray(0)),
    )
    return replace(done, stuck=~accepted, steps=now.steps + accepted)
