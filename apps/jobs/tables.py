"""Jobs, runs and lines of the ledger as a terminal shows them."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.table import Table

from tvilling.apps.jobs.job import Job, jobs, next_due
from tvilling.apps.jobs.run import Run, history
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.times import shown, tell_duration
from tvilling.apps.shared.progress import say_now, show
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import sha256_of
from tvilling.sciml.io.escape import json_text

WIDE = 300  # characters


def next_time(job: Job) -> str:
    """When the job is due next, in its own zone."""
    due = next_due(job)
    return shown(due.timestamp(), job.zone) if due else "paused"


def job_table(store: Store) -> Table:
    """The jobs with their next time and what became of the last run."""
    table = Table("name", "kind", "schedule", "next", "last run", box=None, pad_edge=False)
    for job in jobs(store):
        last = history(store, job.name, 1)
        state = (
            f"{last[0].shown_state}, {shown(last[0].scheduled_s, job.zone)}" if last else "none yet"
        )
        table.add_row(job.name, job.kind, job.schedule, next_time(job), state)
    return table


def run_table(runs: list[Run], zones: dict[str, str], zone: str) -> Table:
    """Past runs, each in the zone of its job, or in `zone` where the job is gone."""
    table = Table(
        "job", "scheduled", "state", "attempt", "took", "reason", box=None, pad_edge=False
    )
    for run in runs:
        scheduled = shown(run.scheduled_s, zones.get(run.job, zone))
        reason = (run.reason.splitlines() or [""])[0]
        table.add_row(run.job, scheduled, run.shown_state, str(run.attempt), took(run), reason)
    return table


def job_lines(job: Job) -> Iterator[str]:
    """What is known of a job."""
    yield f"{job.name}: {job.kind}, {job.schedule}, next {next_time(job)}"
    try:
        changed = sha256_of(job.case) != job.case_sha256
        yield f"case: {job.case_path}{', changed since it was added' if changed else ''}"
    except InputError as error:
        yield f"case: {error.source}: {error.faults[0]}"
    yield (
        f"tries: {job.retries} retries, the first after {tell_duration(job.backoff_s)}; an attempt "
        f"takes {tell_duration(job.limit_s)} at most; a missed run begins up to "
        f"{tell_duration(job.grace_s)} late"
    )


def run_lines(run: Run, zone: str, store: Store) -> Iterator[str]:
    """What is known of a run, and what the ledger says of it."""
    yield f"run of {shown(run.scheduled_s, zone)}: {run.shown_state}, attempt {run.attempt}"
    printed = "" if run.state == "done" else run.error.strip()
    facts = "" if run.facts == "{}" else run.facts
    known = {"took": took(run), "reason": run.reason, "result": run.result, "facts": facts,
             "printed before it failed": printed}  # fmt: skip
    yield from (f"{name}: {text}" for name, text in known.items() if text)
    yield "ledger:"
    for line in store.ledger.read():
        about = line["facts"]
        if about.get("job") == run.job and about.get("scheduled") == run.key["scheduled"]:
            yield f"  {ledger_line(line)}"


def ledger_line(line: dict[str, Any]) -> str:
    """A line of a ledger: number, when it was written, and its facts."""
    facts = dict(line["facts"])
    event = facts.pop("event", "")
    told = " ".join(f"{name}={_plain(value)}" for name, value in facts.items() if value is not None)
    return f"{line['line']} {line['written']} {event}: {told}"


def took(run: Run) -> str:
    """How long the last attempt of a run took."""
    if run.started_s is None or run.ended_s is None:
        return ""
    return f"{run.ended_s - run.started_s:.1f} s"


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal, or wide enough where there is none."""
    show(table, width=None if sys.stdout.isatty() else WIDE)


def tell_with_time(line: str) -> None:
    """Print `line` after the time, at once."""
    say_now(f"{time.strftime('%H:%M:%S')} {line}")


def tell_new() -> Callable[[str], None]:
    """Prints a line unless it is the one before."""
    before: list[str] = []

    def tell(line: str) -> None:
        if before != [line]:
            before[:] = [line]
            say_now(line)

    return tell


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)
