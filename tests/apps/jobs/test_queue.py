"""Which runs become due, who gets them, and what the ledger says of those that nobody ran."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tvilling.apps.jobs import lease as leases
from tvilling.apps.jobs.job import Effort, Job, add_job, enable_job, jobs, remove_job
from tvilling.apps.jobs.once import run_once
from tvilling.apps.jobs.queue import MAX_LOST, ask_for, claim_next, claim_one, make_due
from tvilling.apps.jobs.row_sums import DAMAGED_ROW, TABLES
from tvilling.apps.jobs.run import find, history
from tvilling.apps.jobs.store import Store
from tvilling.sciml.core.errors import InputError
from tvilling.twins.ledger import verify

MINUTE_S = 60


@pytest.fixture
def lease(store: Store) -> leases.Lease:
    taken = leases.take(store, "me", 20.0)
    assert taken is not None
    return taken


@pytest.fixture
def job(store: Store, case: Callable[..., Path]) -> Job:
    return add_job(store, "plan", case("write"), "every 10m", effort=Effort(grace_s=11 * MINUTE_S))


def added_earlier(store: Store, minutes: int) -> datetime:
    """As if jobs had been added `minutes` before the last full ten minutes; gives that time."""
    latest_s = time.time() // 600 * 600
    with store.transaction() as connection:
        connection.execute("UPDATE job SET since_s = ?", (latest_s - minutes * 60 - 1,))
    return datetime.fromtimestamp(latest_s, UTC)


def events(store: Store) -> list[str]:
    return [line["facts"]["event"] for line in store.ledger.read()]


def test_of_the_times_that_passed_the_last_one_is_run_and_the_others_are_told(
    store: Store, job: Job, lease: leases.Lease
) -> None:
    latest = added_earlier(store, minutes=40)
    make_due(store, "plan", lease)
    make_due(store, "plan", lease)
    missed, waiting = history(store)
    assert (waiting.scheduled, waiting.state) == (latest, "waiting")
    assert (missed.scheduled, missed.state) == (latest - timedelta(minutes=10), "missed")
    first = latest - timedelta(minutes=40)
    assert missed.reason.startswith(f"4 times from {first:%Y-%m-%dT%H:%M:%SZ}: ")
    assert events(store).count("run missed") == 1


def test_a_run_is_not_begun_later_than_the_grace_allows(
    store: Store, case: Callable[..., Path], lease: leases.Lease
) -> None:
    add_job(store, "plan", case("write"), "every 1d", effort=Effort(grace_s=1))
    with store.transaction() as connection:
        connection.execute("UPDATE job SET since_s = since_s - 86400")
    time.sleep(max(0.0, 2.0 - time.time() % 86400))  # midnight has to be more than a second ago
    make_due(store, "plan", lease)
    (run,) = history(store)
    assert (run.state, run.reason) == ("missed", "found more than 1s after its time")


def test_two_claim_at_once_and_one_gets_it(store: Store, job: Job, lease: leases.Lease) -> None:
    added_earlier(store, minutes=0)
    make_due(store, "plan", lease)
    (run,) = history(store)
    got = []
    both = threading.Barrier(8)

    def claim(owner: str) -> None:
        both.wait()
        got.append(claim_one(store, "plan", run.scheduled, owner, 10.0))

    threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (claimed,) = [claim for claim in got if claim is not None]
    found = find(store, "plan", run.scheduled)
    assert found is not None
    assert (found.owner, found.attempt) == (claimed.run.owner, 1)


def test_a_holder_whose_lease_ran_out_begins_nothing(store: Store, job: Job) -> None:
    held_up = leases.take(store, "held up", 0.05)
    assert held_up is not None
    assert leases.take(store, "early", 10.0) is None
    added_earlier(store, minutes=0)
    time.sleep(0.06)
    successor = leases.take(store, "successor", 10.0)
    assert successor is not None
    assert successor.number == held_up.number + 1
    make_due(store, "plan", held_up)
    assert history(store) == []
    make_due(store, "plan", successor)
    assert claim_next(store, held_up) is None
    assert not leases.renew(store, held_up)
    leases.give_back(store, held_up)
    assert leases.holder(store) == "successor"
    assert claim_next(store, successor) is not None
    assert events(store).count("clock taken") == 2


def test_a_clock_that_was_set_back_does_not_keep_a_dead_holder(store: Store, job: Job) -> None:
    """The lease of one who died seems to end in an hour."""
    leases.take(store, "dead", 10.0)
    with store.transaction() as connection:
        connection.execute("UPDATE lease SET until_s = until_s + 3600")
    assert leases.take(store, "next", 10.0) is not None


def test_a_run_that_still_waits_gives_way_to_a_later_one(
    store: Store, job: Job, lease: leases.Lease
) -> None:
    latest = added_earlier(store, minutes=0)
    ask_for(store, job, latest - timedelta(minutes=10))
    make_due(store, "plan", lease)
    claim = claim_next(store, lease)
    assert claim is not None
    assert claim.run.scheduled == latest
    older = find(store, "plan", latest - timedelta(minutes=10))
    assert older is not None
    assert older.state == "missed"
    assert older.reason == f"gave way to the run at {latest:%Y-%m-%dT%H:%M:%SZ}"


def test_a_run_that_nobody_took_up_in_time_is_not_begun_nor_resumed(
    store: Store, job: Job, lease: leases.Lease
) -> None:
    """The machine was off for a while: just less than the grace of 11 minutes, then more."""
    scheduled = added_earlier(store, minutes=0)
    for change, claimed in (("due_s = due_s - 600", True), ("due_s = due_s - 700", False)):
        ask_for(store, job, scheduled)
        with store.transaction() as connection:
            connection.execute(f"UPDATE run SET {change}")
        assert (claim_next(store, lease) is not None) is claimed
        if claimed:
            long_ago = "until_s = 1, started_s = started_s - 700, due_s = due_s - 700"
            with store.transaction() as connection:
                connection.execute(f"UPDATE run SET {long_ago}")
            assert claim_next(store, lease) is None
            assert history(store)[0].state == "failed"
    (run,) = history(store)
    assert run.reason.endswith("nobody took it up for more than 11m")


def test_one_run_of_a_job_at_a_time(store: Store, job: Job, lease: leases.Lease) -> None:
    latest = added_earlier(store, minutes=0)
    ask_for(store, job, latest)
    assert claim_next(store, lease) is not None
    ask_for(store, job, latest - timedelta(minutes=10))
    assert claim_next(store, lease) is None
    assert claim_one(store, "plan", latest - timedelta(minutes=10), "me", 10.0) is None


def test_what_falls_into_a_pause_is_not_caught_up_with(
    store: Store, job: Job, lease: leases.Lease
) -> None:
    added_earlier(store, minutes=30)
    enable_job(store, "plan", False)
    make_due(store, "plan", lease)
    enable_job(store, "plan", True)
    make_due(store, "plan", lease)
    assert history(store) == []
    assert events(store) == ["job added", "clock taken", "job paused", "job resumed"]


def test_a_run_whose_process_vanishes_again_and_again_is_given_up(
    store: Store, job: Job, lease: leases.Lease
) -> None:
    """Else it would take the machine down for ever."""
    ask_for(store, job, added_earlier(store, minutes=0))
    for number in range(MAX_LOST + 1):
        claim = claim_next(store, lease)
        assert claim is not None
        assert claim.run.attempt == number + 1
        with store.transaction() as connection:
            connection.execute("UPDATE run SET until_s = 1")  # as time would
    assert claim_next(store, lease) is None
    (run,) = history(store)
    assert (run.state, run.reason) == ("failed", "its process vanished 6 times")
    assert events(store).count("run resumed") == MAX_LOST


def test_runs_of_a_removed_job_end(store: Store, job: Job, lease: leases.Lease) -> None:
    ask_for(store, job, added_earlier(store, minutes=0))
    remove_job(store, "plan")
    assert claim_next(store, lease) is None
    (run,) = history(store)
    assert (run.state, run.reason) == ("failed", "the job was removed")
    assert verify(store.ledger.path).ok


def test_a_store_of_another_format_or_none_is_refused(store: Store, job: Job) -> None:
    with store.transaction() as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(InputError, match="has format 7, expected 2"):
        history(store)
    (store.home / "jobs.sqlite").write_bytes(b"not a data base" * 100)
    with pytest.raises(InputError, match="is no store of jobs"):
        history(store)


def test_a_damaged_row_is_not_signed_anew(store: Store, job: Job) -> None:
    """SQLite sees no fault in the row; a change of it is refused, and what is damaged is named."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as raw:
        raw.execute("UPDATE job SET since_s = since_s - 512")
    assert len(store.damaged_rows()) == 1
    with pytest.raises(InputError, match="a row of job was damaged or changed"):
        enable_job(store, job.name, False)
    assert store.damaged_rows() == [f"job plan: its row {DAMAGED_ROW}"]


def test_a_store_without_checksums_is_given_them(store: Store, job: Job) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as raw:
        for table in TABLES:
            raw.execute(f"ALTER TABLE {table} DROP COLUMN sha256")
        raw.execute("PRAGMA user_version = 1")
    assert jobs(store) == [job]
    assert store.rows("PRAGMA user_version")[0][0] == 2
    assert store.damaged_rows() == []


def test_a_time_ahead_is_no_run(store: Store, job: Job) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(InputError, match="which lies ahead"):
        run_once(store, job, ahead)
    assert history(store) == []


def test_a_case_that_is_no_mapping_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- system: tank\n")
    with pytest.raises(InputError, match="is no case: expected YAML such as `system: heat"):
        add_job(store, "odd", tmp_path / "list.yaml", "at 06:00")
    assert jobs(store) == []


def test_a_table_with_other_columns_is_refused(store: Store, job: Job) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as raw:
        raw.execute("ALTER TABLE job RENAME COLUMN since_s TO since")
    with pytest.raises(InputError, match="is no store of jobs: other columns in job"):
        jobs(store)
