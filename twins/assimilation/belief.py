"""What a twin believes: an ensemble of states and unknowns, and how its updates went."""

import enum
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Status
from tvilling.twins.assimilation.vector import state_vector

FLAGS = tuple(flag for flag in Status if flag)


class Outcome(enum.IntFlag):
    """What an update has to say about itself; flags add up. Zero means all is well."""

    OK = 0
    MISSING = 1  # at least one reading was missing
    FORECAST_ONLY = 2  # no reading was there: a step without an update
    REPLACED = 4  # members that failed were drawn anew from the others
    LOST = 8  # more than half of the members failed: the belief is that of the step before
    GATED = 16  # at least one reading was too far from what was expected, and was left out
    WIDENED = 32  # most readings had been left out for some updates: the spread was widened


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Belief:
    """An ensemble with its clock; every array of it leads with the members.

    Attributes
    ----------
    state
        States, in the system's own structure, each leaf `[member, ...]`.
    log_unknown
        Natural logarithms of the unknowns, one after the other.
    time_ns
        Nanoseconds since 1970 [UTC] at the end of the last step.
    steps
        Steps made; with `seed` it fixes every draw.
    nis, readings, gated
        Normalised innovation squared, number of readings used, and number left out by the gate,
        of the last updates, the newest last; updates without readings are not among them.
    gated_runs
        How many times in a row each number of the outputs, one channel after the other, was read
        and left out by the gate.
    """

    state: Any
    log_unknown: Float[Array, "member unknown"]
    seed: Int[Array, ""]
    steps: Int[Array, ""]
    time_ns: Int[Array, ""]
    nis: Float[Array, " window"]
    readings: Int[Array, " window"]
    gated: Int[Array, " window"]
    gated_runs: Int[Array, " output"]

    __repr__ = short_repr

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.log_unknown.shape[0])

    def vector(self) -> Float[Array, "member entry"]:
        """State and logarithms of the unknowns of each member."""
        states = jax.vmap(state_vector, axis_size=self.members)(self.state)
        return jnp.concatenate([states, self.log_unknown], axis=1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Update:
    """How one step and its update went.

    Attributes
    ----------
    status
        `Outcome` flags.
    replaced
        Number of members that failed (not converged or not finite).
    flagged
        Number of members whose step set each flag of `Status`, in the order of `FLAGS`.
    prior_mean, prior_sd, mean, sd
        Before and after the readings: floats of the state, then the unknowns themselves. Members
        drawn anew are among them. They mean nothing where the status has `LOST`.
    reading, sigma, predicted, predicted_sd
        Readings (NaN: missing), their standard deviations, and the ensemble's forecast of them.
    nis
        Normalised innovation squared [1].
    readings
        Number of readings that were used.
    gated
        Which readings were left out, as too far from what was expected.
    """

    status: Int[Array, ""]
    replaced: Int[Array, ""]
    flagged: Int[Array, " flag"]
    prior_mean: Float[Array, " entry"]
    prior_sd: Float[Array, " entry"]
    mean: Float[Array, " entry"]
    sd: Float[Array, " entry"]
    reading: Float[Array, " reading"]
    sigma: Float[Array, " reading"]
    predicted: Float[Array, " reading"]
    predicted_sd: Float[Array, " reading"]
    nis: Float[Array, ""]
    readings: Int[Array, ""]
    gated: Bool[Array, " reading"]

    __repr__ = short_repr


def spread(deviation: Float[Array, "member entry"]) -> Float[Array, " entry"]:
    """Standard deviation of an ensemble from its deviations."""
    return jnp.sqrt((deviation**2).sum(axis=0) / (deviation.shape[0] - 1.0))
