"""Calibrate a surrogate on steps that it was not trained on."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.learning.conformal import absolute_scores, conformal_quantile
from tvilling.sciml.surrogates.errors import ROWS, STATE
from tvilling.sciml.surrogates.model import Calibration, Surrogate
from tvilling.sciml.surrogates.transitions import Transitions
from tvilling.sciml.surrogates.vectors import inputs_of, part, targets_of

USUAL = 0.99  # share of calibration steps whose spread counts as usual
LEAST_SPREAD = 1e-6  # of the unit of a target: members that agree exactly still have a scale

Rows = Float[Array, "sample target"]


def calibrated(surrogate: Surrogate, found: Transitions, most: int) -> Surrogate:
    """`surrogate` with scores and spreads from at most `most` of the samples `found`."""
    found = thinned(found, most)
    truth, centre, spread = _compared(surrogate, found)
    rest = surrogate.scaling.rest
    least_spread = spread.mean(axis=0) + LEAST_SPREAD * rest
    relative = jnp.sqrt(jnp.mean((spread / rest) ** 2, axis=1))
    scores = jnp.sort(absolute_scores(truth, centre, spread + least_spread), axis=0)
    usual = jnp.quantile(relative, USUAL) + LEAST_SPREAD
    return replace(surrogate, calibration=Calibration(scores, least_spread, usual))


def uncalibrated(targets: int) -> Calibration:
    """What stands in a surrogate until it is calibrated: no trust in anything."""
    nothing = jnp.zeros(())
    return Calibration(jnp.zeros((1, targets)), jnp.zeros(targets), nothing)


def interval_coverage(
    surrogate: Surrogate, found: Transitions, coverage: float = 0.9
) -> dict[str, float]:
    """Share of `found`, samples led by one axis, inside the intervals; by channel and `state`."""
    truth, centre, spread = _compared(surrogate, found)
    quantile = conformal_quantile(surrogate.calibration.scores, coverage, ordered=True)
    scores = absolute_scores(truth, centre, spread + surrogate.calibration.least_spread)
    shares = (scores <= quantile).astype(float).mean(axis=0)
    outputs = surrogate.outputs
    count = shares.shape[0] - sum(int(np.prod(channel.shape)) for channel in outputs)
    by_channel = ({STATE: shares[:count]} if count else {}) | part(outputs, shares[count:])
    return {name: float(values.mean()) for name, values in by_channel.items()}


def thinned(found: Transitions, most: int) -> Transitions:
    """At most `most` samples, evenly spaced."""
    count = found.status.shape[0]
    index = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
    return jax.tree.map(lambda leaf: leaf[index], found)


@jax.jit
def _compared(surrogate: Surrogate, found: Transitions) -> tuple[Rows, Rows, Rows]:
    """Truth, prediction and spread of the targets of every sample."""
    system = surrogate.physics

    def one(step: Transitions) -> tuple[Array, Array, Array]:
        scaled = surrogate.scaling.inputs(inputs_of(system, step.state, step.action, step.drive))
        mean, spread, _ = surrogate.moments(scaled)
        centre = targets_of(system, step.state, *surrogate.scaling.answer(system, step.state, mean))
        truth = targets_of(system, step.state, step.new_state, step.output)
        return truth, centre, spread

    compared: tuple[Rows, Rows, Rows] = jax.lax.map(one, found, batch_size=ROWS)
    return compared
