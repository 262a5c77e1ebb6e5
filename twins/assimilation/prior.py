"""What is known before the first reading, checked, and made into an ensemble."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import System
from tvilling.twins.assimilation.belief import Belief
from tvilling.twins.assimilation.prior_checks import (
    as_floats,
    is_number,
    like_state,
    prior_faults,
    unknown_faults,
)
from tvilling.twins.assimilation.sampling import exact_normals
from tvilling.twins.assimilation.vector import Model, put_vector, state_vector
from tvilling.twins.naming import float_leaves

START = 2**32 - 1  # a stream of draws apart from those of the steps, which count from 0


@dataclass(frozen=True)
class Prior:
    """What is known of the state at the start, and how uncertain a step is.

    Attributes
    ----------
    state
        Mean state at the start, in the system's own structure. Without it each member starts
        from a draw of the system's `init`.
    state_sd
        Standard deviation about `state` [unit of each float]: one number, or a structure like
        the state.
    state_noise
        Standard deviation that each float of the state gains in an hour beyond the model
        [its unit/√h]: one number, or a structure like the state.
    unknown_walk
        Relative standard deviation that the unknowns gain in a day [1/√day]: one number, or one
        by name. Zero takes them as constant, and the twin then grows ever surer of them.
    relaxation
        Inflation: share of the spread that an update takes away which is given back, from 0 to
        1. The default gives back 2 %; see Whitaker and Hamill, Mon. Weather Rev. 140, 2012,
        doi:10.1175/MWR-D-11-00276.1.
    gate_sd
        A reading whose innovation is more than so many standard deviations of (spread + noise) is
        left out (`gate.py`); infinite lets all in.
    rotate
        Whether the members are rotated after an update (`rotation.py`).
    window
        Updates over which `Twin.health` judges.
    """

    state: Any = None
    state_sd: Any = 0.0
    state_noise: Any = 0.0
    unknown_walk: float | Mapping[str, float] = 0.0
    relaxation: float = 0.02
    gate_sd: float = 8.0
    rotate: bool = True
    window: int = 48


def make_model(system: System, dt_s: float, unknown: Mapping[str, float], prior: Prior) -> Model:
    """The model that the members share.

    Raises
    ------
    InputError
        With every fault in what is unknown, in the state, in the noise and in the length of a step.
    """
    faults = [*unknown_faults(system, unknown), *prior_faults(system, unknown, prior)]
    if not (is_number(dt_s) and np.isfinite(dt_s) and dt_s > 0):
        faults.append(f"dt_s is {dt_s!r} s, expected above 0 s")
    if faults:
        raise InputError("twin", faults)
    walk = prior.unknown_walk
    nominal = _nominal(system, unknown)
    walks = [
        np.full(values.size, walk.get(name, 0.0) if isinstance(walk, Mapping) else walk)
        for name, values in nominal.items()
    ]
    state = system.init(jax.random.key(0)) if prior.state is None else prior.state
    estimated = np.concatenate([np.zeros(0), *nominal.values()]) > 0
    return Model(
        system=jax.tree.map(_strong, system),
        state_noise=like_state(prior.state_noise, as_floats(system, state), "state_noise"),
        unknown_walk=jnp.asarray(np.concatenate([np.zeros(0), *walks]) * estimated, jnp.float64),
        relaxation=jnp.asarray(prior.relaxation, jnp.float64),
        gate_sd=jnp.asarray(prior.gate_sd, jnp.float64),
        rotate=jnp.asarray(prior.rotate, bool),
        estimated=jnp.asarray(estimated),
        start_log_sd=jnp.asarray(_log_prior(nominal, unknown)[1], jnp.float64),
        sources=jnp.zeros((), jnp.int64),
        unknown=tuple(unknown),
        dt_s=float(dt_s),
    )


def make_belief(
    model: Model, unknown: Mapping[str, float], prior: Prior, start: str, draw: tuple[int, int]
) -> tuple[Model, Belief]:
    """The ensemble at the start: moments of unknowns and of a given state are exact.

    An unknown with nominal value m and relative standard deviation r is lognormal with mean m
    and standard deviation r m. `draw` holds members and seed. The model comes back with its
    `sources`.
    """
    members, seed = draw
    state_key, draw_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), START))
    logs, log_sd = _log_prior(_nominal(model.system, unknown), unknown)
    floats = model.state_noise.size
    if prior.state is None:
        state = jax.vmap(model.system.init)(jax.random.split(state_key, members))
        vectors = jax.vmap(state_vector, axis_size=members)(state)
        log_unknown = logs + _drawn(draw_key, vectors - vectors.mean(axis=0), log_sd)
    else:
        one = as_floats(model.system, prior.state)
        state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (members, *leaf.shape)), one)
        sd = np.concatenate([like_state(prior.state_sd, one, "state_sd"), log_sd])
        draws = _drawn(draw_key, jnp.zeros((members, 0)), sd)
        vectors = jax.vmap(state_vector, axis_size=members)(state) + draws[:, :floats]
        state = jax.vmap(put_vector)(state, vectors)
        log_unknown = logs + draws[:, floats:]
    bad = int((~jnp.isfinite(vectors).all(axis=1)).sum())
    if bad:
        raise InputError("twin", [f"the state is not finite in {bad} of {members} members"])
    sources = _state_sources(np.asarray(vectors), np.asarray(model.state_noise)) + int(
        model.estimated.sum()
    )
    outputs = sum(int(np.prod(channel.shape, dtype=int)) for channel in model.system.outputs)
    return replace(model, sources=jnp.asarray(sources, jnp.int64)), Belief(
        state=state,
        log_unknown=jnp.asarray(log_unknown),
        seed=jnp.asarray(seed, jnp.int64),
        steps=jnp.asarray(0, jnp.int64),
        time_ns=jnp.asarray(_nanoseconds(start), jnp.int64),
        nis=jnp.zeros(prior.window),
        readings=jnp.zeros(prior.window, jnp.int64),
        gated=jnp.zeros(prior.window, jnp.int64),
        gated_runs=jnp.zeros(outputs, jnp.int64),
    )


def _drawn(key: jax.Array, against: jax.Array, sd: np.ndarray) -> jax.Array:
    """Exact draws of standard deviations `sd`; numbers without one take no part."""
    uncertain = np.flatnonzero(sd)
    draws = exact_normals(key, against, uncertain.size) * sd[uncertain]
    return jnp.zeros((against.shape[0], sd.size)).at[:, uncertain].set(draws)


def _state_sources(vectors: np.ndarray, noise: np.ndarray) -> int:
    """Numbers of the state that are uncertain of their own.

    Each with noise is one; of the others there are as many as they have independent directions
    at the start, which can be told where there are fewer of them than members.
    """
    quiet = vectors[:, noise == 0]
    deviation = quiet - quiet.mean(axis=0)
    size = np.abs(deviation).max(axis=0, initial=0.0)
    varying = deviation[:, size > 1e-12 * np.abs(quiet).max(axis=0, initial=0.0)]
    if not varying.shape[1]:
        return int((noise > 0).sum())
    rank = int(np.linalg.matrix_rank(varying / np.abs(varying).max(axis=0)))
    directions = rank if rank < len(vectors) - 1 else varying.shape[1]
    return int((noise > 0).sum()) + directions


def _nominal(system: System, unknown: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Nominal values of the unknowns, one after the other."""
    leaves = float_leaves(system)
    return {name: np.ravel(leaves[name]).astype(np.float64) for name in unknown}


def _log_prior(
    nominal: Mapping[str, np.ndarray], unknown: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the logarithm of each unknown; zeros where it is zero."""
    spread = [
        np.full(nominal[name].size, np.sqrt(np.log1p(relative**2)))
        for name, relative in unknown.items()
    ]
    values = np.concatenate([np.zeros(0), *nominal.values()])
    sd = np.concatenate([np.zeros(0), *spread]) * (values > 0)
    return np.log(np.where(values > 0, values, 1.0)) - sd**2 / 2, sd


def _strong(leaf: Any) -> jax.Array:
    """`leaf` as an array of a fixed type, so that nothing is compiled again after a step."""
    array = jnp.asarray(leaf)
    return jnp.asarray(array, array.dtype)


def _nanoseconds(start: str) -> int:
    try:
        time = np.datetime64(start, "ns")
    except ValueError as error:
        raise InputError("twin", [f"start is {start!r}, expected a UTC time ({error})"]) from error
    if np.isnat(time):
        raise InputError("twin", [f"start is {start!r}, expected a UTC time"])
    return int(time.astype(np.int64))
