"""One run from attempt to attempt: retries, fallbacks, workers that hang, crash or are cut off."""

import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from job_kinds import is_gone

from tvilling.apps.jobs.audit import audit
from tvilling.apps.jobs.job import Effort, Job, add_job
from tvilling.apps.jobs.once import run_once
from tvilling.apps.jobs.outcome import fail, finish, hand_back, renew
from tvilling.apps.jobs.queue import ask_for, claim_one
from tvilling.apps.jobs.result import beside, publish, read_result
from tvilling.apps.jobs.run import Run, find, history
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.supervise import attempt
from tvilling.sciml.core.errors import InputError
from tvilling.twins.ledger import verify

AT = datetime(2026, 3, 29, 1, tzinfo=UTC)
Add = Callable[..., Job]


@pytest.fixture
def add(store: Store, case: Callable[..., Path]) -> Add:
    def add(kind: str, wait_s: float = 0.0, **effort: int) -> Job:
        settings = Effort(**{"retries": 2, "backoff_s": 1, "limit_s": 30, **effort})
        return add_job(store, "plan", case(kind, wait_s), "at 03:00", effort=settings)

    return add


def told(store: Store) -> list[dict[str, Any]]:
    """What the ledger says of the run, without the job's own lines."""
    assert verify(store.ledger.path).ok
    lines = [line["facts"] for line in store.ledger.read()]
    return [facts for facts in lines if "scheduled" in facts]


def test_a_run_is_done_once(store: Store, add: Add, calls: Callable[[], list[str]]) -> None:
    job = add("write")
    run, before = run_once(store, job, AT)
    assert (run.state, before) == ("done", False)
    assert run_once(store, job, AT) == (run, True)
    assert calls() == ["20260329T010000Z"]
    started, done = told(store)
    assert (started["event"], done["event"]) == ("run started", "run done")
    assert started["case_sha256"] == hashlib.sha256(job.case.read_bytes()).hexdigest()
    assert started["scheduled"] == done["scheduled"] == "2026-03-29T01:00:00Z"
    assert done["facts"] == {"call": 1}


def test_a_result_is_told_by_sums_that_another_program_checks(store: Store, add: Add) -> None:
    run, _ = run_once(store, add("write"), AT)
    folder = Path(run.result)
    assert folder == store.home / "jobs" / "plan" / "20260329T010000Z"
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "plan.txt", "run.json"]
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)
    said = subprocess.run(["sha256sum", "SHA256SUMS"], cwd=folder, capture_output=True, check=True)
    assert told(store)[-1]["result_sha256"] == said.stdout.decode().split()[0]
    about = json.loads((folder / "run.json").read_text())
    assert (about["facts"], about["attempt"], about["kind"]) == ({"call": 1}, 1, "write")


def test_a_failure_is_retried_after_a_wait_that_doubles(store: Store, add: Add) -> None:
    began = time.monotonic()
    run, _ = run_once(store, add("fail_twice"), AT)
    assert time.monotonic() - began > 1.0 + 2.0
    assert (run.state, run.attempt, json.loads(run.facts)) == ("done", 3, {"call": 3})
    retries = [facts for facts in told(store) if facts["event"] == "run to be retried"]
    assert [facts["wait_s"] for facts in retries] == [1, 2]
    assert retries[0]["reason"] == "RuntimeError: no price yet, call 1"


def test_what_fails_too_often_has_failed_with_its_reason_and_may_be_tried_anew(
    store: Store, add: Add
) -> None:
    job = add("fail_twice", retries=0)
    run, _ = run_once(store, job, AT)
    assert (run.state, run.reason) == ("failed", "RuntimeError: no price yet, call 1")
    assert "Traceback" in run.error
    assert told(store)[-1]["event"] == "run failed"
    assert list((store.home / "jobs" / "plan").iterdir()) == []
    again = [run_once(store, job, AT)[0] for _ in range(2)]
    assert [(run.state, run.attempt) for run in again] == [("failed", 2), ("done", 3)]


def test_a_worker_that_hangs_is_killed_with_its_children(
    store: Store, add: Add, tmp_path: Path
) -> None:
    run, _ = run_once(store, add("hang", retries=0, limit_s=1), AT)
    assert (run.state, run.reason) == ("failed", "took longer than 1 s, at: solving")
    assert is_gone((tmp_path / "child").read_text())


def test_a_child_that_a_worker_leaves_is_ended_and_not_waited_for(
    store: Store, add: Add, tmp_path: Path
) -> None:
    run, _ = run_once(store, add("leave", retries=0), AT)
    assert run.state == "done"
    assert is_gone((tmp_path / "child").read_text())


