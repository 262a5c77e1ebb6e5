"""What training an operator gives: solutions for new functions, their errors, and how familiar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from tvilling.pinns.operators.layers import DTYPE, Weights
from tvilling.pinns.operators.model import Layout, OperatorNetwork
from tvilling.pinns.operators.operator_ensemble import ensemble, labelled, values_of
from tvilling.pinns.operators.problem import Function, OperatorProblem
from tvilling.pinns.operators.trust import Familiarity
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr

if TYPE_CHECKING:
    import xarray as xr

CHUNK = 64  # samples at a time, for memory


@dataclass(frozen=True)
class Scaling:
    """Mean and spread of functions and solutions over the training data."""

    function_mean: float
    function_spread: float
    mean: float
    spread: float

    @staticmethod
    def of(functions: np.ndarray, solutions: np.ndarray) -> "Scaling":
        """The scaling of training data."""
        spreads = [float(np.std(values)) or 1.0 for values in (functions, solutions)]
        return Scaling(float(functions.mean()), spreads[0], float(solutions.mean()), spreads[1])

    def function(self, values: Any) -> Any:
        """Functions in scaled numbers."""
        return (values - self.function_mean) / self.function_spread

    def scaled(self, values: Any) -> Any:
        """Solutions in scaled numbers."""
        return (values - self.mean) / self.spread

    def solution(self, scaled: Any) -> Any:
        """Solutions in their unit."""
        return self.mean + self.spread * scaled


@dataclass(frozen=True, eq=False)
class OperatorSolution:
    """A trained operator for one family of problems.

    Attributes
    ----------
    weights
        Those that did best on held-out samples.
    sensors
        Places of the function in the training data [unit of its axis].
    familiarity
        Distance from the training functions.
    history
        Loss in training and on held-out samples.
    stopped
        Why training ended: "steps", "patience" or "diverged".
    """

    problem: OperatorProblem
    network: OperatorNetwork
    layout: Layout
    weights: Weights
    scaling: Scaling
    sensors: Float[np.ndarray, " sensor"]
    familiarity: Familiarity
    history: "xr.Dataset"
    stopped: str
    seed: int

    __repr__ = short_repr

    def evaluate(
        self, functions: "Function | Sequence[Function] | xr.DataArray", **places: ArrayLike
    ) -> "xr.Dataset":
        """Functions and their solutions on a grid, with units.

        Parameters
        ----------
        functions
            Functions of the coordinate, or their values `[sample, along]` on a grid of it; values
            are interpolated by a cubic spline where the network needs them elsewhere.
        **places
            Places along axes; as in the problem where they are not given. A Fourier operator
            takes even grids over the whole of an axis, of any fineness.

        Raises
        ------
        InputError
            If the grid does not suit the network or leaves the domain.
        """
        grid = self._grid(places)
        needed = self.network.function_places(self.layout, grid, self.sensors)
        given = self._values(functions, needed)
        shown = self._values(functions, grid[self.layout.along])
        found = self._solutions(given, grid)
        distance = self.familiarity.distance(
            self.scaling.function(self._values(functions, self.sensors))
        )
        data = labelled(self.problem, shown, found, grid)
        data["distance"] = ("sample", distance, {"units": "1"})
        return data.assign_attrs(operator=repr(self.network), seed=self.seed)

    def distance(
        self, functions: "Function | Sequence[Function] | xr.DataArray"
    ) -> Float[np.ndarray, " sample"]:
        """How far each function is from those of the training: above 1 it is not like them.

        Within 1 lie 99 % of functions of the same kind that were held out. The error grows with
        the distance, and is not bounded by it.
        """
        values = self._values(functions, self.sensors)
        return self.familiarity.distance(self.scaling.function(values))

    def error(self, data: "xr.Dataset") -> "xr.Dataset":
        """Errors against the solutions in `data`, an ensemble on any grid that suits the network.

        Returns
        -------
        xr.Dataset
            By sample: `relative_l2`; `relative_to_spread`, over the standard deviation of all
            values in `data`, which no offset flatters; `rms` and `greatest` [unit of the
            unknown]; and `distance` from the training functions.
        """
        dims = [axis.name for axis in self.problem.axes]
        found = self.evaluate(
            data[self.problem.varied.name], **{name: data[name].values for name in dims}
        )
        name = self.problem.unknown.name
        errors = errors_of(found[name].values, data[name].transpose("sample", *dims).values)
        units = {"rms": self.problem.unknown.unit, "greatest": self.problem.unknown.unit}
        about = {key: ("sample", e, {"units": units.get(key, "1")}) for key, e in errors.items()}
        return found[["distance"]].drop_vars(dims, errors="ignore").assign(about)

    def error_by_resolution(
        self, counts: Sequence[int], samples: int = 32, seed: int = 1_000_003
    ) -> "xr.DataArray":
        """Median relative L2 error of new samples on grids of `counts` places along the function.

        The functions are the same on all of them; each grid has its own solutions to compare with.
        """
        import xarray as xr

        along = self.layout.along
        medians = []
        for count in counts:
            data = ensemble(self.problem, samples, seed, {along: count})
            medians.append(float(self.error(data)["relative_l2"].median()))
        return xr.DataArray(
            medians, {along: list(counts)}, attrs={"units": "1", "coordinate": "places"}
        )

    def _grid(self, places: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        grid = self.problem.grid()
        faults = [f"{name} is no axis of the solution" for name in places if name not in grid]
        for axis in self.problem.axes:
            if axis.name in places:
                grid[axis.name] = np.atleast_1d(np.asarray(places[axis.name], float))
                faults += axis.leaving(grid[axis.name])
        if faults:
            raise InputError(f"places of {self.problem.name}", faults)
        return grid

    def _values(
        self, functions: "Function | Sequence[Function] | xr.DataArray", places: np.ndarray
    ) -> Float[np.ndarray, "sample place"]:
        """Values of the functions at `places`."""
        if callable(functions):
            functions = [functions]
        if hasattr(functions, "transpose"):
            axis = self.problem.along
            array = functions.transpose("sample", axis.name)
            return _resampled(array.values, array[axis.name].values, places, axis)
        return values_of(functions, places)

    def _solutions(self, functions: np.ndarray, grid: Mapping[str, np.ndarray]) -> np.ndarray:
        """Solutions in their unit, a chunk of samples at a time."""
        scaled = self.scaling.function(functions)
        spare = -len(scaled) % CHUNK if len(scaled) > CHUNK else 0
        padded = np.concatenate([scaled, np.zeros((spare, scaled.shape[1]))])
        places = {name: jnp.asarray(values, float) for name, values in grid.items()}
        parts = [
            _apply(self.network, self.layout, self.weights, padded[i : i + CHUNK], places)
            for i in range(0, len(padded), CHUNK)
        ]
        found = np.concatenate([np.asarray(part, float) for part in parts])[: len(scaled)]
        return np.asarray(self.scaling.solution(found))


def errors_of(
    found: Float[np.ndarray, "sample *grid"], true: Float[np.ndarray, "sample *grid"]
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Errors of each sample, as `OperatorSolution.error` names them."""
    axes = tuple(range(1, true.ndim))
    rms = np.sqrt(np.mean((found - true) ** 2, axis=axes))
    return {
        "relative_l2": rms / np.sqrt(np.mean(true**2, axis=axes)),
        "relative_to_spread": rms / np.std(true),
        "rms": rms,
        "greatest": np.max(np.abs(found - true), axis=axes),
    }


@partial(jax.jit, static_argnums=(0, 1))
def _apply(
    network: OperatorNetwork, layout: Layout, weights: Weights, functions: Any, places: Any
) -> Any:
    return network.apply(layout, weights, functions.astype(DTYPE), places)


def _resampled(
    values: np.ndarray, at: np.ndarray, places: np.ndarray, axis: Any
) -> Float[np.ndarray, "sample place"]:
    """`values` at other places along `axis`, by cubic splines."""
    from scipy.interpolate import CubicSpline

    if at.shape == places.shape and np.array_equal(at, places):
        return values
    if axis.periodic:
        at = np.append(at, at[0] + axis.high - axis.low)
        values = np.concatenate([values, values[:, :1]], axis=1)
        return np.asarray(CubicSpline(at, values, axis=1, bc_type="periodic")(places))
    return np.asarray(CubicSpline(at, values, axis=1)(places))
