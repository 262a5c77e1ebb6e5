"""How sure a network is: of fields and of parameters, from its equations and readings.

| | what its spread holds | cost |
|---|---|---|
| `laplace` | the readings' noise, through linearised equations | one factorisation |
| `ensemble` | where training ends; with `noise`, the readings' too | a training a member |

Laplace's approximation takes the posterior as normal about the fit, with Gauss and Newton's
curvature: MacKay, Neural Comput. 4 (1992) 448-472, DOI 10.1162/neco.1992.4.3.448; Daxberger et
al., NeurIPS 2021. Members with noise added to their readings are draws from the posterior where
the equations are linear: Oliver, He and Reynolds, ECMOR 1996, DOI 10.3997/2214-4609.201406884.
Neither knows of physics that the equations leave out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.inverse.estimates import Estimate, estimate, slope, solved, standard_errors
from tvilling.pinns.inverse.polish import refining_of
from tvilling.pinns.network.ansatz import terms
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.training.loss_weights import Judged, Noise, given_noise
from tvilling.pinns.training.settings import TrainSettings
from tvilling.pinns.training.trainer import train
from tvilling.pinns.training.training_loop import Tell, silent
from tvilling.pinns.training.windows import WindowedSolution
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

CHUNK = 512  # points at a time, each with a slope by every weight


@dataclass(frozen=True, eq=False)
class Laplace:
    """A normal posterior about a solution.

    Attributes
    ----------
    upper
        R of rows over deviations: the covariance of all that is fitted is (RᵀR)⁻¹.
    noise
        Of the readings of each `Measured` [unit of the unknown].
    freedom
        Readings less what was fitted to them; infinite where the noise was given.
    unsettled
        The step that is left to the minimum, over the standard error, for the parameter that is
        farthest from it. Well below one, or training ended too early for intervals to hold. NaN
        without free parameters: there, compare with another seed.
    """

    solution: Solution
    upper: Float[np.ndarray, "n n"]
    noise: tuple[float, ...]
    freedom: float
    unsettled: float

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_laplace

        return show_laplace(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters, in the order of their covariance."""
        return tuple(sorted(item.name for item in self.solution.problem.free))

    def covariance(self) -> Float[np.ndarray, "parameter parameter"]:
        """Of the parameters in their units, all weights of the network marginalised."""
        count = len(self.names)
        inverse = np.linalg.solve(self.upper[-count:, -count:], np.eye(count))
        free = {item.name: item for item in self.solution.problem.free}
        steep = [slope(free[name], float(self.solution.params.free[name])) for name in self.names]
        return np.outer(steep, steep) * (inverse @ inverse.T)

    def estimates(self, coverage: float = 0.9) -> tuple[Estimate, ...]:
        """The parameters with intervals that hold them with that chance."""
        sds = np.asarray(standard_errors(jnp.asarray(self.upper), len(self.names)))
        free = {item.name: item for item in self.solution.problem.free}
        return tuple(
            estimate(
                free[name],
                float(self.solution.params.free[name]),
                float(sd),
                coverage,
                self.freedom,
            )
            for name, sd in zip(self.names, sds, strict=True)
        )

    def evaluate(self, **coordinates: ArrayLike) -> "xr.Dataset":
        """The unknowns on a grid, and the standard deviation of each as `…_sd`."""
        dataset = self.solution.evaluate(**coordinates)
        axes = [dataset[axis.name].values for axis in self.solution.problem.inputs.axes]
        mesh = np.meshgrid(*axes, indexing="ij")
        points = {
            axis.name: values.ravel()
            for axis, values in zip(self.solution.problem.inputs.axes, mesh, strict=True)
        }
        for unknown in self.solution.problem.unknowns:
            deviation = self.deviation(unknown.name, points).reshape(mesh[0].shape)
            dataset[f"{unknown.name}_sd"] = (
                dataset[unknown.name].dims,
                deviation,
                {"units": unknown.unit},
            )
        return dataset

    def deviation(
        self, unknown: str, points: dict[str, Float[np.ndarray, " point"]]
    ) -> Float[np.ndarray, " point"]:
        """Standard deviation of an unknown at points [its unit]."""
        count = next(iter(points.values())).shape[0]
        upper = jnp.asarray(self.upper)
        parts = [
            _deviation(
                self.solution,
                unknown,
                upper,
                {name: jnp.asarray(values[at : at + CHUNK]) for name, values in points.items()},
            )
            for at in range(0, count, CHUNK)
        ]
        return np.concatenate([np.asarray(part) for part in parts])