def test_where_all_attempts_fail_the_fallbacks_have_their_turn(store: Store, add: Add) -> None:
    """The first one crashes the interpreter, the second gives NaN, the third writes a plan."""
    run, _ = run_once(store, add("falls", retries=1), AT)
    crashed = "its process was killed by signal 11"
    broken = "ValueError: Out of range float values are not JSON compliant"
    assert (run.state, run.attempt) == ("done", 4)
    assert run.reason.startswith(f"{crashed}; {broken}")
    events = [(facts["event"], facts.get("to")) for facts in told(store)]
    assert events == [
        ("run started", None),
        ("run to be retried", None),
        ("run started", None),
        ("run fell back", "job_kinds:give_nan"),
        ("run started", None),
        ("run fell back", "job_kinds:write"),
        ("run started", None),
        ("run done", None),
    ]
    assert told(store)[3]["reason"] == crashed
    assert told(store)[-1]["reason"] == run.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda job: job.case.unlink(), "no such file"),
        (lambda job: None, "AttributeError: module 'job_kinds' has no attribute"),
    ],
)
def test_a_case_or_function_that_is_gone_is_a_reason(
    store: Store, add: Add, change: Callable[[Job], None], reason: str
) -> None:
    job = add("missing", retries=0)
    change(job)
    run, _ = run_once(store, job, AT)
    assert run.state == "failed"
    assert reason in run.reason


def test_a_case_that_changed_is_run_as_it_is_and_told(store: Store, add: Add) -> None:
    job = add("write")
    job.case.write_text("kind: write\n# more\n")
    run_once(store, job, AT)
    started = told(store)[0]
    assert started["case_changed_since_added"] is True
    assert started["case_sha256"] == hashlib.sha256(job.case.read_bytes()).hexdigest()


def test_files_that_are_edited_in_mid_run_are_those_that_were_hashed(
    store: Store, add: Add, calls: Callable[[], list[str]], tmp_path: Path
) -> None:
    """Both between two looks at them."""
    job, meters = add("reads"), tmp_path / "meters.csv"
    before, was = job.case.read_bytes(), b"load_mw\n6\n"
    meters.write_bytes(was)
    begun(store, job, calls)
    job.case.write_text("kind: reads\nheat_mw: 3\n")
    meters.write_bytes(b"load_mw\n3\n")
    (tmp_path / "edited").touch()
    run = until(store, lambda run: run.state == "done")
    assert json.loads(run.facts) == {"same": True, "meters": was.decode()}
    assert (Path(run.result) / "case.yaml").read_bytes() == before
    about = json.loads((Path(run.result) / "run.json").read_text())
    sha256 = hashlib.sha256(before).hexdigest()
    inputs = {str(job.case): sha256, str(meters): hashlib.sha256(was).hexdigest()}
    assert (about["case_sha256"], about["inputs"]) == (sha256, inputs)
    assert told(store)[0]["case_sha256"] == sha256
    assert told(store)[-1]["inputs"] == inputs


def test_a_case_that_is_edited_while_the_worker_loads_is_worked_on_as_it_was(
    store: Store, add: Add, tmp_path: Path
) -> None:
    job = add("reads")
    before = job.case.read_bytes()
    (tmp_path / "meters.csv").write_text("load_mw\n6\n")
    (tmp_path / "edited").touch()
    begun(store, job, lambda: [""] if store.ledger.path.exists() and told(store) else [])
    job.case.write_text("kind: reads\nheat_mw: 3\n")
    run = until(store, lambda run: run.state == "done")
    assert (Path(run.result) / "case.yaml").read_bytes() == before
    assert told(store)[0]["case_sha256"] == hashlib.sha256(before).hexdigest()


def begun(store: Store, job: Job, calls: Callable[[], list[str]]) -> threading.Event:
    """A thread has begun an attempt and is in the middle of it; stops when the event is set."""
    ask_for(store, job, AT)
    claim = claim_one(store, job.name, AT, "first", 10.0)
    assert claim is not None
    stop = threading.Event()
    threading.Thread(target=attempt, args=(store, claim, stop)).start()
    deadline = time.monotonic() + 30
    while not calls() and time.monotonic() < deadline:
        time.sleep(0.01)
    return stop


def until(store: Store, holds: Callable[[Run], bool]) -> Run:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        run = find(store, "plan", AT)
        if run is not None and holds(run):
            return run
        time.sleep(0.02)
    raise AssertionError("it did not come so far")


def test_a_run_that_is_stopped_is_handed_back_and_resumed(
    store: Store, add: Add, calls: Callable[[], list[str]]
) -> None:
    job = add("write", wait_s=1.0)
    begun(store, job, calls).set()
    until(store, lambda run: run.owner == "")
    job.case.write_text("kind: write\n")
    run, before = run_once(store, job, AT)
    assert (run.state, run.attempt, run.lost, before) == ("done", 2, 0, False)
    assert [facts["event"] for facts in told(store)] == [
        "run started", "run handed back", "run resumed", "run started", "run done",
    ]  # fmt: skip


