"""Flags that a step sets from its own values: finite, within physical range, balanced.

Every system calls these in its `step` and joins what they give to its status, so that no value
that physics does not allow leaves with a status of zero. They are pure and run inside `jit`,
`vmap` and `grad`.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int

from tvilling.sciml.system import Channel, Status, Values

RANGE_MARGIN = 1e-6  # of the width of a range, by which round-off may leave it
BALANCE_SHARE = 1e-6  # of what passes through, by which a balance may miss


def flag_where(flag: Status, holds: ArrayLike) -> Int[Array, ""]:
    """`flag` where any element of `holds` is true, else zero."""
    return jnp.where(jnp.any(jnp.asarray(holds)), int(flag), 0).astype(jnp.int32)


def join_status(*parts: ArrayLike) -> Int[Array, ""]:
    """All flags that any of `parts` has."""
    total = jnp.zeros((), jnp.int32)
    for part in parts:
        total = total | jnp.asarray(part).astype(jnp.int32)
    return total


def finite_status(*trees: Any) -> Int[Array, ""]:
    """`NOT_FINITE` where any float in `trees` (arrays, dictionaries, states) is NaN or infinite."""
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(trees)]
    floats = [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return join_status(*(flag_where(Status.NOT_FINITE, ~jnp.isfinite(leaf)) for leaf in floats))


def range_status(
    values: ArrayLike, low: ArrayLike, high: ArrayLike, margin: ArrayLike = 0.0
) -> Int[Array, ""]:
    """`UNPHYSICAL` where any of `values` is more than `margin` outside `low` to `high`.

    All in one unit; NaN is left to `finite_status`.
    """
    values = jnp.asarray(values)
    low, high = jnp.asarray(low) - margin, jnp.asarray(high) + margin
    return flag_where(Status.UNPHYSICAL, (values < low) | (values > high))


def channel_status(values: Values, channels: Sequence[Channel]) -> Int[Array, ""]:
    """`UNPHYSICAL` where any of `values` leaves the limits of its channel, round-off apart.

    For outputs whose channel states what physics allows. A channel that `values` lacks is
    passed over.
    """
    return join_status(
        *(
            range_status(
                values[channel.name],
                channel.low,
                channel.high,
                RANGE_MARGIN * (channel.high - channel.low),
            )
            for channel in channels
            if channel.name in values
        )
    )


def balance_status(
    gained: ArrayLike, net: ArrayLike, through: ArrayLike, share: float = BALANCE_SHARE
) -> Int[Array, ""]:
    """`UNBALANCED` where `gained` and `net` differ by more than `share` of `through`.

    Parameters
    ----------
    gained
        Growth of what is stored, per balance [J, kg or their rates].
    net
        What entered less what left over the same time, in the same unit.
    through
        Sum of the sizes of all that entered, left and was stored; the scale of the tolerance.
    share
        Tolerated share of `through`; above round-off and the solver's own tolerance.
    """
    miss = jnp.abs(jnp.asarray(gained) - net)
    return flag_where(Status.UNBALANCED, miss > share * jnp.abs(jnp.asarray(through)))
