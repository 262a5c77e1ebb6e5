"""The same question put to a solver: parameters fitted through a function that can be derived.

    minimise over p, c:  Σ ((y(p, c) - reading) / noise)² + Σ ((c - c_0) / deviation)²

with parameters p, and c whatever else is not known (a course at an inlet, say), by Levenberg and
Marquardt's method with slopes by automatic differentiation. Intervals come from the same
arithmetic as those of networks. Where a solver in JAX exists, this is as a rule faster and as
exact; `compare` says so on the data at hand.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.inverse.estimates import (
    Estimate,
    condition,
    estimate,
    not_found,
    standard_errors,
)
from tvilling.pinns.network.ansatz import constants
from tvilling.pinns.optimisers import gauss_newton
from tvilling.pinns.problem.parameters import Free
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.training.loss_weights import (
    PARAMETER_SD,
    Judged,
    LossWeights,
    Noise,
    given_noise,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr

if TYPE_CHECKING:
    from tvilling.pinns.inverse.inversion import Inverted

GUESSED_NOISE = 0.02  # of the scale of an unknown, until it is estimated
STEPS = 100
CLOSE = 0.5  # standard errors between two routes that agree

AtSensors = Callable[[Mapping[str, Array], Float[Array, " nuisance"]], Float[Array, " reading"]]


@dataclass(frozen=True, eq=False)
class SolverRoute:
    """A solver for a problem with readings.

    Attributes
    ----------
    values
        Takes parameters by name in their units, free and fixed, and the nuisance, and gives the
        values at the sensors, all measurements of the problem one after the other. Traceable by
        JAX.
    nuisance
        What else is to be found, where it starts.
    nuisance_sd
        Its standard deviation about the start, before anything is read.
    """

    problem: Problem
    values: AtSensors
    nuisance: Float[np.ndarray, " nuisance"] = field(default_factory=lambda: np.zeros(0))
    nuisance_sd: float = 1.0

    __repr__ = short_repr

    @cached_property
    def free(self) -> tuple[Free, ...]:
        """Parameters to be found, in the order of their names."""
        return tuple(sorted(self.problem.free, key=lambda item: item.name))

    def misfits(
        self, theta: Float[Array, " n"], readings: Float[Array, " reading"]
    ) -> Float[Array, " reading"]:
        """Values less readings; `theta` is the nuisance and then the unbounded parameters."""
        count = len(self.free)
        unbounded = {item.name: theta[i - count] for i, item in enumerate(self.free)}
        nuisance = theta[: theta.size - count]
        return self.values(constants(self.problem, unbounded), nuisance) - readings

    def start(self, unbounded: Float[np.ndarray, " parameter"]) -> Float[Array, " n"]:
        """All that is fitted, with parameters at `unbounded`."""
        return jnp.asarray(np.r_[self.nuisance, unbounded])


@dataclass(frozen=True, eq=False)
class Solved:
    """What a solver found; as in `tvilling.pinns.inverse.inversion.Inverted`.

    Attributes
    ----------
    nuisance
        What else was found.
    reached
        Share of the starts that ended within a percent of the least misfit.
    """

    estimates: dict[str, Estimate]
    coverage: float
    noise: tuple[float, ...]
    condition: float
    nuisance: Float[np.ndarray, " nuisance"]
    reached: float
    wall_s: float

    __repr__ = short_repr


def solve(
    route: SolverRoute,
    noise: Noise | None = None,
    coverage: float = 0.9,
    starts: int = 8,
    seed: int = 0,
) -> Solved:
    """Fit the parameters through the solver.

    Parameters
    ----------
    noise
        Standard deviation of the readings, one for all or one a `Measured` [unit of the unknown].
        None: estimated from the misfit.
    starts
        From the middle of all ranges, and from places drawn in them.

    Raises
    ------
    InputError
        If the noise is not positive, the solver gives another number of values, or the readings
        leave a parameter open.
    """
    began, problem = time.perf_counter(), route.problem
    known = given_noise(problem, noise)
    sds = known or tuple(
        GUESSED_NOISE * problem.unknown(item.unknown).scale for item in problem.measured
    )
    readings = jnp.concatenate([jnp.asarray(item.values, float) for item in problem.measured])
    unread = jnp.zeros(())
    given = jax.eval_shape(route.misfits, route.start(np.zeros(len(route.free))), unread).shape
    if given != readings.shape:
        raise InputError(
            f"solver of {problem.name}", [f"it gives {given} values, expected {readings.shape}"]
        )
    places = np.random.default_rng(seed).uniform(0.1, 0.9, (max(starts, 1), len(route.free)))
    places[0] = 0.5
    fit = jax.jit(_fit(route, readings, known))
    ends = [fit(route.start(np.log(row / (1 - row))), jnp.asarray(sds)) for row in places]
    least = np.asarray([float(end.value) for end in ends])
    if not np.any(np.isfinite(least)):
        raise InputError(f"solver of {problem.name}", ["no start gives finite values"])
    best = ends[int(np.nanargmin(least))]
    if known is None:  # once more, now that the noise is known beside the nuisance
        best = fit(best.theta, best.judged.noise)
    reached = float(np.mean(least < 1.01 * np.nanmin(least)))
    return _found(route, best, known, coverage, reached, time.perf_counter() - began)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _End:
    """Where a fit ended."""

    theta: Float[Array, " n"]
    value: Float[Array, ""]
    judged: Judged


def _fit(
    route: SolverRoute, readings: Float[Array, " reading"], known: tuple[float, ...] | None
) -> Callable[[Array, Array], _End]:
    """A fit from a start, weighed by a noise."""
    counts = [len(item.values) for item in route.problem.measured]
    ends = np.cumsum(counts)
    places = tuple(slice(int(e - n), int(e)) for e, n in zip(ends, counts, strict=True))
    free, rest = len(route.free), len(route.nuisance)
    wide = np.r_[np.full(rest, route.nuisance_sd), np.full(free, PARAMETER_SD)]
    weighing = LossWeights((1.0,) * len(counts), places, jnp.asarray(wide**-2.0))

    def fit(theta: Array, sds: Array) -> _End:
        each = jnp.repeat(sds, np.asarray(counts), total_repeat_length=sum(counts))

        def rows(theta: Array) -> Array:
            away = (theta[:rest] - jnp.asarray(route.nuisance)) / route.nuisance_sd
            return jnp.concatenate([route.misfits(theta, readings) / each, away])

        found = gauss_newton.descend(rows, jax.jacfwd(rows), gauss_newton.unbegun(theta), STEPS)
        misfit = route.misfits(found.x, readings)
        slopes = jax.jacfwd(lambda theta: route.misfits(theta, readings))(found.x)
        noise = None if known is None else jnp.asarray(known)
        return _End(found.x, found.value, weighing.judged(misfit, slopes, noise))

    return fit


def _found(
    route: SolverRoute,
    end: _End,
    known: tuple[float, ...] | None,
    coverage: float,
    reached: float,
    wall_s: float,
) -> Solved:
    names, count = [item.name for item in route.free], len(route.free)
    if open_ones := not_found(end.judged.upper, names):
        raise InputError(f"readings of {route.problem.name}", open_ones)
    sds = np.asarray(standard_errors(end.judged.upper, count))
    freedom = float(end.judged.freedom) if known is None else float("inf")
    theta = np.asarray(end.theta)
    estimates = {
        item.name: estimate(item, float(theta[i - count]), float(sds[i]), coverage, freedom)
        for i, item in enumerate(route.free)
    }
    return Solved(
        estimates,
        coverage,
        tuple(float(sd) for sd in np.asarray(end.judged.noise)),
        condition(end.judged.upper, count),
        theta[: theta.size - count],
        reached,
        wall_s,
    )


def compare(network: "Inverted", solver: Solved) -> str:
    """Which of the two to use on these readings, in plain words, with what speaks for it."""
    lines, apart = [], 0.0
    for name, one in network.estimates.items():
        other = solver.estimates[name]
        apart = max(apart, abs(one.value - other.value) / other.standard_error)
        lines.append(f"{name} [{one.unit}]: network {_short(one)}, solver {_short(other)}")
    times = f"{network.wall_s:.1f} s and {solver.wall_s:.1f} s, compilation included"
    lines.append(f"network and solver took {times}")
    return "\n".join([*lines, _advice(network, solver, apart)])


def _short(item: Estimate) -> str:
    return f"{item.value:.5g} ({item.low:.5g} to {item.high:.5g})"


def _advice(network: "Inverted", solver: Solved, apart: float) -> str:
    times = network.wall_s / solver.wall_s
    if network.posterior.unsettled > CLOSE:
        return "Use the solver: the network has not settled."
    if apart > CLOSE:
        return (
            f"They differ by {apart:.1f} standard errors, so one of them is wrong. Use the solver "
            "if its misfit is that of the noise and its steps are fine enough; train the network "
            "longer before it is trusted."
        )
    faster, factor = ("solver", times) if times > 1 else ("network", 1 / times)
    return (
        f"They agree within {apart:.2f} standard errors. Use the {faster}: it is {factor:.1f} "
        "times as fast."
    )
