"""Measured loads a day ahead, over years that nothing was tuned on."""

import pytest

from tvilling.twins.forecasting.load import (
    MEASURED,
    ForecastSettings,
    measured_history,
    rolling_origin,
    score,
)

pytestmark = pytest.mark.data

PERIODS = {
    "flensburg": ("2016-01-01", "2016-12-31"),
    "dk_consumption": ("2021-01-01", "2022-12-31"),
    "aalborg": ("2020-01-01", "2020-12-31"),
}
MODELS = ("naive_day", "naive_week", "ridge", "blend")


def backtest(name, weather, models=MODELS, refit_days=60):
    entry = MEASURED[name]
    settings = ForecastSettings(
        hours=24, origin_hours=(0,), zone=entry.zone, country=entry.country, weather=weather
    )
    history = measured_history(name)
    return score(rolling_origin(history, settings, PERIODS[name], models, refit_days))


def holds(found):
    return 0.88 <= found.coverage <= 0.92 and found.least_month_coverage >= 0.80


def test_no_price_is_seen():
    assert set(measured_history("dk_consumption")) == {
        "load_mw",
        "outdoor_degc",
        "wind_m_per_s",
        "humidity_percent",
    }


def test_flensburg_a_year_ahead_of_one_fit():
    """A day as the day before misses by 12.8 MW. One fit, at the start of the warm-up."""
    found = backtest("flensburg", "perfect", refit_days=500)
    assert found["naive_day"].mae_mw == pytest.approx(12.8, abs=0.05)
    assert found["blend"].mae_mw <= 7.8
    assert found["blend"].mae_mw < found["ridge"].mae_mw
    assert holds(found["blend"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "weather", "limit_mw", "percent_under_naive"),
    [
        ("flensburg", "perfect", 7.8, 35),
        ("flensburg", "last_observed", 11.8, 20),
        ("flensburg", "forecast", 9.0, 30),
        ("dk_consumption", "perfect", 163.0, 35),
        ("dk_consumption", "last_observed", 163.0, 35),
        ("dk_consumption", "forecast", 163.0, 35),
        ("aalborg", "last_observed", 0.6e-3, 22),
    ],
)
def test_a_year_of_forecasts(name, weather, limit_mw, percent_under_naive):
    found = backtest(name, weather)
    naive = min(found["naive_day"].mae_mw, found["naive_week"].mae_mw)
    assert found["blend"].mae_mw <= limit_mw
    assert found["blend"].mae_mw <= (1 - percent_under_naive / 100) * naive
    assert found["blend"].mae_mw <= found["ridge"].mae_mw
    assert holds(found["blend"])
