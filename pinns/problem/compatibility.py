"""Whether prescribed values are numbers, and agree with one another."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import jax
import numpy as np

from tvilling.pinns.fields.domain import Edge, Points
from tvilling.pinns.network.ansatz import constants, prescribed, unsought
from tvilling.pinns.problem.conditions import Prescribed
from tvilling.pinns.problem.statement import Problem

AGREEMENT = 1e-9  # of an unknown's scale, between values at one place
TRIED = 32  # points of an edge, of a fixed seed


def agreement(problem: Problem) -> Iterator[str]:
    """What is wrong with the values of conditions, each and in pairs."""
    told = False
    for condition in problem.conditions:
        for fault in _own(problem, condition):
            told = True
            yield fault
    if told:  # pairs would only tell the same
        return
    for unknown in problem.unknowns:
        for one, other in combinations(problem.conditions_on(unknown.name), 2):
            if isinstance(one.edge, str) and isinstance(other.edge, str):
                yield from _overlap(problem, one, other)
            elif isinstance(one.edge, str) or one.edge[0] != other.edge[0]:
                yield from _corner(problem, one, other)


def place_of(edge: Edge) -> str:
    """An edge in words."""
    return edge if isinstance(edge, str) else f"{edge[0]} = {edge[1]:g}"


def _own(problem: Problem, condition: Prescribed) -> Iterator[str]:
    """Values that are no numbers, courses that leave them, breaks where an axis closes."""
    points = _points(problem, condition.edge)
    unknown, place = problem.unknown(condition.unknown), condition.describe()
    found = {what: _over(problem, item, points) for what, item in condition.formulas.items()}
    for what, numbers in found.items():
        if bad := int((~np.isfinite(numbers)).sum()):
            yield f"{place}: its {what} is not finite at {bad} of {TRIED} points tried"
            return
    values = found["value"]
    room = AGREEMENT * max(unknown.scale, float(np.abs(values).max()))
    if "course" in found:
        carried = found["course"]
        worst = int(np.argmax(np.abs(carried - values)))
        if abs(carried[worst] - values[worst]) > room:
            yield (
                f"{place}: its course is {carried[worst]:g} there and its value "
                f"{values[worst]:g} {unknown.unit}"
            )
    for axis in problem.domain.axes:
        if axis.periodic:
            ends = [
                _over(problem, condition.value, points | {axis.name: np.full(TRIED, end)})
                for end in (axis.low, axis.high)
            ]
            worst = int(np.argmax(np.abs(ends[1] - ends[0])))
            if abs(ends[1][worst] - ends[0][worst]) > room:
                yield (
                    f"{place}: its value is {ends[0][worst]:g} and {ends[1][worst]:g} "
                    f"{unknown.unit} at the ends of {axis.name}, which is periodic"
                )


def _overlap(problem: Problem, one: Prescribed, other: Prescribed) -> Iterator[str]:
    """Edges of a shape that have a piece in common; values may differ where they only meet."""
    for first, second in ((one, other), (other, one)):
        points = _points(problem, first.edge)
        away = jax.vmap(lambda at, edge=second.edge: problem.domain.nearness(edge, at))(points)
        if np.any(np.abs(away) < AGREEMENT):
            edges = f"{one.edge} and {other.edge}"
            yield f"conditions on {one.unknown}: {edges} have a piece in common"
            return


def _corner(problem: Problem, one: Prescribed, other: Prescribed) -> Iterator[str]:
    """Conditions that contradict each other where their faces meet."""
    points = _points(problem, other.edge if isinstance(other.edge, str) else one.edge)
    for face in (one, other):
        if isinstance(face.edge, tuple):
            points[face.edge[0]] = np.full(TRIED, face.edge[1])
    values = [_over(problem, face.value, points) for face in (one, other)]
    unknown = problem.unknown(one.unknown)
    gap = np.abs(values[0] - values[1])
    worst = int(np.argmax(np.where(np.isfinite(gap), gap, np.inf)))
    if not gap[worst] <= AGREEMENT * max(unknown.scale, abs(float(values[0][worst]))):
        yield (
            f"conditions on {unknown.name} disagree where {place_of(one.edge)} meets "
            f"{place_of(other.edge)}: {values[0][worst]:g} and {values[1][worst]:g} {unknown.unit}"
        )


def _points(problem: Problem, edge: Edge) -> Points:
    return dict(problem.inputs.draw_edge(edge, np.random.default_rng(0), TRIED)[0])


def _over(problem: Problem, value: Any, points: Points) -> np.ndarray:
    """What a formula prescribes over points."""
    numbers = constants(problem, unsought(problem))
    return np.asarray(jax.vmap(lambda at: prescribed(value, numbers, at))(points))
