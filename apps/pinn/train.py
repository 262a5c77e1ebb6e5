"""`tvilling pinn train`: a problem of the library, trained into a run folder."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.apps.pinn.library import Tell, entry_of, settings_of
from tvilling.apps.pinn.training_folder import NOTHING_LEFT, TrainingFolder
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.pinns.problem.statement import Problem
    from tvilling.pinns.solution.evaluated import Deviation
    from tvilling.pinns.solution.solution import Solution
    from tvilling.pinns.training.settings import TrainSettings
    from tvilling.pinns.training.windows import WindowedSolution
    from tvilling.sciml.learning.footprint import Footprint

DEFAULT_OUT = Path("runs")
SOLUTION, OTHERS, DATA, REPORT, SUMMARY = (
    "solution",
    "other_seeds",
    "solution.nc",
    "report.html",
    "summary.json",
)
MAX_SEEDS = 100
GREATEST_SEED = 2**31 - 1  # with room for many from there on


@dataclass(frozen=True)
class TrainOptions:
    """What a user may ask of a training.

    Attributes
    ----------
    short
        The library's short settings instead of the full ones.
    seed, seeds
        The first seed, and how many from there on.
    time_s
        Wall time after which the training of a seed ends; None: as the library says.
    resume
        Go on with the same training, which was killed.
    energy
        Whether to estimate the energy it takes.
    """

    short: bool = False
    seed: int = 0
    seeds: int = 1
    time_s: float | None = None
    resume: bool = False
    energy: bool = True

    def faults(self) -> list[str]:
        """What is out of range."""
        faults = []
        if not 0 <= self.seed <= GREATEST_SEED:
            faults.append(f"--seed is {self.seed}, expected 0 to {GREATEST_SEED}")
        if not 1 <= self.seeds <= MAX_SEEDS:
            faults.append(f"--seeds is {self.seeds}, expected 1 to {MAX_SEEDS}")
        if self.time_s is not None and not 0 < self.time_s < float("inf"):
            faults.append(f"--time-s is {self.time_s:g} s, expected above 0")
        return faults


@dataclass(frozen=True)
class Seeded:
    """The solution of one seed, and how far each unknown is from the reference."""

    solution: "Solution | WindowedSolution"
    deviations: "dict[str, Deviation]"

    @property
    def worst(self) -> float | None:
        """Greatest relative L2 error of an unknown; None without a reference."""
        return max((item.relative_l2 for item in self.deviations.values()), default=None)


@dataclass(frozen=True)
class TrainRun:
    """A finished training.

    Attributes
    ----------
    folder
        Holds `solution`, `solution.nc`, `summary.json`, `report.html` and `log.jsonl`; where
        several seeds were trained, `other_seeds` too.
    seeded
        Every seed; the first has the lowest loss at held-out points and is the one in `solution`.
    note
        That nothing was left to go on from, where one was resumed.
    """

    folder: Path
    name: str
    settings: "TrainSettings"
    seeded: list[Seeded]
    footprint: "Footprint"
    resumed: bool
    wall_s: float
    note: str = ""

    @property
    def kept(self) -> Seeded:
        """The seed in `solution`."""
        return self.seeded[0]


def run_train(
    name: str,
    asked: TrainOptions | None = None,
    out: Path | None = None,
    tell: Tell = lambda stage: None,
) -> TrainRun:
    """Train the problem `name` of the library into a folder under `out`.

    Raises
    ------
    InputError
        With every fault of what was asked; nothing has been written then.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    asked, out = asked or TrainOptions(), out or DEFAULT_OUT
    problem, settings = _prepared(name, asked, tell)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    mark = _mark(name, problem, settings, seeds)
    if asked.resume:
        opened = TrainingFolder.taken_up(out, mark, name)
    else:
        opened = TrainingFolder.of_run(out, name, mark, started)
    with opened as folder:
        folder.log("resumed" if folder.resumed else "started", problem=name, **asdict(asked))
        note = NOTHING_LEFT if folder.resumed and folder.begins_anew else ""
        if note:
            folder.log("training", text=note)
            tell(f"{name}: {note}")
        seeded, footprint = _trained(problem, settings, seeds, asked.energy, folder, tell)
        tell("writing")
        run = TrainRun(folder.path, name, settings, seeded, footprint, folder.resumed, 0.0, note)
        write_run(run, began)
        folder.log("finished", wall_s=round(time.perf_counter() - began, 3))
        return replace(run, folder=folder.finish(), wall_s=time.perf_counter() - began)


