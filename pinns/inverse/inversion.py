"""Unknown parameters found from readings by a network, with intervals.

The network is trained with readings and equations weighed alike, which finds the way, and then
taken to the minimum of the likelihood: readings by their noise, equations as good as exact
(`tvilling.pinns.training.loss_weights`). Estimates then have about the least variance there can be,
that of Cramér and Rao for the equation itself, and intervals come from the curvature there
(`tvilling.pinns.inverse.estimates`). Parameters that the readings leave open are refused by name.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

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
from tvilling.pinns.inverse.polish import Polish, Refined, refining_of
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.solution.uncertainty import Laplace, of_judged
from tvilling.pinns.training.loss_weights import Noise, given_noise, weighed
from tvilling.pinns.training.settings import TrainSettings, check_seed
from tvilling.pinns.training.trainer import trained
from tvilling.pinns.training.training_loop import Tell, silent
from tvilling.sciml.core.errors import InputError

GUESSED_NOISE = 0.02  # of the scale of an unknown, until it is estimated
EASY, RIGID = 0.2, 1e-3  # what readings count beside equations: on the way, and at the end
STEPS, WARM_STEPS = 150, 8  # of the refinement, and of one for new readings
SETTLED, UNFINISHED = 0.1, 1.0  # standard errors: intervals are right, and say anything at all
AT_END = 0.01  # of the range of a parameter


@dataclass(frozen=True, eq=False)
class Inverted:
    """What was found.

    Attributes
    ----------
    estimates
        By name of the parameter, each with its interval.
    coverage
        The chance with which an interval holds the truth.
    noise
        Standard deviation of the readings of each `Measured`, given or estimated [unit of the
        unknown].
    condition
        Greatest over least singular value of what the readings tell of the (unbounded)
        parameters: about one where they are told equally well.
    posterior
        Fields with their deviation, and the covariance of the parameters.
    wall_s
        All of it, compilation included [s].
    recommend
        What to make of it, in plain words.
    """

    estimates: dict[str, Estimate]
    coverage: float
    noise: tuple[float, ...]
    condition: float
    posterior: Laplace
    refining: Polish
    wall_s: float
    recommend: str

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_inverted

        return show_inverted(self)

    @property
    def solution(self) -> Solution:
        """The network, with the parameters that were found."""
        return self.posterior.solution

    def refit(
        self,
        readings: Float[np.ndarray, "case reading"],
        noise: Noise | None = None,
        steps: int = WARM_STEPS,
    ) -> list[dict[str, Estimate]]:
        """Estimates for other readings of the same sensors, a few steps from this network each.

        Parameters
        ----------
        readings
            A row a case; several measurements one after the other.
        noise
            As for `invert`.
        """
        problem = self.refining.problem
        wanted = sum(len(item.values) for item in problem.measured)
        cases = np.atleast_2d(np.asarray(readings, float))
        if cases.shape[1] != wanted or not np.all(np.isfinite(cases)):
            raise InputError(
                f"readings of {problem.name}",
                [f"{cases.shape[1]} a case, expected {wanted} finite ones"],
            )
        known = given_noise(problem, noise)
        noises = None if known is None else jnp.asarray(known)
        count, start = len(problem.free), self.refining.theta

        @jax.jit
        def all_cases(cases: Array) -> tuple[Array, Array, Array]:
            def one(values: Array) -> tuple[Array, Array, Array]:
                placed = self.refining.with_readings(values)
                found = self.refining.fit(start, placed, noises, steps)
                sds = standard_errors(found.judged.upper, count)
                return found.theta[-count:], sds, found.judged.freedom

            return jax.lax.map(one, cases)

        values, sds, freedom = (np.asarray(item) for item in all_cases(jnp.asarray(cases)))
        if known is not None:
            freedom = np.full(len(cases), np.inf)
        return [
            _estimates(problem, value, sd, self.coverage, float(free))
            for value, sd, free in zip(values, sds, freedom, strict=True)
        ]


def invert(
    problem: Problem,
    settings: TrainSettings | None = None,
    seed: int = 0,
    noise: Noise | None = None,
    coverage: float = 0.9,
    priors: Mapping[str, float] | None = None,
    tell: Tell = silent,
) -> Inverted:
    """Find the free parameters of `problem` from its readings, and its unknowns with them.

    Parameters
    ----------
    settings
        Of the first training; weights of readings in the problem are replaced.
    noise
        Standard deviation of the readings, one for all or one a `Measured` [unit of the unknown].
        None: estimated from the misfit.
    coverage
        The chance with which each interval is to hold the truth.
    priors
        Equations that hold roughly, by name: standard deviation of their residual [unit of the
        equation]. For an unknown without an equation of its own, such as a source: how steep it
        may be.

    Raises
    ------
    InputError
        If a number is out of range, or there are too few readings; if they leave a parameter
        open, with its name.
    """
    began, priors = time.perf_counter(), priors or {}
    settings = settings or TrainSettings()
    check_seed(seed)
    _checked(problem, settings, coverage, priors, noise)
    known = given_noise(problem, noise)
    sds = known or tuple(
        GUESSED_NOISE * problem.unknown(item.unknown).scale for item in problem.measured
    )
    solution = trained(weighed(problem, sds, EASY, priors), settings, seed, tell, None, False)
    rounds = 2 if known is None and (priors or len(problem.measured) > 1) else 1
    for _ in range(rounds):
        tell(f"{problem.name}: to the minimum")
        refining = refining_of(solution, weighed(problem, sds, RIGID, priors), settings, seed)
        noises = None if known is None else jnp.asarray(known)
        refined = _refined(refining, noises, began + settings.time_s)
        sds = tuple(float(sd) for sd in np.asarray(refined.judged.noise))
        solution = replace(
            solution, params=refining.params(refined.theta), problem=refining.problem
        )
    return _inverted(solution, refining, refined, known, coverage, time.perf_counter() - began)


def _refined(refining: Polish, noise: Array | None, until: float) -> Refined:
    """At the minimum, or where the clock says `until`, after some steps at least."""
    if np.isinf(until):
        found: Refined = refining.fitted(refining.theta, refining.placed, noise, STEPS)
        return found
    theta = refining.theta
    for _ in range(STEPS // WARM_STEPS):
        found = refining.fitted(theta, refining.placed, noise, WARM_STEPS)
        theta = found.theta
        if time.perf_counter() > until or int(found.steps) < WARM_STEPS:
            break
    return found


def _checked(
    problem: Problem,
    settings: TrainSettings,
    coverage: float,
    priors: Mapping[str, float],
    noise: Noise | None,
) -> None:
    names = ", ".join(item.name for item in problem.equations)
    faults = [
        f"prior {name!r} is no equation; there are {names}"
        for name in priors
        if name not in [item.name for item in problem.equations]
    ]
    faults += [
        f"prior {name!r} is {sd:g}, expected above 0" for name, sd in priors.items() if not sd > 0
    ]
    if not 0 < coverage < 1:
        faults.append(f"coverage is {coverage:g}, expected above 0 and below 1")
    if settings.windows is not None:
        faults.append("windows cut time, expected one network for all readings")
    if not problem.measured:
        faults.append("nothing is measured")
    readings = sum(len(item.values) for item in problem.measured)
    if noise is None and problem.free and readings == len(problem.free):
        faults.append(f"{readings} readings cannot tell as many parameters and the noise: state it")
    if problem.measured and readings < len(problem.free):
        names = ", ".join(item.name for item in problem.free)
        faults.append(f"{readings} readings cannot tell {len(problem.free)} parameters: {names}")
    if faults:
        raise InputError(f"inverse problem {problem.name}", faults)


def _inverted(
    solution: Solution,
    refining: Polish,
    refined: Refined,
    known: tuple[float, ...] | None,
    coverage: float,
    wall_s: float,
) -> Inverted:
    problem, names = refining.problem, sorted(item.name for item in refining.problem.free)
    count = len(names)
    posterior = of_judged(solution, refined.judged, known)
    if count and (open_ones := not_found(refined.judged.upper, names)):
        others = _at_ends(problem, np.asarray(refined.theta[-count:])) or _unsettled(posterior)
        raise InputError(f"readings of {problem.name}", others or open_ones)
    refining = replace(refining, physics=replace(refining.physics, params=solution.params))
    return Inverted(
        {item.name: item for item in posterior.estimates(coverage)},
        coverage,
        posterior.noise,
        condition(refined.judged.upper, count) if count else 1.0,
        posterior,
        refining,
        wall_s,
        _recommended(posterior, coverage),
    )


def _at_ends(problem: Problem, unbounded: Float[np.ndarray, " parameter"]) -> list[str]:
    """Parameters that the readings pull out of the range in which they are sought."""
    told = []
    for item, value in zip(sorted(problem.free, key=lambda it: it.name), unbounded, strict=True):
        share = 1 / (1 + np.exp(-value))
        if not AT_END < share < 1 - AT_END:
            end = item.low if share < AT_END else item.high
            told.append(
                f"{item.name} ends where its range does, at {end:g} {item.unit}, and the readings "
                "pull it further; widen the range if that makes sense"
            )
    return told


def _unsettled(posterior: Laplace) -> list[str]:
    """Where the fit is still far from its minimum, nothing can be said of the parameters yet."""
    if not posterior.unsettled > UNFINISHED:
        return []
    return [
        f"the fit has not settled ({posterior.unsettled:.1g} standard errors are left), so that "
        "nothing can be said of the parameters; train longer"
    ]


def _recommended(posterior: Laplace, coverage: float) -> str:
    told = "; ".join(item.describe() for item in posterior.estimates(coverage))
    if not told:
        return "No parameter is free. Compare fields and deviations with those of another seed."
    text = f"With {coverage:.0%} intervals: {told}."
    if posterior.unsettled > SETTLED:
        return text + (
            f" The fit has not settled: {posterior.unsettled:.1g} standard errors are left, so do "
            "not rely on the intervals; train longer."
        )
    return (
        text + " The fit has settled. Compare with a solver on the same readings if there is one."
    )


def _estimates(
    problem: Problem,
    values: Float[np.ndarray, " parameter"],
    sds: Float[np.ndarray, " parameter"],
    coverage: float,
    freedom: float,
) -> dict[str, Estimate]:
    free = sorted(problem.free, key=lambda item: item.name)
    return {
        item.name: estimate(item, float(value), float(sd), coverage, freedom)
        for item, value, sd in zip(free, values, sds, strict=True)
    }
