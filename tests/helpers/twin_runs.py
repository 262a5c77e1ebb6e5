"""Twins of many plants at once, compiled together, for the statistics of their errors."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.system import Values
from tvilling.twins.assimilation.assimilate import advance
from tvilling.twins.twin import Twin


def vectors_of(
    twins: Sequence[Twin], inputs: tuple[Values, Values], reading: Values, sigma: Values
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the vectors after each step, `[run, time, entry]`.

    Inputs and readings lead with run and time; `sigma` holds for all. The twins share a model.
    """
    model = twins[0].model
    beliefs = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[twin.belief for twin in twins])

    def one(belief: object, profiles: tuple) -> tuple:
        def step(belief: object, now: tuple) -> tuple:
            belief, _ = advance(model, belief, now[0], now[1], sigma)
            vector = belief.vector()
            return belief, (vector.mean(axis=0), vector.std(axis=0, ddof=1))

        return jax.lax.scan(step, belief, profiles)[1]

    mean, sd = jax.jit(jax.vmap(one))(beliefs, (inputs, reading))
    return np.asarray(mean), np.asarray(sd)


def normalised_error(error: np.ndarray, sd: np.ndarray) -> float:
    """Root mean square of the errors over that of the standard deviations; 1 is honest."""
    return float(np.sqrt((error**2).mean() / (sd**2).mean()))
