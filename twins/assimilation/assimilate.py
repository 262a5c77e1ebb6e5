"""One step of an ensemble, and its update by what was measured (`analysis.py`).

Noise enters the state before the step, so that it is in what the step predicts:
x_t+1 = f(x_t + w_t), reading = h(x_t + w_t) + v.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from tvilling.sciml.core.physical import finite_status, join_status
from tvilling.sciml.core.system import Status, Values
from tvilling.twins.assimilation.analysis import analysed
from tvilling.twins.assimilation.belief import FLAGS, Belief, Outcome, Update
from tvilling.twins.assimilation.sampling import exact_normals
from tvilling.twins.assimilation.vector import Model, put_vector, reading_places
from tvilling.twins.naming import is_float

MIN_USABLE = 0.5  # share of members; with fewer an update would rest on a few of them


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
    noise_key, refill_key, turn_key = jax.random.split(key, 3)
    vector, state, output = _step(model, noise_key, belief, inputs)
    joint = jnp.concatenate([vector, *(_rows(output[name]) for name in reading)], axis=1)
    usable = jnp.isfinite(joint).all(axis=1)
    usable &= (output["status"] & int(Status.NOT_CONVERGED)) == 0
    lost = usable.mean() < MIN_USABLE
    joint = jax.lax.cond(
        usable.all(), lambda: joint, lambda: _refilled(refill_key, joint, usable, lost)
    )
    observed = _flat(reading), _flat(sigma, reading)
    after, update = analysed(model, belief, joint, observed, (turn_key, _alike(state)))
    lost |= ~jnp.isfinite(after).all()  # an overflow among finite members
    update = replace(
        update,
        status=update.status
        | jnp.where(usable.all(), 0, int(Outcome.REPLACED))
        | jnp.where(lost, int(Outcome.LOST), 0),
        replaced=(~usable).sum(),
        flagged=jnp.stack([((output["status"] & int(flag)) != 0).sum() for flag in FLAGS]),
        readings=jnp.where(lost, 0, update.readings),
        gated=update.gated & ~lost,
    )
    kept = jnp.where(lost, belief.vector(), after)
    held = jax.tree.map(
        lambda leaf: leaf[jnp.where(usable, jnp.arange(len(usable)), usable.argmax())], state
    )
    places = reading_places(model.system, tuple(reading))
    return _moved(model, belief, held, kept, (update, places)), update


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


def _alike(state: object) -> Bool[Array, ""]:
    """Whether what is not a float is the same in all members, so that they may change places."""
    others = [leaf for leaf in jax.tree.leaves(state) if not is_float(leaf)]
    plain = [
        jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
        for leaf in others
    ]
    return jnp.asarray([(leaf == leaf[:1]).all() for leaf in plain] + [True]).all()


def _moved(
    model: Model, belief: Belief, state: object, vector: Array, told: tuple[Update, np.ndarray]
) -> Belief:
    """The belief with another ensemble, one step on."""
    update, places = told
    floats = model.state_noise.size
    gated = update.gated.sum()
    counted = update.readings + gated > 0
    runs = belief.gated_runs[places]
    there = jnp.isfinite(update.reading) & counted
    runs = jnp.where(there, jnp.where(update.gated, runs + 1, 0), runs)

    def pushed(window: Array, new: Array) -> Array:
        return jnp.where(counted, jnp.append(window[1:], new), window)

    return replace(
        belief,
        state=jax.vmap(put_vector)(state, vector[:, :floats]),
        log_unknown=vector[:, floats:],
        steps=belief.steps + 1,
        time_ns=belief.time_ns + round(model.dt_s * 1e9),
        nis=pushed(belief.nis, update.nis),
        readings=pushed(belief.readings, update.readings),
        gated=pushed(belief.gated, gated),
        gated_runs=belief.gated_runs.at[places].set(runs),
    )
