"""The calendar that people live by: local hour, kind of day, public holidays by formula."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

SUNDAY = 6
# Days from Easter Sunday, and (month, day), on which work rests. Christmas Eve and New Year's Eve
# are no public holidays, but days on which a load does not look like a working day's.
MOVABLE = {"dk": (-3, -2, 0, 1, 39, 49, 50), "de": (-2, 0, 1, 39, 49, 50)}
FIXED = {
    "dk": ((1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31)),
    "de": ((1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)),
}
PRAYER_DAY, LAST_PRAYER_YEAR = 26, 2023  # Danish store bededag, abolished from 2024


@dataclass(frozen=True)
class Calendar:
    """Local calendar of hours.

    Attributes
    ----------
    hour
        Local hour of the day, 0 to 23.
    day
        Kind of day: 0 Monday to 6 Sunday, a holiday counting as Sunday.
    holiday, before, after
        Whether the day, the next, or the one before is a holiday.
    day_of_year
        From 1.
    """

    hour: Int[np.ndarray, " time"]
    day: Int[np.ndarray, " time"]
    holiday: Bool[np.ndarray, " time"]
    before: Bool[np.ndarray, " time"]
    after: Bool[np.ndarray, " time"]
    day_of_year: Int[np.ndarray, " time"]


def calendar_of(time: np.ndarray, zone: str | None, country: str) -> Calendar:
    """Calendar of UTC stamps in `zone`, or of local stamps where `zone` is None."""
    local = local_stamps(time, zone)
    days = local.normalize()
    one = pd.Timedelta(days=1)
    free = pd.DatetimeIndex(
        [
            day
            for year in range(local.year.min() - 1, local.year.max() + 2)
            for day in holidays(year, country)
        ]
    )
    holiday = np.asarray(days.isin(free))
    return Calendar(
        hour=np.asarray(local.hour),
        day=np.where(holiday, SUNDAY, local.dayofweek),
        holiday=holiday,
        before=np.asarray((days + one).isin(free)),
        after=np.asarray((days - one).isin(free)),
        day_of_year=np.asarray(local.dayofyear),
    )


def local_stamps(time: np.ndarray, zone: str | None) -> pd.DatetimeIndex:
    """Local time of UTC stamps, without zone; the stamps themselves where `zone` is None."""
    stamps = pd.DatetimeIndex(np.asarray(time))
    if zone is None:
        return stamps
    return stamps.tz_localize("UTC").tz_convert(zone).tz_localize(None)


def holidays(year: int, country: str) -> list[date]:
    """Days of a year that are lived like a Sunday, in Denmark (`dk`) or Schleswig (`de`).

    German are those of every state.
    """
    offsets = list(MOVABLE[country])
    if country == "dk" and year <= LAST_PRAYER_YEAR:
        offsets.append(PRAYER_DAY)
    sunday = easter(year)
    days = [sunday + timedelta(days=offset) for offset in offsets]
    return sorted({*days, *(date(year, month, day) for month, day in FIXED[country])})


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar, by the algorithm of Meeus, Jones and Butcher."""
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)
