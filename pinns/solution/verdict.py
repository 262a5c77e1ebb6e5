"""Whether a problem is solved, in plain words, and what to try next where it is not.

A small loss is no proof: a network that has settled on the trivial solution has one too. So the
word "solved" takes an independent check: the problem's reference where it has one, SciPy's solvers
for equations of one axis (`tvilling.pinns.solution.classical_check`), else the residual against its
own terms and a step of another method at points of no training (`tvilling.pinns.solution.defect`).
What none of them can tell is not known.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from flax import nnx

from tvilling.pinns.fields.domain import Axis, Box
from tvilling.pinns.problem.conditions import Condition
from tvilling.pinns.problem.corner_equations import disagreements
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.classical_check import Compared, compare_classical
from tvilling.pinns.solution.defect import Defect, defect
from tvilling.pinns.solution.evaluated import WATCHED
from tvilling.pinns.training.training_loop import Check

if TYPE_CHECKING:
    from tvilling.pinns.solution.solution import Solution
    from tvilling.pinns.training.windows import WindowedSolution

SOLVED_ERROR = 0.02  # of the spread: farther from a solver is not solved
SMALL_STEP, LARGE_STEP = 0.02, 0.05  # of the spread: a correction of a solved one, of another
SMALL_RESIDUAL, LARGE_RESIDUAL = 0.05, 0.3  # of an equation's terms: the same
EXACT = 1e-3  # of an equation's terms: solved, whether the step resolves what is left or not
RESOLVED = 0.6  # of the residual: what a step may leave and still be believed on its own
MIN_WINDOWS, MAX_WINDOWS = 6, 200
STILL_FALLING = 0.9  # of the steps: a best check later than that
Status = Literal["solved", "not solved", "not known"]


@dataclass(frozen=True)
class Verdict:
    """Whether a problem is solved.

    Attributes
    ----------
    status
        "solved", "not solved" or "not known".
    reason
        What the independent check says.
    recommend
        What to do next.
    """

    status: Status
    reason: str
    recommend: str

    def describe(self) -> str:
        """All of it in a line."""
        return f"{self.status}: {self.reason}. {self.recommend}"


def verdict_of(solution: "Solution") -> Verdict:
    """The verdict on one network."""
    if not _improved(solution.checks):
        reason = "training found nothing better than the untrained network"
        if solution.stopped == "diverged":
            reason = "a value was not finite, and nothing better than the start was found"
        return Verdict("not solved", reason, _next_step(solution.problem, solution, None))
    return _by_known(solution) or _by_defect(solution, defect(solution))


def verdict_of_windows(solution: "WindowedSolution") -> Verdict:
    """The verdict on networks for windows of time: of the whole where a solver knows it."""
    known = _by_known(solution)
    if known is not None:
        return known
    order = ("not solved", "not known", "solved")
    every = [(one.verdict, one) for one in solution.windows]
    worst, where = min(every, key=lambda pair: order.index(pair[0].status))
    if worst.status == "solved":
        return Verdict("solved", f"in every window: {worst.reason}", worst.recommend)
    axis = where.problem.domain.axis(solution.axis)
    reason = f"from {axis.low:g} {axis.unit} on: {worst.reason}"
    return Verdict(worst.status, reason, _next_step(solution.problem, solution, None))


def _by_known(solution: "Solution | WindowedSolution") -> Verdict | None:
    """Against the problem's reference or a classical solver, where there is one."""
    if solution.problem.reference is not None:
        return _by_reference(solution)
    compared = compare_classical(solution, solution.parameters)
    return None if compared is None else _by_solver(solution.problem, compared, solution)


def _by_reference(solution: "Solution | WindowedSolution") -> Verdict:
    deviations = solution.error(points=WATCHED)
    unknown = max(deviations, key=lambda name: deviations[name].relative_l2)
    error = deviations[unknown].relative_l2
    reason = f"{unknown} is {error:.1g} from the problem's reference, in relative L2"
    if error <= SOLVED_ERROR:
        return Verdict("solved", reason, "Compare with a solver where more digits count.")
    return Verdict("not solved", reason, _next_step(solution.problem, solution, None))


def _by_solver(
    problem: Problem, compared: Compared, solution: "Solution | WindowedSolution"
) -> Verdict:
    axis = problem.domain.axes[0]
    until = "" if compared.until in (axis.low, axis.high) else (
        f" up to {axis.name} = {compared.until:.3g} {axis.unit}, where the solver's own error "
        "becomes as large"
    )  # fmt: skip
    reason = (
        f"{compared.unknown} is {compared.error:.1g} of its spread from SciPy's solver of the same "
        f"problem{until}"
    )
    if compared.error <= SOLVED_ERROR:
        return Verdict("solved", reason, "For one such problem the solver is faster.")
    return Verdict("not solved", reason, _next_step(problem, solution, compared))


