"""Where an equation on an edge disagrees with a value that is prescribed beside it.

A wall that is heated from the first second on has no gradient at the start, and its edge demands
one: no smooth solution meets both where they meet, and the residual there stays as it is. That is
no fault of a problem, but it rules a mean square, and the error near the corner.
"""

from collections.abc import Iterator

import numpy as np

from tvilling.pinns.fields.domain import draw_edge
from tvilling.pinns.fields.evaluation import evaluate, needs
from tvilling.pinns.fields.jumps import waves
from tvilling.pinns.network.ansatz import fields, unsought
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.statement import Equation, Problem

TRIED = 16  # points of the place where both meet
APART = 1e-6  # of the equation's own size with waves in place of the unknowns


def disagreements(problem: Problem) -> Iterator[str]:
    """A sentence for each equation on an edge that a prescribed value beside it contradicts."""
    for equation in problem.equations:
        if equation.face is None:
            continue
        for condition in problem.conditions:
            if isinstance(condition, Condition) and condition.axis != equation.face[0]:
                yield from _apart(problem, equation, condition)


def _apart(problem: Problem, equation: Equation, condition: Condition) -> Iterator[str]:
    """What is left of the equation where the condition already says all that it takes."""
    at = fields(problem, waves(problem), unsought(problem))
    field = equation.field(at)
    names = [*problem.inputs.names, *(f"normal_{name}" for name in problem.domain.names)]
    for _, place, wanted in needs([field], dict.fromkeys(names, 0.0)):
        along = {name for alongs in wanted.values() for one in alongs for name in one}
        if place or set(wanted) != {condition.unknown} or condition.axis in along:
            return
    assert equation.face is not None
    points = draw_edge(problem.inputs, equation.face, np.random.default_rng(5), TRIED)
    size = np.abs(np.asarray(evaluate([field], points)[0])).max()
    points[condition.axis] = np.full(TRIED, condition.at)
    left = np.broadcast_to(np.asarray(evaluate([field], points)[0]), TRIED)
    worst = left[np.argmax(np.abs(left))]
    if abs(worst) > APART * max(size, 1e-300):
        yield (
            f"equation {equation.name} and the {condition.describe()} disagree where they meet: "
            f"{worst:.3g} {equation.unit} is left there, whatever is trained"
        )
