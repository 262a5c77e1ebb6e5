"""Ensembles: functions drawn at random, each with its solution, as labelled arrays."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from tvilling.pinns.operators.problem import Function, Grid, OperatorProblem

if TYPE_CHECKING:
    import xarray as xr


def ensemble(
    problem: OperatorProblem,
    samples: int,
    seed: int,
    points: Mapping[str, int] | None = None,
) -> "xr.Dataset":
    """Draw `samples` functions and solve the problem of each by its reference.

    Parameters
    ----------
    seed
        Of the draws. The functions do not depend on the grid.
    points
        Places along axes, where they differ from those of the problem.

    Returns
    -------
    xr.Dataset
        The function, `[sample, along]`, and the unknown, `[sample, *axes]`, with units.
    """
    return solved(problem, problem.varied.draws.draw(samples, seed), problem.grid(points), seed)


def solved(
    problem: OperatorProblem, functions: Sequence[Function], grid: Grid, seed: int | None = None
) -> "xr.Dataset":
    """The same for given functions and a given grid."""
    inputs = values_of(functions, grid[problem.along.name])
    found = labelled(problem, inputs, problem.solve(functions, grid), grid)
    return found.assign_attrs(seed="" if seed is None else seed, source=_source(problem))


def values_of(
    functions: Sequence[Function], places: Float[np.ndarray, " place"]
) -> Float[np.ndarray, "sample place"]:
    """Values of each function at `places`."""
    return np.stack([np.broadcast_to(np.asarray(f(places)), places.shape) for f in functions])


def labelled(
    problem: OperatorProblem,
    inputs: Float[np.ndarray, "sample along"],
    outputs: Float[np.ndarray, "sample *grid"],
    grid: Grid,
) -> "xr.Dataset":
    """Names and units put on functions and solutions."""
    import xarray as xr

    varied, unknown = problem.varied, problem.unknown
    dims = tuple(axis.name for axis in problem.axes)
    return xr.Dataset(
        {
            varied.name: (("sample", varied.along), inputs, {"units": varied.unit}),
            unknown.name: (("sample", *dims), outputs, {"units": unknown.unit}),
        },
        {axis.name: (axis.name, grid[axis.name], {"units": axis.unit}) for axis in problem.axes},
        {
            "problem": problem.name,
            **{f"at_{name}": value for name, value in problem.at.items()},
            "tvilling_version": version("tvilling"),
        },
    )


def _source(problem: OperatorProblem) -> str:
    reference = problem.template.reference
    return "" if reference is None else reference.source
