"""Readings that are further from what an ensemble expects than chance can bring them.

A reading whose innovation is more than `gate_sd` standard deviations of (spread + noise) is left
out of the update, and reported. One meter that is wrong stays out for as long as it is wrong.
Where more than half of the readings are out in `PATIENCE` updates one after the other, the twin
is more likely wrong than its meters: its spread is widened until they fit, by up to `MAX_WIDENING`
in an update, and the readings are taken.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from tvilling.twins.assimilation.belief import Belief, spread
from tvilling.twins.assimilation.vector import Model

PATIENCE = 3  # updates, the present one among them
MAX_WIDENING = 10.0
MAX_LOG_SD = 1.5  # of an unknown that is widened; beyond it the lognormal spans any plant


def distance(
    deviation: Float[Array, "member entry"],
    innovation: Float[Array, " reading"],
    error: Float[Array, " reading"],
) -> Float[Array, " reading"]:
    """Innovations in standard deviations; the readings are the last entries of a member."""
    predicted = deviation[:, deviation.shape[1] - len(innovation) :]
    return jnp.abs(innovation) / jnp.sqrt(spread(predicted) ** 2 + error**2)


def is_lost(belief: Belief, out: Bool[Array, " reading"], there: Bool[Array, " reading"]) -> Array:
    """Whether most readings have been left out in this update and in those before it."""
    before = belief.gated[1 - PATIENCE :] > belief.readings[1 - PATIENCE :]
    return (2 * out.sum() > there.sum()) & before.all()


def widened(
    model: Model,
    deviation: Float[Array, "member entry"],
    innovation: Float[Array, " reading"],
    error: Float[Array, " reading"],
    out: Bool[Array, " reading"],
) -> Float[Array, "member entry"]:
    """Deviations under which the median of the readings that are out is as far as expected."""
    count = len(innovation)
    if not count:
        return deviation
    size = deviation.shape[1] - count
    floats = model.state_noise.size
    sd = spread(deviation)
    needed = jnp.maximum(innovation**2 - error**2, 0.0)
    ratio = jnp.sqrt(needed) / jnp.where(sd[size:] > 0, sd[size:], jnp.inf)
    factor = jnp.clip(jnp.nanmedian(jnp.where(out, ratio, jnp.nan)), 1.0, MAX_WIDENING)
    logs = sd[floats:size]
    most = jnp.maximum(MAX_LOG_SD / jnp.where(logs > 0, logs, 1.0), 1.0)
    factors = jnp.concatenate(
        [
            jnp.broadcast_to(factor, floats),
            jnp.minimum(factor, most),
            jnp.broadcast_to(factor, count),
        ]
    )
    return deviation * factors
