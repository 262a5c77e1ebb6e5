"""Backtests know the past alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from town_load import town_history

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load import (
    ForecastSettings,
    choose,
    fit,
    rolling_origin,
    score,
)
from tvilling.twins.forecasting.load.model_choice import preferred

SETTINGS = ForecastSettings(
    hours=24, origin_hours=(0,), model="ridge", weather="last_observed", calibration_days=30
)
PERIOD = ("2021-05-01", "2021-06-30")


@pytest.fixture(scope="module")
def history():
    return town_history(300)


@pytest.fixture(scope="module")
def backtest(history):
    return rolling_origin(history, SETTINGS, PERIOD, ("naive_day", "ridge"))


def test_what_comes_later_changes_nothing(history, backtest):
    """Every load and temperature from 1 June on is another; forecasts until then are the same."""
    changed = history.copy()
    june = changed.index >= "2021-05-31T22"  # local midnight
    changed.loc[june] = changed.loc[june].to_numpy()[::-1] + 5.0
    again = rolling_origin(changed, SETTINGS, PERIOD, ("naive_day", "ridge"))
    known = backtest["origin"].to_numpy() <= np.datetime64("2021-05-31T22")
    for name in ("forecast_mw", "quantile_mw"):
        mine, theirs = (
            data[name].transpose("origin", ...).to_numpy() for data in (backtest, again)
        )
        np.testing.assert_array_equal(mine[known], theirs[known])
        assert (mine[~known] != theirs[~known]).any()


def test_naive_is_yesterday_and_the_day_is_local(history, backtest):
    one = backtest.sel(model="naive_day")
    origin = pd.DatetimeIndex(backtest["origin"].to_numpy())
    assert (origin.hour == 22).all()  # midnight of summer time
    shifted = history["load_mw"].shift(24).reindex(one["time"].to_numpy().ravel())
    np.testing.assert_array_equal(one["forecast_mw"].to_numpy().ravel(), shifted)
    assert backtest.sizes["origin"] == 61
    assert backtest["forecast_mw"].attrs["units"] == "MW"
    assert "held" in backtest.attrs["weather_is"]


def test_a_backtest_is_what_fit_and_forecast_give(history, backtest):
    """The day on which models are fitted anew: the operational path gives the same load."""
    first = backtest["origin"].to_numpy()[0] - np.timedelta64(32, "D")  # warm-up begins here
    day = str(first + np.timedelta64(2, "h"))[:10]  # in local time
    early = rolling_origin(history, SETTINGS, (day, day), refit_days=1)
    origin = early["origin"].to_numpy()[0]
    past = history[history.index < origin]
    ahead = fit(past, SETTINGS).forecast(past, start=origin)
    np.testing.assert_allclose(
        ahead["load_mw"], early["forecast_mw"].sel(model="ridge", origin=origin), rtol=1e-9
    )


def test_scores_are_those_of_the_arrays(backtest):
    found = score(backtest)["ridge"]
    one = backtest.sel(model="ridge")
    assert found.mae_mw == pytest.approx(float(abs(one.forecast_mw - one.load_mw).mean()))
    low, high = one["quantile_mw"].sel(quantile=[0.05, 0.95]).transpose("quantile", ...)
    inside = (one.load_mw >= low) & (one.load_mw <= high)
    assert found.coverage == pytest.approx(float(inside.mean()))
    assert found.hours == 61 * 24
    assert found.mae_mw < score(backtest)["naive_day"].mae_mw


@pytest.mark.parametrize("interval", ["split", "cqr", "adaptive", "adaptive_cqr"])
def test_intervals_hold_on_a_load_without_drift(interval):
    """Two winter months after a year to learn from: chance moves 1 416 hours by some 0.02."""
    settings = replace(SETTINGS, interval=interval, weather="perfect", max_rows=5000)
    period = ("2022-01-01", "2022-02-28")
    found = score(rolling_origin(town_history(424), settings, period, refit_days=120))["ridge"]
    assert found.coverage == pytest.approx(0.9, abs=0.03)
    assert found.least_month_coverage > 0.84


def test_quantiles_are_in_order_and_the_middle_is_the_forecast(backtest):
    told = backtest["quantile_mw"].sel(model="ridge")
    assert (told.diff("quantile") >= 0).all()
    np.testing.assert_array_equal(
        told.sel(quantile=0.5), backtest["forecast_mw"].sel(model="ridge")
    )


def test_missing_hours_count_nowhere():
    history = town_history(300)
    holes = (history.index >= "2021-05-10") & (history.index < "2021-05-12")
    history.loc[holes, "load_mw"] = np.nan
    found = score(rolling_origin(history, SETTINGS, PERIOD))["ridge"]
    assert found.hours == 61 * 24 - 48
    assert np.isfinite(found.mae_mw)


def test_a_period_too_early_is_refused(history):
    with pytest.raises(InputError, match="expected 2021-01-20 to 2021-10-28 for ridge"):
        rolling_origin(history, SETTINGS, ("2021-01-10", "2021-02-01"))


def test_the_choice_is_the_best_of_a_validation(history):
    settings = replace(SETTINGS, weather="perfect")
    choice = choose(history[:"2021-05-30"], settings, ("naive_day", "naive_week", "ridge"))
    assert choice.model == "ridge"
    assert list(choice.mae_mw.values()) == sorted(choice.mae_mw.values())
    assert choice.period[1] == "2021-05-30"
    short = choose(history[:"2021-01-20"], settings)
    assert set(short.mae_mw) == {"naive_day", "naive_week"}


@pytest.mark.parametrize(
    ("mae_mw", "expected"),
    [
        ({"ridge": 2.0, "network": 1.5}, "network"),
        ({"network": 1.5, "blend": 1.514}, "blend"),
        ({"network": 1.5, "blend": 1.516}, "network"),
    ],
)
def test_the_blend_is_preferred_where_it_is_as_good(mae_mw, expected):
    assert preferred(mae_mw) == expected
