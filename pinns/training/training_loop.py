"""The course of a training: stages of optimisation, checks, the best weights, an exact resume."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.pinns.optimisers.stages import ROUNDING
from tvilling.pinns.training.least_squares import Task, Weights
from tvilling.pinns.training.quick_compile import jit_quick_compile
from tvilling.pinns.training.settings import TrainSettings
from tvilling.sciml.learning.fit_checkpoint import Checkpoints, fingerprint

TELL_EVERY_S = 2.0
LOST, WORSE = 1e3, 1.5  # times the best and the first held-out loss: a network that strays
FIRST = 16  # the first draw is trained on for this share of the usual steps, then for twice as many
GAIN = 0.5  # of the best held-out loss: what counts as lower at rounding
MAX_STUCK = 3  # fresh draws of points in a row on which no step can be taken
DRAWS = 3  # sets the random numbers of draws apart from others of a seed
RUNNING = ""

Tell = Callable[[str], None]


def silent(text: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Check:
    """The state of a training at one time.

    Attributes
    ----------
    step
        Steps of all stages so far.
    loss, held_out
        At the points of training and at those kept apart.
    wall_s
        Since the start, compilation included [s].
    error
        Greatest relative L2 error of an unknown, where a reference is watched; else NaN.
    typical
        `held_out` without the hundredth of the points that contributes most; NaN where it is not
        told apart.
    """

    phase: str
    step: int
    loss: float
    held_out: float
    wall_s: float
    error: float = float("nan")
    typical: float = float("nan")

    @property
    def rank(self) -> float:
        """By which states are compared: the lowest is the best."""
        return self.held_out if np.isnan(self.typical) else self.typical

    def describe(self) -> str:
        """One line."""
        known = "" if np.isnan(self.error) else f", error {self.error:.2g}"
        return f"{self.phase} step {self.step}, loss {self.held_out:.2g} at held-out points{known}"


@dataclass(frozen=True)
class TrainingRun:
    """How far a training has come.

    Attributes
    ----------
    best
        The weights with the lowest loss at the held-out points, but the few with most of it.
    checks
        One a check, the first before any step.
    stopped
        Why it ended: "steps" (all taken), "target", "time", "no descent" (no lower point was
        found on several draws of points) or "diverged" (a value was not finite).
    note
        That a checkpoint was lost, where one was.
    """

    best: Weights
    checks: tuple[Check, ...]
    stopped: str
    note: str = ""


@dataclass(frozen=True)
class _Progress:
    """All that a resumed run needs."""

    course: TrainingRun
    stage: int
    state: Any
    best_state: Any  # the state whose weights are the best of this stage, or that it began with
    draws: int
    stuck: int


def run(
    task: Task,
    settings: TrainSettings,
    seed: int = 0,
    tell: Tell = silent,
    folder: Path | None = None,
    watch: Callable[[Weights], float] | None = None,
) -> TrainingRun:
    """Take `task` through the stages of `settings`.

    Every draw of points is made from `seed` and its number alone, and a checkpoint in `folder`
    holds all that a stage knows: a run that was killed and is started again with the same folder
    goes on with the very same bits.

    Where the held-out loss rises a thousandfold above its best, or above what it was at the start,
    the network meets the points it is trained on and strays between them; the stage then goes
    back to its best state and on with new points. The first draws are trained on for fewer steps.

    Parameters
    ----------
    tell
        Told about every two seconds how it goes.
    folder
        Where checkpoints are kept, one at every check; None: none are.
    watch
        Gives the error of weights against a reference, told and noted at every check.

    Raises
    ------
    InputError
        If `folder` holds the checkpoints of another training.
    """
    return _Run(task, settings, seed, _Clock(task.name, tell), folder, watch).to_the_end()


class _Run:
    """One call of `run`."""

    def __init__(
        self,
        task: Task,
        settings: TrainSettings,
        seed: int,
        clock: "_Clock",
        folder: Path | None,
        watch: Callable[[Weights], float] | None,
    ) -> None:
        self.task, self.settings, self.clock, self.watch = task, settings, clock, watch
        self.seed = seed
        self.held = task.held or jit_quick_compile(task.loss)
        self.advance = [jax.jit(partial(stage.advance, task)) for stage in settings.stages]
        self.first = float(self.held(task.theta, task.held_out))
        self.kept = None
        if folder is not None:
            mark = fingerprint(
                task.name,
                task.declared,
                f"{self.first:.9e}",  # which every formula enters
                repr(replace(settings, time_s=1.0)),
                seed,
                task.theta,
                task.held_out,
            )
            self.kept = Checkpoints(folder, mark)

    def to_the_end(self) -> TrainingRun:
        """Stage after stage until something speaks for an end."""
        note = self.kept.lost() if self.kept is not None else ""
        if note:
            self.clock.tell(f"{self.task.name}: {note}")
        now = self._taken_up(self._start())
        while now.course.stopped == RUNNING:
            now = self._further(now)
            if self.kept is not None:
                self.kept.save(now.course.checks[-1].step + now.draws, self._arrays(now))
        return replace(now.course, note=note)

    def _start(self) -> _Progress:
        task = self.task
        value = self.first
        passed_s, typical = self.clock.passed_s(), self._typical(task.theta)
        check = Check("start", 0, value, value, passed_s, self._error(task.theta), typical)
        stopped = RUNNING if np.isfinite(value) else "diverged"
        state = self.settings.stages[0].begin(task, task.theta)
        return _Progress(TrainingRun(task.theta, (check,), stopped), 0, state, state, 0, 0)

    def _further(self, now: _Progress) -> _Progress:
        """One more stretch on new points, and its check."""
        stage = self.settings.stages[now.stage]
        before = int(now.state.steps)
        steps = min(self._stretch_steps(now), stage.steps - before)
        random = np.random.default_rng([self.seed, DRAWS, now.draws])
        batch = self.task.draw(random, now.state.x)
        state = self.advance[now.stage](batch, now.state, steps)
        held = self.held(state.x, self.task.held_out)
        done = sum(item.steps for item in self.settings.stages[: now.stage]) + int(state.steps)
        taken = int(state.steps) - before
        least = min(item.held_out for item in now.course.checks)
        lost = taken < steps and least < ROUNDING and float(held) > GAIN * least
        stuck = now.stuck + 1 if taken == 0 or lost else 0
        error = self._error(state.x)
        check = Check(
            stage.name,
            done,
            float(state.value),
            float(held),
            self.clock.passed_s(),
            error,
            self._typical(state.x),
        )
        course = self._noted(now.course, check, state.x)
        best = state if course.best is state.x else now.best_state
        if self._strays(course) and course.stopped == RUNNING:
            state = replace(best, steps=state.steps)
        self.clock.tell_now_and_then(check.describe())
        following = _Progress(course, now.stage, state, best, now.draws + 1, stuck)
        if course.stopped != RUNNING:
            return following
        over = int(state.steps) >= stage.steps or stuck >= MAX_STUCK
        return self._next_stage(following) if over else following

    def _stretch_steps(self, now: _Progress) -> int:
        """Steps on one draw of points: few at first, when a network is bent most easily.

        No more than the time that is left lets expect, where it is limited.
        """
        every = self.settings.check_every
        steps = min(every, max(1, every // FIRST * 2 ** min(now.draws, 30)))
        checks = now.course.checks
        if np.isfinite(self.settings.time_s) and len(checks) > 2:
            (a, b), left = checks[-2:], self.settings.time_s - checks[-1].wall_s
            step_s = (b.wall_s - a.wall_s) / max(b.step - a.step, 1)
            steps = min(steps, max(1, int(left / max(step_s, 1e-9))))
        return steps

    def _strays(self, course: TrainingRun) -> bool:
        """Whether the network has left the points it is trained on and strays between them."""
        first, last = course.checks[0].held_out, course.checks[-1].held_out
        return last > LOST * min(item.held_out for item in course.checks) or last > WORSE * first

    def _next_stage(self, now: _Progress) -> _Progress:
        """The next stage from the best weights so far, or the end."""
        if now.stage + 1 == len(self.settings.stages):
            reason = "no descent" if now.stuck >= MAX_STUCK else "steps"
            return replace(now, course=replace(now.course, stopped=reason))
        following = self.settings.stages[now.stage + 1]
        state = following.begin(self.task, now.course.best)
        return replace(now, stage=now.stage + 1, state=state, best_state=state, stuck=0)

    def _noted(self, course: TrainingRun, check: Check, x: Weights) -> TrainingRun:
        """The course after one more check of `x`."""
        if not np.isfinite(check.loss) or not np.isfinite(check.held_out):
            return replace(course, stopped="diverged")
        better = check.rank < min(item.rank for item in course.checks)
        stopped = RUNNING
        if check.held_out <= self.settings.target:
            stopped = "target"
        elif check.wall_s > self.settings.time_s:
            stopped = "time"
        return TrainingRun(x if better else course.best, (*course.checks, check), stopped)

    def _typical(self, x: Weights) -> float:
        typical = self.task.typical
        return float("nan") if typical is None else float(typical(x, self.task.held_out))

    def _error(self, x: Weights) -> float:
        return float("nan") if self.watch is None else float(self.watch(x))

    def _arrays(self, now: _Progress) -> dict[str, np.ndarray]:
        """`now` as named arrays."""
        states = {"state": now.state, "best_state": now.best_state}
        leaves = {
            f"{name}/{i}": np.asarray(leaf)
            for name, state in states.items()
            for i, leaf in enumerate(jax.tree.leaves(state))
        }
        rows = [
            (c.step, c.loss, c.held_out, c.wall_s, c.error, c.typical) for c in now.course.checks
        ]
        words = "\n".join([now.course.stopped, *(check.phase for check in now.course.checks)])
        return leaves | {
            "best": np.asarray(now.course.best),
            "checks": np.asarray(rows),
            "words": np.frombuffer(words.encode(), np.uint8),
            "counts": np.asarray([now.stage, now.draws, now.stuck]),
        }

    def _taken_up(self, start: _Progress) -> _Progress:
        """The last progress that was kept, or `start`."""
        found = self.kept.latest() if self.kept is not None else None
        if found is None:
            return start
        arrays = found[1]
        stage, draws, stuck = (int(count) for count in arrays["counts"])
        stopped, *phases = bytes(arrays["words"]).decode().split("\n")
        checks = tuple(
            Check(phase, int(row[0]), *(float(value) for value in row[1:]))
            for phase, row in zip(phases, arrays["checks"], strict=True)
        )
        like = self.settings.stages[stage].begin(self.task, self.task.theta)
        leaves, tree = jax.tree.flatten(like)

        def kept(name: str) -> Any:
            rows = [
                jnp.asarray(arrays[f"{name}/{i}"], leaf.dtype) if leaf.size else leaf
                for i, leaf in enumerate(leaves)
            ]
            return jax.tree.unflatten(tree, rows)

        self.clock.began -= checks[-1].wall_s
        self.clock.tell(f"{self.task.name}: taken up at step {checks[-1].step}")
        course = TrainingRun(jnp.asarray(arrays["best"]), checks, stopped)
        return _Progress(course, stage, kept("state"), kept("best_state"), draws, stuck)


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
