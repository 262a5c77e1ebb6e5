"""A solution on an even grid, beside its reference."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.pinns.problem.statement import Problem
    from tvilling.pinns.solution.evaluated import Evaluated

NODES = {1: 401, 2: 101, 3: 41}  # along an axis, by the number of axes
POINTS, MIN = 20_000, 5  # about as many where there are more axes


def on_grid(solution: "Evaluated") -> "xr.Dataset":
    """Unknowns, references and differences over a grid that reaches every edge.

    Values are missing where a point of the grid lies outside the domain.
    """
    problem = solution.problem
    data = solution.evaluate(**_grid(problem))
    points, inside = _points(problem, data)
    data, shape = within(problem, data), tuple(data.sizes.values())
    if problem.reference is None:
        return data
    true = problem.reference.function({name: values[inside] for name, values in points.items()})
    for name, values in true.items():
        full = np.full(inside.shape, np.nan)
        full[inside] = np.asarray(values)
        data[f"{name}_reference"] = (data.dims, full.reshape(shape), {"units": data[name].units})
        off = data[name] - data[f"{name}_reference"]
        data[f"{name}_error"] = off.assign_attrs(units=data[name].units)
    return data.assign_attrs(
        reference=problem.reference.source,
        reference_relative_error=problem.reference.relative_error,
    )


def within(problem: "Problem", data: "xr.Dataset") -> "xr.Dataset":
    """`data` without the values at points outside the domain."""
    import xarray as xr

    inside = _points(problem, data)[1].reshape(tuple(data.sizes.values()))
    return data if inside.all() else data.where(xr.DataArray(inside, dims=data.dims))


def _grid(problem: "Problem") -> dict[str, Any]:
    axes = problem.inputs.axes
    nodes = NODES.get(len(axes), max(MIN, round(POINTS ** (1 / len(axes))) // 2 * 2 + 1))
    return {axis.name: np.linspace(axis.low, axis.high, nodes) for axis in axes}


def _points(problem: "Problem", data: "xr.Dataset") -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All points of a grid, and which of them lie in the domain; all of a box do."""
    mesh = np.meshgrid(*(data[name].values for name in data.dims), indexing="ij")
    points = {str(name): values.ravel() for name, values in zip(data.dims, mesh, strict=True)}
    return points, problem.domain.inside(points)
