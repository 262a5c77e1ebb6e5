"""What a ledger is told of an update, as plain numbers and words."""

import hashlib
import sys
from functools import cache
from importlib.metadata import version
from typing import Any

import jax
import numpy as np

from tvilling.sciml.core.system import System
from tvilling.sciml.learning.fit_checkpoint import fingerprint
from tvilling.twins.assimilation.belief import FLAGS, Belief, Outcome, Update
from tvilling.twins.assimilation.readings import Gated, gated_readings
from tvilling.twins.assimilation.vector import Model, entries
from tvilling.twins.naming import unit_of

MAX_LISTED = 32  # numbers of one array; longer ones are told by their range


@cache
def code_version() -> str:
    """Version of the installed package."""
    return version("tvilling")


def model_hash(system: System) -> str:
    """SHA-256 over structure and arrays of a system: it changes with any parameter."""
    return hashlib.sha256(f"{structure_hash(system)}{fingerprint(system)}".encode()).hexdigest()


def structure_hash(tree: Any) -> str:
    """SHA-256 over what is fixed when `tree` is compiled: types, names and static fields."""
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):  # static arrays in full
        text = str(jax.tree.structure(tree))
    return hashlib.sha256(text.encode()).hexdigest()


def update_facts(model: Model, belief: Belief, update: Update, meters: tuple[str, ...]) -> dict:
    """One update: readings, forecast of them, what was believed before and after, and status."""
    status = Outcome(int(update.status))
    lost = Outcome.LOST in status
    outputs = {channel.name: channel for channel in model.system.outputs}
    meter_shapes = [(name, outputs[name].shape) for name in meters]
    state = jax.tree.map(lambda leaf: leaf[0], belief.state)
    names = [*entries(state), *entries(model.system, model.unknown)]
    observation = np.concatenate([np.asarray(update.reading), np.asarray(update.sigma)])
    return {
        "status": words(status),
        "gated": [
            _gated_facts(one)
            for one in gated_readings(model.system, belief, update, meters)[:MAX_LISTED]
        ],
        "readings_gated": int(np.asarray(update.gated).sum()),
        "members": belief.members,
        "members_replaced": int(update.replaced),
        "members_flagged": {
            str(flag.name).lower(): int(count)
            for flag, count in zip(FLAGS, np.asarray(update.flagged), strict=True)
            if count
        },
        "observation_sha256": hashlib.sha256(
            repr(meter_shapes).encode() + observation.astype("<f8").tobytes()
        ).hexdigest(),
        "readings": int(update.readings),
        "nis": None if lost else float(update.nis),
        "reading": _named(meter_shapes, update.reading),
        "sigma": _named(meter_shapes, update.sigma),
        "innovation": _named(meter_shapes, update.reading - update.predicted, lost),
        "predicted": _named(meter_shapes, update.predicted, lost),
        "predicted_sd": _named(meter_shapes, update.predicted_sd, lost),
        "prior_mean": _named(names, update.prior_mean, lost),
        "prior_sd": _named(names, update.prior_sd, lost),
        "mean": _named(names, update.mean, lost),
        "sd": _named(names, update.sd, lost),
        "units": {name: outputs[name].unit for name in meters}
        | {name: unit_of(name) for name, _ in names},
    }


def _gated_facts(one: Gated) -> dict[str, Any]:
    """A reading that was left out, as a ledger holds it."""
    return {
        "name": one.name,
        "value": one.value,
        "expected": one.expected,
        "sd": one.sd,
        "unit": one.unit,
        "in_a_row": one.in_a_row,
    }


def words(status: Outcome) -> list[str]:
    """The flags of `status` by name; `ok` where there is none."""
    return [str(flag.name).lower() for flag in Outcome if flag and flag in status] or ["ok"]


def _named(names: list[tuple[str, tuple[int, ...]]], values: Any, hidden: bool = False) -> dict:
    """`values` cut into the arrays of `names`; what is not finite or hidden becomes null."""
    array, start, found = np.asarray(values, float), 0, {}
    for name, shape in names:
        size = int(np.prod(shape, dtype=int))
        found[name] = None if hidden else _plain(array[start : start + size], shape)
        start += size
    return found


def _plain(values: np.ndarray, shape: tuple[int, ...]) -> Any:
    finite = [float(value) if np.isfinite(value) else None for value in values]
    if not shape:
        return finite[0]
    if len(finite) <= MAX_LISTED:
        return finite
    there = values[np.isfinite(values)]
    if not there.size:
        return {"count": len(finite), "missing": len(finite)}
    return {
        "count": len(finite),
        "missing": len(finite) - there.size,
        "min": float(there.min()),
        "mean": float(there.mean()),
        "max": float(there.max()),
    }
