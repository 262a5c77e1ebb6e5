"""A late input is waited for; what was made without it is not called done, and is made anew."""

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tvilling.apps.jobs import lease as leases
from tvilling.apps.jobs.job import Effort, Job, add_job
from tvilling.apps.jobs.once import run_once
from tvilling.apps.jobs.outcome import LATE_WAIT_S, fail, finish
from tvilling.apps.jobs.queue import ask_for, claim_next, claim_one
from tvilling.apps.jobs.result import beside, publish, read_result
from tvilling.apps.jobs.run import Claim, Run, find
from tvilling.apps.jobs.runner import outcome
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.worker import RETRIED, UNTIL_GRACE
from tvilling.twins.ledger import verify

AT = datetime(2026, 1, 20, 12, 15, tzinfo=UTC)
LATE = "prices: 24 of 35 are missing"
Add = Callable[..., Job]


@pytest.fixture
def add(store: Store, case: Callable[..., Path]) -> Add:
    def add(kind: str, **effort: int) -> Job:
        settings = Effort(**{"retries": 0, "backoff_s": 1, "limit_s": 30, **effort})
        return add_job(store, "day", case(kind), "at 13:15", effort=settings)

    return add


def events(store: Store) -> list[str]:
    assert verify(store.ledger.path).ok
    lines = [line["facts"] for line in store.ledger.read()]
    return [facts["event"] for facts in lines if "scheduled" in facts]


def claimed(store: Store, job: Job) -> Claim:
    ask_for(store, job, AT)
    claim = claim_one(store, job.name, AT, "me", 30.0)
    assert claim is not None
    return claim


def run_of(store: Store) -> Run:
    run = find(store, "day", AT)
    assert run is not None
    return run


def test_prices_that_come_while_a_run_waits_are_planned_on(
    store: Store, add: Add, tmp_path: Path
) -> None:
    job = add("waits", retries=3)
    stages: list[str] = []

    def tell(stage: str) -> None:
        stages.append(stage)
        if stage.startswith("waiting"):
            (tmp_path / "prices").touch()

    run, _ = run_once(store, job, AT, tell)
    assert (run.state, run.turn, run.reason, json.loads(run.facts)) == (
        "done", 0, "", {"how": "plan"},
    )  # fmt: skip
    assert any(stage.endswith(LATE) for stage in stages)
    assert events(store) == ["run started", "run waits for input", "run started", "run done"]


def test_what_was_made_without_prices_is_made_anew_when_they_are_in(
    store: Store, add: Add, tmp_path: Path, calls: Callable[[], list[str]]
) -> None:
    job = add("waits")
    run, before = run_once(store, job, AT)
    assert (before, run.fell_back, run.shown_state) == (False, True, "fell back")
    assert outcome(run).startswith("fell back, done in")
    assert run.reason == f"{LATE}; by the rule"
    again, before = run_once(store, job, AT)  # they are not in yet
    assert (before, again.fell_back, again.result) == (False, True, run.result)
    folder = Path(run.result)
    assert (folder / "plan.txt").read_text() == "without prices"
    (tmp_path / "prices").touch()
    made, before = run_once(store, job, AT)
    assert (before, made.state, made.fell_back, made.reason) == (False, "done", False, "")
    assert (folder / "plan.txt").read_text() == "on prices"
    assert run_once(store, job, AT) == (made, True)
    assert len(calls()) == 3
    (first,) = folder.parent.glob(".replaced-*")
    assert (first / "plan.txt").read_text() == "without prices"
    for one in (first, folder):
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=one, check=True, capture_output=True)
    assert events(store).count("run asked for anew") == 2


def test_a_failure_that_is_no_late_input_goes_to_the_fallbacks(store: Store, add: Add) -> None:
    run, _ = run_once(store, add("broken"), AT)
    assert run.fell_back
    assert json.loads(run.facts) == {"call": 2}


