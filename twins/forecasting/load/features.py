"""What a model sees of each hour ahead: calendar, load before the origin, weather until the hour.

A row is one hour ahead of one origin. All that it holds was known at the origin, given the weather
ahead. Same-hour lags reach back to the last whole day before the origin that holds the hour, by the
clock on the wall, so they exist for any lead. Weather enters with first-order lags of several time
constants, which run through the history into the weather ahead.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from tvilling.datasets.simulated.heat_load import lagged
from tvilling.twins.clock_hours import same_hour_before
from tvilling.twins.forecasting.load.calendar import calendar_of
from tvilling.twins.forecasting.load.series import DAY_H, HOUR, OUTDOOR, WEEK_H, Series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.weather import Ahead

REACH_H = WEEK_H + DAY_H  # of load before an origin
TEMPERATURE_LAGS_H, OTHER_LAGS_H = (3.0, 8.0, 24.0, 72.0), (6.0,)
CHANGE_LAGS_H = (8.0, 24.0, 72.0)
HEATING_DEGC = 17.0

Grid = Float[np.ndarray, "origin lead"]


@dataclass(frozen=True)
class Rows:
    """Features of the hours ahead of some origins, row by row.

    Attributes
    ----------
    names
        Of the columns.
    values
        One row for each hour of each origin, lead running fastest.
    time
        Hour of each row.
    origin
        Hour of the row's origin: the first one ahead.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "row feature"]
    time: np.ndarray
    origin: np.ndarray

    @cached_property
    def lead_h(self) -> Int[np.ndarray, " row"]:
        """Hours from the origin, from 0 for the first hour ahead."""
        return ((self.time - self.origin) // HOUR).astype(int)

    def __getitem__(self, name: str) -> Float[np.ndarray, " row"]:
        return self.values[:, self.names.index(name)]

    def where(self, keep: Bool[np.ndarray, " row"] | Int[np.ndarray, " kept"]) -> "Rows":
        """Some of the rows."""
        return replace(
            self, values=self.values[keep], time=self.time[keep], origin=self.origin[keep]
        )


def make_rows(
    series: Series, origins: Int[np.ndarray, " origin"], ahead: Ahead, settings: ForecastSettings
) -> Rows:
    """Rows for all hours of `ahead` [origin, lead] from each of `origins`.

    Parameters
    ----------
    origins
        Positions on the axis of `series`, not below `REACH_H` and not beyond the end of its load.
    ahead
        Weather by name; without weather, the settings' `hours` count.
    """
    hours = next((values.shape[1] for values in ahead.values()), settings.hours)
    at = origins[:, None] + np.arange(hours)
    time = series.time[0] + at * HOUR
    columns = {
        "lead_h": np.broadcast_to(np.arange(float(hours)), at.shape),
        **_calendar(time, settings),
        **_load(series.bridged_mw, origins, at, _ClockHours(series.time[0], settings.zone)),
    }
    day = _ClockHours(series.time[0], settings.zone).before(at, origins, DAY_H)
    for name, values in ahead.items():
        columns |= _weather(name, series.weather[name], values, (origins, day), name == OUTDOOR)
    stacked = np.stack([np.broadcast_to(c, at.shape).ravel() for c in columns.values()], axis=1)
    origin = np.repeat(series.time[0] + origins * HOUR, hours)
    return Rows(tuple(columns), stacked, time.ravel(), origin)


def _calendar(time: np.ndarray, settings: ForecastSettings) -> dict[str, Grid]:
    whole, inverse = np.unique(time, return_inverse=True)
    calendar = calendar_of(whole, settings.zone, settings.country)
    turn = 2 * np.pi * calendar.day_of_year / 365.25
    columns = {
        "hour": calendar.hour,
        "day": calendar.day,
        "hour_of_week": calendar.day * DAY_H + calendar.hour,
        "holiday": calendar.holiday,
        "before_holiday": calendar.before,
        "after_holiday": calendar.after,
        "day_of_year": calendar.day_of_year,
        "year_sin": np.sin(turn),
        "year_cos": np.cos(turn),
    }
    shaped = inverse.reshape(time.shape)
    return {name: values.astype(float)[shaped] for name, values in columns.items()}


@dataclass(frozen=True)
class _ClockHours:
    """Positions of the same hour of the day, on an axis that begins at `start`."""

    start: np.datetime64
    zone: str | None

    def back(self, at: Int[np.ndarray, "origin lead"], hours: int) -> np.ndarray:
        """Positions `hours`, whole days, before `at` by the clock."""
        found = same_hour_before(self.start + at * HOUR, hours, self.zone)
        return ((found - self.start) // HOUR).astype(int)

    def before(
        self, at: Int[np.ndarray, "origin lead"], origins: np.ndarray, step_h: int
    ) -> Int[np.ndarray, "origin lead"]:
        """Positions before the origin, as few whole `step_h` back as that takes.

        On a day with 25 hours the hour of the day before may not have come yet: then it is that of
        one more step before.
        """
        lead = at - origins[:, None]
        hours = (lead // step_h + 1) * step_h
        found = self.back(at, hours)
        late = found >= origins[:, None]
        return np.where(late, self.back(at, hours + step_h), found) if late.any() else found


def _load(
    load: Float[np.ndarray, " time"],
    origins: np.ndarray,
    at: np.ndarray,
    clock: _ClockHours,
) -> dict[str, Grid]:
    """Load before the origin: same hour of days and weeks before, last hours, means."""
    lead = at[0] - origins[0]
    day = clock.before(at, origins, DAY_H)
    days = [day, *(clock.back(day, DAY_H * back) for back in range(1, 7))]
    week = clock.before(at, origins, WEEK_H)
    total = np.concatenate([[0.0], np.nancumsum(load)])
    last = origins[:, None] - 1
    means = {h: (total[last + 1] - total[last + 1 - h]) / h for h in (3, 6, DAY_H, 48, WEEK_H)}
    whole_week = at - (lead // WEEK_H + 1) * WEEK_H
    week_day_mean = (total[whole_week] - total[whole_week - DAY_H]) / DAY_H
    return {
        "day_before": load[day],
        "two_days_before": load[days[1]],
        "week_before": load[week],
        "day_before_earlier": load[day - 1],
        "day_before_later": load[np.minimum(day + 1, last)],
        "seven_days": np.mean([load[one] for one in days], axis=0),
        "risen_since_week": means[DAY_H] - week_day_mean,
        **{f"last_{back + 1}": load[last - back] for back in range(3)},
        **{f"mean_{h}_h": mean for h, mean in means.items()},
    }


def _weather(
    name: str,
    past: np.ndarray,
    ahead: Grid,
    places: tuple[np.ndarray, np.ndarray],
    is_outdoor: bool,
) -> dict[str, Grid]:
    """Weather until each hour, and how it has changed since the lags of the load.

    `places` are the origins, and the positions of the hour of the day before the origin.
    """
    origins, day_before = places
    hours = ahead.shape[1]
    back = origins[:, None] - REACH_H + np.arange(REACH_H)
    whole = np.concatenate([past[back], ahead], axis=1)
    now = REACH_H + np.arange(hours)
    day = day_before - origins[:, None] + REACH_H
    columns = {name: ahead, f"{name}_change": ahead - np.take_along_axis(whole, day, axis=1)}
    for window in (3, DAY_H):
        columns[f"{name}_mean_{window}"] = _running_mean(whole, window)[:, now]
    for lag_h in TEMPERATURE_LAGS_H if is_outdoor else OTHER_LAGS_H:
        lag = _lagged_on(past, ahead, origins, lag_h)
        columns[f"{name}_lag_{lag_h:g}"] = lag[:, now]
        if is_outdoor and lag_h in CHANGE_LAGS_H:
            then = np.take_along_axis(lag, day, axis=1)
            columns[f"{name}_lag_{lag_h:g}_change"] = lag[:, now] - then
    if is_outdoor:
        columns |= {
            "degrees_below": np.maximum(HEATING_DEGC - columns[f"{name}_lag_24"], 0.0),
            f"{name}_last": past[origins - 1][:, None],
            f"{name}_last_day": whole[:, REACH_H - DAY_H : REACH_H].mean(axis=1)[:, None],
            f"{name}_earlier": whole[:, now - 1],
            f"{name}_later": whole[:, np.minimum(now + 1, whole.shape[1] - 1)],
        }
    return columns


def _running_mean(whole: np.ndarray, window: int) -> np.ndarray:
    total = np.cumsum(whole, axis=1)
    before = np.concatenate([np.zeros((len(whole), window)), total[:, :-window]], axis=1)
    return (total - before) / window


def _lagged_on(past: np.ndarray, ahead: Grid, origins: np.ndarray, lag_h: float) -> np.ndarray:
    """First-order lag of the weather, `REACH_H` hours before each origin and on through `ahead`."""
    known = np.isfinite(past)
    run = np.full(len(past), np.nan)
    run[known] = lagged(past[known], 1.0, lag_h)
    gain = -np.expm1(-1.0 / lag_h)
    lag = np.concatenate([run[origins[:, None] - REACH_H + np.arange(REACH_H)], ahead], axis=1)
    for at in range(REACH_H, lag.shape[1]):
        lag[:, at] = lag[:, at - 1] + gain * (ahead[:, at - REACH_H] - lag[:, at - 1])
    return lag
