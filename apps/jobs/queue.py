"""The queue: runs become due, once, and whoever claims one runs it.

A claim lasts as long as its owner renews it. A run whose owner was killed is claimed by the next.
"""

import itertools
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

from tvilling.apps.jobs.job import COLUMNS, Job
from tvilling.apps.jobs.lease import Lease, alive
from tvilling.apps.jobs.run import RUN_COLUMNS, Claim, Run, find
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.times import tell_duration

MAX_LOST = 5  # a run whose process vanishes more often may take the machine down with it
MAX_COUNTED = 1000


def make_due(store: Store, name: str, lease: Lease) -> None:
    """Add the run that the job `name` is due for by now, if any and if `lease` still counts.

    Of several times that have passed, only the last one is run, if it is not too late; the others
    are told as missed.
    """
    with store.transaction() as connection:
        job = _job(connection, name)
        if job is None or not job.enabled or not lease.holds(connection):
            return
        now = time.time()
        latest = job.times.latest(datetime.fromtimestamp(now, UTC))
        known = connection.execute("SELECT max(scheduled_s) FROM run WHERE job = ?", (name,))
        since = datetime.fromtimestamp(max(job.since_s, known.fetchone()[0] or 0), UTC)
        if latest is None or latest <= since:
            return
        passed = list(itertools.islice(_between(job, since, latest), MAX_COUNTED))
        if passed:
            _miss(connection, store, job, passed, "nobody kept the clock, and a later one was due")
        if now - latest.timestamp() > job.grace_s:
            late = f"found more than {tell_duration(job.grace_s)} after its time"
            _miss(connection, store, job, [latest], late)
        else:
            _add(connection, job, latest, now)


def ask_for(store: Store, job: Job, scheduled: datetime) -> Run:
    """The run of `job` at `scheduled`, which is due now unless it is done or under way.

    One that a fallback did is made anew: the work has one attempt, and the result of the fallback
    stands where that fails.
    """
    now, key = time.time(), (job.name, int(scheduled.timestamp()))
    with store.transaction() as connection:
        _add(connection, job, scheduled, now)
        before = _get(connection, *key)
        if before.state in ("failed", "missed") or before.fell_back:
            failures = job.retries if before.fell_back else 0
            connection.execute(
                "UPDATE run SET state = 'waiting', failures = ?, turn = 0, lost = 0, due_s = ?, "
                "reason = '', error = '' WHERE job = ? AND scheduled_s = ?",
                (failures, now, *key),
            )
            store.note("run asked for anew", **before.key, reason=before.reason)
        elif before.state == "waiting":
            connection.execute(
                "UPDATE run SET due_s = min(due_s, ?) WHERE job = ? AND scheduled_s = ?",
                (now, *key),
            )
    found = find(store, job.name, scheduled)
    assert found is not None
    return found


def claim_next(store: Store, lease: Lease) -> Claim | None:
    """The next run to begin or to resume, now that of `lease.owner`; None where there is none."""
    with store.transaction() as connection:
        if not lease.holds(connection):
            return None
        _expire(connection, store)
        _give_way(connection, store)
        found = (_claim(connection, store, run, lease.owner, lease.length_s)
                 for run in _claimable(connection, paused=False))  # fmt: skip
        return next((claim for claim in found if claim is not None), None)


def claim_one(
    store: Store, name: str, scheduled: datetime, owner: str, lease_s: float
) -> Claim | None:
    """The run of that key, now that of `owner`; None where it is final, not due, or another's."""
    with store.transaction() as connection:
        for run in _claimable(connection, paused=True):
            if (run.job, run.scheduled) == (name, scheduled):
                return _claim(connection, store, run, owner, lease_s)
    return None


def _claimable(connection: sqlite3.Connection, paused: bool) -> list[Run]:
    """Runs that wait and are due, or whose owner is gone, unless their job is busy.

    Those whose job has waited longest come first. With `paused` also those that wait while their
    job is paused.
    """
    found, now = _open(connection), time.time()
    busy = {run.job for run in found if _busy(run, now)}
    off = {row["name"] for row in connection.execute("SELECT name FROM job WHERE NOT enabled")}
    free = [
        run
        for run in found
        if run.job not in busy
        and (run.state == "running" or (run.due_s <= now and (paused or run.job not in off)))
    ]
    return sorted(free, key=lambda run: _waits_since(connection, run)) if len(free) > 1 else free


def _waits_since(connection: sqlite3.Connection, run: Run) -> tuple[float, float]:
    """Since when the job of `run` has waited for its turn, and when it last had one [s].

    A run that was begun waits since it may go on. One that was not inherits the wait of those that
    gave way to it: its job waits since the first time it was due after the run it began last.
    """
    begun = connection.execute(
        "SELECT max(scheduled_s), max(started_s) FROM run WHERE job = ? AND started_s IS NOT NULL",
        (run.job,),
    ).fetchone()
    if run.attempt:
        return run.due_s, begun[1] or 0.0
    job = _job(connection, run.job)
    last_s = max(begun[0] or 0.0, job.since_s if job else 0.0)
    first = next(job.times.after(datetime.fromtimestamp(last_s, UTC)), None) if job else None
    since_s = run.scheduled_s if first is None else first.timestamp()
    return min(since_s, run.due_s), begun[1] or 0.0


