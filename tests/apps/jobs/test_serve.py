"""`tvilling job serve` in real processes: two on one store, killed, started again, told to end."""

import collections
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import job_kinds
import pytest
from job_kinds import is_gone

from tvilling.apps.jobs.job import Effort, add_job, enable_job, remove_job
from tvilling.apps.jobs.run import Run, history, open_runs
from tvilling.apps.jobs.store import Store
from tvilling.twins.ledger import verify

LEASE_S = 2.0
Serve = Callable[[], "subprocess.Popen[str]"]
Calls = Callable[[], list[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a process that serves; none is left behind."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, job_kinds.__file__, "job", "serve", "--lease", str(LEASE_S)]
        with (tmp_path / f"serve-{len(started)}.txt").open("w") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def ended(process: "subprocess.Popen[str]") -> int:
    """Exit code after a polite request to end."""
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


def until(holds: Callable[[], object], patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come so far"
        time.sleep(0.02)


def done(store: Store, job: str | None = None) -> list[Run]:
    return [run for run in history(store, job, last=1000) if run.state == "done"]


def counted(store: Store, event: str) -> "collections.Counter[str]":
    """How often the ledger tells of an event, by the time of the run."""
    assert verify(store.ledger.path).ok
    lines = [line["facts"] for line in store.ledger.read()]
    return collections.Counter(facts["scheduled"] for facts in lines if facts["event"] == event)


def check_once_each(store: Store, calls: list[str], seconds: int) -> None:
    """Every second of the span has a row, and every row that was done was worked on once."""
    runs = history(store, "tick", last=10_000)
    assert {run.state for run in runs} <= {"done", "missed", "waiting"}
    finished = [f"{run.scheduled:%Y%m%dT%H%M%SZ}" for run in runs if run.state == "done"]
    assert sorted(calls) == sorted(finished)
    assert len(set(calls)) == len(calls)
    assert set(counted(store, "run started").values()) == {1}
    assert set(counted(store, "run done").values()) == {1}
    assert len(counted(store, "run done")) == len(calls)
    assert len(calls) > seconds / 2
    folders = [path.name for path in (store.results / "tick").iterdir()]
    assert sorted(folders) == sorted(calls)


def tick_under_two(store: Store, serve: Serve, case: Path, seconds: int) -> list[int]:
    """One-second jobs for a while under two processes; gives their exit codes."""
    add_job(store, "tick", case, "every 1s")
    both = [serve(), serve()]
    until(lambda: done(store))
    time.sleep(seconds)
    enable_job(store, "tick", False)  # so that none is cut off, and resumed by the other
    until(lambda: open_runs(store) == 0)
    return [ended(process) for process in both]


def test_two_processes_never_run_a_job_twice(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    assert tick_under_two(store, serve, case("write"), 3) == [0, 0]
    check_once_each(store, calls(), 3)


@pytest.mark.slow
def test_two_processes_never_run_a_job_twice_for_a_minute(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    assert tick_under_two(store, serve, case("write"), 60) == [0, 0]
    check_once_each(store, calls(), 60)


@pytest.mark.slow
def test_two_processes_that_are_killed_in_turn_never_finish_a_run_twice(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    """Whichever keeps the clock is killed every few seconds for a minute."""
    add_job(store, "tick", case("write", 0.2), "every 1s")
    processes, began = [serve(), serve()], time.monotonic()
    kills = 0
    while time.monotonic() - began < 60:
        time.sleep(5.0 + 0.13 * kills)
        holder = store.rows("SELECT owner FROM lease")[0]["owner"].split(":")[1]
        victim = next((one for one in processes if str(one.pid) == holder), None)
        if victim is not None:
            victim.kill()
            victim.wait()
            processes = [one for one in processes if one is not victim] + [serve()]
            kills += 1
    time.sleep(3.0)  # the last one has to come up before it can be asked to end
    assert [ended(process) for process in processes] == [0, 0]
    assert kills > 4
    finished = [f"{run.scheduled:%Y%m%dT%H%M%SZ}" for run in done(store)]
    assert len(finished) > 10
    folders = [p.name for p in (store.results / "tick").iterdir() if not p.name.startswith(".")]
    assert sorted(folders) == sorted(finished)
    for run in done(store):
        plan = Path(run.result, "plan.txt").read_text()
        assert plan == f"plan of {run.scheduled.isoformat()}\n"


def test_killed_in_the_middle_of_a_run_and_started_again_it_makes_one_plan(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    """`kill -9` of the server; its worker ends with it, and the run is made from the beginning."""
    path = case("write", 3.0)
    add_job(store, "plan", path, "every 1d")
    scheduled = previous_midnight(store)
    first = serve()
    until(lambda: list(store.results.glob("plan/.unfinished-*/plan.txt")))
    first.kill()
    first.wait()
    until(lambda: is_gone((path.parent / "pid").read_text()), patience_s=2.0)
    (half,) = store.results.glob("plan/.unfinished-*/plan.txt")
    assert half.read_text().startswith("half")
    path.write_text("kind: write\nwait_s: 0.5\n")
    began = time.monotonic()
    second = serve()
    until(lambda: done(store))
    took_s = time.monotonic() - began
    assert ended(second) == 0
    assert took_s < LEASE_S + 6.0  # the lease runs out; a second to look; process, work and load
    (run,) = history(store)
    assert (run.scheduled, run.attempt, run.lost) == (scheduled, 2, 1)
    assert len(calls()) == 2
    folder = store.results / "plan"
    assert [path.name for path in folder.iterdir()] == [f"{scheduled:%Y%m%dT%H%M%SZ}"]
    assert Path(run.result, "plan.txt").read_text() == f"plan of {scheduled.isoformat()}\n"
    key = run.key["scheduled"]
    assert counted(store, "run started")[key] == 2
    assert counted(store, "run resumed")[key] == counted(store, "run done")[key] == 1


def previous_midnight(store: Store) -> datetime:
    """As if the jobs had been added just before the last midnight in UTC; gives that time."""
    midnight_s = int(time.time() // 86400 * 86400)
    with store.transaction() as connection:
        connection.execute("UPDATE job SET since_s = ?, grace_s = 90000", (midnight_s - 1,))
    return datetime.fromtimestamp(midnight_s, UTC)


def test_the_other_takes_over_when_the_first_is_killed(
    store: Store, serve: Serve, case: Callable[..., Path], tmp_path: Path
) -> None:
    add_job(store, "tick", case("write"), "every 1s")
    first = serve()
    until(lambda: done(store))
    second = serve()
    until(lambda: "keeps the clock" in (tmp_path / "serve-1.txt").read_text())
    assert f"waits: {os.uname().nodename}:{first.pid}:" in (tmp_path / "serve-1.txt").read_text()
    first.kill()
    killed_s = time.time()
    owner = f":{second.pid}:"
    until(lambda: any(owner in run.owner for run in done(store)))
    (begun,) = [run for run in done(store) if owner in run.owner][:1]
    assert begun.started_s is not None
    assert begun.started_s - killed_s < LEASE_S + 2.0
    assert ended(second) == 0
    taken = [line["facts"] for line in store.ledger.read()
             if line["facts"]["event"] == "clock taken"]  # fmt: skip
    assert [facts["number"] for facts in taken] == [1, 2]
    assert f":{first.pid}:" in taken[1]["lapsed"]


def test_told_to_end_it_hands_back_its_run_and_the_clock(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    add_job(store, "plan", case("write", 60.0), "every 1s")
    process = serve()
    until(calls)
    began = time.monotonic()
    assert ended(process) == 0
    assert time.monotonic() - began < 5.0
    events = [line["facts"]["event"] for line in store.ledger.read()]
    assert events[-2:] == ["run handed back", "clock given back"]
    assert list((store.results / "plan").iterdir()) == []


def test_jobs_that_change_while_it_serves_are_followed(
    store: Store, serve: Serve, case: Callable[..., Path], calls: Calls
) -> None:
    process = serve()
    until(lambda: store.rows("SELECT 1 FROM lease"))
    path = case("write")
    add_job(store, "tick", path, "every 1s", effort=Effort(retries=0))
    until(lambda: done(store))
    enable_job(store, "tick", False)
    time.sleep(1.0)
    paused = len(calls())
    time.sleep(1.1)
    assert len(calls()) == paused
    enable_job(store, "tick", True)
    until(lambda: len(calls()) > paused)
    remove_job(store, "tick")
    time.sleep(1.0)
    removed = len(calls())
    time.sleep(1.1)
    assert len(calls()) == removed
    assert ended(process) == 0


@pytest.mark.slow
def test_a_plan_is_written_at_its_minute(
    store: Store, serve: Serve, case: Callable[..., Path]
) -> None:
    """Added for the next full minute on the wall in Denmark; it begins within a second of it."""
    due = datetime.now(ZoneInfo("Europe/Copenhagen")) + timedelta(seconds=65)
    due = due.replace(second=0, microsecond=0)
    add_job(store, "plan", case("write"), f"at {due:%H:%M}")
    process = serve()
    until(lambda: done(store), patience_s=90.0)
    assert ended(process) == 0
    (run,) = history(store)
    assert run.started_s is not None
    assert (run.scheduled, run.attempt) == (due, 1)
    assert 0.0 <= run.started_s - due.timestamp() < 1.0
