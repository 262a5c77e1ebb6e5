"""Training: a short Adam, then self-scaled Broyden, on points that are drawn anew now and then."""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from tvilling.pinns.broyden import Descent, descend, moved_to, unbegun
from tvilling.pinns.domain import Points
from tvilling.pinns.loss import FlatLoss, PhysicsLoss, Weights, residual_scales
from tvilling.pinns.problem import Problem
from tvilling.pinns.solution import Check, Solution
from tvilling.pinns.trial import start
from tvilling.sciml.errors import InputError
from tvilling.sciml.fit import FitSettings, fit

TELL_EVERY_S = 2.0
MOST_STUCK = 3  # fresh draws of points in a row on which no step can be taken
HELD_OUT = 4  # times as many points judge a state as train it
POOL = 8  # times as many points as a step of Adam takes are there for it to draw from

Tell = Callable[[str], None]


def silent(text: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class TrainSettings:
    """How to train.

    Attributes
    ----------
    width, depth
        Neurons of a hidden layer, and number of hidden layers.
    points
        Where the residual is made small at a time.
    adam_steps, learning_rate
        Of the warm-up; the rate decays along a cosine.
    broyden_steps
        At most, after it.
    check_every
        Steps between checks. At each the loss at points that are never trained on is taken, the
        best weights are kept by it, and new points are drawn.
    target
        Loss at the held-out points at which training ends.
    time_s
        Wall time after which training ends at the next check [s], compilation included. Where it
        decides, the same seed need not give the same result.
    """

    width: int = 20
    depth: int = 2
    points: int = 1000
    adam_steps: int = 500
    learning_rate: float = 5e-3
    broyden_steps: int = 2000
    check_every: int = 250
    target: float = 0.0
    time_s: float = float("inf")

    def __post_init__(self) -> None:
        least = {"adam_steps": 0, "broyden_steps": 0, "learning_rate": 0.0, "target": 0.0}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        faults = [
            f"{name} is {value:g}, expected at least {least.get(name, 1):g}"
            for name, value in values.items()
            if not value >= least.get(name, 0 if name == "time_s" else 1)
        ]
        if faults:
            raise InputError("training settings", faults)

    def adam(self) -> FitSettings:
        """Settings of the warm-up."""
        return FitSettings(
            steps=self.adam_steps,
            batch=self.points,
            learning_rate=self.learning_rate,
            check_every=self.check_every,
        )


def train(
    problem: Problem,
    settings: TrainSettings | None = None,
    seed: int = 0,
    tell: Tell = silent,
) -> Solution:
    """Solve `problem` with a network.

    The weights that are returned are those with the lowest loss at the held-out points of all
    checks. Training that breaks down ends early, and the solution's `stopped` says so; a state
    that is not finite is never kept. The same seed gives the same result on the same machine.

    Parameters
    ----------
    tell
        Told about every two seconds how it goes.

    Raises
    ------
    InputError
        If a setting is out of range.
    """
    settings = settings or TrainSettings()
    clock = _Clock(problem.name, tell)
    scales = residual_scales(problem, settings.width, settings.depth)
    key, network_key, held_key = jax.random.split(jax.random.key(seed), 3)
    graph, params = start(problem, settings.width, settings.depth, network_key)
    theta, unravel = ravel_pytree(params)
    loss = FlatLoss(PhysicsLoss(problem, graph, scales), unravel)
    held_out = problem.inputs.sample(held_key, HELD_OUT * settings.points)
    course = _warm_up(loss, theta, held_out, settings, seed, clock)
    if course.stopped == "steps" and settings.broyden_steps:
        course = _descended(loss, course, held_out, settings, key, clock)
    solution = Solution(
        params=unravel(course.best),
        graph=graph,
        problem=problem,
        scales=tuple(scales.items()),
        checks=course.checks,
        stopped=course.stopped,
        seed=seed,
    )
    tell(f"{problem.name}: ended by {solution.stopped}; {solution.best.describe()}")
    return solution


@dataclass(frozen=True)
class _Course:
    """How far a training has come: its best weights, its checks, and why it stopped."""

    best: Weights
    checks: tuple[Check, ...]
    stopped: str

    def noted(self, check: Check, state: Weights, settings: TrainSettings) -> "_Course":
        """The course after one more check of `state`."""
        if not np.isfinite(check.loss) or not np.isfinite(check.held_out):
            return replace(self, stopped="diverged")
        better = check.held_out < min(item.held_out for item in self.checks)
        checks = (*self.checks, check)
        return _Course(state if better else self.best, checks, _reason(checks, settings))


def _reason(checks: tuple[Check, ...], settings: TrainSettings) -> str:
    """Why training should end after the last of `checks`; "steps" if nothing speaks for it."""
    last = checks[-1]
    if last.held_out <= settings.target:
        return "target"
    if len(checks) > MOST_STUCK and len({item.step for item in checks[-MOST_STUCK - 1 :]}) == 1:
        return "no descent"
    return "time" if last.wall_s > settings.time_s else "steps"


def _warm_up(
    loss: FlatLoss,
    theta: Weights,
    held_out: Points,
    settings: TrainSettings,
    seed: int,
    clock: "_Clock",
) -> _Course:
    """Adam from `theta`, on points drawn from a pool."""
    if settings.adam_steps == 0:
        value = float(jax.jit(loss)(theta, held_out))
        return _Course(theta, (Check("Adam", 0, value, value, clock.passed_s()),), "steps")
    times: list[float] = []

    def note(text: str) -> None:
        times.append(clock.passed_s())
        clock.tell_now_and_then(f"Adam {text}")

    pool = loss.physics.problem.inputs.sample(jax.random.key(seed), POOL * settings.points)
    fitted = fit(loss, theta, pool, held_out, settings.adam(), seed=seed, tell=note)
    rows = fitted.history
    checks = tuple(
        Check("Adam", int(step), float(training), float(held), passed_s)
        for step, training, held, passed_s in zip(
            rows["step"].values,
            rows["training_loss"].values,
            rows["held_out_loss"].values,
            [0.0, *times],
            strict=True,
        )
    )
    stopped = fitted.stopped if fitted.stopped == "diverged" else _reason(checks, settings)
    return _Course(fitted.params, checks, stopped)


def _descended(
    loss: FlatLoss,
    course: _Course,
    held_out: Points,
    settings: TrainSettings,
    key: jax.Array,
    clock: "_Clock",
) -> _Course:
    """Self-scaled Broyden from the best weights of `course`."""
    sample = loss.physics.problem.inputs.sample

    @jax.jit
    def stretch(key: jax.Array, descent: Descent, steps: int) -> tuple[Descent, Array]:
        here = partial(loss, points=sample(key, settings.points))
        descent = descend(here, moved_to(descent, here), steps)
        return descent, loss(descent.x, held_out)

    descent, done, draws = unbegun(course.best), 0, 0
    while done < settings.broyden_steps and course.stopped == "steps":
        steps = min(settings.check_every, settings.broyden_steps - done)
        descent, held = stretch(jax.random.fold_in(key, draws), descent, steps)
        done, draws = int(descent.steps), draws + 1
        step = settings.adam_steps + done
        check = Check("Broyden", step, float(descent.value), float(held), clock.passed_s())
        course = course.noted(check, descent.x, settings)
        clock.tell_now_and_then(check.describe())
    return course


class _Clock:
    """Time since the start, and what is told not too often."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.name, self.tell = name, tell
        self.began = self.told = time.perf_counter()
        tell(f"{name}: compiling")

    def passed_s(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.began

    def tell_now_and_then(self, text: str) -> None:
        """Tell `text` if the last one was two seconds ago."""
        now = time.perf_counter()
        if now - self.told > TELL_EVERY_S:
            self.told = now
            self.tell(f"{self.name}: {text}")