def _claim(
    connection: sqlite3.Connection, store: Store, run: Run, owner: str, lease_s: float
) -> Claim | None:
    """Make `run` that of `owner`; None where it cannot go on, which is then told."""
    vanished = run.state == "running" and run.owner != ""
    lost, job, now = run.lost + vanished, _job(connection, run.job), time.time()
    if job is None or lost > MAX_LOST:
        reason = "the job was removed" if job is None else f"its process vanished {lost} times"
        _end(connection, store, run, "failed", reason)
        return None
    claimed = replace(
        run, state="running", attempt=run.attempt + 1, lost=lost, owner=owner,
        until_s=now + lease_s, started_s=now, ended_s=None,
    )  # fmt: skip
    _write(connection, claimed)
    if run.state == "running":
        why = "its process vanished" if vanished else "it was handed back"
        store.note("run resumed", **claimed.key, owner=owner, before=run.owner, reason=why)
    return Claim(claimed, job, lease_s)


def _expire(connection: sqlite3.Connection, store: Store) -> None:
    """End the runs that nobody took up, or took up again, within the grace of their job."""
    now = time.time()
    for run in _open(connection):
        job = _job(connection, run.job)
        idle_s = now - max(run.due_s, run.until_s, run.started_s or 0.0)
        if job is not None and idle_s > job.grace_s and not _busy(run, now):
            state = "failed" if run.attempt else "missed"
            reason = f"nobody took it up for more than {tell_duration(job.grace_s)}"
            _end(connection, store, run, state, "; ".join(filter(None, (run.reason, reason))))


def _give_way(connection: sqlite3.Connection, store: Store) -> None:
    """End the runs that still wait when a later one of their job waits as well."""
    waiting = [run for run in _open(connection) if run.state == "waiting"]
    last = {run.job: run for run in waiting}
    for run in waiting:
        later = last[run.job]
        if run is not later:
            state = "failed" if run.attempt else "missed"
            reason = f"gave way to the run at {later.key['scheduled']}"
            _end(connection, store, run, state, "; ".join(filter(None, (run.reason, reason))))


def _open(connection: sqlite3.Connection) -> list[Run]:
    """Runs that wait or are being run, in order of time."""
    rows = connection.execute(
        f"SELECT {RUN_COLUMNS} FROM run WHERE state IN ('waiting', 'running') ORDER BY scheduled_s"
    )
    return [Run(*row) for row in rows]


def _busy(run: Run, now_s: float) -> bool:
    """Whether a process that lives is at the run."""
    return run.state == "running" and alive(run.until_s, now_s)


def _end(connection: sqlite3.Connection, store: Store, run: Run, state: str, reason: str) -> None:
    _write(connection, replace(run, state=state, reason=reason, until_s=0, ended_s=time.time()))
    store.note(f"run {state}", **run.key, reason=reason)


def _miss(
    connection: sqlite3.Connection, store: Store, job: Job, times: Sequence[datetime], why: str
) -> None:
    """Tell that `times` were missed, by one line and by the row of the last of them."""
    first, last = times[0], times[-1]
    many = f"{len(times)} or more" if len(times) == MAX_COUNTED else str(len(times))
    count = f"{many} times from {first:%Y-%m-%dT%H:%M:%SZ}: " if len(times) > 1 else ""
    _add(connection, job, last, 0)
    run = _get(connection, job.name, int(last.timestamp()))
    if run.state == "waiting":
        _end(connection, store, run, "missed", f"{count}{why}")


def _add(connection: sqlite3.Connection, job: Job, scheduled: datetime, due_s: float) -> None:
    """Add the row of a run, unless it is there."""
    connection.execute(
        "INSERT INTO run (job, scheduled_s, state, due_s) VALUES (?, ?, 'waiting', ?) "
        "ON CONFLICT DO NOTHING",
        (job.name, int(scheduled.timestamp()), due_s),
    )


def _get(connection: sqlite3.Connection, job: str, scheduled_s: int) -> Run:
    query = f"SELECT {RUN_COLUMNS} FROM run WHERE job = ? AND scheduled_s = ?"
    return Run(*connection.execute(query, (job, scheduled_s)).fetchone())


def _write(connection: sqlite3.Connection, run: Run) -> None:
    changes = ", ".join(f"{field.name} = :{field.name}" for field in fields(Run))
    key = "job = :job AND scheduled_s = :scheduled_s"
    connection.execute(f"UPDATE run SET {changes} WHERE {key}", vars(run))


def _job(connection: sqlite3.Connection, name: str) -> Job | None:
    row = connection.execute(f"SELECT {COLUMNS} FROM job WHERE name = ?", (name,)).fetchone()
    return Job(*row) if row else None


def _between(job: Job, since: datetime, latest: datetime) -> Iterator[datetime]:
    """Times at which `job` was due, later than `since` and before `latest`."""
    return itertools.takewhile(lambda due: due < latest, job.times.after(since))
