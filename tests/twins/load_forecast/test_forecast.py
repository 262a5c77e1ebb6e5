"""Forecasts as operation asks for them: late data, gaps, short histories, changes of the clock."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from town_load import NOISE_MW, town_history

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load import ForecastSettings, fit

SETTINGS = ForecastSettings(hours=48, model="ridge", weather="forecast", calibration_days=30)
START = pd.Timestamp("2021-03-26T05")


@pytest.fixture(scope="module")
def history():
    return town_history(120)


@pytest.fixture(scope="module")
def model(history):
    return fit(history[history.index < START], SETTINGS)


def mae(forecast, history):
    return float(np.abs(forecast["load_mw"] - history["load_mw"].reindex(forecast.time)).mean())


def test_a_forecast_says_what_it_is(model, history):
    past = history[history.index < START]
    found = model.forecast(past, history)
    assert found.sizes == {"time": 48, "quantile": 3}
    assert found["time"].to_numpy()[0] == START
    assert found["load_mw"].attrs["units"] == "MW"
    assert found["lead_h"].to_numpy().tolist() == list(range(1, 49))
    assert found.attrs["model"] == "ridge"
    assert found.attrs["weather"] == "forecast"
    assert found.attrs["trained_until"].startswith("2021-03-26T05")
    assert found.attrs["coverage_target"] == pytest.approx(0.9)
    assert found.attrs["notes"] == ""
    assert mae(found, history) < 3 * NOISE_MW
    low, middle, high = found["load_quantile_mw"].to_numpy()
    assert (low < middle).all()
    assert (middle < high).all()
    np.testing.assert_array_equal(middle, found["load_mw"])


def test_what_lies_behind_the_start_is_not_looked_at(model, history):
    changed = history.copy()
    changed.loc[changed.index >= START, "load_mw"] = -9.0
    weather = history[["outdoor_degc"]]
    first = model.forecast(history, weather, start=START)
    np.testing.assert_array_equal(
        model.forecast(changed, weather, start=START)["load_mw"], first["load_mw"]
    )
    np.testing.assert_array_equal(
        model.forecast(history[history.index < START], weather)["load_mw"], first["load_mw"]
    )


def test_a_load_a_day_late_is_bridged_and_noted(model, history):
    late = history[history.index < START].copy()
    late.loc[late.index >= START - pd.Timedelta(hours=24), "load_mw"] = np.nan
    found = model.forecast(late, history, hours=24, start=START)
    assert found.attrs["delay_h"] == 24
    assert "the load ends 24 h before" in found.attrs["notes"]
    assert found["lead_h"].to_numpy()[[0, -1]].tolist() == [25, 48]
    assert mae(found, history) < 4 * NOISE_MW
    # the same hours as the second day of a forecast made a day before with the same weather
    day = START - pd.Timedelta(hours=24)
    before = model.forecast(history[history.index < day], history, hours=48)
    np.testing.assert_allclose(found["load_mw"], before["load_mw"][24:], rtol=1e-9)
    np.testing.assert_allclose(found["load_quantile_mw"], before["load_quantile_mw"][:, 24:])


def test_a_load_four_days_late_is_forecast_naively_with_the_reason(model, history):
    late = history[history.index < START - pd.Timedelta(days=4)]
    found = model.forecast(late, history, start=START)
    assert found.attrs["model"] == model.naive
    assert "naive_day: the last load is more than 72 h old" in found.attrs["notes"]
    assert "the load ends 96 h before" in found.attrs["notes"]
    assert np.isfinite(found["load_quantile_mw"]).all()
    with pytest.raises(InputError, match="the load ends 480 h before, expected at most 336 h"):
        model.forecast(history[history.index < START - pd.Timedelta(days=20)], start=START)


def test_a_meter_that_fails_is_noted_and_a_single_gap_is_not(model, history):
    past = history[history.index < START].copy()
    whole = model.forecast(past, history)
    past.iloc[-10:-6, 0] = np.nan
    gap = model.forecast(past, history)
    assert gap.attrs["missing_h"] == 4
    assert gap.attrs["model"] == "ridge"
    assert float(np.abs(gap["load_mw"] - whole["load_mw"]).max()) < 10
    past.iloc[-24:-4, 0] = np.nan
    broken = model.forecast(past, history)
    assert broken.attrs["model"] == model.naive
    assert "of the last 24 h of load only 17% are known" in broken.attrs["notes"]
    assert np.isfinite(broken["load_mw"]).all()


def test_weather_that_is_absent_or_ends_is_held_and_noted(model, history):
    past = history[history.index < START]
    none = model.forecast(past)
    assert none.attrs["weather_held_h"] == 48
    assert "not known in 48 h" in none.attrs["notes"]
    short = model.forecast(past, history[history.index < START + pd.Timedelta(hours=30)])
    assert short.attrs["weather_held_h"] == 18
    full = model.forecast(past, history)
    np.testing.assert_array_equal(short["load_mw"][:29], full["load_mw"][:29])
    assert (short["load_mw"][31:] != full["load_mw"][31:]).all()


def test_weather_that_the_history_lacks_or_has_only_until_the_day_before(model, history):
    past = history[history.index < START].copy()
    bare = model.forecast(past[["load_mw"]], history)
    assert bare.attrs["model"] == model.naive
    assert "the history has no outdoor_degc" in bare.attrs["notes"]
    past.loc[past.index >= START - pd.Timedelta(hours=20), "outdoor_degc"] = np.nan
    stale = model.forecast(past, history)
    assert stale.attrs["model"] == "ridge"
    assert mae(stale, history) < 4 * NOISE_MW


def test_weather_as_last_observed_asks_for_none(history):
    past = history[history.index < START]
    model = fit(past, replace(SETTINGS, weather="last_observed"))
    found = model.forecast(past)
    assert "weather" not in found.attrs["notes"]
    assert found.attrs["weather_held_h"] == 0
    np.testing.assert_array_equal(found["load_mw"], model.forecast(past, history)["load_mw"])


@pytest.mark.parametrize("start", ["2021-03-27T23", "2021-03-28T00"])
def test_hours_run_on_through_the_change_of_the_clock(model, history, start):
    """The day has 23 local hours; every UTC hour is forecast, and the course moves with people."""
    found = model.forecast(history, history, hours=24, start=start)
    step = np.diff(found["time"].to_numpy())
    assert (step == np.timedelta64(1, "h")).all()
    assert mae(found, history) < 3 * NOISE_MW


def test_a_new_plant_gets_a_simpler_model(history):
    settings = replace(SETTINGS, model="blend", hours=24)
    month = history[:"2021-01-30"]
    model = fit(month, settings)
    assert model.settings.model == "ridge"
    found = model.forecast(month, history)
    assert "ridge: 16 d to learn from, blend needs 60 d" in found.attrs["notes"]
    assert mae(found, history) < 4 * NOISE_MW
    fortnight = fit(history[:"2021-01-14"], settings)
    assert fortnight.settings.model == "naive_day"
    assert np.isfinite(fortnight.forecast(history[:"2021-01-14"], history)["load_mw"]).all()
    with pytest.raises(InputError, match="too short for a single forecast"):
        fit(history[:"2021-01-08"], settings)


def test_the_model_is_chosen_where_the_settings_leave_it_open(history):
    model = fit(history[:"2021-02-20"], replace(SETTINGS, model="auto", hours=24))
    assert model.settings.model == "ridge"


def test_the_blend_is_its_members_by_their_weights(history):
    past = history[history.index < "2021-04-25"]
    model = fit(past, replace(SETTINGS, model="blend", hours=24, max_rows=3000))
    assert model.settings.model == "blend"
    assert sum(model.weights.values()) == pytest.approx(1.0)
    assert max(model.weights, key=model.weights.get) == "ridge"  # 70 days teach a line best
    found = model.forecast(past, history)
    assert found.attrs["model"] == "blend"
    alone = [replace(model, weights={m: 1.0}).forecast(past, history) for m in model.weights]
    expected = sum(w * one["load_mw"] for w, one in zip(model.weights.values(), alone, strict=True))
    np.testing.assert_allclose(found["load_mw"], expected, rtol=1e-12)
    assert mae(found, history) < 2 * NOISE_MW


def test_learned_quantiles_go_with_the_forecast(history):
    past = history[history.index < START]
    settings = replace(SETTINGS, hours=24, interval="cqr", max_rows=2000)
    low, middle, high = fit(past, settings).forecast(past, history)["load_quantile_mw"].to_numpy()
    assert (low < middle).all()
    assert (middle < high).all()
    assert len(np.unique(np.round(high - low, 6))) > 8  # of their own width every hour


def test_a_week_ahead_is_less_sure_than_a_day(history):
    past = history[history.index < START]
    model = fit(past, replace(SETTINGS, hours=168, calibration_days=45))
    found = model.forecast(past, history)
    assert found.sizes["time"] == 168
    assert mae(found, history) < 4 * NOISE_MW
    low, _, high = found["load_quantile_mw"].to_numpy()
    assert (high - low)[-24:].mean() > 1.2 * (high - low)[:24].mean()


def test_too_many_hours_are_refused(model, history):
    with pytest.raises(InputError, match="hours is 60 h, expected 1 to 48 h"):
        model.forecast(history, hours=60, start=START)
