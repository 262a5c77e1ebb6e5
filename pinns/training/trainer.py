"""Training: a problem solved by a network."""

from functools import partial
from pathlib import Path

import jax

from tvilling.pinns.network.ansatz import start
from tvilling.pinns.problem.corner_equations import disagreements
from tvilling.pinns.problem.statement import Problem
from tvilling.pinns.solution.solution import Solution
from tvilling.pinns.training.least_squares import Weights
from tvilling.pinns.training.objective import of_problem
from tvilling.pinns.training.settings import TrainSettings, check_seed
from tvilling.pinns.training.training_loop import Tell, run, silent
from tvilling.pinns.training.windows import WindowedSolution, train_in_windows
from tvilling.sciml.core.errors import InputError


def train(
    problem: Problem,
    settings: TrainSettings | None = None,
    seed: int = 0,
    tell: Tell = silent,
    folder: Path | None = None,
    watch: bool = False,
) -> Solution | WindowedSolution:
    """Solve `problem` with a network, or with one for each window of time.

    The weights that are returned are those with the lowest loss at the held-out points of all
    checks, without the hundredth of the points where it is largest: a corner where nothing smooth
    meets all conditions would rule it. Whether they solve the problem, `status` of the solution
    says, and `recommend` what to try next.

    Training that breaks down ends early, and the solution's `stopped` says so; a state that is not
    finite is never kept. The same seed gives the same result on the same machine.

    Parameters
    ----------
    tell
        Told about every two seconds how it goes.
    folder
        Where checkpoints are kept. A training that was killed and is started again with the same
        folder goes on where it was, and ends with the very same bits. A checkpoint that was lost
        is told, and stands in the `note` of the solution.
    watch
        Whether the error against the problem's reference is taken at every check, and told.

    Raises
    ------
    InputError
        If the causal axis or the seed is none, windows cannot be cut, or `folder` holds another
        training.
    """
    settings = settings or TrainSettings()
    check_seed(seed)
    folder = None if folder is None else Path(folder)
    if settings.causal is not None and settings.causal.axis not in problem.inputs.names:
        known = ", ".join(problem.inputs.names)
        fault = f"causal axis {settings.causal.axis!r} is no axis; declared are {known}"
        raise InputError(f"training of {problem.name}", [fault])
    if tell is not silent:
        for fault in disagreements(problem):
            tell(f"{problem.name}: {fault}")
    solution: Solution | WindowedSolution
    if settings.windows is not None:
        one = partial(trained, watch=watch)
        solution = train_in_windows(problem, settings, one, seed, tell, folder)
    else:
        solution = trained(problem, settings, seed, tell, folder, watch)
    if tell is not silent:
        tell(f"{problem.name}: {solution.verdict.describe()}")
    return solution


def trained(
    problem: Problem,
    settings: TrainSettings,
    seed: int,
    tell: Tell,
    folder: Path | None,
    watch: bool,
) -> Solution:
    """One network for the whole of `problem`, whose verdict nobody has asked for."""
    graph, params = start(problem, settings.network, jax.random.key(seed))
    physics = of_problem(problem, graph, params, None, settings)
    task, scales = physics.task(seed), physics.scales
    begun = Solution(params, graph, problem, tuple(scales.items()), (), "", seed)

    def error(theta: Weights) -> float:
        return begun.with_weights(task.shaped(theta)).worst_error()

    course = run(task, settings, seed, tell, folder, error if watch else None)
    solution = Solution(
        params=task.shaped(course.best),
        graph=graph,
        problem=problem,
        scales=tuple(scales.items()),
        checks=course.checks,
        stopped=course.stopped,
        seed=seed,
        note=course.note,
    )
    if solution.stopped == "diverged" and len(course.checks) == 1:
        tell(f"{problem.name}: {physics.not_finite(task.theta, task.held_out)}")
    tell(f"{problem.name}: ended by {solution.stopped}; {solution.best.describe()}")
    return solution
