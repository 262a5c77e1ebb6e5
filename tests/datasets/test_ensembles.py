import importlib.util
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from tvilling.datasets.simulated import ensembles
from tvilling.datasets.simulated.ensembles import MARK, Kept, run_ensemble
from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.tank import example

SCRIPT = Path(__file__).with_name("ensemble_worker.py")
spec = importlib.util.spec_from_file_location("ensemble_worker", SCRIPT)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    store = tmp_path_factory.mktemp("ensemble") / "tank.zarr"
    return run_ensemble(worker.ensemble(), worker.SAMPLES, store, worker.CHUNK).load()


def test_each_scenario_is_what_the_closed_form_gives(uninterrupted):
    """T(t) = T_end + (T_0 - T_end) exp(-U t / C), where no limit binds."""
    tank = example().system
    loss, capacity = float(tank.loss_w_per_k), float(tank.capacity_j_per_k)
    heater = float(example().action["heater_w"])
    end = 12.0 + (heater - uninterrupted["demand_w"]) / loss
    time_s = 3600.0 * (1 + uninterrupted["time"])
    expected = end + (uninterrupted["start_degc"] - end) * np.exp(-loss * time_s / capacity)
    free = ((expected > tank.floor_degc) & (expected < tank.ceiling_degc)).all("time")
    assert int(free.sum()) > 3
    np.testing.assert_allclose(
        uninterrupted["water_degc"][free], expected[free].transpose("scenario", "time"), rtol=1e-9
    )
    np.testing.assert_array_equal(
        uninterrupted["coldest_degc"], uninterrupted["water_degc"].min("time")
    )
    assert uninterrupted["water_degc"].attrs["units"] == "°C"


def test_flags_raised_on_the_way_are_kept(uninterrupted):
    """Where demand exceeds heater and content of the tank over the day, it must run short."""
    tank = example().system
    content_j = (uninterrupted["start_degc"] - tank.floor_degc) * float(tank.capacity_j_per_k)
    lacking_w = uninterrupted["demand_w"] - float(example().action["heater_w"])
    short = lacking_w * worker.STEPS * 3600.0 > content_j
    assert short.any()
    assert (uninterrupted["status"].where(short, drop=True) == int(Status.UNSERVED)).all()
    ample = lacking_w < 0
    assert (uninterrupted["status"].where(ample, drop=True) == int(Status.OK)).all()


@pytest.mark.parametrize("chunks_before", [0, 2, 5])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, uninterrupted, chunks_before):
    store = tmp_path / "tank.zarr"
    command = [sys.executable, str(SCRIPT), str(store), "0.3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith(f"{chunks_before} of"):
                process.send_signal(signal.SIGKILL)
                break
    done = xr.open_zarr(store, consolidated=False)[MARK].values
    assert chunks_before * worker.CHUNK <= done.sum() < worker.COUNT
    calls = []
    resumed = run_ensemble(
        worker.ensemble(), worker.SAMPLES, store, worker.CHUNK, lambda *call: calls.append(call)
    )
    assert calls[0][0] == done.sum() // worker.CHUNK
    assert calls[-1] == (7, 7)
    assert resumed[MARK].values.all()
    for name, variable in uninterrupted.variables.items():
        assert variable.values.tobytes() == resumed[name].values.tobytes(), name


def test_a_second_run_does_nothing(tmp_path):
    store = tmp_path / "tank.zarr"
    calls = []
    for _ in range(2):
        run_ensemble(worker.ensemble(), worker.SAMPLES, store, 25, lambda *call: calls.append(call))
    assert calls == [(0, 2), (1, 2), (2, 2), (2, 2)]


def scenario_of(dt_s, ambient_degc=12.0):
    def make_scenario(sample):
        return replace(
            worker.make_scenario(sample),
            drive={
                "demand_w": jnp.full(worker.STEPS, sample["demand_w"]),
                "ambient_degc": jnp.full(worker.STEPS, ambient_degc),
            },
            dt_s=dt_s,
        )

    return make_scenario


def taking(take):
    first, *rest = worker.ensemble().kept
    return replace(worker.ensemble(), kept=(replace(first, take=take), *rest))


def of_tank(**changes):
    one = worker.ensemble()
    return replace(one, system=replace(one.system, **changes))


@dataclass(frozen=True)
class OtherHold(Hold):
    """Holds half of the action."""

    def __call__(self, memory, state, forecast):
        return {name: value / 2 for name, value in self.action.items()}, memory


jax.tree_util.register_dataclass(OtherHold)

OTHERS = {
    "step": lambda: replace(worker.ensemble(), make_scenario=scenario_of(1800.0)),
    "captured number": lambda: replace(worker.ensemble(), make_scenario=scenario_of(3600.0, 13.0)),
    "take": lambda: taking(lambda run: run.output["water_degc"].max()),
    "unit": lambda: replace(worker.ensemble(), kept=(Kept("a", "K", lambda run: run.state[-1]),)),
    "static field": lambda: of_tank(ceiling_degc=94.0),
    "array": lambda: of_tank(loss_w_per_k=jnp.asarray(61.0)),
    "controller": lambda: replace(
        worker.ensemble(), controller=OtherHold(worker.ensemble().controller.action)
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "tank.zarr"
    run_ensemble(worker.ensemble(), worker.SAMPLES, path, 25)
    return path


@pytest.mark.parametrize("other", OTHERS)
def test_a_store_of_another_ensemble_is_refused(store, other):
    with pytest.raises(InputError, match="another system"):
        run_ensemble(OTHERS[other](), worker.SAMPLES, store, 25)


def test_other_samples_chunks_and_versions_are_refused(store, monkeypatch):
    with pytest.raises(InputError, match="another system"):
        run_ensemble(worker.ensemble(), worker.SAMPLES + 1.0, store, 25)
    with pytest.raises(InputError, match="chunk is 10, expected 25"):
        run_ensemble(worker.ensemble(), worker.SAMPLES, store, 10)
    with pytest.raises(InputError, match="chunk is 0, expected 1 or more"):
        run_ensemble(worker.ensemble(), worker.SAMPLES, store, 0)
    monkeypatch.setattr(ensembles, "version", lambda package: "another")
    with pytest.raises(InputError, match="version"):
        run_ensemble(worker.ensemble(), worker.SAMPLES, store, 25)


def test_the_same_ensemble_from_other_functions_resumes(store):
    """A scenario and results that are written anew, but compute the same, find their store."""
    same = replace(
        taking(lambda run: run.output["water_degc"].min()), make_scenario=scenario_of(3600.0)
    )
    calls = []
    run_ensemble(same, worker.SAMPLES, store, 25, lambda *call: calls.append(call))
    assert calls == [(2, 2)]


def test_a_folder_that_is_no_ensemble_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("keep")
    with pytest.raises(InputError, match="not an ensemble"):
        run_ensemble(worker.ensemble(), worker.SAMPLES, tmp_path / "mine", 25)
    assert (tmp_path / "mine" / "note.txt").read_text() == "keep"
