"""What is known before the first reading, checked, and made into an ensemble."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.errors import InputError
from tvilling.sciml.system import System
from tvilling.twins.belief import Belief
from tvilling.twins.naming import float_leaves, is_float
from tvilling.twins.sampling import exact_normals
from tvilling.twins.vector import Model, put_vector, state_vector

MOST_RELATIVE_SD = 3.0
LEAST_MEMBERS = 10
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
    window
        Updates over which `Twin.health` judges.
    """

    state: Any = None
    state_sd: Any = 0.0
    state_noise: Any = 0.0
    unknown_walk: float | Mapping[str, float] = 0.0
    relaxation: float = 0.02
    window: int = 48


def make_model(system: System, dt_s: float, unknown: Mapping[str, float], prior: Prior) -> Model:
    """The model that the members share.

    Raises
    ------
    InputError
        With every fault in what is unknown, in the noise and in the length of a step.
    """
    faults = [*_unknown_faults(system, unknown), *_prior_faults(unknown, prior)]
    if not (np.isfinite(dt_s) and dt_s > 0):
        faults.append(f"dt_s is {dt_s:g} s, expected above 0 s")
    if faults:
        raise InputError("twin", faults)
    leaves = float_leaves(system)
    walk = prior.unknown_walk
    walks = [
        np.full(np.size(leaves[name]), walk.get(name, 0.0) if isinstance(walk, Mapping) else walk)
        for name in unknown
    ]
    state = _example_state(system) if prior.state is None else _as_arrays(prior.state)
    return Model(
        system=jax.tree.map(_strong, system),
        state_noise=_like_state(prior.state_noise, state, "state_noise"),
        unknown_walk=jnp.asarray(np.concatenate([np.zeros(0), *walks]), jnp.float64),
        relaxation=jnp.asarray(prior.relaxation, jnp.float64),
        unknown=tuple(unknown),
        dt_s=float(dt_s),
    )


def make_belief(
    model: Model, unknown: Mapping[str, float], prior: Prior, start: str, members: int, seed: int
) -> Belief:
    """The ensemble at the start: moments of unknowns and of a given state are exact.

    An unknown with nominal value m and relative standard deviation r is lognormal with mean m
    and standard deviation r m.
    """
    if members < LEAST_MEMBERS:
        raise InputError("twin", [f"members is {members}, expected at least {LEAST_MEMBERS}"])
    state_key, draw_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), START))
    logs, spreads = _log_prior(model, unknown)
    floats = model.state_noise.size
    if prior.state is None:
        state = jax.vmap(model.system.init)(jax.random.split(state_key, members))
        vectors = jax.vmap(state_vector, axis_size=members)(state)
        centred = vectors - vectors.mean(axis=0)
        log_unknown = logs + spreads * exact_normals(draw_key, centred, len(logs))
    else:
        state = jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf, (members, *leaf.shape)), _as_arrays(prior.state)
        )
        sd = jnp.concatenate([_like_state(prior.state_sd, prior.state, "state_sd"), spreads])
        draws = sd * exact_normals(draw_key, jnp.zeros((members, 0)), floats + len(logs))
        vectors = jax.vmap(state_vector, axis_size=members)(state) + draws[:, :floats]
        state = jax.vmap(put_vector)(state, vectors)
        log_unknown = logs + draws[:, floats:]
    bad = int((~jnp.isfinite(vectors).all(axis=1)).sum())
    if bad:
        raise InputError("twin", [f"the state is not finite in {bad} of {members} members"])
    return Belief(
        state=state,
        log_unknown=log_unknown,
        seed=jnp.asarray(seed, jnp.int64),
        steps=jnp.asarray(0, jnp.int64),
        time_ns=jnp.asarray(_nanoseconds(start), jnp.int64),
        nis=jnp.zeros(prior.window),
        readings=jnp.zeros(prior.window, jnp.int64),
    )


