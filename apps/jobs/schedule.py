"""When a job is due: at times of the day, by a crontab line, or at a steady interval.

Times of the day are those of a clock on the wall. A stamp that it shows twice, because it goes back
in autumn, counts the first time; one that it never shows, because it goes forward in spring, counts
at the moment of the change. So a job at 02:30 runs once on every day of the year. A crontab line
whose hour is `*` follows the hours as they pass instead: none is left out, none is met twice.

An interval counts from 1970-01-01 00:00 UTC, so that every process finds the same times.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from tvilling.apps.jobs.cron import parse_cron
from tvilling.apps.jobs.times import LONGEST_S, known_zone, parse_duration
from tvilling.sciml.core.errors import InputError

DAYS = timedelta(days=1)
SEARCHED_DAYS = 8 * 366 + 1  # a 29 February can be eight years away
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schedule(Protocol):
    """Instants in UTC, in whole seconds."""

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Every due instant later than `instant`, in order."""
        ...

    def latest(self, instant: datetime) -> datetime | None:
        """The last due instant that is not later than `instant`."""
        ...


@dataclass(frozen=True)
class Every:
    """Due every `period_s` seconds."""

    period_s: int

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Every due instant later than `instant`, in order."""
        first = (instant - EPOCH) // timedelta(seconds=self.period_s) + 1
        return (
            EPOCH + timedelta(seconds=number * self.period_s) for number in itertools.count(first)
        )

    def latest(self, instant: datetime) -> datetime | None:
        """The last due instant that is not later than `instant`."""
        return EPOCH + (instant - EPOCH) // timedelta(seconds=self.period_s) * timedelta(
            seconds=self.period_s
        )


class Days(Protocol):
    """Which days and times of the day are due."""

    @property
    def every_hour(self) -> bool:
        """Whether the hours count as they pass, not as the clock names them."""
        ...

    def on(self, day: date) -> bool:
        """Whether anything is due on `day`."""
        ...

    def times(self) -> tuple[time, ...]:
        """The times of such a day, in order."""
        ...


@dataclass(frozen=True)
class Daily:
    """The same times every day."""

    at: tuple[time, ...]
    every_hour: bool = False

    def on(self, day: date) -> bool:
        """Every day."""
        return True

    def times(self) -> tuple[time, ...]:
        """The times, in order."""
        return self.at


@dataclass(frozen=True)
class OnTheWall:
    """Due when a clock in `zone` shows one of the times in `days`."""

    days: Days
    zone: ZoneInfo

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Every due instant later than `instant`, in order; ends where eight years hold none."""
        day, empty = instant.astimezone(self.zone).date() - DAYS, 0
        while empty < SEARCHED_DAYS:
            found = [due for due in self._on(day) if due > instant]
            yield from found
            empty = 0 if found else empty + 1
            day += DAYS

    def latest(self, instant: datetime) -> datetime | None:
        """The last due instant not later than `instant`; None where eight years had none."""
        day = instant.astimezone(self.zone).date() + DAYS
        for _ in range(SEARCHED_DAYS):
            found = [due for due in self._on(day) if due <= instant]
            if found:
                return found[-1]
            day -= DAYS
        return None

    def _on(self, day: date) -> list[datetime]:
        """Due instants whose stamps lie on `day`, in order."""
        if not self.days.on(day):
            return []
        stamps = (datetime.combine(day, at) for at in self.days.times())
        return sorted({due for stamp in stamps for due in self._instants(stamp)})

    def _instants(self, stamp: datetime) -> tuple[datetime, ...]:
        """When the clock shows `stamp`: once, in autumn perhaps twice, in spring perhaps never."""
        first, second = (
            stamp.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)
        )
        if first.astimezone(self.zone).replace(tzinfo=None) != stamp:
            return () if self.days.every_hour else (self._change(second, first),)
        return (first, second) if self.days.every_hour and second > first else (first,)

    def _change(self, before: datetime, behind: datetime) -> datetime:
        """The instant of the change of the clock that lies after `before`, at most at `behind`."""
        offset = behind.astimezone(self.zone).utcoffset()
        while behind - before > timedelta(seconds=1):
            middle = before + (behind - before) // timedelta(seconds=2) * timedelta(seconds=1)
            if middle.astimezone(self.zone).utcoffset() == offset:
                behind = middle
            else:
                before = middle
        return behind


def parse_schedule(text: str, zone: str) -> Schedule:
    """The schedule that `text` tells: `at 06:00,13:15`, `every 15m` or `cron 0 6 * * *`.

    Raises
    ------
    InputError
        If it cannot be read, the zone is not known, or it is never due.
    """
    kind, _, rest = text.partition(" ")
    if kind == "every":
        return Every(parse_duration(rest, "every", LONGEST_S))
    known = known_zone(zone)
    if kind == "at":
        return OnTheWall(Daily(_times(rest)), known)
    if kind != "cron":
        raise InputError(f"schedule {text!r}", ["expected at, every or cron"])
    schedule = OnTheWall(parse_cron(rest), known)
    if next(schedule.after(datetime.now(UTC)), None) is None:
        raise InputError(f"cron {rest!r}", ["is never due: no such day within eight years"])
    return schedule


def _times(text: str) -> tuple[time, ...]:
    """Times of the day in a list such as `06:00,13:15`."""
    found, faults = set(), []
    for part in text.split(","):
        match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", part.strip())
        if match:
            found.add(time(int(match[1]), int(match[2])))
        else:
            faults.append(f"is {part.strip()!r}, expected hours and minutes, 00:00 to 23:59")
    if faults:
        raise InputError("at", faults)
    return tuple(sorted(found))