def _by_defect(solution: "Solution", found: Defect | None) -> Verdict:
    problem = solution.problem
    if found is None:
        reason = f"no check is there for {len(problem.inputs.axes)} coordinates"
        return Verdict("not known", reason, SECOND_LOOK)
    equation = max(found.residual, key=lambda name: found.residual[name])
    unknown = max(found.correction, key=lambda name: found.correction[name])
    residual, step = found.residual[equation], found.correction[unknown]
    corners = "".join(f"; {one}" for one in disagreements(problem))
    reason = (
        f"at new points {equation} leaves {residual:.1g} of its terms, and a step of Newton's "
        f"method moves {unknown} by {step:.1g} of its spread{corners}"
    )
    resolved = found.left < RESOLVED
    if (step > LARGE_STEP and (resolved or residual > SMALL_RESIDUAL)) or residual > LARGE_RESIDUAL:
        return Verdict("not solved", reason, _next_step(problem, solution, None))
    if (step <= SMALL_STEP and residual <= SMALL_RESIDUAL and resolved) or residual <= EXACT:
        return Verdict("solved", reason, "Compare with another seed or a solver where it counts.")
    return Verdict("not known", reason, SECOND_LOOK)


SECOND_LOOK = (
    "Train another seed, and a finer network, and compare; or compare with a classical solver."
)


def _improved(checks: tuple[Check, ...]) -> bool:
    return min(check.held_out for check in checks) < checks[0].held_out


def _next_step(
    problem: Problem, solution: "Solution | WindowedSolution", compared: Compared | None
) -> str:
    """What has cured such cases, the likeliest first."""
    from tvilling.pinns.training.windows import WindowedSolution  # which imports this file

    if solution.stopped == "time":
        return "Its time was over: train with a greater time_s."
    if isinstance(solution, WindowedSolution):
        return f"Cut {solution.axis} finer: {_cut(solution.axis, 2 * len(solution.windows))}."
    best, end, axis = solution.best.step, solution.checks[-1].step, time_axis(problem)
    settings = nnx.merge(solution.graph, solution.params.network).settings
    lead = f"The best state was that at step {best:,} of {end:,}. " if best < end / 2 else ""
    if axis is not None:
        count = _windows(compared)
        kind = "" if settings.kind == "perceptron" else " with the usual network, a perceptron"
        return (
            f"{lead}Cut {axis.name} into windows, each with a network of its own{kind}: "
            f"{_cut(axis.name, count)}."
        )
    if settings.kind != "perceptron":
        return (
            f"{lead}Random features stray between the points: take the usual network, "
            f"NetworkSettings(width={max(settings.width, 24)}, activation='sin')."
        )
    if best >= STILL_FALLING * end and solution.stopped == "steps":
        return (
            f"The loss still falls: take more steps, TrainSettings(stages=(Broyden({2 * end}),)); "
            f"then {_finer(settings.width, settings.depth)}."
        )
    return f"{lead}Try {_finer(settings.width, settings.depth)}, another seed, and more points."


def _cut(axis: str, count: int) -> str:
    return f"TrainSettings(windows=Windows({axis!r}, {count}), points=300, stages=(Broyden(600),))"


def _finer(width: int, depth: int) -> str:
    return (
        f"a larger network, NetworkSettings(width={ceil(1.5 * width)}, depth={depth + 1}), with "
        "activation='sin' for waves"
    )


def _windows(compared: Compared | None) -> int:
    """One for each rise and fall, and some at least."""
    turns = 0.0 if compared is None else compared.turns
    return min(max(MIN_WINDOWS, ceil(1.5 * turns)), MAX_WINDOWS)


def time_axis(problem: Problem) -> Axis | None:
    """The axis along which the problem starts at the low end and is open at the other.

    None where windows cannot be cut: see `tvilling.pinns.training.windows`.
    """
    if not isinstance(problem.domain, Box) or problem.free or problem.measured:
        return None
    for axis in problem.domain.axes:
        faces = [item.at for item in problem.conditions if isinstance(item, Condition)
                 and item.axis == axis.name]  # fmt: skip
        faces += [item.face[1] for item in problem.equations
                  if isinstance(item.face, tuple) and item.face[0] == axis.name]  # fmt: skip
        starts = [item for item in problem.conditions if isinstance(item, Condition)
                  and (item.axis, item.at) == (axis.name, axis.low)]  # fmt: skip
        held = any(item.face == (axis.name, axis.low) for item in problem.equations)
        if starts and not held and all(at == axis.low for at in faces) and not axis.periodic:
            return axis
    return None
