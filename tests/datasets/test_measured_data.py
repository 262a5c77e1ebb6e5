"""The measured data themselves: figures published with them, and balances that must hold."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tvilling.datasets.readers.measured import ait, dk_power, liege
from tvilling.datasets.registry import DATASETS, get, load
from tvilling.sciml.io.checksums import sha256_of

pytestmark = pytest.mark.data

DST_ENDS = ["2018-10-28", "2019-10-27", "2020-10-25", "2021-10-31", "2022-10-30"]


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_is_labelled_and_can_be_written(name, tmp_path):
    data = load(name)
    assert all("units" in variable.attrs for variable in data.data_vars.values())
    assert {"title", "source", "licence"} <= set(data.attrs)
    counts = {key: value for key, value in data.attrs.items() if isinstance(value, int)}
    assert counts
    assert min(counts.values()) >= 0
    data.to_netcdf(tmp_path / "data.nc", engine="h5netcdf")
    with warnings.catch_warnings():
        # A coordinate in seconds is offered as a span of time; the numbers are wanted here.
        warnings.simplefilter("ignore", FutureWarning)
        with xr.open_dataset(tmp_path / "data.nc", engine="h5netcdf") as again:
            assert set(again.variables) == set(data.variables)


def test_every_file_of_the_folder_is_registered_and_right(data_folder):
    registered = {
        data_folder / source.folder / file.name: file
        for source in DATASETS.values()
        for file in source.files
    }
    there = {path for path in data_folder.glob("*/*") if path.is_file()}
    assert there == set(registered)
    for path, file in registered.items():
        assert (path.stat().st_size, sha256_of(path)) == (file.size, file.sha256)


def test_get_finds_what_is_there(data_folder):
    assert get("ait") == data_folder / "pipe_ulg_ait"


def test_danish_prices_have_the_known_yearly_means():
    data = load("dk_prices")
    year = pd.DatetimeIndex(data["local_time"].to_numpy()).year
    means = data["price_dk1_dkk_per_kwh"].to_series().groupby(year).mean()
    expected = [0.328, 0.287, 0.186, 0.655, 1.629]
    np.testing.assert_allclose(means, expected, atol=6e-4)
    assert not data.to_dataframe().isna().to_numpy().any()


def test_danish_prices_run_through_both_changes_of_the_clock():
    """Five whole years in UTC: every hour once, 25 of them in local autumn days, 23 in spring."""
    data = load("dk_prices")
    time = pd.DatetimeIndex(data["time"].to_numpy())
    assert (np.diff(time) == np.timedelta64(1, "h")).all()
    assert len(time) == 24 * (4 * 365 + 366)
    by_zone = time.tz_localize("UTC").tz_convert("Europe/Copenhagen").tz_localize(None)
    assert (by_zone == data["local_time"].to_numpy()).all()
    per_day = pd.Series(1, by_zone.normalize()).groupby(level=0).sum()
    assert per_day.value_counts().to_dict() == {24: 1816, 25: 5, 23: 5}
    assert list(per_day[per_day == 25].index.strftime("%Y-%m-%d")) == DST_ENDS
    assert data.attrs["doubled_autumn_hours"] == 5
    assert data.attrs["invented_spring_hours"] == 5


def test_danish_consumption_loses_no_energy_at_the_clock_change(data_folder):
    """All but the three rows of hours that never were is in the result, each hour in its place."""
    table = pd.read_csv(data_folder / "dk_power" / dk_power.CONSUMPTION_FILE)
    never = table["HourDK"].str[:13].isin(["2020-03-29 02", "2021-03-28 02", "2022-03-27 02"])
    data = load("dk_consumption")
    total = table.loc[~never, "GrossConsumptionMWh"].sum()
    assert float(data["consumption_mwh_per_h"].sum()) == pytest.approx(total, rel=1e-12)
    split = data["consumption_mwh_per_h"].where(data["consumption_split"], drop=True)
    assert split.sizes["time"] == 2 * data.attrs["split_autumn_hours"] == 6
    assert ((split > 2000) & (split < 3500)).all()  # as the other hours of these nights
    missing = data.to_dataframe().isna().sum()
    assert (missing == (~missing.index.isin(["consumption_split"])).astype(int)).all()


def test_danish_price_files_agree():
    """Two files, two readers: the price of the one is the mean of the areas in the other."""
    prices = load("dk_prices")
    mean = (prices["price_dk1_dkk_per_kwh"] + prices["price_dk2_dkk_per_kwh"]) / 2
    other = load("dk_consumption")["price_dkk_per_kwh"].dropna("time")
    np.testing.assert_allclose(other, mean.sel(time=other["time"]), atol=1e-9)


def test_danish_weather_follows_the_sun_in_utc():
    """At 56 N, 10.5 E the sun rises at about 03 UTC in June and July, 08 in December and January.

    The coldest hour of the mean day follows sunrise; on the local clock it would be off by one to
    two hours.
    """
    outdoor = load("dk_consumption")["outdoor_degc"]
    for months, sunrise in (((6, 7), 3), ((12, 1), 8)):
        season = outdoor.where(outdoor["time"].dt.month.isin(months), drop=True)
        coldest = int(season.groupby("time.hour").mean().idxmin())
        assert abs(coldest - sunrise) <= 1


def test_flensburg_is_whole():
    data = load("flensburg")
    load_mw = data["heat_load_mw"]
    assert data.sizes["time"] == 26304 == 24 * (365 + 365 + 366)
    assert (float(load_mw.min()), float(load_mw.max())) == (19.0, 383.0)
    assert data.attrs["missing_hours"] == data.attrs["outliers"] == 0
    assert xr.corr(load_mw, data["outdoor_degc"]) < -0.85


def test_aalborg_meter_has_the_known_figures():
    data = load("aalborg")
    years = data.sizes["time"] / (24 * 365.25)
    assert float(data["energy_kwh"].sum()) / years == pytest.approx(17_200, abs=50)
    # The published medians count hours in which a register stood still as 0 °C.
    assert float(data["supply_degc"].median()) == pytest.approx(66.8, abs=0.1)
    assert float(data["return_degc"].median()) == pytest.approx(33.3, abs=0.1)
    assert (data["energy_kwh"] >= 0).all()
    assert data.attrs["register_resets"] == data.attrs["missing_hours"] == 0


def test_aalborg_heat_follows_from_flow_and_temperatures():
    """The heat register is volume times drop times 4.13 MJ/(m3 K), that of water at 50 °C.

    Where the volume is measured moves the figure by 0.7 %, and meters are good to 2 %. Days,
    because a unit of a register is too coarse for an hour.
    """
    data = load("aalborg", hours=24)
    drop_k = data["supply_degc"] - data["return_degc"]
    heat_kwh = 24 * data["flow_m3_per_h"] * 4.13 / 3.6 * drop_k
    assert float(heat_kwh.sum() / data["energy_kwh"].sum()) == pytest.approx(1.0, abs=0.02)
    hourly = load("aalborg")["energy_kwh"]
    days = hourly[: 24 * data.sizes["time"]].sum()
    assert float(data["energy_kwh"].sum()) == pytest.approx(float(days), rel=1e-12)


def test_aalborg_meter_is_among_the_buildings():
    meter = load("aalborg").attrs
    context = load("aalborg_context")
    building = context.sel(meter=int(meter["meter_id"]))
    assert int(building["customer"]) == int(meter["customer_id"])
    assert str(building["building"].item()) == "single_family_house"
    assert context.sizes["meter"] == 3127
    assert context.attrs["outliers"] == 3
    years = context["construction_year"].dropna("meter")
    assert float(years.min()) >= 1500
    assert float(years.max()) == 2022


@pytest.mark.parametrize("test", liege.TESTS)
def test_liege_pipe_loses_heat(test):
    """The front arrives after the water has had time to, and no warmer than it went in."""
    data = load("liege", test=test)
    assert (np.diff(data["time_s"]) > 0).all()
    inlet, outlet = data["water_inlet_degc"], data["water_outlet_degc"]
    middle = (float(inlet[0]) + float(inlet.max())) / 2
    entered = float(data["time_s"][np.argmax(inlet.to_numpy() > middle)])
    left = float(data["time_s"][np.argmax(outlet.to_numpy() > middle)])
    area_m2 = np.pi / 4 * data.attrs["inner_diameter_m"] ** 2
    passage_s = data.attrs["pipe_length_m"] * area_m2 * 990 / float(data["flow_kg_per_s"].median())
    assert 0.9 * passage_s < left - entered < 1.5 * passage_s
    assert float(outlet.max()) < float(inlet.max()) + 0.3


def test_liege_dead_sensor_is_named():
    data = load("liege")
    assert data.attrs["dead_sensors"] == "151202 wall_outlet_degc"
    assert data["row_count"].to_numpy().tolist() == [274, 179, 109, 112, 138, 2038, 116]
    one = data.sel(test="160118_1").isel(sample=slice(0, 116))
    xr.testing.assert_equal(
        one["water_outlet_degc"].drop_vars("test").rename(sample="time_s").variable,
        load("liege", test="160118_1")["water_outlet_degc"].variable,
    )


def test_ait_network_cools_on_the_way():
    data = load("ait")
    late = data.where(data["time_s"] > data.attrs["start_up_s"], drop=True)
    mean = late["water_degc"].mean("time_s")
    assert (mean.sel(point=1) > mean.sel(point=[2, 3, 4])).all()
    assert data.sizes["time_s"] == 672
    assert float(data["time_s"][-1]) == 671 * 900
    assert float((data["flow_kg_per_s"].sel(point=4) == 0).mean()) == pytest.approx(0.25, abs=0.05)


def test_ait_pipes_join_into_one_tree():
    """One way from point 1 to every other point, and one resistance for each bore."""
    ends = [pipe.end for pipe in ait.PIPES]
    assert len(set(ends)) == len(ends)
    assert {pipe.start for pipe in ait.PIPES} - set(ends) == {"point_1"}
    assert {"point_2", "point_3", "point_4"} <= set(ends)
    pairs = {(pipe.inner_diameter_m, pipe.resistance_mk_per_w) for pipe in ait.PIPES}
    assert pairs == {(0.0825, 4.764), (0.0273, 5.070)}
