"""Keep a solution: its weights in an Orbax folder, what is known about it as JSON beside them.

Nothing is pickled. A problem holds functions, which no file can keep: whoever loads a solution
hands over the problem, and it is compared with what was kept of it. A solution in windows is a
folder a window.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float
from pydantic import BaseModel, Field

from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.fields.jumps import waves
from tvilling.pinns.network.ansatz import Params, fields, start, unsought
from tvilling.pinns.network.network import NetworkSettings
from tvilling.pinns.problem.specification import declared, described, differing, plain
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.training.settings import TrainSettings
from tvilling.pinns.training.training_loop import Check
from tvilling.pinns.training.windows import WindowedSolution, window_of
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.array_store import load_arrays, save_arrays, whole_folder
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.strict_json import read_model
from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.learning.footprint import Footprint

ABOUT, ARRAYS, WINDOWS, WINDOW = "solution.json", "arrays", "windows.json", "window_"
NETWORK, FREE, PROBED = "network", "free", "probed"
RESIDUAL = f"{PROBED} residual"  # of each equation, with waves in place of the unknowns
PROBE_SHARES = np.array([0.11, 0.52, 0.93])  # of each axis: a grid to compare values on
AGREEMENT = 1e-6  # of these values, in scales of the unknown; machines differ in the last digits


class KeptCheck(StrictModel):
    """One check of the training; None where a number was not finite."""

    phase: str
    step: int
    loss: float | None
    held_out: float | None
    wall_s: float
    error: float | None
    typical: float | None = None


class About(StrictModel):
    """What stands in the JSON of a solution that was kept."""

    format: Literal[1] = 1
    problem: str
    declared: dict[str, Any]
    network: dict[str, Any]
    settings: dict[str, Any] | None
    seed: int
    stopped: str
    note: str = ""
    scales: dict[str, float]
    parameters: dict[str, float]
    checks: tuple[KeptCheck, ...] = Field(min_length=1)
    footprint: dict[str, Any] | None
    tvilling_version: str


class AboutWindows(StrictModel):
    """What stands beside the folders of windows."""

    format: Literal[1] = 1
    problem: str
    axis: str
    count: int
    footprint: dict[str, Any] | None


def save_solution(
    solution: Solution | WindowedSolution,
    folder: Path,
    settings: TrainSettings | None = None,
    footprint: Footprint | None = None,
) -> Path:
    """Write `solution` to `folder`, which appears whole or not at all.

    Parameters
    ----------
    settings, footprint
        How it was trained, and what that took; kept to be read.

    Raises
    ------
    InputError
        If `folder` is there already; nothing is overwritten.
    """
    folder = Path(folder)
    with whole_folder(folder) as beside:
        if isinstance(solution, WindowedSolution):
            _save_windows(solution, beside, settings, footprint)
        else:
            save_arrays(beside / ARRAYS, _arrays(solution))
            _write(beside / ABOUT, _about(solution, settings, footprint))
    return folder


def read_about(folder: Path) -> About:
    """What is known about the solution, or a window of one, in `folder`, without its weights.

    Raises
    ------
    InputError
        If there is none.
    """
    return read_model(folder / ABOUT, About, "solution")


def check_weights(
    folder: Path, wanted: Mapping[str, tuple[int, ...]], kept: Mapping[str, np.ndarray]
) -> None:
    """Raise an InputError where arrays are not of the shapes that are wanted, or not finite."""
    shapes = {name: array.shape for name, array in kept.items()}
    if shapes != dict(wanted):
        odd = [name for name in {**wanted, **shapes} if wanted.get(name) != shapes.get(name)]
        told = f"its weights are those of another network than it describes ({', '.join(odd)})"
        raise InputError(str(folder), [told])
    if not all(np.isfinite(array).all() for array in kept.values()):
        raise InputError(str(folder), ["its weights are not finite"])


def load_solution(folder: Path, problem: Problem) -> Solution | WindowedSolution:
    """Read the solution of `problem` that was kept in `folder`, equal to the bit.

    Raises
    ------
    InputError
        If there is none, or it is one of another problem: other coordinates, unknowns,
        parameters, conditions or equations, or other values at points that were kept to compare;
        or a file of it is missing or damaged.
    """
    folder = Path(folder)
    check_sums(folder)
    if (folder / WINDOWS).exists():
        return _load_windows(folder, problem)
    return _load_one(folder, problem)


def _load_one(folder: Path, problem: Problem) -> Solution:
    about = read_about(folder)
    if about.problem != problem.name:
        told = f"holds a solution of {about.problem}, not of {problem.name}"
        raise InputError(str(folder), [told])
    if parts := differing(about.declared, declared(problem)):
        told = f"holds a solution of {about.problem} with other {', '.join(parts)}"
        raise InputError(str(folder), [told])
    if set(about.scales) != {item.name for item in problem.equations}:
        raise InputError(str(folder), ["its scales are not those of the equations"])
    arrays = load_arrays(folder / ARRAYS)
    graph, params = _weights(folder, problem, about, arrays)
    solution = Solution(
        params=params,
        graph=graph,
        problem=problem,
        scales=tuple(about.scales.items()),
        checks=tuple(_check(kept) for kept in about.checks),
        stopped=about.stopped,
        seed=about.seed,
        note=about.note,
    )
    _compare(folder, solution, arrays)
    _compare_residuals(folder, solution, arrays)
    return solution


def _write(file: Path, about: BaseModel) -> None:
    file.write_text(about.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _save_windows(
    solution: WindowedSolution,
    folder: Path,
    settings: TrainSettings | None,
    footprint: Footprint | None,
) -> None:
    for index, window in enumerate(solution.windows):
        save_solution(window, folder / f"{WINDOW}{index}", settings)
    about = AboutWindows(
        problem=solution.problem.name,
        axis=solution.axis,
        count=len(solution.windows),
        footprint=None if footprint is None else asdict(footprint),
    )
    _write(folder / WINDOWS, about)


def _load_windows(folder: Path, problem: Problem) -> WindowedSolution:
    """Window by window, since each starts from where the one before it ends."""
    about = read_model(folder / WINDOWS, AboutWindows, "solution")
    if about.problem != problem.name or about.axis not in problem.domain.names:
        told = f"holds a solution of {about.problem} in windows of {about.axis}"
        raise InputError(str(folder), [f"{told}, not of {problem.name}"])
    axis = problem.domain.axis(about.axis)
    edges = np.linspace(axis.low, axis.high, about.count + 1)
    windows: list[Solution] = []
    for index, (low, high) in enumerate(pairwise(edges)):
        cut = replace(axis, low=float(low), high=float(high))
        part = window_of(problem, cut, windows[-1] if windows else None)
        windows.append(_load_one(folder / f"{WINDOW}{index}", part))
    return WindowedSolution(problem, tuple(windows), about.axis)


def _about(
    solution: Solution, settings: TrainSettings | None, footprint: Footprint | None
) -> About:
    merged = nnx.merge(solution.graph, solution.params.network)
    return About(
        problem=solution.problem.name,
        declared=declared(solution.problem),
        network=asdict(merged.settings),
        settings=None if settings is None else described(settings),
        seed=solution.seed,
        stopped=solution.stopped,
        note=solution.note,
        scales=dict(solution.scales),
        parameters=solution.parameters,
        checks=tuple(
            KeptCheck(**{name: plain(value) for name, value in vars(check).items()})
            for check in solution.checks
        ),
        footprint=None if footprint is None else asdict(footprint),
        tvilling_version=version("tvilling"),
    )


def _check(kept: KeptCheck) -> Check:
    numbers = (kept.loss, kept.held_out, kept.wall_s, kept.error, kept.typical)
    return Check(kept.phase, kept.step, *(math.nan if x is None else x for x in numbers))


def _arrays(solution: Solution) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(solution.params.network)
    found = {f"{NETWORK}{path_name(path)}": np.asarray(leaf) for path, leaf in leaves}
    found |= {f"{FREE}.{name}": np.asarray(value) for name, value in solution.params.free.items()}
    found |= {f"{RESIDUAL}.{name}": values for name, values in _residuals(solution).items()}
    return found | {f"{PROBED}.{name}": values for name, values in _probe(solution).items()}


def path_name(path: tuple[Any, ...]) -> str:
    """Where a weight belongs, as in `.layers.0.kernel`."""
    keys = [getattr(part, "key", getattr(part, "name", getattr(part, "idx", ""))) for part in path]
    return "".join(f".{key}" for key in keys)


def _weights(
    folder: Path, problem: Problem, about: About, arrays: dict[str, np.ndarray]
) -> tuple[nnx.GraphDef[Any], Params]:
    """The network that the JSON describes, with the weights of the arrays."""
    try:
        settings = NetworkSettings(**about.network)
    except (TypeError, InputError) as error:
        told = "; ".join(error.faults) if isinstance(error, InputError) else "it has other settings"
        raise InputError(str(folder), [f"its network is none that is known: {told}"]) from error
    graph, like = start(problem, settings, jax.random.key(about.seed))
    leaves, tree = jax.tree_util.tree_flatten_with_path(like.network)
    names = [f"{NETWORK}{path_name(path)}" for path, _ in leaves]
    wanted = {name: leaf.shape for name, (_, leaf) in zip(names, leaves, strict=True)}
    wanted |= {f"{FREE}.{item.name}": () for item in problem.free}
    kept = {name: a for name, a in arrays.items() if not name.startswith(PROBED)}
    check_weights(folder, wanted, kept)
    found = jax.tree.unflatten(tree, [jnp.asarray(arrays[name]) for name in names])
    free = {item.name: jnp.asarray(arrays[f"{FREE}.{item.name}"]) for item in problem.free}
    return graph, Params(found, free)


def _probe(solution: Solution) -> dict[str, Float[np.ndarray, " point"]]:
    """Values of the unknowns on a coarse grid, the same for every solution of a problem."""
    grid = {
        axis.name: axis.low + (axis.high - axis.low) * PROBE_SHARES
        for axis in solution.problem.inputs.axes
    }
    data = solution.evaluate(**grid)
    return {str(name): values.values.ravel() for name, values in data.data_vars.items()}


def _residuals(solution: Solution) -> dict[str, Float[np.ndarray, " point"]]:
    """What the equations make of the same waves at the same points: it tells formulas apart."""
    problem = solution.problem
    at = fields(problem, waves(problem), unsought(problem))
    mesh = np.meshgrid(*(axis.low + (axis.high - axis.low) * PROBE_SHARES
                         for axis in problem.inputs.axes))  # fmt: skip
    points = dict(zip(problem.inputs.names, (values.ravel() for values in mesh), strict=True))
    like = next(iter(points.values()))
    points |= {f"normal_{name}": np.full_like(like, 0.6) for name in problem.domain.names}
    values = evaluate([item.field(at) for item in problem.equations], points)
    return {
        item.name: np.broadcast_to(np.asarray(value), like.shape)
        for item, value in zip(problem.equations, values, strict=True)
    }


def _compare_residuals(folder: Path, solution: Solution, arrays: dict[str, np.ndarray]) -> None:
    """Raise an InputError where an equation is another one than when the solution was kept."""
    for name, values in _residuals(solution).items():
        kept = arrays.get(f"{RESIDUAL}.{name}")
        if kept is None:  # kept by an earlier version
            continue
        size = float(np.nanmax(np.abs(kept), initial=0.0)) or 1.0
        same = np.isclose(values, kept, rtol=AGREEMENT, atol=AGREEMENT * size, equal_nan=True)
        if kept.shape != values.shape or not same.all():
            fault = f"equation {name} is another one than when it was kept; train it again"
            raise InputError(str(folder), [fault])


def _compare(folder: Path, solution: Solution, arrays: dict[str, np.ndarray]) -> None:
    for name, values in _probe(solution).items():
        kept = arrays.get(f"{PROBED}.{name}")
        if kept is None or kept.shape != values.shape:
            raise InputError(str(folder), [f"its values of {name} to compare with are missing"])
        off = np.abs(values - kept) / _scale(solution.problem, name, kept)
        if not np.all((off <= AGREEMENT) | (np.isnan(values) & np.isnan(kept))):
            raise InputError(
                str(folder),
                [
                    f"gives other values of {name} with this problem than when it was kept "
                    f"(by up to {np.nanmax(off):.2g} of its scale); conditions or parameters differ"
                ],
            )


def _scale(problem: Problem, name: str, values: Float[np.ndarray, " point"]) -> float:
    """Of an unknown; the greatest value of what is derived, or one where that is zero."""
    scales = {item.name: item.scale for item in problem.unknowns}
    return scales.get(name) or float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
