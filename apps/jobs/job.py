"""Jobs: what is to be done, when, and how hard to try."""

import hashlib
import re
import time
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from tvilling.apps.jobs.kinds import kind_named, kind_of_case, resolve
from tvilling.apps.jobs.schedule import Schedule, parse_schedule
from tvilling.apps.jobs.store import Store
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_bytes
from tvilling.sciml.io.reads import read_once

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")
DENMARK = "Europe/Copenhagen"
MAX_RETRIES = 100


@dataclass(frozen=True)
class Effort:
    """How hard a job tries.

    Attributes
    ----------
    retries
        Attempts after the first.
    backoff_s
        Wait before the first retry; it doubles with each, to an hour at most.
    limit_s
        Longest time of one attempt, after which its process is killed.
    grace_s
        How long after its time a run that was missed may still begin.
    """

    retries: int = 2
    backoff_s: int = 60
    limit_s: int = 3600
    grace_s: int = 6 * 3600


@dataclass(frozen=True)
class Job:
    """One row of the table `job`; its columns are described there."""

    name: str
    kind: str
    case_path: str
    case_sha256: str
    schedule: str
    zone: str
    retries: int
    backoff_s: int
    limit_s: int
    grace_s: int
    enabled: int
    since_s: float

    @cached_property
    def times(self) -> Schedule:
        """When it is due."""
        return parse_schedule(self.schedule, self.zone)

    @property
    def case(self) -> Path:
        """Its case file."""
        return Path(self.case_path)


COLUMNS = ", ".join(field.name for field in fields(Job))


def add_job(
    store: Store,
    name: str,
    case: Path,
    schedule: str,
    zone: str = DENMARK,
    kind: str | None = None,
    effort: Effort | None = None,
) -> Job:
    """Keep a new job, due by `schedule` from now on.

    Raises
    ------
    InputError
        With every fault of the case; if the name is taken or none, the schedule or zone cannot be
        read, the kind is not known, or there are too many retries.
    """
    effort = effort or Effort()
    if not NAME.fullmatch(name):
        raise InputError(
            "name", [f"is {name!r}, expected up to 61 of A-Z a-z 0-9 _ . - and no dot first"]
        )
    if not 0 <= effort.retries <= MAX_RETRIES:
        raise InputError("retries", [f"is {effort.retries}, expected 0 to {MAX_RETRIES}"])
    parse_schedule(schedule, zone)
    path = case.absolute()
    with read_once():
        kind = kind or kind_of_case(case)
        check = kind_named(kind).check
        if check is not None:
            resolve(check)(case)
        case_sha256 = hashlib.sha256(read_bytes(path)).hexdigest()  # of what was checked
    job = Job(
        name=name, kind=kind, case_path=str(path), case_sha256=case_sha256,
        schedule=schedule, zone=zone, **asdict(effort), enabled=1, since_s=time.time(),
    )  # fmt: skip
    with store.transaction() as connection:
        if connection.execute("SELECT 1 FROM job WHERE name = ?", (name,)).fetchone():
            raise InputError(f"job {name}", ["is there already; tvilling job remove takes it away"])
        marks = ", ".join("?" * len(fields(Job)))
        connection.execute(f"INSERT INTO job ({COLUMNS}) VALUES ({marks})", astuple(job))
        store.note(
            "job added", job=name, kind=kind, case=job.case_path, case_sha256=job.case_sha256,
            schedule=schedule, zone=zone, **asdict(effort),
        )  # fmt: skip
    return job


def jobs(store: Store) -> list[Job]:
    """Every job, by name."""
    return [Job(*row) for row in store.rows(f"SELECT {COLUMNS} FROM job ORDER BY name")]


def job_named(store: Store, name: str) -> Job:
    """The job `name`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    found = {job.name: job for job in jobs(store)}
    if name not in found:
        known = ", ".join(found) or "none yet"
        raise InputError(f"job {name}", [f"is not known; known are: {known}"])
    return found[name]


def remove_job(store: Store, name: str) -> None:
    """Take a job away; its runs and their results stay.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    job_named(store, name)
    with store.transaction() as connection:
        connection.execute("DELETE FROM job WHERE name = ?", (name,))
        store.note("job removed", job=name)


def enable_job(store: Store, name: str, enabled: bool) -> None:
    """Let a job be due, or not; what falls into a pause is not caught up with.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if bool(job_named(store, name).enabled) == enabled:
        return
    with store.transaction() as connection:
        connection.execute(
            "UPDATE job SET enabled = ?, since_s = ? WHERE name = ?",
            (int(enabled), time.time(), name),
        )
        store.note("job resumed" if enabled else "job paused", job=name)


def next_due(job: Job) -> datetime | None:
    """When the job is due next, in UTC; None if it is paused."""
    return next(job.times.after(datetime.now(UTC)), None) if job.enabled else None
