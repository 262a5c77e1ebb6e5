"""Power prices beyond what the market has published: the course of the last days, at their level.

The day-ahead market publishes the prices of tomorrow, to local midnight, at about 13:00 local time.
Beyond that a plan needs an expectation, if only to know whether heat is worth keeping:

    expected(h) = profile(hour of day) · (last day's mean + last week's mean) / (2 · week's mean)

with the profile the mean of the last seven known days by hour of the day, on the local clock. No
more than that is claimed of it; a benchmark says what it costs a plan not to know better.
"""

import numpy as np
from jaxtyping import Float, Int

from tvilling.twins.clock_hours import HOUR, clock_ahead_h

DAY_H, WEEK_H = 24, 168
PUBLISHED_AT_H = 13  # local time
LEVEL_FLOOR = 0.02  # DKK/kWh, below which a level says nothing about another


def known_until(time_utc: np.ndarray, zone: str = "Europe/Copenhagen") -> np.ndarray:
    """The hour (UTC) up to which prices are known at each of `time_utc`.

    To the end of the local day, and from 13:00 local time to the end of the next.
    """
    import pandas as pd

    local = pd.DatetimeIndex(time_utc).tz_localize("UTC").tz_convert(zone)
    days = np.where(local.hour >= PUBLISHED_AT_H, 2, 1)
    midnight = local.tz_localize(None).normalize() + pd.to_timedelta(days, unit="D")
    return midnight.tz_localize(zone).tz_convert("UTC").tz_localize(None).to_numpy()


def expected_prices(
    known_dkk_per_kwh: Float[np.ndarray, " past"],
    hours: int,
    start_utc: np.datetime64 | None = None,
    zone: str = "Europe/Copenhagen",
) -> Float[np.ndarray, " hour"]:
    """Prices of the `hours` that follow a known course, whose last hour is the one before.

    Missing hours of the past are left out. With less than a day known, its mean is held.

    Parameters
    ----------
    start_utc
        The first hour that is expected: its hour of the day is that of the clock in `zone`, before
        and after it is set. Without it every day has 24 hours.
    """
    week = np.asarray(known_dkk_per_kwh, float)[-WEEK_H:]
    days = len(week) // DAY_H
    if days < 1 or np.isnan(week[-DAY_H:]).all():
        level = np.nanmean(week) if np.isfinite(week).any() else 0.0
        return np.full(hours, level)
    whole = week[-days * DAY_H :]
    steps = np.arange(-len(whole), hours)
    hour = steps if start_utc is None else steps + _ahead_h(start_utc, steps, zone)
    past, future = np.split(hour % DAY_H, [len(whole)])
    is_known = np.isfinite(whole)
    count = np.bincount(past[is_known], minlength=DAY_H)
    total = np.bincount(past[is_known], whole[is_known], minlength=DAY_H)
    mean, last = float(np.nanmean(whole)), float(np.nanmean(whole[-DAY_H:]))
    profile = np.where(count > 0, total / np.maximum(count, 1), mean)
    level = 0.5 * (last + mean) / mean if mean > LEVEL_FLOOR else 1.0
    course: Float[np.ndarray, " hour"] = profile[future] * level
    return course


def _ahead_h(
    start_utc: np.datetime64, steps: Int[np.ndarray, " hour"], zone: str
) -> Int[np.ndarray, " hour"]:
    """How far the clock is ahead of that at the first hour that is expected."""
    ahead = clock_ahead_h(start_utc + steps * HOUR, zone)
    at_start: Int[np.ndarray, " hour"] = ahead - clock_ahead_h(np.array([start_utc]), zone)[0]
    return at_start


def filled(
    price_dkk_per_kwh: Float[np.ndarray, " time"], known: Int[np.ndarray, ""] | int
) -> Float[np.ndarray, " time"]:
    """A course of prices with everything from step `known` on replaced by what is expected."""
    course = np.array(price_dkk_per_kwh, float)
    known = int(known)
    if known < len(course):
        course[known:] = expected_prices(course[:known], len(course) - known)
    return course
