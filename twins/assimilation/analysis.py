"""An ensemble corrected by readings: gate, square-root update, honest spread, rotation.

A deterministic square-root filter [1] that takes the readings one after the other. With ensemble
deviations A of the vector [state, log unknowns, predicted readings], y the column of a reading,

    P_y = y'y/(N-1),   K = A'y/(N-1) / (P_y + R),
    mean <- mean + K (reading - mean_y),
    A    <- A - y K' / (1 + sqrt(R/(P_y + R))).

Mean and covariance of the ensemble after this are exactly those of the Kalman filter with the
ensemble's own covariance. The filter with perturbed observations [2] reaches them on average
only; its perturbations are one more source of chance, and a repeated run with another seed would
give another mean.

Before it, readings that are too far away are left out (`gate.py`); after it, a share of the spread
is given back, and the members are rotated (`rotation.py`).

Of N members drawn by chance, two independent numbers have a sample correlation r of about
1/sqrt(N-1). Each reading then corrects what it says nothing of, and takes spread from it: many
readings make the ensemble sure and wrong. Where members are too few to be drawn exactly
(`sampling.py`), each entry of K is multiplied by max(0, 1 - 6.25/((N-1) r²)), a gain damped by its
sampling error as in [3]; a correlation of less than 2.5 standard errors counts for nothing.
With exact draws, K is left as it is.

References
----------
[1] Whitaker, Hamill, Mon. Weather Rev. 130, 2002,
    doi:10.1175/1520-0493(2002)130<1913:EDAWPO>2.0.CO;2
[2] Burgers, van Leeuwen, Evensen, Mon. Weather Rev. 126, 1998,
    doi:10.1175/1520-0493(1998)126<1719:ASITEK>2.0.CO;2
[3] Anderson, Mon. Weather Rev. 140, 2012, doi:10.1175/MWR-D-11-00013.1
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from tvilling.twins.assimilation.belief import FLAGS, Belief, Outcome, Update, spread
from tvilling.twins.assimilation.gate import distance, is_lost, widened
from tvilling.twins.assimilation.rotation import rotated
from tvilling.twins.assimilation.vector import Model

STANDARD_ERRORS = 2.5  # of a sample correlation, below which it counts as chance

Members = Float[Array, "member entry"]
Readings = Float[Array, " reading"]


def analysed(
    model: Model,
    belief: Belief,
    joint: Members,
    observed: tuple[Readings, Readings],
    turn: tuple[Array, Bool[Array, ""]],
) -> tuple[Members, Update]:
    """Members after the readings, and how it went.

    Parameters
    ----------
    joint
        State, logarithms of the unknowns, and predicted readings of each member.
    observed
        Readings (NaN: missing) and their standard deviations.
    turn
        Key of the rotation, and whether members may be rotated.
    """
    value, error = observed
    size = joint.shape[1] - len(value)
    mean = joint.mean(axis=0)
    deviation = joint - mean
    there = jnp.isfinite(value)
    innovation = jnp.where(there, value - mean[size:], 0.0)
    before_sd = spread(deviation)
    far = there & (distance(deviation, innovation, error) > model.gate_sd)
    lost = is_lost(belief, far, there)
    deviation = jnp.where(lost, widened(model, deviation, innovation, error, far), deviation)
    gated = there & (distance(deviation, innovation, error) > model.gate_sd)
    used = there & ~gated
    read = jnp.where(used, value, jnp.inf), error
    moved, narrowed = _serial(mean, deviation, size, read, _chance(model, len(joint)))
    kept = _given_back(model, deviation, narrowed)[:, :size]
    turned = jax.lax.cond(
        model.rotate & turn[1] & used.any(), lambda: rotated(turn[0], kept), lambda: kept
    )
    after = moved[:size] + turned
    before, natural = _natural(model, joint[:, :size]), _natural(model, after)
    flags = {
        Outcome.MISSING: ~there.all(),
        Outcome.FORECAST_ONLY: ~used.any(),
        Outcome.GATED: gated.any(),
        Outcome.WIDENED: lost,
    }
    status = jnp.zeros((), int)
    for flag, holds in flags.items():
        status |= jnp.where(holds, int(flag), 0)
    return after, Update(
        status=status,
        replaced=jnp.zeros((), int),
        flagged=jnp.zeros(len(FLAGS), int),
        prior_mean=before.mean(axis=0),
        prior_sd=spread(before - before.mean(axis=0)),
        mean=natural.mean(axis=0),
        sd=spread(natural - natural.mean(axis=0)),
        reading=value,
        sigma=error,
        predicted=mean[size:],
        predicted_sd=before_sd[size:],
        nis=_nis(deviation[:, size:], innovation, error, used),
        readings=used.sum(),
        gated=gated,
    )


def _natural(model: Model, vector: Array) -> Array:
    """`vector` with the unknowns themselves in place of their logarithms."""
    floats = model.state_noise.size
    unknown = jnp.where(model.estimated, jnp.exp(vector[:, floats:]), 0.0)
    return jnp.concatenate([vector[:, :floats], unknown], axis=1)


def _chance(model: Model, members: int) -> Float[Array, ""]:
    """Squared correlation that counts as chance; none where the moments of the start are exact."""
    return jnp.where(members <= 2 * model.sources, STANDARD_ERRORS**2 / (members - 1.0), 0.0)


def _serial(
    mean: Array, deviation: Array, size: int, read: tuple[Array, Array], chance: Array
) -> tuple[Array, Array]:
    """Mean and deviations after all readings, taken one by one; infinity is one left out."""
    value, error = read
    if not len(value):
        return mean, deviation
    freedom = deviation.shape[0] - 1.0

    def one(at: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        mean, deviation = carry
        column = deviation[:, size + at]
        variance = column @ column / freedom
        total = variance + error[at] ** 2
        present = jnp.isfinite(value[at])
        together = deviation.T @ column / freedom
        both = variance * (deviation**2).sum(axis=0) / freedom
        trust = jnp.clip(1.0 - chance * both / jnp.where(both > 0, together**2, 1.0), 0.0, 1.0)
        gain = jnp.where(present, trust * together / total, 0.0)
        innovation = jnp.where(present, value[at] - mean[size + at], 0.0)
        share = 1.0 / (1.0 + error[at] / jnp.sqrt(total))
        return mean + gain * innovation, deviation - share * column[:, None] * gain

    return jax.lax.fori_loop(0, len(value), one, (mean, deviation))


def _given_back(model: Model, before: Members, after: Members) -> Members:
    """Deviations with a share of what the readings took."""
    before_sd, after_sd = spread(before), spread(after)
    wider = 1.0 + model.relaxation * (before_sd / jnp.where(after_sd > 0, after_sd, 1.0) - 1.0)
    return after * jnp.where(after_sd > 0, wider, 1.0)


def _nis(
    deviation: Array, innovation: Readings, error: Readings, used: Bool[Array, " reading"]
) -> Float[Array, ""]:
    """Normalised innovation squared over the readings in use."""
    if not len(innovation):
        return jnp.zeros(())
    both = used[:, None] & used
    covariance = deviation.T @ deviation / (deviation.shape[0] - 1.0) + jnp.diag(error**2)
    covariance = jnp.where(both, covariance, jnp.eye(len(innovation)))
    innovation = jnp.where(used, innovation, 0.0)
    factor = jax.scipy.linalg.cho_factor(covariance)
    return innovation @ jax.scipy.linalg.cho_solve(factor, innovation)