def test_announced_inputs_are_waited_for_until_the_grace_ends(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few the retries are, and never for longer than it takes to notice them."""
    now = [AT.timestamp()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    job = add("waits", backoff_s=60, grace_s=6 * 3600)
    waits = []
    while True:
        assert fail(store, claimed(store, job), LATE, "", UNTIL_GRACE)
        run = run_of(store)
        if run.turn:
            break
        waits.append(run.due_s - now[0])
        now[0] = run.due_s
    assert waits[:4] == [60, 120, 240, LATE_WAIT_S]
    assert max(waits) == LATE_WAIT_S
    assert 0 < AT.timestamp() + 6 * 3600 - now[0] <= LATE_WAIT_S
    assert (run.state, run.due_s) == ("waiting", now[0])


@pytest.mark.parametrize(("late", "retries", "tries"), [(RETRIED, 2, 3), (UNTIL_GRACE, 2, 3)])
def test_after_the_grace_and_for_what_may_not_come_the_retries_count(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch, late: str, retries: int, tries: int
) -> None:
    """A run of a past day, by hand; or one whose meters may stand for ever."""
    begins_s = AT.timestamp() + (0 if late == RETRIED else 86400)
    now = [begins_s]
    monkeypatch.setattr(time, "time", lambda: now[0])
    job = add("waits", retries=retries, grace_s=3600)
    for number in range(tries):
        assert run_of(store).turn == 0 if number else True
        fail(store, claimed(store, job), LATE, "", late)
        now[0] = max(now[0], run_of(store).due_s)
    assert run_of(store).turn == 1


def test_an_hourly_job_has_a_plan_of_the_rule_before_the_next_is_due(
    store: Store, case: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices that are late for half a day do not leave it without plans."""
    hour = datetime(2026, 1, 20, 12, tzinfo=UTC)
    now = [hour.timestamp()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    job = add_job(store, "day", case("waits"), "every 1h", effort=Effort(0, 60))
    while True:
        ask_for(store, job, hour)
        claim = claim_one(store, "day", hour, "me", 30.0)
        assert claim is not None
        if claim.run.turn:
            break
        fail(store, claim, LATE, "", UNTIL_GRACE)
        run = find(store, "day", hour)
        assert run is not None
        now[0] = run.due_s
    assert 0 < hour.timestamp() + 3600 - now[0] <= LATE_WAIT_S


def test_a_better_result_that_was_published_before_a_kill_is_taken(
    store: Store, add: Add, tmp_path: Path, calls: Callable[[], list[str]]
) -> None:
    """The power goes between its publication and the line that says so."""
    job = add("waits")
    run, _ = run_once(store, job, AT)
    (tmp_path / "prices").touch()
    final = Path(run.result)
    claim = claimed(store, job)
    about = {"function": "job_kinds:wait_for_prices", "attempt": claim.run.attempt, "facts": {}}
    with beside(final, claim.run.attempt) as folder:
        assert publish(folder, final, about, read_result(final)[1])
    with store.transaction() as connection:
        connection.execute("UPDATE run SET until_s = 1")
    made, _ = run_once(store, job, AT)
    assert (made.state, made.fell_back, len(calls())) == ("done", False, 1)


def test_who_asks_by_hand_does_not_wait_for_the_next_attempt(store: Store, add: Add) -> None:
    job = add("waits", retries=1, backoff_s=600)
    fail(store, claimed(store, job), LATE, "", RETRIED)
    assert run_of(store).due_s > time.time() + 500
    claim = claimed(store, job)
    assert finish(store, claim, store.results, {}, "")


def test_a_server_goes_on_with_other_jobs_while_one_waits(
    store: Store, add: Add, case: Callable[..., Path]
) -> None:
    """A run that waits holds no worker."""
    job = add("waits", retries=1, backoff_s=600)
    fail(store, claimed(store, job), LATE, "", RETRIED)
    other = add_job(store, "other", case("write"), "at 13:15")
    ask_for(store, other, AT)
    lease = leases.take(store, "me", 30.0)
    assert lease is not None
    claim = claim_next(store, lease)
    assert claim is not None
    assert claim.job.name == "other"
    assert claim_next(store, lease) is None