def _prepared(name: str, asked: TrainOptions, tell: Tell) -> "tuple[Problem, TrainSettings]":
    """The problem with the settings that were asked for."""
    faults = asked.faults()
    try:
        entry = entry_of(name)
        settings = settings_of(name, asked.short)
    except InputError as error:
        raise InputError("pinn train", [*error.faults, *faults]) from None
    if faults:
        raise InputError("pinn train", faults)
    tell(f"{name}: setting up")
    if asked.time_s is not None:
        settings = replace(settings, time_s=asked.time_s)
    return entry.example(), settings


def _mark(name: str, problem: "Problem", settings: "TrainSettings", seeds: range) -> str:
    """Digest of all that decides the result."""
    from tvilling.pinns.problem.specification import declared, described

    timeless = described(settings) | {"time_s": None}
    parts = [name, declared(problem), timeless, list(seeds), version("tvilling")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _trained(
    problem: "Problem",
    settings: "TrainSettings",
    seeds: range,
    energy: bool,
    folder: TrainingFolder,
    tell: Tell,
) -> "tuple[list[Seeded], Footprint]":
    """Every seed, the one with the lowest loss at held-out points first."""
    from tvilling.pinns.training.trainer import train
    from tvilling.sciml.learning.footprint import measure_footprint

    found = []
    watch = problem.reference is not None
    with measure_footprint(energy) as footprint:
        for seed in seeds:
            place = f"seed {seed}: " if len(seeds) > 1 else ""

            def say(text: str, place: str = place) -> None:
                folder.log("training", text=place + text)
                tell(place + text)

            kept = folder.checkpoints / f"seed_{seed}"
            solution = train(problem, settings, seed, say, kept, watch)
            found.append(Seeded(solution, solution.error() if watch else {}))
    return sorted(found, key=lambda item: item.solution.held_out), footprint


def write_run(run: TrainRun, began: float) -> None:
    """Solutions, values on a grid, summary and report."""
    from tvilling.apps.pinn.labelled import on_grid
    from tvilling.apps.pinn.report import write_train_report
    from tvilling.pinns.solution.store import save_solution

    save_solution(run.kept.solution, run.folder / SOLUTION, run.settings, run.footprint)
    for other in run.seeded[1:]:
        where = run.folder / OTHERS / f"seed_{other.solution.seed}"
        save_solution(other.solution, where, run.settings)
    data = on_grid(run.kept.solution)
    data.to_netcdf(run.folder / DATA, engine="h5netcdf")
    text = json.dumps(summary(run), indent=2, ensure_ascii=False, allow_nan=False)
    (run.folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
    write_train_report(run, data, time.perf_counter() - began)


def summary(run: TrainRun) -> dict[str, Any]:
    """The run as JSON has it."""
    from tvilling.pinns.problem.specification import described

    reference = run.kept.solution.problem.reference
    return {
        "study": "pinn train",
        "problem": run.name,
        "settings": described(run.settings),
        "kept_seed": run.kept.solution.seed,
        "seeds": [
            {
                "seed": one.solution.seed,
                "stopped": one.solution.stopped,
                "note": one.solution.note,
                "status": one.solution.status,
                "reason": one.solution.verdict.reason,
                "recommend": one.solution.recommend,
                "held_out_loss": one.solution.held_out,
                "parameters": one.solution.parameters,
                "errors": {name: asdict(item) for name, item in one.deviations.items()},
            }
            for one in run.seeded
        ],
        "reference": None
        if reference is None
        else {"source": reference.source, "relative_error": reference.relative_error},
        "footprint": asdict(run.footprint),
        "resumed": run.resumed,
        "note": run.note,
        "tvilling_version": version("tvilling"),
    }
