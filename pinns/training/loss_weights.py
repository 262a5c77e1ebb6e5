"""How equations, readings and priors are weighed so that estimates waste nothing.

A maximum of likelihood has readings divided by their noise and equations that hold exactly. A
network cannot meet an equation exactly: here a residual of its scale in the whole domain counts
as much as `1 / share` times the readings' sum of squares were the field of no use. The estimate
then tends to the exact one as `share` goes to zero, with an excess of variance of that order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.pinns.inverse.estimates import solved, triangle, twice_solved
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.training.groups import groups_of
from tvilling.pinns.training.objective import Physics
from tvilling.sciml.core.errors import InputError

WEIGHT_SD = 100.0  # of a prior on a network's weights, so wide that it says nothing
PARAMETER_SD = 1e4  # the same of unbounded parameters
ROUNDS = 3  # of the noise against what was fitted to it
Noise = float | Sequence[float]


def weighed(
    problem: Problem, noise: Sequence[float], share: float, priors: Mapping[str, float]
) -> Problem:
    """`problem` with weights of readings by their noise, of priors by their deviation.

    Parameters
    ----------
    noise
        Standard deviation of the readings of each `Measured` [unit of the unknown].
    share
        Weight of the readings where equations have one.
    priors
        By name of equations that hold roughly: deviation of the residual [unit of the equation].
    """
    sizes = [
        len(item.values) * (problem.unknown(item.unknown).scale / sd) ** 2
        for item, sd in zip(problem.measured, noise, strict=True)
    ]
    rigid = max(sizes) / share
    measured = tuple(
        replace(item, weight=size / rigid)
        for item, size in zip(problem.measured, sizes, strict=True)
    )
    equations = tuple(
        replace(item, scale=priors[item.name], weight=1.0 / rigid) if item.name in priors else item
        for item in problem.equations
    )
    return replace(problem, measured=measured, equations=equations)


def given_noise(problem: Problem, noise: Noise | None) -> tuple[float, ...] | None:
    """The noise of each `Measured`, checked; None stays so."""
    if noise is None:
        return None
    each = (noise,) * len(problem.measured) if isinstance(noise, int | float) else tuple(noise)
    faults = [f"{sd:g}, expected above 0" for sd in each if not 0 < sd < np.inf]
    if len(each) != len(problem.measured):
        faults.append(f"{len(each)} given, expected {len(problem.measured)}, one a measurement")
    if faults:
        raise InputError(f"noise of the readings of {problem.name}", faults)
    return each


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Judged:
    """What rows and their Jacobian tell.

    Attributes
    ----------
    upper
        R of the rows over their deviations.
    noise
        Of the readings of each `Measured` [unit of the unknown], as given or found.
    freedom
        Readings less what was fitted to them.
    step
        The step that a last linear solve would still take.
    """

    upper: Float[Array, "n n"]
    noise: Float[Array, " measured"]
    freedom: Float[Array, ""]
    step: Float[Array, " n"]


@dataclass(frozen=True, eq=False)
class LossWeights:
    """Divides the rows of a loss by their standard deviations.

    Attributes
    ----------
    units
        By which a row of each `Measured` is multiplied to be a misfit [unit of the unknown].
    places
        Of the rows of each `Measured`.
    ridge
        Of the prior on all that is fitted.
    """

    units: tuple[float, ...]
    places: tuple[slice, ...]
    ridge: Float[Array, " n"]

    def judged(
        self,
        rows: Float[Array, " row"],
        jacobian: Float[Array, "row n"],
        noise: Float[Array, " measured"] | None,
    ) -> Judged:
        """The information in the rows; the noise is estimated where it is None."""
        counts = jnp.asarray([place.stop - place.start for place in self.places], float)
        squares = jnp.stack(
            [
                jnp.sum((rows[place] * unit) ** 2)
                for place, unit in zip(self.places, self.units, strict=True)
            ]
        )
        if noise is None:

            def better(_: int, noise: Array) -> Array:
                fitted = self._used(jacobian, noise)[1]
                return jnp.sqrt(squares / jnp.maximum(counts - fitted, 1.0))

            noise = jax.lax.fori_loop(0, ROUNDS, better, jnp.sqrt(squares / counts))
        upper, used = self._used(jacobian, noise)
        factor = self._factors(rows.size, noise)
        downhill = (jacobian * factor[:, None]).T @ (rows * factor)
        step = -twice_solved(upper, downhill)
        return Judged(upper, noise, jnp.sum(counts - used), step)

    def _factors(self, count: int, noise: Array) -> Float[Array, " row"]:
        each = jnp.asarray(self.units) / noise
        factor = jnp.full(count, jnp.max(each))
        for place, own in zip(self.places, each, strict=True):
            factor = factor.at[place].set(own)
        return factor

    def _used(self, jacobian: Array, noise: Array) -> tuple[Array, Array]:
        """R, and how many numbers were fitted to the readings of each `Measured`."""
        factor = self._factors(jacobian.shape[0], noise)
        white = jacobian * factor[:, None]
        upper = triangle(white, self.ridge)
        used = [jnp.sum(solved(upper, white[place]) ** 2) for place in self.places]
        return upper, jnp.stack(used)


def weighing_of(physics: Physics, points: int, edge_points: int) -> LossWeights:
    """For the rows of `physics` over batches of that size."""
    problem, begin = physics.problem, 0
    units, places = [], []
    for group in groups_of(problem):
        count = points if group.edge is None else edge_points
        if group.measured is not None:
            count = len(group.measured.values)
            scale, weight = problem.unknown(group.measured.unknown).scale, group.measured.weight
            units.append(scale * (count / weight) ** 0.5)
            places.append(slice(begin, begin + count))
        begin += count * max(1, len(group.equations))
    free = len(problem.free)
    size = ravel_pytree(physics.params)[0].size
    wide = np.r_[np.full(size - free, WEIGHT_SD), np.full(free, PARAMETER_SD)]
    return LossWeights(tuple(units), tuple(places), jnp.asarray(wide**-2.0))
