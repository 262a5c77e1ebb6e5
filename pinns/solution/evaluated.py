"""What every solution answers: values on a grid, residuals, and the distance to a reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.given_numbers import as_numbers
from tvilling.pinns.problem.statement import Problem, Reference
from tvilling.pinns.problem.variables import Variables
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.pinns.solution.verdict import Verdict

GRID_POINTS = 20_000  # about as many in a grid that is chosen here
WATCHED = 5_000  # the same where an error is taken again and again


@dataclass(frozen=True)
class Deviation:
    """How far a solution is from a reference, over a grid.

    Attributes
    ----------
    relative_l2
        Root mean square of the difference over that of the reference; infinite where that is zero.
    relative_to_spread
        The same over the reference's standard deviation: what is left when a constant offset,
        such as the zero of a temperature scale, may not flatter.
    rms, greatest
        Of the difference [unit of the unknown].
    """

    relative_l2: float
    relative_to_spread: float
    rms: float
    greatest: float


class Evaluated:
    """A solution of a problem, whatever it is made of."""

    problem: Problem
    stopped: str
    seed: int
    note: str

    @property
    def fields(self) -> Variables:
        """Unknowns, coordinates and parameters as fields: `d(solution.fields.u, "x")(point)`."""
        raise NotImplementedError

    @property
    def held_out(self) -> float:
        """Loss at points that were not trained on."""
        raise NotImplementedError

    @property
    def verdict(self) -> "Verdict":
        """Whether the problem is solved, and what to do next where it is not."""
        raise NotImplementedError

    @property
    def status(self) -> str:
        """One of "solved", "not solved", "not known", by an independent check: see `verdict`."""
        return self.verdict.status

    @property
    def recommend(self) -> str:
        """What to do next, in plain words."""
        return self.verdict.recommend

    def values_at(
        self, points: Mapping[str, np.ndarray], names: list[str]
    ) -> dict[str, Float[np.ndarray, " point"]]:
        """The named unknowns at points `[point]`."""
        raise NotImplementedError

    def worst_error(self) -> float:
        """Greatest relative L2 error of an unknown against the problem's reference."""
        return max(item.relative_l2 for item in self.error(points=WATCHED).values())

    def evaluate(self, **coordinates: ArrayLike) -> "xr.Dataset":
        """The unknowns on the grid that the coordinates span, as labelled arrays with units.

        A coordinate may be an array or a number; every axis of the domain and every parameter
        that is an input must be given. Outside a shape the values are NaN.

        Raises
        ------
        InputError
            With every coordinate that is missing, unknown or outside its range.
        """
        import xarray as xr

        axes = self._checked_axes(coordinates)
        points, shape = _grid(axes)
        names = [item.name for item in self.problem.told]
        values = self.values_at(points, names)
        outside = ~self.problem.domain.within(points)
        values = {name: np.where(outside, np.nan, found) for name, found in values.items()}
        dims = tuple(axes)
        units = {axis.name: axis.unit for axis in self.problem.inputs.axes}
        return xr.Dataset(
            {
                unknown.name: (
                    dims,
                    values[unknown.name].reshape(shape),
                    {"units": unknown.unit},
                )
                for unknown in self.problem.told
            },
            {name: (name, array, {"units": units[name]}) for name, array in axes.items()},
            {
                "problem": self.problem.name,
                "tvilling_version": version("tvilling"),
                "seed": self.seed,
                "stopped": self.stopped,
                "held_out_loss": self.held_out,
            },
        )

    def residuals(self, points: Mapping[str, ArrayLike]) -> dict[str, Float[np.ndarray, " point"]]:
        """The residual of each equation that holds inside, at `points` [unit of the equation].

        A small residual does not bound the error: compare with a reference where there is one.

        Raises
        ------
        InputError
            With every coordinate that is missing, unknown or outside its range.
        """
        checked = self._checked_axes(points)
        if len({array.shape for array in checked.values()}) > 1:
            told = ", ".join(f"{name} {array.size}" for name, array in checked.items())
            raise InputError(f"points of {self.problem.name}", [f"numbers differ: {told}"])
        at, arrays = self.fields, arrays_of(checked)
        shape = next(iter(arrays.values())).shape
        equations = [item for item in self.problem.equations if item.face is None]
        residuals = [item.field(at) for item in equations]
        return {
            equation.name: np.broadcast_to(value, shape)
            for equation, value in zip(equations, evaluate(residuals, arrays), strict=True)
        }

    def error(
        self, reference: Reference | None = None, points: int = GRID_POINTS
    ) -> dict[str, Deviation]:
        """Distance of each unknown from `reference`, else from that of the problem.

        Taken over an even grid of about `points` points that reaches every edge of the domain.

        Raises
        ------
        InputError
            If there is no reference, or it gives what is no unknown.
        """
        reference = reference or self.problem.reference
        if reference is None:
            raise InputError(
                f"problem {self.problem.name}",
                ["it has no reference to compare with; pass one"],
            )
        inputs = self.problem.inputs.axes
        each = max(2, round(points ** (1 / len(inputs))))
        grid, _ = _grid({axis.name: np.linspace(axis.low, axis.high, each) for axis in inputs})
        inside = self.problem.domain.inside(grid)
        grid = {name: values[inside] for name, values in grid.items()}
        true = reference.function(grid)
        told = [item.name for item in self.problem.told]
        if odd := [name for name in true if name not in told]:
            fault = f"it gives {', '.join(odd)}; the solution has {', '.join(told)}"
            raise InputError(f"reference of {self.problem.name}", [fault])
        found = self.values_at(grid, list(true))
        return {name: _deviation(found[name], np.asarray(true[name])) for name in true}

    def _checked_axes(self, coordinates: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        """The coordinates in the order of the axes."""
        axes = {axis.name: axis for axis in self.problem.inputs.axes}
        faults = [f"{name} is missing" for name in axes if name not in coordinates]
        faults += [f"{name} is no coordinate" for name in coordinates if name not in axes]
        arrays = {}
        for name in [name for name in axes if name in coordinates]:
            try:
                arrays[name] = np.atleast_1d(as_numbers(coordinates[name]))
            except ValueError as error:
                faults.append(f"values of {name} {error}")
                continue
            if arrays[name].ndim > 1:
                faults.append(f"{name} has {arrays[name].ndim} axes, expected one, a list")
            faults += axes[name].leaving(arrays[name])
        if faults:
            raise InputError(f"coordinates of {self.problem.name}", faults)
        return arrays


def arrays_of(points: Mapping[str, ArrayLike]) -> dict[str, Float[Array, " point"]]:
    """Coordinates as arrays of floating-point numbers."""
    return {name: jnp.asarray(values, float) for name, values in points.items()}


def _grid(
    axes: Mapping[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """All combinations of the coordinates as flat points, and the shape they came from."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: array.ravel() for name, array in zip(axes, mesh, strict=True)}, mesh[0].shape


def _deviation(found: np.ndarray, true: np.ndarray) -> Deviation:
    off = found - true
    rms = float(np.sqrt(np.mean(off**2)))
    return Deviation(
        relative_l2=_share(rms, float(np.sqrt(np.mean(true**2)))),
        relative_to_spread=_share(rms, float(np.std(true))),
        rms=rms,
        greatest=float(np.max(np.abs(off))),
    )


def _share(part: float, whole: float) -> float:
    """Of a reference that is zero, or constant, no share can be told: infinite."""
    return part / whole if whole > 0 else float("inf")
