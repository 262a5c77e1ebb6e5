"""Rows hold what was known at their origin, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter
from town_load import town_history

from tvilling.twins.load_forecast.features import make_rows
from tvilling.twins.load_forecast.series import read_series
from tvilling.twins.load_forecast.settings import ForecastSettings
from tvilling.twins.load_forecast.weather import weather_ahead

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
