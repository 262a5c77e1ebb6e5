"""What is known before the first reading: its faults, and its numbers in the system's types."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import System
from tvilling.twins.assimilation.vector import state_vector
from tvilling.twins.naming import float_leaves, is_float, leaf_name

if TYPE_CHECKING:
    from tvilling.twins.assimilation.prior import Prior

MAX_RELATIVE_SD = 3.0
MIN_MEMBERS = 10


def is_number(value: Any) -> bool:
    """Whether `value` is one real number."""
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"


def is_whole(value: Any) -> bool:
    """Whether `value` is one whole number by type."""
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iu"


def count_faults(members: Any, seed: Any) -> list[str]:
    """Faults of the size and the seed of an ensemble."""
    faults = []
    if not is_whole(members):
        faults.append(f"members is {members!r}, expected a whole number")
    elif members < MIN_MEMBERS:
        faults.append(f"members is {members}, expected at least {MIN_MEMBERS}")
    if not (is_whole(seed) and 0 <= seed < 2**63):
        faults.append(f"seed is {seed!r}, expected a whole number from 0 to 2^63 - 1")
    return faults


def unknown_faults(system: System, unknown: Mapping[str, float]) -> list[str]:
    """Faults of what is unknown: names, values that cannot be lognormal, standard deviations."""
    leaves, faults = float_leaves(system), []
    for name, relative in unknown.items():
        if name not in leaves:
            faults.append(
                f"unknown {name} is no array of {type(system).__name__}, {_known(leaves)}"
            )
        else:
            faults += _value_faults(name, np.ravel(leaves[name]))
        if not (is_number(relative) and 0 < relative <= MAX_RELATIVE_SD):
            shown = f"{relative:g}" if is_number(relative) else repr(relative)
            faults.append(
                f"relative standard deviation of {name} is {shown}, "
                f"expected above 0, at most {MAX_RELATIVE_SD:g}"
            )
    return faults


def _value_faults(name: str, values: np.ndarray) -> list[str]:
    """Nominal values that no lognormal has as mean; zeros among others are left out instead."""
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        at = f" at element {bad[0]}" if values.size > 1 else ""
        more = f", and {bad.size - 1} more" if bad.size > 1 else ""
        return [
            f"unknown {name} is {values[bad[0]]:g}{at}{more}, expected above 0, as it is lognormal"
        ]
    if not (values > 0).any():
        return [f"unknown {name} is 0, expected above 0, as it is lognormal"]
    return []


def _known(leaves: Mapping[str, Any]) -> str:
    return f"which has {', '.join(leaves)}" if leaves else "which has none"


def prior_faults(system: System, unknown: Mapping[str, float], prior: "Prior") -> list[str]:
    """Faults of a prior."""
    walk = prior.unknown_walk
    walks = dict(walk) if isinstance(walk, Mapping) else {"the unknowns": walk}
    faults = [
        f"unknown_walk names {name}, which is not unknown"
        for name in walks
        if isinstance(walk, Mapping) and name not in unknown
    ]
    faults += [
        f"unknown_walk of {name} is {_shown(value)}, expected 0 to {MAX_RELATIVE_SD:g}"
        for name, value in walks.items()
        if not (is_number(value) and 0 <= value <= MAX_RELATIVE_SD)
    ]
    if prior.state is None and np.any([np.any(v) for v in jax.tree.leaves(prior.state_sd)]):
        faults.append("state_sd is given without a state that it could be about")
    if not (is_number(prior.relaxation) and 0 <= prior.relaxation <= 1):
        faults.append(f"relaxation is {_shown(prior.relaxation)}, expected 0 to 1")
    if not (is_number(prior.gate_sd) and prior.gate_sd > 0):
        faults.append(f"gate_sd is {_shown(prior.gate_sd)}, expected above 0")
    if not isinstance(prior.rotate, bool | np.bool_):
        faults.append(f"rotate is {prior.rotate!r}, expected True or False")
    if not (is_whole(prior.window) and prior.window >= 1):
        faults.append(f"window is {_shown(prior.window)} updates, expected at least 1")
    return faults + ([] if prior.state is None else _state_faults(system, prior.state))


def _shown(value: Any) -> str:
    return f"{value:g}" if is_number(value) else repr(value)


def _state_faults(system: System, state: Any) -> list[str]:
    """Where `state` is not built as the system's own."""
    own = _own_state(system)
    if str(jax.tree.structure(state)) != str(jax.tree.structure(own)):
        return [
            f"state is built as {jax.tree.structure(state)}, "
            f"expected {jax.tree.structure(own)} as {type(system).__name__}.init gives"
        ]
    faults = []
    for (path, wanted), leaf in zip(
        jax.tree_util.tree_flatten_with_path(own)[0], jax.tree.leaves(state), strict=True
    ):
        name = leaf_name(path)
        if np.shape(leaf) != wanted.shape:
            faults.append(f"{name} has shape {np.shape(leaf)}, expected {wanted.shape}")
        elif jnp.issubdtype(wanted.dtype, jnp.integer) and not _is_integral(leaf):
            faults.append(f"{name} is a whole number, given are others")
    return faults


def _is_integral(leaf: Any) -> bool:
    values = np.asarray(leaf)
    return bool(np.issubdtype(values.dtype, np.number) and (values == np.round(values)).all())


def _own_state(system: System) -> Any:
    """Shapes and types of the system's state."""
    return jax.eval_shape(system.init, jax.random.key(0))


def as_floats(system: System, state: Any) -> Any:
    """`state` as arrays of the system's own types: 70 is 70.0 where the system has a float."""
    return jax.tree.map(lambda leaf, own: jnp.asarray(leaf, own.dtype), state, _own_state(system))


def like_state(value: Any, state: Any, name: str) -> jax.Array:
    """`value` for each float of `state`: one number for all, or a structure like it."""
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
