"""Time in windows: each solved by a network of its own, from where the one before it ends.

A window of an equation of evolution is easier than the whole: its network need not know what came
before, and cannot settle on a wrong future. Values, and slopes where a condition has them, pass
from window to window exactly, as the condition at the start of the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.fields.domain import Axis, Box, Domain
from tvilling.pinns.fields.evaluation import Along, NeededDerivatives, Place
from tvilling.pinns.fields.field import Point, Solved, d
from tvilling.pinns.network.ansatz import check_place
from tvilling.pinns.problem.conditions import Condition, Held
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.problem.variables import Variables, everything
from tvilling.pinns.solution.evaluated import Evaluated
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.solution.verdict import Verdict, verdict_of_windows
from tvilling.pinns.training.settings import TrainSettings, Windows
from tvilling.pinns.training.training_loop import Tell
from tvilling.sciml.core.errors import InputError

TrainOne = Callable[..., Solution]


@dataclass(frozen=True, eq=False)
class WindowedSolution(Evaluated):
    """A solution in windows of one axis.

    Attributes
    ----------
    windows
        The solution of each, in order.
    axis
        Name of the coordinate that is cut.
    """

    problem: Problem
    windows: tuple[Solution, ...]
    axis: str

    def __repr__(self) -> str:
        from tvilling.pinns.solution.notebook_repr import show_solution

        return show_solution(self)

    @property
    def starts(self) -> Float[np.ndarray, " window"]:
        """Where each window begins [unit of the axis]."""
        return np.array([item.problem.domain.axis(self.axis).low for item in self.windows])

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Of all windows."""
        return self.windows[0].seed

    @property
    def stopped(self) -> str:  # type: ignore[override]
        """Why the last window ended."""
        return self.windows[-1].stopped

    @property
    def note(self) -> str:  # type: ignore[override]
        """That checkpoints to go on from were lost, where they were."""
        return "; ".join(dict.fromkeys(item.note for item in self.windows if item.note))

    @property
    def held_out(self) -> float:
        """The greatest loss of a window at points that were not trained on."""
        return max(item.held_out for item in self.windows)

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the problem is solved, by an independent check that is made when first asked."""
        return verdict_of_windows(self)

    @property
    def parameters(self) -> dict[str, float]:
        """Fixed parameters in their units."""
        return self.windows[0].parameters

    @property
    def fields(self) -> Variables:
        """Unknowns, coordinates and parameters as fields, each point from its window."""
        source = _Piecewise(self)
        own = {item.name: Solved(item.name, source) for item in self.problem.unknowns}
        return Variables(everything(self.windows[0].fields) | own)

    def values_at(
        self, points: Mapping[str, np.ndarray], names: list[str]
    ) -> dict[str, Float[np.ndarray, " point"]]:
        """The named unknowns at points `[point]`."""
        place = np.searchsorted(self.starts, points[self.axis], side="right") - 1
        found = {name: np.empty(place.shape) for name in names}
        for index in np.unique(place):
            here = place == index
            inside = {name: np.asarray(values)[here] for name, values in points.items()}
            for name, values in self.windows[max(index, 0)].values_at(inside, names).items():
                found[name][here] = values
        return found


class _Piecewise:
    """Derivatives of the unknowns, each point from the window it lies in."""

    def __init__(self, solution: WindowedSolution) -> None:
        self.solution = solution

    def derivatives(
        self, points: Point, wanted: NeededDerivatives, place: Place = ()
    ) -> dict[tuple[str, Along], Array]:
        """All windows are computed, and one is taken at each point."""
        check_place(self.solution.problem, place)
        starts = jnp.asarray(self.solution.starts)
        when = points[self.solution.axis]
        here = jnp.searchsorted(starts, when, side="right") - 1
        found: dict[tuple[str, Along], Array] = {}
        for index, window in enumerate(self.solution.windows):
            at = window.fields
            source = getattr(at, self.solution.problem.unknowns[0].name).source
            for key, values in source.derivatives(points, wanted).items():
                found[key] = jnp.where(here == index, values, found.get(key, values))
        return found


def train_in_windows(
    problem: Problem,
    settings: TrainSettings,
    train_one: TrainOne,
    seed: int,
    tell: Tell,
    folder: Path | None,
) -> WindowedSolution:
    """Solve one window after the other with `train_one`.

    Raises
    ------
    InputError
        If the axis cannot be cut, or no condition says where an unknown starts.
    """
    windows = settings.windows
    assert windows is not None
    axis = _checked(problem, windows)
    edges = np.linspace(axis.low, axis.high, windows.count + 1)
    time_s = settings.time_s / windows.count
    one = replace(settings, windows=None, time_s=time_s)
    solved: list[Solution] = []
    for index, (low, high) in enumerate(pairwise(edges)):
        before = solved[-1] if solved else None
        part = window_of(problem, replace(axis, low=float(low), high=float(high)), before)
        where = None if folder is None else folder / f"window_{index}"
        solved.append(train_one(part, one, seed, tell, where))
    return WindowedSolution(problem, tuple(solved), windows.axis)


def window_of(problem: Problem, axis: Axis, before: Solution | None) -> Problem:
    """The problem between the ends of `axis`, starting from where `before` ends."""
    conditions = []
    for condition in problem.conditions:
        if not (isinstance(condition, Condition) and condition.axis == axis.name) or before is None:
            conditions.append(condition)
        else:
            end = getattr(before.fields, condition.unknown)
            slope = None if condition.slope is None else Held(d(end, axis.name))
            held = replace(condition, at=axis.low, value=Held(end), slope=slope, course=None)
            conditions.append(held)
    domain: Domain = Box(
        tuple(axis if item.name == axis.name else item for item in problem.domain.axes)
    )
    start = f"{problem.name} {axis.name} {axis.low:.4g} to {axis.high:.4g} {axis.unit}"
    return replace(problem, name=start, domain=domain, conditions=tuple(conditions))


def _checked(problem: Problem, windows: Windows) -> Axis:
    """The axis that is cut."""
    faults = []
    if windows.axis not in problem.domain.names:
        known = ", ".join(problem.domain.names)
        faults.append(f"{windows.axis!r} is no axis; declared are {known}")
    elif not isinstance(problem.domain, Box):
        faults.append("only a box can be cut into windows")
    else:
        axis = problem.domain.axis(windows.axis)
        if not any(_starts(problem, item.name, axis) for item in problem.unknowns):
            faults.append(
                f"nothing says what holds at {axis.name} = {axis.low:g}, where they begin"
            )
        if any(item.face == (axis.name, axis.low) for item in problem.equations):
            faults.append("an equation holds where they begin; prescribe a value or slope there")
    if problem.free or problem.measured:
        faults.append("parameters cannot be found window by window")
    if faults:
        raise InputError(f"windows of {problem.name}", faults)
    return problem.domain.axis(windows.axis)


def _starts(problem: Problem, unknown: str, axis: Axis) -> bool:
    return any(
        isinstance(item, Condition) and (item.axis, item.at) == (axis.name, axis.low)
        for item in problem.conditions_on(unknown)
    )
