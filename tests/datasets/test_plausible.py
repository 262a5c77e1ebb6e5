"""Faults planted into meters and prices: left out and told, or refused with what it may be."""

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.clock import local_clock
from tvilling.datasets.plausible import (
    LIMITS,
    judged_load,
    judged_outdoor,
    judged_price,
    load_signs,
)
from tvilling.sciml.core.errors import InputError

HOURS = 24 * 60
TIME = pd.date_range("2026-01-01", periods=HOURS, freq="h")


@pytest.fixture
def load_mw() -> np.ndarray:
    """A load of 5 to 9 MW, as of a plant of 20 MW."""
    hour, random = np.arange(HOURS), np.random.default_rng(0)
    return 7.0 + 1.5 * np.sin(2 * np.pi * hour / 24) + random.normal(0, 0.2, HOURS)


def judged(values: np.ndarray, most_mw: float = 20.0):
    return judged_load(values, TIME.to_numpy(), most_mw)


def test_a_load_that_is_right_is_left_as_it_is(load_mw):
    assert judged(load_mw).notes == ()
    np.testing.assert_array_equal(judged(load_mw).values, load_mw)


@pytest.mark.parametrize(
    ("hours", "change", "told"),
    [
        (slice(-48, None), lambda x: 0.0 * x, "48 at zero"),
        (slice(500, 504), lambda x: 0.0 * x, "4 at zero"),
        (slice(-1, None), lambda x: 60 * x, "1 above 1.5 times what the plant can give"),
        (slice(0, 1), lambda x: 2.9 * x, "1 far from the 14 days before"),
        (slice(700, 701), lambda x: 2.9 * x, "1 far from the 14 days before"),
        (slice(900, 1000), lambda x: 0.1 * x, "100 far from the 14 days before"),
        (slice(300, 330), lambda x: 0.0 * x + 7.25, "30 unchanged for hours"),
        (slice(400, 407), lambda x: 0.0 * x + 7.25, "7 unchanged for hours"),
        (slice(600, 700), lambda x: 1000 * x, "100 above 1.5 times"),
        (slice(40, 41), lambda x: -x, "1 below zero"),
    ],
)
def test_what_no_meter_reads_is_left_out_and_counted(load_mw, hours, change, told):
    faulty = load_mw.copy()
    faulty[hours] = change(faulty[hours])
    found = judged(faulty)
    marked = np.zeros(HOURS, bool)
    marked[hours] = True
    np.testing.assert_array_equal(np.isnan(found.values), marked)
    assert found.left_out == marked.sum()
    assert told in found.notes[0]
    assert str(TIME[marked][0])[:16] in found.notes[0]


@pytest.mark.parametrize(("factor", "unit"), [(1e3, "kW"), (1e6, "W"), (3.6, "GJ/h"), (1e-3, "GW")])
def test_a_load_in_another_unit_is_refused_by_the_size_of_the_plant(load_mw, factor, unit):
    with pytest.raises(InputError, match=rf"by the size of the plant; is it .*\b{unit}\b"):
        judged(load_mw * factor, 12.0)


def test_a_series_with_hardly_a_right_value_is_refused(load_mw):
    load_mw[200:] = 0.0
    load_mw[:200] += 100.0
    with pytest.raises(InputError, match="not plausible"):
        judged_load(load_mw, TIME.to_numpy(), np.inf)


def test_a_new_level_is_told_and_taken_after_a_week(load_mw):
    load_mw[600:] *= 0.15
    found = judged(load_mw)
    assert found.left_out == 24 * 7
    assert np.isfinite(found.values[600 + 24 * 7 :]).all()


def test_a_load_that_stands_again_and_again_is_not_at_fault(load_mw):
    load_mw[np.arange(HOURS) % 24 < 5] = 0.0
    assert judged(load_mw).left_out == 0


@pytest.mark.parametrize(("to", "scale"), [(lambda t: t + 273.15, "kelvin"),
                                           (lambda t: 1.8 * t + 62.0, "Fahrenheit")])  # fmt: skip
def test_an_outdoor_temperature_in_another_scale_is_refused(to, scale):
    degc = 1.0 + 4 * np.sin(np.arange(HOURS) / 50.0)
    with pytest.raises(InputError, match=f"is it {scale}"):
        judged_outdoor(to(degc), TIME.to_numpy())


def test_a_temperature_that_jumps_or_stands_is_left_out():
    degc = 2.0 + 3 * np.sin(np.arange(HOURS) / 20.0)
    degc[100], degc[200:226] = 40.0, 2.5
    found = judged_outdoor(degc, TIME.to_numpy())
    assert np.isnan(found.values[[100, *range(200, 226)]]).all()
    assert found.left_out == 27
    assert "1 far from the hours beside, 26 unchanged for a day" in found.notes[0]


@pytest.fixture
def price() -> np.ndarray:
    random = np.random.default_rng(1)
    return 0.6 + 0.3 * np.sin(np.arange(HOURS) * 2 * np.pi / 24) + random.normal(0, 0.05, HOURS)


@pytest.mark.parametrize(
    ("factor", "unit"), [(1000 / 7.45, "EUR/MWh"), (100.0, "øre/kWh"), (1000.0, "DKK/MWh")]
)
def test_prices_in_another_unit_are_refused_with_it(price, factor, unit):
    with pytest.raises(InputError, match=f"expected 6 DKK/kWh at most.*{unit}"):
        judged_price(factor * price, TIME.to_numpy())


def test_limits_of_prices_are_those_of_the_market(price):
    """-500 and 4000 EUR/MWh, the harmonised limits of the single day-ahead coupling."""
    assert LIMITS["price_low"].value == pytest.approx(-3.725)
    assert LIMITS["price_high"].value == pytest.approx(29.8)
    price[[5, 9, 11]] = [-4.0, 30.0, 29.0]
    found = judged_price(price, TIME.to_numpy())
    assert np.flatnonzero(np.isnan(found.values)).tolist() == [5, 9]
    assert "2 h left out (2 beyond the market's limits" in found.notes[0]
    assert "29 DKK/kWh, more than Denmark has seen" in found.notes[1]


def test_prices_that_stand_or_are_unusually_low_are_told(price):
    price[100:140] = 0.5
    assert (
        "do not change for a day or longer in 40 h" in judged_price(price, TIME.to_numpy()).notes[0]
    )
    low = judged_price(price / 7.45 / 2, TIME.to_numpy()).notes
    assert "EUR/kWh?" in low[0]


def test_a_load_that_rises_with_the_temperature_is_told():
    degc = 2.0 + 4 * np.sin(np.arange(HOURS) / 60.0)
    assert load_signs(8 - 0.3 * degc, degc) == []
    assert "rises with the outdoor temperature" in load_signs(8 + 0.3 * degc, degc)[0]


def test_stamps_of_a_clock_on_the_wall_are_told():
    local = pd.date_range("2026-03-20", "2026-04-02", freq="h", tz="Europe/Copenhagen")
    told = local_clock(pd.DatetimeIndex(local.tz_localize(None)))
    assert "2026-03-29 02:00 is missing" in told[0]
    assert local_clock(pd.DatetimeIndex(local.tz_convert("UTC").tz_localize(None))) == []
