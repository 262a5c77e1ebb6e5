"""Rows hold what was known at their origin, and nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from town_load import town_history

from tvilling.twins.forecasting.load.features import make_rows
from tvilling.twins.forecasting.load.series import read_series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.weather import weather_ahead

SETTINGS = ForecastSettings(hours=168, weather="perfect")
ORIGINS = np.array([24 * 20 + 5, 24 * 30])


def rows_of(history, settings=SETTINGS, origins=ORIGINS):
    series = read_series(history, settings)
    return make_rows(
        series, origins, weather_ahead(series, origins, settings.hours, settings), settings
    )


@pytest.mark.parametrize("weather", ["last_observed", "last_day"])
def test_nothing_behind_the_origin_is_seen(weather):
    settings = replace(SETTINGS, weather=weather)
    history = town_history(60)
    changed = history.copy()
    changed.iloc[ORIGINS[1] :] = history.iloc[ORIGINS[1] :].to_numpy()[::-1] + 7.0
    before = rows_of(history, settings, ORIGINS[1:]).values
    np.testing.assert_array_equal(rows_of(changed, settings, ORIGINS[1:]).values, before)


@pytest.mark.parametrize("weather", ["perfect", "forecast"])
def test_no_load_behind_the_origin_is_seen_even_with_weather(weather):
    settings = replace(SETTINGS, weather=weather)
    history = town_history(60)
    changed = history.copy()
    changed.iloc[ORIGINS[1] :, 0] = 1e3
    before = rows_of(history, settings, ORIGINS[1:]).values
    np.testing.assert_array_equal(rows_of(changed, settings, ORIGINS[1:]).values, before)


RAMP_MW = 1000  # where the ramp begins: a load that grows from nothing is not plausible


def test_lags_of_a_ramp_are_known():
    history = town_history(60)
    history["load_mw"] = RAMP_MW + np.arange(len(history), dtype=float)
    rows = rows_of(history)
    lead, origin = rows.lead_h, np.repeat(ORIGINS, 168) + RAMP_MW
    now = origin + lead
    np.testing.assert_array_equal(rows["day_before"], now - 24 * (lead // 24 + 1))
    assert (rows["day_before"] < origin).all()
    np.testing.assert_array_equal(rows["week_before"], now - 168)
    np.testing.assert_array_equal(rows["last_1"], origin - 1)
    np.testing.assert_array_equal(rows["mean_24_h"], origin - 12.5)
    assert (rows["day_before_later"] <= origin - 1).all()


def test_the_lag_of_perfect_weather_is_the_filter_over_all_of_it():
    """A first-order lag carried from the history into the hours ahead is one filter throughout."""
    history = town_history(60)
    outdoor = history["outdoor_degc"].to_numpy()
    gain = 1 - np.exp(-1 / 24)
    start = outdoor[:24].mean()
    lag = start + lfilter([gain], [1, gain - 1], outdoor - start)
    rows = rows_of(history)
    now = (np.repeat(ORIGINS, 168) + rows.lead_h).astype(int)
    np.testing.assert_allclose(rows["outdoor_degc_lag_24"], lag[now], rtol=0, atol=1e-10)
    np.testing.assert_allclose(rows["degrees_below"], np.maximum(17 - lag[now], 0), atol=1e-10)


def test_a_load_without_weather_has_rows_too():
    rows = rows_of(town_history(60)[["load_mw"]])
    assert len(rows.values) == 2 * 168
    assert np.isfinite(rows.values).all()
    assert not any("degc" in name for name in rows.names)


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_lags_of_a_load_that_lives_by_the_clock_are_exact_across_its_change(change):
    """At every origin of the week around it, and up to a week ahead."""
    hours = 24 * 40
    first = pd.Timestamp(change) - pd.Timedelta(days=25)
    time = pd.date_range(first, periods=hours, freq="h")
    local = time.tz_localize("UTC").tz_convert("Europe/Copenhagen")
    load = 10.0 + local.hour.to_numpy() / 10
    history = pd.DataFrame({"load_mw": load, "outdoor_degc": 5.0}, index=time)
    origins = np.arange(24 * 22, 24 * 30)
    settings = replace(SETTINGS, hours=168, zone="Europe/Copenhagen")
    rows = rows_of(history, settings, origins)
    at = ((rows.time - time.to_numpy()[0]) // np.timedelta64(1, "h")).astype(int)
    left_out = (local.hour == 3)[at] | (local.hour == 2)[at]  # 02:00 of that day does not exist
    for name in ("day_before", "two_days_before", "week_before"):
        np.testing.assert_allclose(rows[name][~left_out], load[at][~left_out], err_msg=name)
        assert np.abs(rows[name] - load[at]).max() < 0.11
