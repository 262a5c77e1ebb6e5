"""The clock: APScheduler tells when a job is due. It decides nothing; the store does."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tvilling.apps.jobs.job import Job
from tvilling.apps.jobs.schedule import Schedule
from tvilling.sciml.io.extras import needs_extra

with needs_extra("jobs"):
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.base import BaseTrigger


class ScheduleTrigger(BaseTrigger):
    """A trigger of APScheduler that fires when `schedule` is due.

    Its own cron trigger fires twice at a time of the day that the clock shows twice, and takes
    weekday 0 of a crontab line for Monday.
    """

    __slots__ = ("schedule",)

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first due instant after `previous_fire_time`, else after `now`."""
        return next(self.schedule.after(previous_fire_time or now), None)


class Clock:
    """Calls `due(name)`, in a thread, whenever the job `name` is due."""

    def __init__(self, due: Callable[[str], None]) -> None:
        self._due = due
        self._known: dict[str, Job] = {}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    def keep(self, jobs: Sequence[Job]) -> list[Job]:
        """Have the enabled ones of `jobs` fire and no others; gives those that are new."""
        wanted = {job.name: job for job in jobs if job.enabled}
        for name in [name for name, job in self._known.items() if wanted.get(name) != job]:
            self._scheduler.remove_job(name)
            del self._known[name]
        new = [job for name, job in wanted.items() if name not in self._known]
        for job in new:
            self._scheduler.add_job(
                self._due, ScheduleTrigger(job.times), args=[job.name], id=job.name
            )
            self._known[job.name] = job
        return new

    def look(self) -> None:
        """Look at the time again: it may have been set, or the computer have slept."""
        self._scheduler.wakeup()

    def stop(self) -> None:
        """Call no more."""
        self._scheduler.shutdown(wait=False)