def _log_prior(model: Model, unknown: Mapping[str, float]) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the logarithm of each unknown."""
    leaves = float_leaves(model.system)
    nominal = [np.ravel(leaves[name]) for name in unknown]
    spread = [
        np.full(values.size, np.sqrt(np.log1p(relative**2)))
        for values, relative in zip(nominal, unknown.values(), strict=True)
    ]
    if not nominal:
        return jnp.zeros(0), jnp.zeros(0)
    sd = jnp.asarray(np.concatenate(spread))
    return jnp.log(jnp.asarray(np.concatenate(nominal))) - sd**2 / 2, sd


def _unknown_faults(system: System, unknown: Mapping[str, float]) -> list[str]:
    leaves, faults = float_leaves(system), []
    for name, relative in unknown.items():
        if name not in leaves:
            faults.append(
                f"unknown {name} is no array of {type(system).__name__}, {_known(leaves)}"
            )
        elif not (np.asarray(leaves[name]) > 0).all():
            lowest = float(np.min(leaves[name]))
            faults.append(f"unknown {name} is {lowest:g}, expected above 0, as it is lognormal")
        if not 0 < relative <= MOST_RELATIVE_SD:
            faults.append(
                f"relative standard deviation of {name} is {relative:g}, "
                f"expected above 0, at most {MOST_RELATIVE_SD:g}"
            )
    return faults


def _known(leaves: Mapping[str, Any]) -> str:
    return f"which has {', '.join(leaves)}" if leaves else "which has none"


def _prior_faults(unknown: Mapping[str, float], prior: Prior) -> list[str]:
    walk = prior.unknown_walk
    walks = dict(walk) if isinstance(walk, Mapping) else {"the unknowns": walk}
    faults = [
        f"unknown_walk names {name}, which is not unknown"
        for name in walks
        if isinstance(walk, Mapping) and name not in unknown
    ]
    faults += [
        f"unknown_walk of {name} is {value:g}, expected 0 to {MOST_RELATIVE_SD:g}"
        for name, value in walks.items()
        if not 0 <= value <= MOST_RELATIVE_SD
    ]
    if prior.state is None and np.any([np.any(v) for v in jax.tree.leaves(prior.state_sd)]):
        faults.append("state_sd is given without a state that it could be about")
    if not 0 <= prior.relaxation <= 1:
        faults.append(f"relaxation is {prior.relaxation:g}, expected 0 to 1")
    if prior.window < 1:
        faults.append(f"window is {prior.window} updates, expected at least 1")
    return faults


def _strong(leaf: Any) -> jax.Array:
    """`leaf` as an array of a fixed type, so that nothing is compiled again after a step."""
    array = jnp.asarray(leaf)
    return jnp.asarray(array, array.dtype)


def _as_arrays(state: Any) -> Any:
    """`state` with plain numbers as arrays."""
    return jax.tree.map(_strong, state)


def _example_state(system: System) -> Any:
    """Shapes of the state, as arrays of zeros where they are floats."""
    return system.init(jax.random.key(0))


def _like_state(value: Any, state: Any, name: str) -> jax.Array:
    """`value` for each float of `state`: one number for all, or a structure like it."""
    state = _as_arrays(state)
    size = state_vector(state).size
    if str(jax.tree.structure(value)) == str(jax.tree.structure(state)):
        leaves = zip(jax.tree.leaves(value), jax.tree.leaves(state), strict=True)
        parts = [np.broadcast_to(v, leaf.shape).ravel() for v, leaf in leaves if is_float(leaf)]
        vector = np.concatenate(parts) if parts else np.zeros(0)
    elif np.ndim(value) == 0 and isinstance(value, float | int | np.ndarray | jax.Array):
        vector = np.full(size, float(value))
    else:
        raise InputError("twin", [f"{name} is neither one number nor structured like the state"])
    if not (np.isfinite(vector).all() and (vector >= 0).all()):
        raise InputError("twin", [f"{name} is {vector.min():g} somewhere, expected at least 0"])
    return jnp.asarray(vector, jnp.float64)


def _nanoseconds(start: str) -> int:
    try:
        time = np.datetime64(start, "ns")
    except ValueError as error:
        raise InputError("twin", [f"start is {start!r}, expected a UTC time ({error})"]) from error
    if np.isnat(time):
        raise InputError("twin", [f"start is {start!r}, expected a UTC time"])
    return int(time.astype(np.int64))
