"""The same hour of another day, where the clock is set in between."""

import numpy as np
import pandas as pd
import pytest

from tvilling.twins.clock_hours import clock_ahead_h, same_hour_before
from tvilling.twins.forecasting.price import expected_prices

ZONE = "Europe/Copenhagen"
SPRING, AUTUMN = "2026-03-29", "2026-10-25"


def utc(local: str) -> np.datetime64:
    stamp = pd.Timestamp(local).tz_localize(ZONE)
    return stamp.tz_convert("UTC").tz_localize(None).to_datetime64()


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("back", [1, 2, 7])
def test_the_hour_of_days_before_is_that_of_the_clock(day: str, back: int) -> None:
    """Of every hour of the change's day and of the days after it."""
    first = pd.Timestamp(day).tz_localize(ZONE)
    hours = pd.date_range(first, periods=24 * 9, freq="h").tz_convert("UTC").tz_localize(None)
    before = same_hour_before(hours.to_numpy(), 24 * back, ZONE)
    local = hours.tz_localize("UTC").tz_convert(ZONE).tz_localize(None)
    then = pd.DatetimeIndex(before).tz_localize("UTC").tz_convert(ZONE).tz_localize(None)
    off = pd.DatetimeIndex(local) - then != pd.Timedelta(days=back)
    left_out = (local.normalize() - pd.Timedelta(days=back) == pd.Timestamp(SPRING)) & (
        local.hour == 2
    )
    assert not (off & ~left_out).any()
    assert (then[off & left_out].hour == 3).all()


def test_a_zone_of_none_has_days_of_24_hours() -> None:
    time = np.array([utc(f"{SPRING}T12:00")])
    assert clock_ahead_h(time, None).tolist() == [0]
    assert same_hour_before(time, 24, None)[0] == time[0] - np.timedelta64(24, "h")


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
@pytest.mark.parametrize("shift", [-1, 0, 1, 3])
def test_expected_prices_follow_the_clock_across_its_change(
    day: str, hours: int, shift: int
) -> None:
    """Prices that depend on nothing but the hour are expected exactly, before and after."""
    start = utc(f"{day}T00:00") + np.timedelta64(24 * shift, "h")
    time = start + np.arange(-168, 48) * np.timedelta64(1, "h")
    local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(ZONE)
    price = 0.5 + 0.02 * local.hour.to_numpy()
    assert (local.normalize() == pd.Timestamp(day, tz=ZONE)).sum() in (hours, *range(hours))
    found = expected_prices(price[:168], 48, start)
    shape = found / found.mean() - price[168:] / price[168:].mean()
    assert np.abs(shape).max() < 0.01
