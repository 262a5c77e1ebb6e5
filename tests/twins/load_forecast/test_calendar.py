"""The calendar against dateutil and known dates."""

from datetime import date

import numpy as np
import pytest
from dateutil.easter import easter as dateutil_easter

from tvilling.datasets.registry import load
from tvilling.twins.forecasting.load.calendar import SUNDAY, calendar_of, easter, holidays


def test_easter_is_that_of_dateutil():
    assert [easter(year) for year in range(1700, 2300)] == [
        dateutil_easter(year) for year in range(1700, 2300)
    ]


@pytest.mark.parametrize(
    ("day", "country"),
    [
        (date(2022, 4, 14), "dk"),  # Maundy Thursday
        (date(2022, 5, 13), "dk"),  # store bededag
        (date(2022, 5, 26), "dk"),  # Ascension
        (date(2022, 6, 6), "dk"),  # Whit Monday
        (date(2016, 3, 25), "de"),  # Good Friday
        (date(2016, 10, 3), "de"),  # Unity
    ],
)
def test_known_holidays(day, country):
    assert day in holidays(day.year, country)


def test_prayer_day_is_gone_since_2024():
    assert date(2023, 5, 5) in holidays(2023, "dk")
    assert date(2024, 4, 26) not in holidays(2024, "dk")


def test_the_local_hour_follows_the_clock_and_a_holiday_is_a_sunday():
    time = np.array(["2021-03-28T00", "2021-03-28T01", "2021-04-05T10"], "datetime64[h]")
    calendar = calendar_of(time, "Europe/Copenhagen", "dk")
    assert calendar.hour.tolist() == [1, 3, 12]
    assert calendar.day.tolist() == [6, 6, SUNDAY]
    assert calendar.holiday.tolist() == [False, False, True]
    assert calendar_of(time, None, "dk").hour.tolist() == [0, 1, 10]


@pytest.mark.data
def test_danish_holidays_are_those_of_the_record():
    """The record has no Christmas Eve, Constitution Day or New Year's Eve: they are added here."""
    data = load("dk_consumption")["holiday"].to_series().dropna()
    calendar = calendar_of(data.index.to_numpy(), "Europe/Copenhagen", "dk")
    recorded = data.to_numpy() == 1
    assert calendar.holiday[recorded].all()
    local = data.index.tz_localize("UTC").tz_convert("Europe/Copenhagen")
    extra = {(d.month, d.day) for d in local[calendar.holiday & ~recorded]}
    assert extra <= {(6, 5), (12, 24), (12, 31)}
