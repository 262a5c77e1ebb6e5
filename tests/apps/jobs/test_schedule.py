"""Due times against a walk through the year, APScheduler's own triggers, and the calendar."""

import calendar
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from tvilling.apps.jobs.clock import ScheduleTrigger
from tvilling.apps.jobs.schedule import Schedule, parse_schedule
from tvilling.apps.jobs.times import parse_duration, parse_instant, tell_duration
from tvilling.sciml.core.errors import InputError

DENMARK = "Europe/Copenhagen"
COPENHAGEN = ZoneInfo(DENMARK)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first(schedule: Schedule, after: str, count: int) -> list[str]:
    due = itertools.islice(schedule.after(utc(after)), count)
    return [f"{one:%m-%d %H:%M}" for one in due]


@pytest.mark.parametrize(
    ("zone", "at", "year"),
    [
        (DENMARK, "02:30", 2026),
        (DENMARK, "02:00", 2026),
        (DENMARK, "03:00", 2027),
        ("America/New_York", "01:45", 2026),
        ("Australia/Lord_Howe", "02:10", 2026),  # the clock changes by half an hour
        ("America/Sao_Paulo", "00:00", 2018),  # at midnight
    ],
)
def test_a_daily_job_is_due_once_a_day_when_the_clock_first_shows_its_time_or_later(
    zone: str, at: str, year: int
) -> None:
    """By a walk through the year in UTC, five minutes at a time."""
    local, expected = ZoneInfo(zone), {}
    for minute in range(-2 * 1440, 367 * 1440, 5):
        instant = datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        shown = instant.astimezone(local)
        if shown.year == year and f"{shown:%H:%M}" >= at:
            expected.setdefault(shown.date(), instant)
    days = 366 if calendar.isleap(year) else 365
    assert len(expected) == days
    before = next(iter(expected.values())) - timedelta(seconds=1)
    schedule = parse_schedule(f"at {at}", zone)
    assert list(itertools.islice(schedule.after(before), days)) == list(expected.values())
    for due in expected.values():
        assert schedule.latest(due) == due
        assert schedule.latest(due + timedelta(hours=20)) == due


def test_on_the_days_of_a_clock_change_a_job_at_half_past_two_runs_once() -> None:
    """Spring: at 03:00, the moment of the change. Autumn: the first 02:30, in summer time."""
    schedule = parse_schedule("at 02:30", DENMARK)
    assert first(schedule, "2026-03-28T00:00", 3) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]
    assert first(schedule, "2026-10-24T00:00", 3) == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]
    changed = datetime(2026, 3, 29, 1, tzinfo=UTC).astimezone(COPENHAGEN)
    assert f"{changed:%H:%M %Z}" == "03:00 CEST"


def test_the_trigger_of_apscheduler_would_fire_twice_in_autumn() -> None:
    """Why the schedule is our own."""
    theirs = CronTrigger.from_crontab("30 2 * * *", COPENHAGEN)
    ours = ScheduleTrigger(parse_schedule("cron 30 2 * * *", DENMARK))

    def on_the_day(trigger: CronTrigger | ScheduleTrigger) -> list[datetime]:
        found, now = [], datetime(2026, 10, 24, 12, tzinfo=UTC)
        for _ in range(4):
            now = trigger.get_next_fire_time(now, now)
            found.append(now.astimezone(COPENHAGEN))
        return [due for due in found if due.date() == date(2026, 10, 25)]

    assert len(on_the_day(theirs)) == 2
    assert len(on_the_day(ours)) == 1


def test_every_hour_follows_the_hours_as_they_pass() -> None:
    """24 hours in UTC, however the clock names them; as APScheduler has it."""
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25)):
        start = datetime.fromisoformat(day).replace(tzinfo=COPENHAGEN)
        before = start.astimezone(UTC) - timedelta(minutes=1)
        due = itertools.islice(parse_schedule("cron 20 * * * *", DENMARK).after(before), 30)
        found = [one for one in due if one.astimezone(COPENHAGEN).date() == start.date()]
        assert len(found) == hours
        assert {b - a for a, b in itertools.pairwise(found)} == {timedelta(hours=1)}


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    begin = draw(st.integers(low, high))
    end = draw(st.integers(begin, high))
    step = draw(st.integers(1, 11))
    forms = ["*", f"*/{step}", str(begin), f"{begin}-{end}"]
    if step <= end - begin:  # APScheduler takes no longer ones
        forms.append(f"{begin}-{end}/{step}")
    return draw(st.sampled_from([*forms, f"{begin},{end}"]))


