"""Runs: one row for each time at which a job was due, and what became of it.

A run is known by its key, the job's name and the time it was scheduled for.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tvilling.apps.jobs.job import Job
from tvilling.apps.jobs.store import Store

FINAL = ("done", "failed", "missed")


@dataclass(frozen=True)
class Run:
    """One row of the table `run`; its columns are described there."""

    job: str
    scheduled_s: int
    state: str
    attempt: int
    failures: int
    turn: int
    lost: int
    due_s: float
    owner: str
    until_s: float
    started_s: float | None
    ended_s: float | None
    result: str
    reason: str
    error: str
    facts: str

    @property
    def scheduled(self) -> datetime:
        """The time it was scheduled for, in UTC."""
        return datetime.fromtimestamp(self.scheduled_s, UTC)

    @property
    def fell_back(self) -> bool:
        """Whether it was done by a fallback, in the place of its own work."""
        return self.state == "done" and self.turn > 0

    @property
    def shown_state(self) -> str:
        """Its state as a user reads it."""
        if self.state == "waiting" and self.attempt:
            return "waiting for another attempt"
        return "fell back" if self.fell_back else self.state

    @property
    def key(self) -> dict[str, Any]:
        """Which attempt at which run this is, for the ledger."""
        return {
            "job": self.job,
            "scheduled": f"{self.scheduled:%Y-%m-%dT%H:%M:%SZ}",
            "attempt": self.attempt,
        }

    def folder(self, store: Store) -> Path:
        """Where its result stands."""
        return store.results / self.job / f"{self.scheduled:%Y%m%dT%H%M%SZ}"


RUN_COLUMNS = ", ".join(field.name for field in fields(Run))


@dataclass(frozen=True)
class Claim:
    """A run that `run.owner` is at, under the lease `lease_s` at a time."""

    run: Run
    job: Job
    lease_s: float


def find(store: Store, job: str, scheduled: datetime) -> Run | None:
    """The run of `job` at `scheduled`."""
    rows = store.rows(
        f"SELECT {RUN_COLUMNS} FROM run WHERE job = ? AND scheduled_s = ?",
        job, int(scheduled.timestamp()),
    )  # fmt: skip
    return Run(*rows[0]) if rows else None


def history(store: Store, job: str | None = None, last: int = 20) -> list[Run]:
    """The last runs, of `job` or of all, in order of time."""
    rows = store.rows(
        f"SELECT {RUN_COLUMNS} FROM run WHERE ? IS NULL OR job = ? "
        "ORDER BY scheduled_s DESC, job DESC LIMIT ?",
        job, job, last,
    )  # fmt: skip
    return [Run(*row) for row in reversed(rows)]


def open_runs(store: Store) -> int:
    """How many runs go on, or wait for anything but the end of a pause."""
    rows = store.rows(
        "SELECT count(*) FROM run WHERE state = 'running' OR (state = 'waiting' "
        "AND job NOT IN (SELECT name FROM job WHERE NOT enabled))"
    )
    return int(rows[0][0])
