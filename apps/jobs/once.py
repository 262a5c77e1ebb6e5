"""One run in this process, for cron, systemd or by hand; nothing is done twice."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

from tvilling.apps.jobs.job import Job
from tvilling.apps.jobs.queue import ask_for, claim_one
from tvilling.apps.jobs.run import FINAL, Run, find
from tvilling.apps.jobs.serve import LEASE_S, new_owner
from tvilling.apps.jobs.store import Store
from tvilling.apps.jobs.supervise import attempt
from tvilling.apps.jobs.times import shown
from tvilling.sciml.core.errors import InputError

LOOK_S = 0.5


def run_once(
    store: Store,
    job: Job,
    scheduled: datetime | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> tuple[Run, bool]:
    """The run of `job` at `scheduled`, blank for the last time it was due, in its final state.

    Retries and fallbacks are waited for. Where another process has the run, or another run of the
    job, this waits for it, and takes it over if that process vanishes. A run that failed, was
    missed or fell back is tried anew.

    Returns
    -------
    tuple
        The run, and whether it was done before this was called.

    Raises
    ------
    InputError
        If the time lies ahead, or the job has never been due.
    """
    now = datetime.now(UTC)
    scheduled = scheduled or job.times.latest(now)
    if scheduled is None:
        raise InputError(f"job {job.name}", ["has not been due yet; give a time with --at"])
    if scheduled > now:
        when = shown(scheduled.timestamp(), job.zone)
        raise InputError("at", [f"is {when}, which lies ahead"])
    run, owner = ask_for(store, job, scheduled), new_owner()
    if run.state == "done":
        return run, True
    never = Event()
    while run.state not in FINAL:
        claim = claim_one(store, job.name, scheduled, owner, LEASE_S)
        if claim is not None:
            tell(f"attempt {claim.run.attempt}")
            attempt(store, claim, never, tell)
        else:
            tell(f"waiting: {_why(run, job.zone)}")
            time.sleep(LOOK_S)
        found = find(store, job.name, scheduled)
        assert found is not None
        run = found
    return run, False


def _why(run: Run, zone: str) -> str:
    if run.state == "running":
        return f"{run.owner} is at it"
    if run.due_s <= time.time():
        return "another run goes on"
    reason = f": {' '.join(run.reason.split())}" if run.reason else ""
    return f"attempt {run.attempt + 1} at {shown(run.due_s, zone)}{reason}"
