"""Which steps of the physics can be learnt from, and compared with."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from tvilling.sciml.core.physical import RANGE_MARGIN
from tvilling.sciml.core.system import System, Values

NOT_FINITE = "not finite"
MAX_UNSOUND = 0.5  # share of steps that may be left out before there is nothing to learn from

Mask = Bool[np.ndarray, "..."]


def unsound(system: System, steps: Any, output: Values, lead: int) -> dict[str, Mask]:
    """Where steps are not sound, by reason; each mask has the `lead` axes of the arrays.

    The reasons are `not finite`, for any float in `steps`, and the name of an output that leaves
    the limits of its channel by more than round-off.
    """
    masks = {NOT_FINITE: ~_all_finite(steps, lead)}
    for channel in system.outputs:
        if channel.name in output:
            values = np.asarray(output[channel.name])
            slack = RANGE_MARGIN * (channel.high - channel.low)
            outside = (values < channel.low - slack) | (values > channel.high + slack)
            masks[channel.name] = np.asarray(outside.any(axis=tuple(range(lead, outside.ndim))))
    return masks


def sound(masks: dict[str, Mask]) -> Mask:
    """Where no reason speaks against a step."""
    return ~np.logical_or.reduce(list(masks.values()))


def reasons(masks: dict[str, Mask]) -> dict[str, int]:
    """How many steps were left out for each reason; those that are not finite count there alone."""
    finite = ~masks[NOT_FINITE]
    counts = {
        name: int(mask.sum() if name == NOT_FINITE else (mask & finite).sum())
        for name, mask in masks.items()
    }
    return {name: count for name, count in counts.items() if count}


def reasons_text(system: System, counts: dict[str, int]) -> str:
    """The counts in words, each with the range that was left."""
    channels = {channel.name: channel for channel in system.outputs}
    words = []
    for name, count in counts.items():
        if name in channels:
            c = channels[name]
            words.append(f"{count:,} with {name} outside {c.low:g} to {c.high:g} {c.unit}")
        else:
            words.append(f"{count:,} {name}")
    return ", ".join(words)


def _all_finite(tree: Any, lead: int) -> Mask:
    """Whether all floats of a step are finite."""
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    good = [
        np.asarray(jnp.isfinite(leaf).reshape(*leaf.shape[:lead], -1).all(axis=-1))
        for leaf in leaves
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return np.logical_and.reduce(good)