def test_a_damaged_result_is_set_aside_and_made_again(store: Store, add: Add) -> None:
    """As after a kill between the result and its line in the ledger, on a bad disk."""
    job = add("write")
    run, _ = run_once(store, job, AT)
    plan = Path(run.result) / "plan.txt"
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-3])
    with store.transaction() as connection:
        connection.execute("UPDATE run SET state = 'waiting', owner = '', due_s = 0")
    again, _ = run_once(store, job, AT)
    assert (again.state, plan.read_bytes()) == ("done", whole)
    (aside,) = plan.parents[1].glob(".damaged-*")
    assert (aside / "plan.txt").read_bytes() == whole[:-3]
    (damaged,) = (facts for facts in told(store) if facts["event"] == "result damaged")
    assert "plan.txt is damaged" in damaged["reason"]
    assert audit(store) == []


def test_who_lost_a_run_to_another_lets_go_of_it(
    store: Store, add: Add, calls: Callable[[], list[str]]
) -> None:
    """Its process was held up so long that another took the run; only one of them tells of it."""
    job = add("write", wait_s=1.0)
    begun(store, job, calls)
    with store.transaction() as connection:
        connection.execute("UPDATE run SET until_s = 1")
    job.case.write_text("kind: write\nwait_s: 0\n")
    claim = claim_one(store, job.name, AT, "second", 10.0)
    assert claim is not None
    assert claim.run.lost == 1
    attempt(store, claim, threading.Event())
    done = until(store, lambda run: run.state == "done")
    assert (done.owner, done.attempt) == ("second", 2)
    time.sleep(1.5)
    assert [facts["owner"] for facts in told(store) if facts["event"] == "run done"] == ["second"]
    assert [path.name for path in (store.home / "jobs" / "plan").iterdir()] == ["20260329T010000Z"]


def test_a_claim_that_was_lost_changes_nothing(store: Store, add: Add, tmp_path: Path) -> None:
    job = add("write")
    ask_for(store, job, AT)
    first = claim_one(store, job.name, AT, "first", 0.01)
    time.sleep(0.02)
    second = claim_one(store, job.name, AT, "second", 10.0)
    assert first is not None
    assert second is not None
    before = store.ledger.path.read_bytes(), find(store, "plan", AT)
    assert not renew(store, first)
    assert not finish(store, first, tmp_path, {}, "0" * 64)
    assert not fail(store, first, "too late", "")
    hand_back(store, first, "too late")
    assert (store.ledger.path.read_bytes(), find(store, "plan", AT)) == before
    assert renew(store, second)


def test_a_result_published_before_the_kill_is_taken_as_it_is(
    store: Store, add: Add, calls: Callable[[], list[str]]
) -> None:
    """A power cut between the result and the note that it is there."""
    job = add("write")
    run_once(store, job, AT)
    with store.transaction() as connection:
        connection.execute("UPDATE run SET state = 'running', until_s = 1, result = ''")
    run, _ = run_once(store, job, AT)
    assert (run.state, run.attempt, len(calls())) == ("done", 2, 1)
    done = [facts for facts in told(store) if facts["event"] == "run done"]
    assert done[0]["result_sha256"] == done[1]["result_sha256"]


def test_of_two_results_for_one_key_the_first_stays(tmp_path: Path) -> None:
    """Both attempts are at their end; neither knows of the other."""
    final = tmp_path / "20260329T010000Z"
    with beside(final, 1) as first, beside(final, 2) as second:
        (first / "plan.txt").write_text("first")
        (second / "plan.txt").write_text("second")
        assert publish(first, final, {"attempt": 1})
        assert not publish(second, final, {"attempt": 2})
    assert (final / "plan.txt").read_text() == "first"
    assert read_result(final)[0] == {"attempt": 1}
    assert list(tmp_path.iterdir()) == [final]


def test_what_a_killed_attempt_left_is_removed_by_the_next(store: Store, add: Add) -> None:
    left = store.home / "jobs" / "plan" / ".unfinished-20260329T010000Z-1-0123abcd"
    left.mkdir(parents=True)
    (left / "plan.txt").write_text("half")
    other = left.with_name(".unfinished-20260330T010000Z-1-0123abcd")
    other.mkdir()
    run_once(store, add("write"), AT)
    assert not left.exists()
    assert other.exists()


def test_a_time_ahead_is_refused(store: Store, add: Add) -> None:
    job = add("write")
    with pytest.raises(InputError, match="lies ahead"):
        run_once(store, job, datetime(2101, 1, 1, tzinfo=UTC))
    assert history(store) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ".hidden"}, "no dot first"),
        ({"name": "a/b"}, "expected up to 61"),
        ({"kind": "fly"}, "is 'fly', known are run, plan"),
        ({"effort": Effort(retries=-1)}, "expected 0 to 100"),
        ({"schedule": "at noon"}, "expected hours and minutes"),
        ({"case": Path("missing.yaml")}, "no such file"),
        ({"kind": "run"}, "system is missing"),
        ({"name": "plan"}, "is there already"),
    ],
)
def test_what_is_wrong_with_a_job_is_told_when_it_is_added(
    store: Store, add: Add, change: dict[str, Any], told: str
) -> None:
    job = add("write")
    settings = {"name": "other", "case": job.case, "schedule": job.schedule, **change}
    with pytest.raises(InputError, match=told):
        add_job(store, **settings)
    assert len(store.rows("SELECT * FROM job")) == 1
