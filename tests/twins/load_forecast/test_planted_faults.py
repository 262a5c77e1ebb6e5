"""Faults planted into a measured heat load: left out and told, and the interval still holds."""

from collections.abc import Callable

import numpy as np
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load import ForecastSettings, fit
from tvilling.twins.forecasting.load.measured import measured_history
from tvilling.twins.forecasting.load.series import read_series

pytestmark = pytest.mark.data

AHEAD_H = 48
SETTINGS = ForecastSettings(
    hours=AHEAD_H,
    model="naive_day",
    weather="last_observed",
    zone=None,
    country="de",
    weather_names=("outdoor_degc",),
)


def zeros(load: np.ndarray) -> None:
    load[-48:] = 0.0


def spike(load: np.ndarray) -> None:
    load[-1] *= 60.0


def spikes(load: np.ndarray) -> None:
    load[-24 * 60 :: 97] *= 15.0


def stuck(load: np.ndarray) -> None:
    load[-96:-60] = load[-96]


def kilowatts(load: np.ndarray) -> None:
    load[-24 * 12 : -24 * 6] *= 1000.0


def tenths(load: np.ndarray) -> None:
    load[-400:-300] *= 0.1


FAULTS = {fault.__name__: fault for fault in (zeros, spike, spikes, stuck, kilowatts, tenths)}


@pytest.fixture(scope="module")
def flensburg():
    return measured_history("flensburg")


def history(data, end: int, fault: Callable[[np.ndarray], None] | None, days: int = 180):
    part = data.isel(time=slice(end - 24 * days, end)).copy(deep=True)
    load = part["load_mw"].values.copy()
    if fault is not None:
        fault(load)
    part["load_mw"] = ("time", load)
    return part


def test_three_years_of_a_real_load_have_no_fault(flensburg):
    assert read_series(flensburg, SETTINGS).notes == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_left_out_to_the_hour_and_told(flensburg, name):
    right, faulty = (history(flensburg, 24 * 500, fault) for fault in (None, FAULTS[name]))
    series = read_series(faulty, SETTINGS)
    changed = right["load_mw"].values != faulty["load_mw"].values
    assert changed.any()
    assert not (changed & np.isfinite(series.load_mw)).any()
    assert np.isnan(series.load_mw).sum() <= changed.sum() + 4  # hours stuck at what they were
    assert "h left out" in series.notes[0]


def test_the_forecast_tells_what_was_left_out(flensburg):
    faulty = history(flensburg, 24 * 500, zeros)
    end = flensburg["time"].values[24 * 500]
    told = fit(faulty, SETTINGS).forecast(faulty, None, 24, start=end)
    assert "48 h left out (48 at zero" in told.attrs["notes"]
    assert float(told["load_mw"].mean()) > 50.0


def test_a_load_of_zeros_is_refused(flensburg):
    faulty = history(flensburg, 24 * 500, None)
    faulty["load_mw"][24 * 60 :] = 0.0
    with pytest.raises(InputError, match="not plausible"):
        read_series(faulty, SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zeros", "spike", "spikes"])
def test_the_interval_of_90_percent_holds_behind_a_fault(flensburg, name):
    """24 origins over two years, 48 h each: 85 to 95 % of what came lies in the interval."""
    settings = ForecastSettings(
        hours=72, model="ridge", weather="perfect", zone=None, country="de",
        weather_names=("outdoor_degc",), max_rows=4000,
    )  # fmt: skip
    held = []
    for end in np.linspace(24 * 365, flensburg.sizes["time"] - 24 * 5, 24).astype(int):
        faulty = history(flensburg, int(end), FAULTS[name], days=150)
        ahead = flensburg[["outdoor_degc"]].isel(time=slice(end - 80, end + 80))
        told = fit(faulty, settings).forecast(
            faulty, ahead, 48, start=flensburg["time"].values[end]
        )["load_quantile_mw"]
        came = flensburg["load_mw"].values[end : end + 48]
        low, high = told.sel(quantile=0.05).values, told.sel(quantile=0.95).values
        held.append((came >= low) & (came <= high))
    assert 0.85 <= np.mean(held) <= 0.95
