"""Histories: what is refused, what is bridged, and what is counted."""

import numpy as np
import pandas as pd
import pytest
from town_load import town_history

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load.series import lengthened, read_series, without_future
from tvilling.twins.forecasting.load.settings import ForecastSettings

SETTINGS = ForecastSettings()


def test_every_fault_is_told_at_once():
    history = town_history(20)
    history.iloc[3, 1] = 400.0
    history.iloc[5, 0] = np.inf
    index = history.index.to_list()
    index[7] = index[6]
    with pytest.raises(InputError) as caught:
        read_series(history.set_axis(index), SETTINGS)
    told = str(caught.value)
    assert "3 faults" in told
    assert "2021-01-01 06:00:00 stands twice" in told
    assert "outdoor_degc is 400 °C, expected -60 to 60 °C" in told
    assert "load_mw is inf MW" in told


def test_hours_between_whole_hours_and_backwards_are_refused():
    history = town_history(20)
    with pytest.raises(InputError, match="no whole hour"):
        read_series(history.set_axis(history.index + pd.Timedelta(minutes=30)), SETTINGS)
    with pytest.raises(InputError, match="behind a later hour"):
        read_series(history.iloc[::-1], SETTINGS)


def test_a_week_is_too_short():
    with pytest.raises(InputError, match="known in 168 h, expected 192 h or more"):
        read_series(town_history(7), SETTINGS)


def test_a_gap_takes_the_day_before_and_is_counted():
    history = town_history(20)
    gap = slice(24 * 10 + 5, 24 * 12 + 1)
    whole = history["load_mw"].to_numpy().copy()
    history.iloc[gap, 0] = np.nan
    history = history.drop(history.index[24 * 15 : 24 * 15 + 3])  # absent, not NaN
    series = read_series(history, SETTINGS)
    assert series.missing_h == 20 + 24 + 3
    assert np.isnan(series.load_mw[gap]).all()
    np.testing.assert_array_equal(series.bridged_mw[245:264], whole[221:240])
    np.testing.assert_array_equal(series.bridged_mw[269:288], whole[221:240])
    np.testing.assert_array_equal(series.bridged_mw[264:269], whole[240:245])


def test_zones_of_an_index_become_utc():
    history = town_history(20)
    local = history.tz_localize("UTC").tz_convert("Europe/Copenhagen")
    np.testing.assert_array_equal(read_series(local, SETTINGS).time, history.index.to_numpy())


def test_a_dataset_is_read_like_a_table():
    history = town_history(20)
    data = history.rename_axis("time").to_xarray()
    np.testing.assert_array_equal(
        read_series(data, SETTINGS).load_mw, read_series(history, SETTINGS).load_mw
    )


def test_the_past_of_a_series_ends_before_its_start():
    series = without_future(read_series(town_history(20), SETTINGS), "2021-01-15T07")
    assert series.time[-1] == np.datetime64("2021-01-15T06")
    assert series.end == len(series.time)
    longer = lengthened(series, 30)
    assert np.isnan(longer.load_mw[-30:]).all()
    outdoor = longer.weather["outdoor_degc"]
    np.testing.assert_array_equal(outdoor[-30:-6], outdoor[-54:-30])
    with pytest.raises(InputError, match="expected 192 h or more"):
        without_future(series, "2021-01-03")
