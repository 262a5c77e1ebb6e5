"""The commands `tvilling job` and `tvilling ledger`: they parse and print."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tvilling.apps.shared.progress import say

if TYPE_CHECKING:
    from tvilling.apps.jobs.store import Store

job_app = typer.Typer(no_args_is_help=True, help="Work at stated times: add, serve, look back.")
ledger_app = typer.Typer(no_args_is_help=True, help="The record of every decision: verify, show.")

NEGATIVE = 3  # the answer is no: a run failed, a ledger does not hold
DEFAULT_ZONE = "Europe/Copenhagen"

Name = Annotated[str, typer.Argument(help="Name of the job")]
Last = Annotated[int, typer.Option(min=1, help="How many, the latest ones")]


@job_app.command("add")
def job_add(  # noqa: PLR0913 - a command has as many options as it needs
    name: Name,
    case: Annotated[Path, typer.Argument(help="Case file (.yaml)")],
    at: Annotated[str | None, typer.Option(help="Times of every day: 06:00 or 06:00,13:15")] = None,
    every: Annotated[str | None, typer.Option(help="Interval: 30s, 15m, 1h, 1d")] = None,
    cron: Annotated[str | None, typer.Option(help="Crontab line: '0 6 * * mon-fri'")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of --at and --cron")] = DEFAULT_ZONE,
    kind: Annotated[
        str | None, typer.Option(help="What is done: run, plan, backtest [as the case says]")
    ] = None,
    retries: Annotated[int, typer.Option(help="Attempts after the first, 0 to 100")] = 2,
    backoff: Annotated[str, typer.Option(help="Wait before the first retry; it doubles")] = "60s",
    limit: Annotated[str, typer.Option(help="Longest time of one attempt")] = "1h",
    grace: Annotated[str, typer.Option(help="How late a missed run may still begin")] = "6h",
) -> None:
    """Add a job: a case that is due at --at, --every or --cron."""
    from tvilling.apps.jobs.job import Effort, add_job
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import next_time
    from tvilling.apps.jobs.times import LONGEST_S, parse_duration
    from tvilling.sciml.core.errors import InputError

    given = {"at": at, "every": every, "cron": cron}
    schedules = [f"{how} {text}" for how, text in given.items() if text is not None]
    if len(schedules) != 1:
        raise InputError("schedule", ["expected one of --at, --every and --cron"])
    effort = Effort(
        retries,
        parse_duration(backoff, "backoff", LONGEST_S),
        parse_duration(limit, "limit", LONGEST_S),
        parse_duration(grace, "grace", LONGEST_S),
    )
    job = add_job(Store.at_home(), name, case, schedules[0], zone, kind, effort)
    say(f"{job.name}: {job.kind}, {job.schedule}, next {next_time(job)}")


@job_app.command("list")
def job_list() -> None:
    """List the jobs with their next time and what became of the last run."""
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import job_table, print_table

    store = Store.at_home()
    print_table(job_table(store))
    _warn(store)


@job_app.command("run")
def job_run(
    name: Name,
    at: Annotated[
        str | None,
        typer.Option(help="Time it was due, such as 2026-01-31T06:00 [the last one]"),
    ] = None,
) -> None:
    """Run a job once for a time at which it was due, unless that has been done."""
    from tvilling.apps.jobs.job import job_named
    from tvilling.apps.jobs.once import run_once
    from tvilling.apps.jobs.runner import outcome
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import tell_new
    from tvilling.apps.jobs.times import parse_instant, shown

    store = Store.at_home()
    job = job_named(store, name)
    run, before = run_once(store, job, parse_instant(at, job.zone) if at else None, tell_new())
    done = "already " if before else ""
    say(f"{name} of {shown(run.scheduled_s, job.zone)}: {done}{outcome(run)}")
    if run.state != "done" or run.fell_back:
        sys.exit(NEGATIVE)


@job_app.command("serve")
def job_serve(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Runs at a time")] = 2,
    lease: Annotated[
        float,
        typer.Option(min=1, max=60, help="Seconds until another takes over from one killed"),
    ] = 10.0,
) -> None:
    """Keep the clock: begin each job when it is due, until told to end."""
    import signal

    from tvilling.apps.jobs.lease import holder
    from tvilling.apps.jobs.serve import Server
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import tell_with_time
    from tvilling.sciml.core.errors import InputError

    store = Store.at_home()
    _warn(store)
    server = Server(store, tell_with_time, lease, workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    if not once:
        server.serve()
    elif not server.serve_once():
        raise InputError("job serve", [f"{holder(store) or 'another'} keeps the clock already"])
    tell_with_time("ended")


@job_app.command("history")
def job_history(
    name: Annotated[str | None, typer.Argument(help="Name of a job; all without")] = None,
    last: Last = 20,
) -> None:
    """List past runs: when, how they ended, and why."""
    from tvilling.apps.jobs.job import job_named, jobs
    from tvilling.apps.jobs.run import history
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import print_table, run_table

    store = Store.at_home()
    found = history(store, name, last)
    if name and not found:
        job_named(store, name)
    zones = {job.name: job.zone for job in jobs(store)}
    print_table(run_table(found, zones, DEFAULT_ZONE))
    _warn(store)


@job_app.command("show")
def job_show(
    name: Name,
    run: Annotated[
        str | None, typer.Option(help="Time of a run, such as 2026-01-31T06:00 [the last one]")
    ] = None,
) -> None:
    """Show a job and one of its runs, with what the ledger says of it."""
    from tvilling.apps.jobs.job import job_named
    from tvilling.apps.jobs.run import find, history
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import job_lines, run_lines
    from tvilling.apps.jobs.times import parse_instant
    from tvilling.sciml.core.errors import InputError

    store = Store.at_home()
    job = job_named(store, name)
    for line in job_lines(job):
        say(line)
    found = find(store, name, parse_instant(run, job.zone)) if run else None
    if run and found is None:
        raise InputError(f"job {name}", [f"has no run at {run}"])
    last = [found] if found else history(store, name, 1)
    for line in run_lines(last[0], job.zone, store) if last else ["no run yet"]:
        say(line)
    _warn(store)


@job_app.command("remove")
def job_remove(name: Name) -> None:
    """Take a job away; its runs and their results stay."""
    from tvilling.apps.jobs.job import remove_job
    from tvilling.apps.jobs.store import Store

    remove_job(Store.at_home(), name)
    say(f"{name}: removed")


@job_app.command("pause")
def job_pause(name: Name) -> None:
    """Let a job rest; what falls into the pause is not caught up with."""
    from tvilling.apps.jobs.job import enable_job
    from tvilling.apps.jobs.store import Store

    enable_job(Store.at_home(), name, False)
    say(f"{name}: paused")


@job_app.command("resume")
def job_resume(name: Name) -> None:
    """Let a job be due again from now on."""
    from tvilling.apps.jobs.job import enable_job, job_named
    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import next_time

    store = Store.at_home()
    enable_job(store, name, True)
    say(f"{name}: next {next_time(job_named(store, name))}")


@ledger_app.command("verify")
def ledger_verify(
    path: Annotated[Path | None, typer.Argument(help="Ledger [that of the jobs]")] = None,
    head: Annotated[
        str | None, typer.Option(help="SHA-256 that an earlier check printed as head")
    ] = None,
) -> None:
    """Check that no line of a ledger was changed, moved or removed."""
    from tvilling.apps.jobs.store import Store
    from tvilling.twins.ledger import verify

    path = path or Store.at_home().ledger.path
    verdict = verify(path, head)
    say(f"{path}: {verdict.lines} lines, {'whole' if verdict.ok else 'BROKEN'}")
    for fault in verdict.faults:
        say(f"  - {fault}")
    for note in verdict.notes:
        say(f"note: {note}")
    say(f"head: {verdict.head}")
    if not verdict.ok:
        sys.exit(NEGATIVE)


@ledger_app.command("show")
def ledger_show(
    path: Annotated[Path | None, typer.Argument(help="Ledger [that of the jobs]")] = None,
    last: Last = 20,
) -> None:
    """Print the last lines of a ledger, and a warning where it is not whole, see verify."""
    from collections import deque

    from tvilling.apps.jobs.store import Store
    from tvilling.apps.jobs.tables import ledger_line
    from tvilling.sciml.core.errors import InputError
    from tvilling.twins.ledger import Ledger, verify

    ledger = Ledger(path or Store.at_home().ledger.path)
    if not ledger.path.exists():
        raise InputError(str(ledger.path), ["no such ledger"])
    for line in deque(ledger.read(), maxlen=last):
        say(ledger_line(line))
    verdict = verify(ledger.path)
    for told in (*verdict.faults, *verdict.notes):
        say(f"warning: {told}", err=True)


def _warn(store: "Store") -> None:
    """Say what of the store is damaged, or not as the ledger has it."""
    from tvilling.apps.jobs.audit import audit

    for fault in audit(store):
        say(f"warning: {fault}", err=True)
