"""One step of an ensemble, and its update by what was measured.

A deterministic square-root filter [1] that takes the readings one after the other. With ensemble
deviations A of the vector [state, log unknowns, predicted readings], y the column of a reading,

    P_y = y'y/(N-1),   K = A'y/(N-1) / (P_y + R),
    mean <- mean + K (reading - mean_y),
    A    <- A - y K' / (1 + sqrt(R/(P_y + R))).

Mean and covariance of the ensemble after this are exactly those of the Kalman filter with the
ensemble's own covariance. The filter with perturbed observations [2] reaches them on average
only; its perturbations are one more source of chance, and a repeated run with another seed would
give another mean.

Noise enters the state before the step, so that it is in what the step predicts:
x_t+1 = f(x_t + w_t), reading = h(x_t + w_t) + v.

References
----------
[1] Whitaker, Hamill, Mon. Weather Rev. 130, 2002,
    doi:10.1175/1520-0493(2002)130<1913:EDAWPO>2.0.CO;2
[2] Burgers, van Leeuwen, Evensen, Mon. Weather Rev. 126, 1998,
    doi:10.1175/1520-0493(1998)126<1719:ASITEK>2.0.CO;2
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from tvilling.sciml.physical import finite_status, join_status
from tvilling.sciml.system import Status, Values
from tvilling.twins.belief import FLAGS, Belief, Outcome, Update, spread
from tvilling.twins.sampling import exact_normals
from tvilling.twins.vector import Model, put_vector

LEAST_USABLE = 0.5  # share of members; with fewer an update would rest on a few of them


@jax.jit
def advance(
    model: Model, belief: Belief, inputs: tuple[Values, Values], reading: Values, sigma: Values
) -> tuple[Belief, Update]:
    """The belief one step later, given what was read at its end.

    Parameters
    ----------
    inputs
        Action and drive of the step.
    reading, sigma
        Readings of outputs at the end of the step and their standard deviations, by channel, in
        the channel's shape. NaN is a missing reading.
    """
    key = jax.random.fold_in(jax.random.key(belief.seed), belief.steps)
    noise_key, refill_key = jax.random.split(key)
    vector, state, output = _step(model, noise_key, belief, inputs)
    size = vector.shape[1]
    joint = jnp.concatenate([vector, *(_rows(output[name]) for name in reading)], axis=1)
    usable = jnp.isfinite(joint).all(axis=1)
    usable &= (output["status"] & int(Status.NOT_CONVERGED)) == 0
    lost = usable.mean() < LEAST_USABLE
    joint = jax.lax.cond(
        usable.all(), lambda: joint, lambda: _refilled(refill_key, joint, usable, lost)
    )
    value, error = _flat(reading), _flat(sigma, reading)
    after, update = _update(model, joint, size, value, error)
    lost |= ~jnp.isfinite(after).all()  # an overflow among finite members
    update = replace(
        update,
        status=update.status
        | jnp.where(usable.all(), 0, int(Outcome.REPLACED))
        | jnp.where(lost, int(Outcome.LOST), 0),
        replaced=(~usable).sum(),
        flagged=jnp.stack([((output["status"] & int(flag)) != 0).sum() for flag in FLAGS]),
        readings=jnp.where(lost, 0, update.readings),
    )
    kept = jnp.where(lost, belief.vector(), after)
    held = jax.tree.map(
        lambda leaf: leaf[jnp.where(usable, jnp.arange(len(usable)), usable.argmax())], state
    )
    return _moved(model, belief, held, kept, update), update


def _step(
    model: Model, key: Array, belief: Belief, inputs: tuple[Values, Values]
) -> tuple[Array, object, Values]:
    """Vectors, states and outputs of all members at the end of the step."""
    before = belief.vector()
    floats = model.state_noise.size
    draws = exact_normals(key, before - before.mean(axis=0), before.shape[1])
    noisy = before + draws * model.noise_per_step()

    def member(state: object, entry: Array) -> tuple[object, Values]:
        plant = model.with_unknown(entry[floats:])
        new, output = plant.step(put_vector(state, entry[:floats]), *inputs, model.dt_s)
        status = join_status(output["status"], finite_status(new, output))
        return new, {**output, "status": status}

    state, output = jax.vmap(member)(belief.state, noisy)
    moved = replace(belief, state=state, log_unknown=noisy[:, floats:])
    return moved.vector(), state, output


def _rows(values: Array) -> Float[Array, "member reading"]:
    return values.reshape(values.shape[0], -1).astype(jnp.float64)


def _flat(values: Values, order: Values | None = None) -> Float[Array, " reading"]:
    parts = [jnp.ravel(values[name]) for name in order or values]
    return jnp.concatenate(parts) if parts else jnp.zeros(0)


def _refilled(
    key: Array,
    joint: Float[Array, "member entry"],
    usable: Bool[Array, " member"],
    lost: Bool[Array, ""],
) -> Float[Array, "member entry"]:
    """`joint` with members that failed drawn anew from the normal distribution of the others."""
    sound = jnp.where(usable[:, None], joint, 0.0)
    count = jnp.maximum(usable.sum(), 2)
    mean = sound.sum(axis=0) / count
    deviation = jnp.where(usable[:, None], joint - mean, 0.0)
    weights = jax.random.normal(key, (len(usable), len(usable))) / jnp.sqrt(count - 1.0)
    drawn = mean + weights @ deviation
    return jnp.where(usable[:, None] & ~lost, joint, drawn)


def _update(
    model: Model,
    joint: Float[Array, "member entry"],
    size: int,
    value: Float[Array, " reading"],
    error: Float[Array, " reading"],
) -> tuple[Float[Array, "member entry"], Update]:
    """Members after the readings, and what is told of it."""
    floats = model.state_noise.size
    prior = joint.mean(axis=0)
    deviation = joint - prior
    present = jnp.isfinite(value)
    innovation = jnp.where(present, value - prior[size:], 0.0)
    mean, narrowed = _serial(prior, deviation, size, jnp.where(present, value, jnp.inf), error)
    after_sd, before_sd = spread(narrowed), spread(deviation)
    wider = 1.0 + model.relaxation * (before_sd / jnp.where(after_sd > 0, after_sd, 1.0) - 1.0)
    widened = narrowed * jnp.where(after_sd > 0, wider, 1.0)
    after = (mean + widened)[:, :size]
    before = _natural(joint[:, :size], floats)
    natural = _natural(after, floats)
    status = jnp.where(present.all(), 0, int(Outcome.MISSING)) | jnp.where(
        present.any(), 0, int(Outcome.FORECAST_ONLY)
    )
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
        predicted=prior[size:],
        predicted_sd=before_sd[size:],
        nis=_nis(deviation[:, size:], innovation, error, present),
        readings=present.sum(),
    )


def _natural(vector: Array, floats: int) -> Array:
    """`vector` with the unknowns themselves in place of their logarithms."""
    return jnp.concatenate([vector[:, :floats], jnp.exp(vector[:, floats:])], axis=1)


def _serial(mean: Array, deviation: Array, size: int, value: Array, error: Array) -> tuple:
    """Mean and deviations after all readings, taken one by one; infinity is a missing one."""
    freedom = deviation.shape[0] - 1.0

    def one(at: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        mean, deviation = carry
        column = deviation[:, size + at]
        total = column @ column / freedom + error[at] ** 2
        present = jnp.isfinite(value[at])
        gain = jnp.where(present, deviation.T @ column / freedom / total, 0.0)
        innovation = jnp.where(present, value[at] - mean[size + at], 0.0)
        share = 1.0 / (1.0 + error[at] / jnp.sqrt(total))
        return mean + gain * innovation, deviation - share * column[:, None] * gain

    return (
        jax.lax.fori_loop(0, len(value), one, (mean, deviation))
        if len(value)
        else (
            mean,
            deviation,
        )
    )


def _nis(deviation: Array, innovation: Array, error: Array, present: Array) -> Float[Array, ""]:
    """Normalised innovation squared over the readings that are there."""
    if not len(innovation):
        return jnp.zeros(())
    both = present[:, None] & present
    covariance = deviation.T @ deviation / (deviation.shape[0] - 1.0) + jnp.diag(error**2)
    covariance = jnp.where(both, covariance, jnp.eye(len(innovation)))
    factor = jax.scipy.linalg.cho_factor(covariance)
    return innovation @ jax.scipy.linalg.cho_solve(factor, innovation)


def _moved(model: Model, belief: Belief, state: object, vector: Array, update: Update) -> Belief:
    """The belief with another ensemble, one step on."""
    floats = model.state_noise.size
    counted = update.readings > 0
    return replace(
        belief,
        state=jax.vmap(put_vector)(state, vector[:, :floats]),
        log_unknown=vector[:, floats:],
        steps=belief.steps + 1,
        time_ns=belief.time_ns + round(model.dt_s * 1e9),
        nis=jnp.where(counted, jnp.append(belief.nis[1:], update.nis), belief.nis),
        readings=jnp.where(
            counted, jnp.append(belief.readings[1:], update.readings), belief.readings
        ),
    )
