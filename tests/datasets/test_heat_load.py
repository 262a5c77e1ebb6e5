"""Building stock and load model: yearly sums, determinism, and a city's measured load."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.simulated.building_stock import NORMAL_DEGREE_HOURS, TYPES, draw_stock
from tvilling.datasets.simulated.heat_load import (
    SPACE_DAY,
    WATER_DAY,
    DayShape,
    LoadModel,
    heat_load,
    lagged,
)
from tvilling.sciml.core.errors import InputError

TRENCH_M = 2626.0  # of the town network with 44 consumers


def test_the_same_seed_gives_the_same_stock() -> None:
    pd.testing.assert_frame_equal(draw_stock(44, seed=3), draw_stock(44, seed=3))
    assert not draw_stock(44, seed=3).equals(draw_stock(44, seed=4))


@pytest.mark.parametrize("seed", range(5))
def test_stock_keeps_the_shares_and_a_plausible_density(seed: int) -> None:
    stock = draw_stock(44, seed)
    counts = stock["type"].value_counts()
    for kind in TYPES:
        assert counts[kind.name] == pytest.approx(44 * kind.share, abs=1)
    assert 0.7 < stock["annual_mwh"].sum() / TRENCH_M < 1.4  # MWh a year and metre
    hours = stock["annual_mwh"] * 1e6 / stock["design_w"]  # full-load hours
    assert hours.between(1500, 4000).all()
    np.testing.assert_allclose(stock["space_mwh"] + stock["water_mwh"], stock["annual_mwh"])


def test_stock_can_be_scaled_to_a_total() -> None:
    stock = draw_stock(["a", "b", "c"], seed=1, total_mwh=120.0)
    assert stock["name"].tolist() == ["a", "b", "c"]
    assert stock["annual_mwh"].sum() == pytest.approx(120.0)
    free = draw_stock(["a", "b", "c"], seed=1)
    np.testing.assert_allclose(
        stock["design_w"] / free["design_w"], 120.0 / free["annual_mwh"].sum()
    )


def test_faults_of_a_stock_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        draw_stock(0, seed=1, types=TYPES[:2], total_mwh=-1.0)
    for fragment in ("0 consumers", "add up to 0.68, expected 1", "total_mwh is -1 MWh"):
        assert fragment in str(caught.value)


@pytest.mark.parametrize("shape", [SPACE_DAY, WATER_DAY])
def test_shape_of_a_day_has_mean_one_and_period_a_day(shape: DayShape) -> None:
    hour = np.arange(0, 24, 0.01)
    assert shape.at(hour).mean() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(shape.at(hour + 24), shape.at(hour), rtol=1e-9)


def test_lag_answers_a_step_as_a_first_order_system() -> None:
    """1 - e^(-t/tau), exact at the ends of the steps whatever their length."""
    for step_h in (0.25, 1.0):
        time_h = np.arange(1, 1 + round(100 / step_h)) * step_h
        rising = np.concatenate([np.zeros(round(24 / step_h)), np.ones(len(time_h))])
        answer = lagged(rising, step_h, 24.0)[-len(time_h) :]
        np.testing.assert_allclose(answer, 1 - np.exp(-time_h / 24), atol=1e-12)


def test_normal_year_gives_the_annual_demand() -> None:
    """A year whose degree-hours are the normal ones, without noise: the demand to 0.2 %."""
    time = pd.date_range("2021-01-01", periods=8766, freq="h")
    swing = -np.cos(2 * np.pi * np.arange(8766) / 8766)

    def degree_hours(mean: float) -> float:
        return np.maximum(17 - (mean + 8 * swing), 0).sum()

    low, high = 0.0, 16.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if degree_hours(middle) > NORMAL_DEGREE_HOURS else (low, middle)
    stock = draw_stock(20, seed=2)
    load = heat_load(stock, low + 8 * swing, time, seed=1, model=LoadModel(noise=0.0))
    np.testing.assert_allclose(load.sum("time") / 1e6, stock["annual_mwh"], rtol=2e-3)


def test_noise_leaves_the_mean_and_follows_the_seed() -> None:
    time = pd.date_range("2021-01-01", periods=4000, freq="h")
    stock, cold = draw_stock(30, seed=2), np.zeros(4000)
    quiet = heat_load(stock, cold, time, seed=5, model=LoadModel(noise=0.0))
    noisy = heat_load(stock, cold, time, seed=5)
    assert float(noisy.mean() / quiet.mean()) == pytest.approx(1.0, abs=0.005)
    np.testing.assert_allclose(np.log(noisy / quiet).std("time").mean(), 0.08, rtol=0.05)
    assert noisy.equals(heat_load(stock, cold, time, seed=5))
    assert not noisy.equals(heat_load(stock, cold, time, seed=6))
    assert noisy.attrs["units"] == "W"
    assert noisy.dims == ("time", "consumer")
    assert (noisy > 0).all()


@pytest.mark.data
def test_load_follows_that_of_a_city(data_folder: Path) -> None:
    """Flensburg 2014-2016, three years of hours: the lag is worth 5 points of correlation."""
    city = pd.read_csv(data_folder / "flensburg/heat_load_2014_2016.csv", parse_dates=["time"])
    measured = city.set_index("time")["heat_load_mw"]
    outdoor = city["outdoor_degc"].to_numpy()
    below = {hours: np.maximum(17 - lagged(outdoor, 1.0, hours), 0) for hours in (0, 12, 24, 48)}
    fit = {hours: np.corrcoef(values, measured)[0, 1] for hours, values in below.items()}
    assert fit[0] == pytest.approx(0.907, abs=0.001)
    assert fit[24] == pytest.approx(0.955, abs=0.001)
    assert abs(fit[12] - fit[24]) < 0.005
    assert abs(fit[48] - fit[24]) < 0.005
    load = heat_load(draw_stock(200, seed=1), outdoor, measured.index, seed=1)
    total = load.sum("consumer").to_pandas()
    assert total.corr(measured) > 0.96
    winter = measured.index.month.isin([12, 1, 2])
    ours, theirs = (
        series[winter].groupby(measured.index.hour[winter]).mean() for series in (total, measured)
    )
    assert (ours / ours.mean()).corr(theirs / theirs.mean()) > 0.97
    np.testing.assert_allclose(ours / ours.mean(), theirs / theirs.mean(), atol=0.06)


@pytest.mark.parametrize(
    ("time", "outdoor", "message"),
    [
        (pd.date_range("2021", periods=3, freq="h"), np.zeros(4), "3 times and 4 temperatures"),
        (
            pd.DatetimeIndex(["2021-01-01", "2021-01-02", "2021-01-04"]),
            np.zeros(3),
            "not evenly spaced",
        ),
        (
            pd.date_range("2021", periods=3, freq="h"),
            np.array([0, np.nan, 300.0]),
            "2 outdoor temperatures are missing or outside -60 to 60 °C, "
            "the first at 2021-01-01 01:00:00",
        ),
    ],
)
def test_faults_of_the_weather_are_told(
    time: pd.DatetimeIndex, outdoor: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        heat_load(draw_stock(2, seed=1), outdoor, time, seed=1)
