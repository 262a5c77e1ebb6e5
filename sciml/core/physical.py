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

from tvilling.sciml.core.system import Channel, Status, System, Values

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


def used_inputs(system: System, action: Values, drive: Values) -> Values:
    """What of an action and a drive is a channel of `system`; the rest does not matter to it."""
    asked = {**drive, **action}
    known = (*system.actions, *system.drives)
    return {channel.name: asked[channel.name] for channel in known if channel.name in asked}


def energy_status(
    system: System,
    before: Any,
    after: Any,
    inputs: tuple[Values, Values],
    output: Values,
    dt_s: float,
) -> Int[Array, ""]:
    """`UNBALANCED` where the energy stored over a step is not the net power over it.

    Parameters
    ----------
    inputs
        Action and drive of the step. What passes through is the size of every output in W.
    """
    start_j, end_j = system.stored_j(before), system.stored_j(after)
    watts = [channel.name for channel in system.outputs if channel.unit == "W"]
    through_w = sum((jnp.abs(output[name]).sum() for name in watts), start=jnp.zeros(()))
    through_j = dt_s * through_w + jnp.abs(start_j) + jnp.abs(end_j)
    return balance_status(end_j - start_j, system.net_power_w(*inputs, output) * dt_s, through_j)


def with_checks(
    system: System,
    before: Any,
    inputs: tuple[Values, Values],
    step: tuple[Any, Values],
    dt_s: float,
) -> tuple[Any, Values]:
    """State and outputs of a `step`, with a status that also says what is wrong with them.

    `NOT_FINITE` for what went in or came out, `UNPHYSICAL` for an output outside its channel,
    `UNBALANCED` where energy is lost or found. For systems whose channels state what physics
    allows; the last line of their `step`.

    Parameters
    ----------
    before
        State at the start.
    inputs
        Action and drive; entries that are no channel of the system do not matter.
    step
        State at the end, and outputs with the system's own `status`.
    """
    after, output = step
    status = join_status(
        output["status"],
        finite_status(before, used_inputs(system, *inputs), after, output),
        channel_status(output, system.outputs),
        energy_status(system, before, after, inputs, output, dt_s),
    )
    return after, {**output, "status": status}
