"""Records of a plant: the same hours whatever the span, scaled, moved by weeks, faults told."""

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.plant_record import (
    from_file,
    measured_city,
    power_prices,
    stock_load,
)
from tvilling.datasets.simulated.synthetic_year import irradiance_w_per_m2, outdoor_degc
from tvilling.sciml.core.errors import InputError


def test_synthetic_weather_belongs_to_the_hour_not_to_the_span():
    long = pd.date_range("2025-01-01", "2026-01-01", freq="h", inclusive="left")
    part = long[4000:4100]
    np.testing.assert_array_equal(outdoor_degc(long, 3)[4000:4100], outdoor_degc(part, 3))
    prices = power_prices("2025-01-01", "2025-03-01", 2, "synthetic")
    later = power_prices("2025-02-01", "2025-03-01", 2, "synthetic")
    same = prices.sel(time=later["time"])
    np.testing.assert_array_equal(same["price_dkk_per_kwh"], later["price_dkk_per_kwh"])


def test_synthetic_weather_has_the_mean_and_spread_of_the_danish_record():
    """8.3 °C and a swing of 7.8 K by construction; 3.4 K of noise about them."""
    time = pd.date_range("2018-01-01", "2026-01-01", freq="h", inclusive="left")
    degc = outdoor_degc(time, 0)
    assert degc.mean() == pytest.approx(8.3, abs=0.4)
    monthly = pd.Series(degc, time).groupby(time.month).mean()
    assert monthly.idxmin() in (1, 2)
    assert monthly.max() - monthly.min() == pytest.approx(2 * 7.8 * 0.99, abs=1.5)


def test_the_sun_stands_where_it_should():
    """Midsummer noon at 56° N: zenith 56 - 23.45 degrees; at midnight and in the night no sun."""
    time = pd.date_range("2025-06-21", periods=24, freq="h")
    sun = irradiance_w_per_m2(time)
    cosine = np.cos(np.deg2rad(56 - 23.45))
    assert sun.max() == pytest.approx(0.6 * 1098 * cosine * np.exp(-0.059 / cosine), rel=0.01)
    assert time[sun.argmax()].hour in (11, 12)
    assert (sun[[0, 1, 22, 23]] == 0).all()
    year = irradiance_w_per_m2(pd.date_range("2025-01-01", "2026-01-01", freq="h"))
    assert year.sum() / 1e3 == pytest.approx(1000, rel=0.2)  # kWh/m² a year on level ground


def test_a_drawn_load_has_the_heat_that_was_asked_for():
    data = stock_load("2024-01-01", "2026-01-01", 43_000.0, 1, "synthetic")
    assert float(data["load_mw"].mean()) * 8766 == pytest.approx(43_000, rel=0.1)
    assert np.corrcoef(data["load_mw"], data["outdoor_degc"])[0, 1] < -0.85


@pytest.mark.data
def test_the_measured_city_keeps_weekday_and_hour():
    from tvilling.datasets.registry import load

    moved = measured_city(43_000.0)
    assert float(moved["load_mw"].mean()) * 8766 == pytest.approx(43_000)
    first = pd.Timestamp(moved["time"].values[0]) + pd.Timedelta(hours=1)
    origin = pd.Timestamp(load("flensburg")["time"].values[0])
    assert first == pd.Timestamp("2020-01-01")
    assert first.dayofweek == origin.dayofweek


@pytest.mark.data
def test_recorded_prices_are_those_of_dk1():
    """Mean of 2021: 0.655 DKK/kWh, by the page of the data."""
    data = power_prices("2020-12-31T23:00", "2021-12-31T23:00", 0, "recorded")
    assert float(data["price_dkk_per_kwh"].mean()) == pytest.approx(0.655, abs=5e-4)


def test_recorded_prices_of_a_time_without_a_record_are_refused():
    with pytest.raises(InputError, match="2031-01-01 00:00 to 2031-01-01 23:00 UTC"):
        power_prices("2031-01-01", "2031-01-02", 0, "recorded")


def write(folder, text):
    path = folder / "meters.csv"
    path.write_text(text)
    return path


def test_a_file_has_every_hour_and_what_is_missing_is_no_number(tmp_path):
    text = "time_utc,load_mw,outdoor_degc\n2026-01-01T03:00,5,1\n2026-01-01T00:00,4,\n"
    data = from_file(write(tmp_path, text))
    np.testing.assert_array_equal(data["load_mw"], [4, np.nan, np.nan, 5])
    np.testing.assert_array_equal(data["outdoor_degc"], [np.nan, np.nan, np.nan, 1])
    assert data["load_mw"].attrs["units"] == "MW"
    assert "price_dkk_per_kwh" not in data


def test_every_fault_of_a_file_is_told_at_once(tmp_path):
    text = (
        "time_utc,load_mw,temperature\n2026-01-01T00:00,-5,1\n2026-01-01T00:00,5,1\n"
        "2026-01-01T01:30,x,1\nyesterday,5,1\n"
    )
    with pytest.raises(InputError) as caught:
        from_file(write(tmp_path, text))
    told = str(caught.value)
    for part in (
        "column temperature is not known",
        "row 2: load_mw is -5 MW, expected 0 to 5000 MW",
        "row 3: time_utc is '2026-01-01T00:00', it stands more than once",
        "row 4: load_mw is 'x', expected a number",
        "row 4: time_utc is '2026-01-01T01:30', expected a full hour",
        "row 5: time_utc is 'yesterday', expected a time",
    ):
        assert part in told