def laplace(
    solution: Solution,
    settings: TrainSettings | None = None,
    noise: Noise | None = None,
    seed: int = 0,
) -> Laplace:
    """The posterior about `solution`.

    Weights of readings and equations are those of its problem; a solution of `invert` has them as
    they should be.

    Parameters
    ----------
    settings
        Those of the training; how many points stand for the domain.
    noise
        Standard deviation of the readings, one for all or one a `Measured` [unit of the unknown].
        None: estimated from the misfit.

    Raises
    ------
    InputError
        If nothing was measured, or the noise is not positive.
    """
    problem = solution.problem
    if not problem.measured:
        raise InputError(
            f"uncertainty of {problem.name}",
            ["nothing was measured, so there is no noise that could make it unsure"],
        )
    known = given_noise(problem, noise)
    refining = refining_of(solution, problem, settings or TrainSettings(), seed)
    return of_judged(
        solution, refining.judged(None if known is None else jnp.asarray(known)), known
    )


def of_judged(solution: Solution, judged: Judged, known: Any) -> Laplace:
    """The posterior from what rows told."""
    count = len(solution.problem.free)
    unsettled = float("nan")
    if count:
        sds = standard_errors(judged.upper, count)
        unsettled = float(jnp.max(jnp.abs(judged.step[-count:]) / sds))
    return Laplace(
        solution,
        np.asarray(judged.upper),
        tuple(float(sd) for sd in np.asarray(judged.noise)),
        float(judged.freedom) if known is None else float("inf"),
        unsettled,
    )


@partial(jax.jit, static_argnums=1)
def _deviation(solution: Solution, unknown: str, upper: Array, points: Any) -> Array:
    flat, unravel = ravel_pytree(solution.params)

    def value(theta: Array, point: Any) -> Array:
        at = terms(solution.problem, solution.graph, unravel(theta))
        return evaluate([getattr(at, unknown)], point)[0]

    slopes = jax.vmap(jax.grad(value), (None, 0))(flat, points)
    return jnp.linalg.norm(solved(upper, slopes), axis=0)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The same problem solved by networks that began differently."""

    members: tuple[Solution | WindowedSolution, ...]

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_ensemble

        return show_ensemble(self)

    @property
    def parameters(self) -> dict[str, Float[np.ndarray, " member"]]:
        """What each member found, in the units of the parameters."""
        names = [item.name for item in self.members[0].problem.free]
        found = [member.parameters for member in self.members]
        return {name: np.asarray([item[name] for item in found]) for name in names}

    def evaluate(self, **coordinates: ArrayLike) -> "xr.Dataset":
        """Mean of the unknowns over members on a grid, and their spread as `…_sd`."""
        import xarray as xr

        each = [member.evaluate(**coordinates) for member in self.members]
        joined = xr.concat(each, "member", coords="minimal", compat="override", join="override",
                           combine_attrs="drop_conflicts")  # fmt: skip
        mean = joined.mean("member", keep_attrs=True)
        spread = joined.std("member", ddof=1, keep_attrs=True)
        return mean.assign({f"{name}_sd": spread[name] for name in spread.data_vars})


def ensemble(
    problem: Problem,
    settings: TrainSettings | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    noise: Noise | None = None,
    tell: Tell = silent,
) -> Ensemble:
    """Train `problem` from each of `seeds`.

    Parameters
    ----------
    noise
        Standard deviation of noise that is added to the readings of each member anew, one for all
        or one a `Measured` [unit of the unknown]. None: all members see the same readings, and
        the spread holds nothing of their noise.

    Raises
    ------
    InputError
        For fewer than two different seeds, or a noise that is not positive.
    """
    if len(set(seeds)) < 2:
        raise InputError("ensemble", [f"{len(set(seeds))} different seeds, expected at least 2"])
    known = given_noise(problem, noise)
    return Ensemble(
        tuple(train(_noisy(problem, known, seed), settings, seed, tell) for seed in seeds)
    )


def _noisy(problem: Problem, noise: tuple[float, ...] | None, seed: int) -> Problem:
    if noise is None:
        return problem
    random = np.random.default_rng([seed, 2])
    measured = tuple(
        replace(
            item, values=np.asarray(item.values) + sd * random.standard_normal(len(item.values))
        )
        for item, sd in zip(problem.measured, noise, strict=True)
    )
    return replace(problem, measured=measured)
