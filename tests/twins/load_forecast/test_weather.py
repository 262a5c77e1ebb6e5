"""The kinds of weather ahead."""

from dataclasses import replace

import numpy as np
import pytest
from town_load import town_history

from tvilling.twins.forecasting.load.series import read_series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.weather import error_sd_k, forecast_error_k, weather_ahead

ORIGINS = np.array([500, 700])


def ahead(weather, seed=0):
    history = town_history(60)
    history["wind_m_per_s"] = np.arange(len(history)) % 17.0
    settings = ForecastSettings(hours=48, weather=weather, seed=seed)
    found = weather_ahead(read_series(history, settings), ORIGINS, 48, settings)
    return history, found


def test_perfect_held_and_repeated_weather():
    history, found = ahead("perfect")
    outdoor = history["outdoor_degc"].to_numpy()
    np.testing.assert_array_equal(found["outdoor_degc"][1], outdoor[700:748])
    _, found = ahead("last_observed")
    assert (found["outdoor_degc"][1] == outdoor[699]).all()
    _, found = ahead("last_day")
    np.testing.assert_array_equal(found["outdoor_degc"][1], np.tile(outdoor[676:700], 2))


def test_a_forecast_is_the_truth_with_an_error_and_holds_the_wind():
    history, found = ahead("forecast")
    error = found["outdoor_degc"][0] - history["outdoor_degc"].to_numpy()[500:548]
    np.testing.assert_allclose(error, forecast_error_k(history.index[[500]], 48, 0)[0])
    assert (found["wind_m_per_s"][0] == history["wind_m_per_s"].iloc[499]).all()
    assert np.abs(error).max() > 0


def test_an_origin_has_its_error_whatever_else_is_asked():
    time = np.array(["2021-02-01", "2021-02-02"], "datetime64[ns]")
    both = forecast_error_k(time, 72, 3)
    np.testing.assert_array_equal(forecast_error_k(time[1:], 72, 3), both[1:])
    assert not np.array_equal(forecast_error_k(time, 72, 4), both)


def test_errors_have_the_stated_spread_memory_and_published_size():
    time = np.datetime64("2021-01-01", "ns") + np.arange(4000) * np.timedelta64(1, "h")
    error = forecast_error_k(time, 73, 0)
    sd = error_sd_k(np.arange(73))
    np.testing.assert_allclose(error.std(axis=0), sd, rtol=0.05)
    one = error[:, 1:] / sd[1:]
    other = error[:, :-1] / sd[:-1]
    assert (one * other).mean() == pytest.approx(0.95, abs=0.01)
    # Kendzierski et al. 2018: mean absolute errors of 1.5 to 2.1 K over 0 to 72 h
    assert 1.5 < np.abs(error).mean() < 2.1


def test_settings_tell_every_fault():
    from tvilling.sciml.core.errors import InputError

    with pytest.raises(InputError) as caught:
        ForecastSettings(hours=500, weather="guess", model="oracle", quantiles=(0.1, 0.95))
    told = str(caught.value)
    assert "4 faults" in told
    assert "hours is 500 h, expected 1 to 168 h" in told
    assert replace(ForecastSettings(), quantiles=()).coverage == 0
    assert ForecastSettings().coverage == 0.9
