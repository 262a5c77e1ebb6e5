"""What is known of prices, and what is expected beyond."""

import numpy as np
import pytest

from tvilling.twins.forecasting.price import expected_prices, known_until


@pytest.mark.parametrize(
    ("now_utc", "until_utc"),
    [
        ("2021-01-12T11:00", "2021-01-12T23:00"),  # noon in Denmark: to the end of the day
        ("2021-01-12T12:00", "2021-01-13T23:00"),  # 13:00: to the end of the next
        ("2021-07-12T11:00", "2021-07-13T22:00"),  # 13:00 in summer
        ("2021-03-27T12:00", "2021-03-28T22:00"),  # the next day has 23 hours
        ("2021-10-30T11:00", "2021-10-31T23:00"),  # the next day has 25 hours
        ("2021-01-12T22:00", "2021-01-13T23:00"),  # 23:00, the day before has not ended
    ],
)
def test_prices_are_known_to_a_danish_midnight(now_utc, until_utc):
    found = known_until(np.array([now_utc], "datetime64[ns]"))[0]
    assert found == np.datetime64(until_utc, "ns")


def test_the_same_day_over_and_over_is_expected_to_go_on():
    day = 0.5 + 0.3 * np.sin(np.arange(24) * 2 * np.pi / 24)
    np.testing.assert_allclose(expected_prices(np.tile(day, 7), 40), np.resize(day, 40))


def test_the_level_stands_between_the_last_day_and_the_week():
    past = np.r_[np.full(144, 0.4), np.full(24, 0.8)]
    mean = past.mean()
    np.testing.assert_allclose(expected_prices(past, 5), (0.8 + mean) / 2)


def test_missing_hours_are_left_out():
    day = 0.5 + 0.3 * np.sin(np.arange(24) * 2 * np.pi / 24)
    past = np.tile(day, 7)
    past[[3, 30, 100]] = np.nan
    found = expected_prices(past, 24)
    np.testing.assert_allclose(found / found.mean(), day / day.mean(), rtol=0.02)


@pytest.mark.parametrize("past", [np.zeros(0), np.full(3, 0.2), np.full(168, np.nan)])
def test_a_past_too_short_gives_a_level(past):
    expected = 0.2 if len(past) == 3 else 0.0
    np.testing.assert_allclose(expected_prices(past, 4), expected)


def test_prices_at_zero_tell_no_level():
    np.testing.assert_array_equal(expected_prices(np.zeros(168), 4), 0.0)
