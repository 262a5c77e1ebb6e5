"""The same work on processes of a real dask cluster: equal bits, order, errors, refusals."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_work import refuse_five, sine_and_process

from tvilling.apps.shared import cluster
from tvilling.apps.shared.cluster import map_over
from tvilling.datasets.simulated.ensembles import run_ensemble
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import MissingExtraError

SCRIPT = Path(__file__).parents[1] / "datasets" / "ensemble_worker.py"
spec = importlib.util.spec_from_file_location("ensemble_worker", SCRIPT)
worker = importlib.util.module_from_spec(spec)
sys.modules["ensemble_worker"] = worker  # the workers import it by its name
spec.loader.exec_module(worker)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two workers in processes, as another program would have started them."""
    from distributed import LocalCluster

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))  # which the processes inherit
        with LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as started:
            yield started.scheduler_address


def test_results_come_in_order_from_other_processes_with_equal_bits(address: str) -> None:
    numbers, told = list(range(20)), []
    here = list(map_over(sine_and_process, numbers))
    there = list(map_over(sine_and_process, numbers, address, told.append))
    assert [value for value, _ in there] == [value for value, _ in here]
    assert {process for _, process in here} == {os.getpid()}
    assert os.getpid() not in {process for _, process in there}
    assert told == [f"{done} of 20" for done in range(1, 21)]


def test_an_ensemble_on_a_cluster_is_equal_bit_by_bit(address: str, tmp_path: Path) -> None:
    settings = (worker.ensemble(), worker.SAMPLES)
    here = run_ensemble(*settings, tmp_path / "here.zarr", worker.CHUNK).load()
    calls = []
    there = run_ensemble(
        *settings, tmp_path / "there.zarr", worker.CHUNK, lambda *call: calls.append(call),
        map_over=lambda function, items: map_over(function, items, address),
    ).load()  # fmt: skip
    assert calls == [(done, 7) for done in range(8)]
    assert set(here.variables) == set(there.variables)
    for name, variable in here.variables.items():
        assert variable.values.tobytes() == there[name].values.tobytes(), name


def test_a_fault_comes_back_whole_when_its_turn_has_come(address: str) -> None:
    found = map_over(refuse_five, range(10), address)
    assert [next(found) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(InputError) as caught:
        next(found)
    assert caught.value.source == "day 5"
    assert caught.value.faults == ("the price is missing", "the meter is NaN")
    assert list(map_over(refuse_five, [1, 2], address)) == [1, 2]


def test_local_starts_processes_and_ends_them() -> None:
    processes = {process for _, process in map_over(sine_and_process, range(8), "local")}
    assert processes
    assert os.getpid() not in processes
    for process in processes:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True)
        assert state.stdout.strip()[:1] in (b"", b"Z")


def test_a_cluster_that_cannot_serve_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="expected local or tcp://HOST:PORT"):
        map_over(refuse_five, [1], "machine:8786")
    monkeypatch.setattr(cluster, "ANSWER_S", 0.5)
    with pytest.raises(InputError, match="does not answer"):
        list(map_over(refuse_five, [1], "tcp://127.0.0.1:9"))
    monkeypatch.setattr(cluster, "ANSWER_S", 20.0)
    monkeypatch.setattr(cluster, "version", lambda package: "0.0.0")
    with pytest.raises(InputError, match=r"has tvilling .*, expected 0\.0\.0"):
        list(map_over(refuse_five, [1], address))


def test_without_distributed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match="jobs"):
        list(map_over(refuse_five, [1], "local"))
    assert list(map_over(refuse_five, [1])) == [1]
