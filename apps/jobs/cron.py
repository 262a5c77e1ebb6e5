"""The five fields of a crontab line: minute, hour, day of month, month, day of week.

As crontab(5) of cron has them: `*`, numbers, lists `1,2`, ranges `1-5`, steps `*/15` and `8-18/2`,
and the first three letters of months and weekdays; weekday 0 and 7 are Sunday. Where neither day
field begins with `*`, a day counts that fits either.
"""

import itertools
from dataclasses import dataclass
from datetime import date, time

from tvilling.sciml.core.errors import InputError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# name, lowest, highest, names and the number of the first of them
FIELDS = (
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of month", 1, 31, (), 0),
    ("month", 1, 12, MONTHS, 1),
    ("day of week", 0, 7, WEEKDAYS, 0),
)


@dataclass(frozen=True)
class Cron:
    """The days and times of a crontab line.

    Attributes
    ----------
    every_hour
        Whether the hour is `*`: such a line follows the hours as they pass, not the clock's names
        for them.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    every_hour: bool

    def on(self, day: date) -> bool:
        """Whether it fires on `day`."""
        in_month = day.day in self.days
        in_week = day.isoweekday() % 7 in self.weekdays
        fits = (in_month or in_week) if self.either_day else (in_month and in_week)
        return fits and day.month in self.months

    def times(self) -> tuple[time, ...]:
        """Times of a day on which it fires, in order."""
        pairs = itertools.product(sorted(self.hours), sorted(self.minutes))
        return tuple(time(hour, minute) for hour, minute in pairs)


def parse_cron(text: str) -> Cron:
    """The crontab line `text`.

    Raises
    ------
    InputError
        With every field that cannot be read.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise InputError(
            f"cron {text!r}",
            [f"has {len(parts)} fields, expected 5: {', '.join(name for name, *_ in FIELDS)}"],
        )
    faults: list[str] = []
    found = [_field(part, *field, faults) for part, field in zip(parts, FIELDS, strict=True)]
    if faults:
        raise InputError(f"cron {text!r}", faults)
    minutes, hours, days, months, weekdays = found
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    weekdays = frozenset(day % 7 for day in weekdays)
    return Cron(minutes, hours, days, months, weekdays, either, parts[1] == "*")


def _field(
    text: str,
    name: str,
    low: int,
    high: int,
    names: tuple[str, ...],
    first: int,
    faults: list[str],
) -> frozenset[int]:
    """Numbers that one field stands for; what is wrong with it goes to `faults`."""
    numbers: set[int] = set()
    for part in text.lower().split(","):
        span, slash, step_text = part.partition("/")
        begin, dash, end = (str(low), "-", str(high)) if span == "*" else span.partition("-")
        start = _number(begin, names, first)
        stop = _number(end, names, first) if dash else start
        step = int(step_text) if slash and step_text.isdecimal() else None if slash else 1
        if start is None or stop is None or not low <= start <= stop <= high:
            allowed = f"{low} to {high}" + (f" or {names[0]} to {names[-1]}" if names else "")
            faults.append(f"{name} is {part!r}, expected {allowed}, * or a range in that order")
        elif not step or (slash and not dash):
            faults.append(f"{name} is {part!r}, expected a step of 1 or more after * or a range")
        else:
            numbers.update(range(start, stop + 1, step))
    return frozenset(numbers)


def _number(text: str, names: tuple[str, ...], first: int) -> int | None:
    if text in names:
        return first + names.index(text)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 2 else None
