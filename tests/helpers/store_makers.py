"""Small real stores: each maker fills a folder and gives a function that reads one like it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr

from tvilling.apps.shared.check_kept import check_kept
from tvilling.sciml.core.errors import InputError

Read = Callable[[Path], Any]


def bits(tree: Any) -> list[Any]:
    """Every leaf as bytes or text."""
    return [one.tobytes() if hasattr(one, "tobytes") else repr(one)
            for one in (np.asarray(x) if isinstance(x, jax.Array) else x
                        for x in jax.tree.leaves(tree))]  # fmt: skip


def surrogate(folder: Path) -> Read:
    """A surrogate of the tank, hardly trained."""
    from tvilling.datasets.simulated.trials import trial_scenarios
    from tvilling.sciml.learning.fit import FitSettings
    from tvilling.sciml.surrogates import SurrogateSettings, load_surrogate, save_surrogate
    from tvilling.sciml.surrogates.training import train_surrogate
    from tvilling.sciml.systems import SYSTEMS

    tank = SYSTEMS["tank"].example()
    settings = SurrogateSettings(width=4, layers=1, passes=1, fit=FitSettings(steps=5))
    save_surrogate(*train_surrogate(tank, trial_scenarios(tank, 12, 1, seed=1), settings), folder)

    def read(path: Path) -> Any:
        kept = load_surrogate(path, tank.system)
        return bits(kept.surrogate), kept.about.model_dump_json()

    return read


def solution(folder: Path) -> Read:
    """A network that solves an equation, hardly trained."""
    from small_pinns import SMALL, example

    from tvilling.pinns import Adam, TrainSettings, train
    from tvilling.pinns.solution.store import load_solution, save_solution

    problem = example()
    save_solution(
        train(problem, TrainSettings(SMALL, points=10, stages=(Adam(3),)), seed=1), folder
    )

    def read(path: Path) -> Any:
        kept = load_solution(path, problem)
        return bits(kept.params), kept.scales, repr(kept.checks)

    return read


def checkpoints(folder: Path) -> Read:
    """Where a training goes on."""
    from tvilling.sciml.learning.fit_checkpoint import Checkpoints

    Checkpoints(folder, "f" * 64).save(500, {"weights": np.arange(99.0), "step": np.asarray(500)})

    def read(path: Path) -> Any:
        found = Checkpoints(path, "f" * 64).latest()
        return found and (found[0], bits(found[1]))

    return read


def twin(folder: Path) -> Read:
    """A data folder with one twin."""
    from tvilling.benchmarks.twin_reference import small_tank
    from tvilling.twins.store import load, save
    from tvilling.twins.twin import Twin

    tank = small_tank(1.0).system
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TVILLING_HOME", str(folder))
        save(Twin.start(tank, "2026-01-12", 3600.0, members=50).named("tank"), "tank")

    def read(path: Path) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TVILLING_HOME", str(path))
            kept = load("tank", tank)
        return bits((kept.model, kept.belief)), kept.model_version

    return read


def policy(folder: Path) -> Read:
    """A controller as one archive of arrays."""
    from tvilling.rl_control.rl.observation import Observer
    from tvilling.rl_control.rl.policy import Policy, load_policy, save_policy
    from tvilling.sciml.core.system import Channel

    one = jax.numpy.ones
    observer = Observer(one(1), one(1), {"load": one(())}, {"load": one(())}, one(()), 2, 3600.0)
    folder.mkdir()
    action = Channel("heat_w", "W", 0.0, 1.0)
    save_policy(Policy(observer, (one((1, 8)),), (one(1),), (action,)), folder / "policy.npz")

    def read(path: Path) -> Any:
        kept = load_policy(path / "policy.npz")
        return bits(kept), repr(jax.tree.structure(kept))

    return read


def run(folder: Path) -> Read:
    """The folder of a run with a NetCDF file and a summary."""
    from tvilling.apps.shared.run_folder import RunFolder

    with RunFolder(folder.parent, folder.name) as made:
        data = xr.Dataset({"heat_w": ("time", np.arange(200.0))})
        data.to_netcdf(made.path / "result.nc", engine="h5netcdf")
        (made.path / "summary.json").write_text('{"cost_dkk": 12.5}\n', encoding="utf-8")
        made.log("finished")
        made.finish()
    return _checked_files


def plan(folder: Path) -> Read:
    """Plans, of which the last is held on to."""
    from tvilling.apps.plant.inputs.last_plan import last_plan
    from tvilling.apps.shared.run_folder import RunFolder

    time = np.datetime64("2026-01-05T00", "ns") + np.arange(24) * np.timedelta64(1, "h")
    load = ("way", "unit", "time"), np.arange(24.0)[None, None]
    data = xr.Dataset({"load": load}, {"way": ["plan"], "unit": ["boiler"], "time": time})
    with RunFolder(folder, "20260104T120000Z") as made:
        data.assign_attrs(title="town").to_netcdf(made.path / "plan.nc", engine="h5netcdf")
        made.finish()

    def read(path: Path) -> Any:
        notes: list[str] = []
        found = last_plan(path, "town", ("boiler",), time[5], notes.append)
        if notes or found is None:
            raise InputError(str(path), notes or ["plan.nc: no plan, SHA256SUMS"])
        return found["load"].values.tobytes(), found.attrs["held_from"]

    return read


def scenarios(folder: Path) -> Read:
    """Voltages of random scenarios of a grid."""
    from tvilling.sciml.io.zarr_store import open_zarr_store
    from tvilling.sciml.systems.power_grid.studies.monte_carlo_store import Store

    values = np.random.default_rng(0).normal(1.0, 0.1, (100, 3)).astype(np.float32)
    with Store(folder, 100, {"bus": 3, "branch": 3}) as store:
        store.add(values, values)
        store.finish(xr.Dataset({"seed": ("scenario", np.arange(100))}))

    def read(path: Path) -> Any:
        data = open_zarr_store(path).load()
        return {name: one.values.tobytes() for name, one in data.variables.items()}

    return read


def jobs(folder: Path) -> Read:
    """A data folder with a job, a run that is done, and its result."""
    from tvilling.apps.jobs.job import COLUMNS
    from tvilling.apps.jobs.result import publish, read_result
    from tvilling.apps.jobs.store import Store

    store, key = Store(folder), {"job": "morning", "scheduled": "2026-01-05T06:00:00Z"}
    of_job = {"kind": "run", "case": "case.yaml", "case_sha256": "0" * 64,
              "schedule": "daily 06:00", "zone": "UTC"}  # fmt: skip
    part, final = folder / "part", folder / "jobs" / "morning" / "20260105T060000Z"
    part.mkdir(parents=True)
    final.parent.mkdir(parents=True)
    (part / "plan.txt").write_text("3 MW from 06:00\n", encoding="utf-8")
    publish(part, final, {"attempt": 1, "facts": {}})
    result = os.path.relpath(final, folder)
    done = {**key, "attempt": 1, "result": result, "reason": "", "facts": {"cost": 1}}
    with store.transaction() as connection:
        marks = ("morning", *of_job.values(), 1, 60, 3600, 3600, 1, 0.0)
        values = ", ".join("?" * len(marks))
        connection.execute(f"INSERT INTO job ({COLUMNS}) VALUES ({values})", marks)
        connection.execute(
            "INSERT INTO run (job, scheduled_s, state, attempt, due_s, started_s, result, error, "
            "facts) VALUES ('morning', 1767592800, 'done', 1, 0, 1.5, ?, 'no wind', "
            "'{\"cost\": 1}')", (result,)
        )  # fmt: skip
        connection.execute("INSERT INTO lease VALUES (1, 'host:77', 1767592801.5, 3, '')")
        store.note("job added", job="morning", **of_job)
        store.note("run done", **done, result_sha256=read_result(final)[1])

    def read(path: Path) -> Any:
        back = Path.cwd()
        os.chdir(path)
        try:
            return len(check_kept(path)), [
                tuple(row) for row in Store(path).rows("SELECT * FROM job")
            ]
        finally:
            os.chdir(back)

    return read


def ledger(folder: Path) -> Read:
    """A ledger alone, as `tvilling ledger show` prints it."""
    from typer.testing import CliRunner

    from tvilling.apps.cli.jobs import ledger_app
    from tvilling.twins.ledger import Ledger

    kept = Ledger(folder / "ledger.jsonl")
    for hour in range(6):
        kept.append({"event": "planned", "hour": hour})

    def read(path: Path) -> Any:
        shown = CliRunner().invoke(ledger_app, ["show", str(path / "ledger.jsonl")])
        if shown.exception is not None:
            raise shown.exception
        if shown.stderr:
            raise InputError("ledger.jsonl", shown.stderr.splitlines())
        return shown.stdout

    return read


def operator(folder: Path) -> Read:
    """A network for a family of problems, hardly trained."""
    from tvilling.pinns.operators import (
        DeepONet,
        burgers_end,
        ensemble,
        load_operator,
        save_operator,
        train_operator,
    )  # fmt: skip
    from tvilling.sciml.learning.fit import FitSettings

    problem = burgers_end()
    steps = FitSettings(steps=1, batch=2, check_every=1)
    known = ensemble(problem, 4, seed=1)
    save_operator(train_operator(problem, known, DeepONet(4, 1, 4, 2), steps), folder)

    def read(path: Path) -> Any:
        kept = load_operator(path, problem)
        history = {name: one.values.tobytes() for name, one in kept.history.variables.items()}
        trust = (kept.familiarity.mean, kept.familiarity.directions, kept.familiarity.deviation)
        return bits((kept.weights, kept.sensors, trust)), history, kept.scaling

    return read


def measured(folder: Path) -> Read:
    """The cache of a measured data set, as `tvilling data get` leaves it."""
    from tvilling.datasets import registry
    from tvilling.datasets.catalogue import DataFile, DataSource
    from tvilling.sciml.io.checksums import sha256_of

    files = []
    kept = folder / "data" / "prices"
    kept.mkdir(parents=True)
    for year in (2024, 2025):
        file = kept / f"{year}.csv"
        file.write_text(f"hour,price\n{year},1.25\n" * 50, encoding="utf-8")
        files.append(DataFile(file.name, file.stat().st_size, sha256_of(file)))
    source = DataSource(
        "prices", "Prices", "prices", tuple(files), "", "", f"{__name__}:_read_prices"
    )

    def read(path: Path) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("TVILLING_DATA", raising=False)
            patch.setattr(registry, "cache_folder", lambda: path)
            patch.setitem(registry.DATASETS, "prices", source)
            return registry.load("prices").attrs["text"]

    return read


def _read_prices(folder: Path) -> xr.Dataset:
    return xr.Dataset(attrs={"text": [path.read_text() for path in sorted(folder.iterdir())]})


def _checked_files(path: Path) -> Any:
    """What `tvilling check` finds whole, and the bytes."""
    from tvilling.sciml.io.checksums import SUMS, check_sums

    check_sums(path)
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.name != SUMS)
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


MAKERS: dict[str, Callable[[Path], Read]] = {
    one.__name__: one
    for one in (
        surrogate,
        solution,
        checkpoints,
        twin,
        policy,
        run,
        plan,
        scenarios,
        jobs,
        ledger,
        operator,
        measured,
    )
}
