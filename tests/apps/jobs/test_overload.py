"""More work than the workers can do: every job has its turn, and what is left out is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from day_of_jobs import Day, every_run, runs_by_job

from tvilling.apps.jobs import lease as leases
from tvilling.apps.jobs.job import Effort, add_job
from tvilling.apps.jobs.outcome import fail
from tvilling.apps.jobs.queue import claim_next, make_due
from tvilling.apps.jobs.store import Store

START_S = 1_800_000_000.0
IN_MEMORY = Path("/dev/shm")  # thousands of transactions, none of which a power cut tries


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Store]:
    """In memory where the system has such a folder: what is on disk is not of interest here."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else tmp_path) as folder:
        yield Store(Path(folder))


@pytest.fixture
def add(
    store: Store, case: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    monkeypatch.setattr("time.time", lambda: START_S)

    def added(name: str, schedule: str, **effort: int) -> None:
        add_job(store, name, case("write"), schedule, effort=Effort(**effort))

    return added


def test_four_jobs_with_room_for_two_have_as_many_runs_each(
    store: Store, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        add(name, "every 8s")
    Day(store, lambda claim: 17.0, START_S).serve(monkeypatch, START_S + 180)
    done = runs_by_job(store, "done")
    assert sum(done.values()) >= 18
    assert max(done[name] for name in "abcd") - min(done[name] for name in "abcd") <= 1


@pytest.mark.parametrize("workers", [1, 3])
def test_a_rare_job_waits_no_longer_than_the_runs_before_it(
    store: Store, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Whatever its name: it waited longest, and those that run all the time are served after it."""
    for name in ("a", "b", "c", "d", "z"):
        add(name, "every 4m" if name == "z" else "every 10s")
    Day(store, lambda claim: 30.0, START_S, workers).serve(monkeypatch, START_S + 1130)
    late_s = [
        run.started_s - run.scheduled_s
        for run in every_run(store)
        if run.job == "z" and run.started_s is not None
    ]
    assert len(late_s) == 4
    assert max(late_s) <= 30.0 * (4 // workers + 1) + 10.0


def test_a_job_that_fails_again_and_again_does_not_hold_up_the_others(
    store: Store, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its retries are due at once and belong to an older time than any other run."""
    add("a", "every 1h", retries=100, backoff_s=0)
    add("b", "every 1h", retries=0)
    now = [START_S]
    monkeypatch.setattr("time.time", lambda: now[0])
    lease = leases.take(store, "me", 59.0)
    assert lease is not None
    now[0] = START_S // 3600 * 3600 + 3600
    assert leases.take(store, "me", 59.0) is not None
    lease = leases.Lease("me", lease.number + 1, 59.0)
    make_due(store, "a", lease)
    first = claim_next(store, lease)
    assert first is not None
    now[0] += 10
    make_due(store, "b", lease)
    assert fail(store, first, "no price yet", "")
    turns = []
    for _ in range(2):
        claim = claim_next(store, lease)
        assert claim is not None
        turns.append(claim.job.name)
        now[0] += 10
        fail(store, claim, "no price yet", "")
    assert turns == ["b", "a"]


def test_what_a_job_could_not_do_is_told_time_by_time(
    store: Store, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every time at which a job was due is done, told as missed, or still under way; once."""
    for name in "abc":
        add(name, "every 10s")
    day = Day(store, lambda claim: 25.0, START_S, workers=1)
    day.serve(monkeypatch, START_S + 600)
    for name in "abc":
        times = sorted(run.scheduled_s for run in every_run(store) if run.job == name)
        assert times == list(range(int(START_S) + 10, int(START_S) + 600, 10))
    missed = [run for run in every_run(store) if run.state == "missed"]
    assert all(run.reason.startswith("gave way to the run at") for run in missed)