@given(
    fields(0, 59),
    fields(0, 23),
    fields(1, 28),
    fields(1, 12),
    st.sampled_from(["*", "mon-fri", "sat,sun", "wed"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_crontab_lines_are_due_as_apscheduler_has_them(
    minute: str, hour: str, day: str, month: str, weekday: str, start: datetime
) -> None:
    """In UTC, where no clock changes. It has no rule for two restricted fields of days."""
    day = day if weekday == "*" else "*"
    line = f"{minute} {hour} {day} {month} {weekday}"
    now = start.replace(second=30, microsecond=0, tzinfo=UTC)
    theirs, expected = CronTrigger.from_crontab(line, UTC), []
    found = list(itertools.islice(parse_schedule(f"cron {line}", "UTC").after(now), 3))
    for _ in found:
        now = theirs.get_next_fire_time(None, now + timedelta(microseconds=1))
        expected.append(now)
    assert found == expected


def test_weekday_numbers_and_both_kinds_of_day_are_as_crontab_has_them() -> None:
    """crontab(5): 0 and 7 are Sunday; `30 4 1,15 * 5` is the 1st, the 15th and every Friday."""
    for number in ("0", "7", "sun"):
        schedule = parse_schedule(f"cron 0 12 * * {number}", "UTC")
        due = next(schedule.after(utc("2026-01-01")))
        assert calendar.day_name[due.weekday()] == "Sunday"
    due = parse_schedule("cron 30 4 1,15 * 5", "UTC").after(utc("2026-01-01T00:00"))
    days = [one.day for one in itertools.islice(due, 7)]
    fridays = [week[4] for week in calendar.monthcalendar(2026, 1) if week[4]]
    assert days == sorted({1, 15, *fridays})
    leap = parse_schedule("cron 0 0 29 2 *", "UTC")
    assert next(leap.after(utc("2096-03-01"))) == utc("2104-02-29")  # 2100 is no leap year


@pytest.mark.parametrize("period", ["1s", "15m", "1h", "7h", "1d"])
def test_intervals_are_those_of_apscheduler_from_1970(period: str) -> None:
    seconds = parse_duration(period, "every", 86400)
    theirs = IntervalTrigger(seconds=seconds, start_date=utc("1970-01-01"), timezone=UTC)
    schedule = parse_schedule(f"every {period}", DENMARK)
    now = utc("2026-03-29T00:59:58")
    for due in itertools.islice(schedule.after(now), 5):
        now = theirs.get_next_fire_time(None, now + timedelta(microseconds=1))
        assert due == now
        assert schedule.latest(due) == due
        assert schedule.latest(due + timedelta(milliseconds=900)) == due


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at 24:00", "'24:00', expected hours and minutes"),
        ("at 6", "'6', expected"),
        ("every 0s", "expected a whole number"),
        ("every 1.5h", "expected a whole number"),
        ("every 400d", "from 1s to 366d"),
        ("cron * * * *", "has 4 fields, expected 5"),
        ("cron 60 * * * *", "minute is '60', expected 0 to 59"),
        ("cron 5-1 * * * *", "minute is '5-1'"),
        ("cron */0 * * * *", "expected a step of 1 or more"),
        ("cron 5/10 * * * *", "after \\* or a range"),
        ("cron 0 0 * foo *", "month is 'foo', expected 1 to 12 or jan to dec"),
        ("cron 0 0 31 2 *", "never due"),
        ("now", "expected at, every or cron"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_schedule(text, DENMARK)


def test_zones_and_times_that_are_none_are_told() -> None:
    for zone in ("Mars/Base", "", "../etc"):
        with pytest.raises(InputError, match="expected a name of the IANA data base"):
            parse_schedule("at 06:00", zone)
    with pytest.raises(InputError, match="expected ISO 8601"):
        parse_instant("tomorrow", DENMARK)
    with pytest.raises(InputError, match="no clock in Europe/Copenhagen showed"):
        parse_instant("2026-03-29T02:30", DENMARK)
    assert parse_instant("2026-10-25T02:30", DENMARK) == utc("2026-10-25T00:30")
    assert parse_instant("2026-10-25T02:30+01:00", DENMARK) == utc("2026-10-25T01:30")
    assert [tell_duration(s) for s in (1, 90, 900, 7200, 86400)] == ["1s", "90s", "15m", "2h", "1d"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-29T02:30", "which no clock in Europe/Copenhagen showed"),
        ("0001-01-01T00:00", "expected a year from 1970 to 9998"),
        ("9999-12-31T23:59-12:00", "expected a year from 1970 to 9998"),
    ],
)
def test_an_instant_that_never_was_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_instant(text, DENMARK)


def test_a_crontab_line_without_a_day_is_told() -> None:
    with pytest.raises(InputError, match="is never due: no such day within eight years"):
        parse_schedule("cron 0 0 30 2 *", DENMARK)
