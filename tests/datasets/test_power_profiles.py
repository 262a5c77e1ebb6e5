"""Courses of power of a grid: those of SimBench to the last bit, and those of a user's file."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tvilling.datasets import power_profiles
from tvilling.datasets.power_profiles import read_profiles
from tvilling.datasets.readers.power_grid.reader import PowerNet, read_power_net
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower
    import simbench

YEAR = 366 * 96
VILLAGE = "1-LV-rural1--2-sw"  # 13 loads, 4 static generators, and storages


@pytest.fixture(scope="module")
def village() -> PowerNet:
    return read_power_net(VILLAGE)


@pytest.fixture(scope="module")
def year(village: PowerNet) -> xr.Dataset:
    return read_profiles(village)


def assert_same_as_simbench(grid: PowerNet, courses: xr.Dataset) -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = simbench.get_absolute_values(grid.net, profiles_instead_of_study_cases=True)
    compared = set()
    for (kind, column), table in theirs.items():
        if table.shape[1]:
            found = courses[f"{kind}_{column}"]
            np.testing.assert_array_equal(found, table)
            np.testing.assert_array_equal(found[kind], table.columns)
            compared.add(f"{kind}_{column}")
    assert compared == set(courses)
    return compared


def test_a_year_is_that_of_simbench_to_the_last_bit(village: PowerNet, year: xr.Dataset) -> None:
    compared = assert_same_as_simbench(village, year)
    assert compared == {"load_p_mw", "load_q_mvar", "sgen_p_mw", "storage_p_mw"}
    assert year["load_p_mw"].dims == ("time", "load")
    assert year["load_name"].values.tolist() == village.net.load["name"].tolist()
    assert year["load_p_mw"].attrs["units"] == "MW"
    assert year["load_q_mvar"].attrs["units"] == "Mvar"


@pytest.mark.slow
@pytest.mark.parametrize("code", ["1-MV-urban--0-sw", "1-EHV-mixed--2-sw", "1-HV-urban--1-no_sw"])
def test_other_levels_are_those_of_simbench_too(code: str) -> None:
    grid = read_power_net(code)
    compared = assert_same_as_simbench(grid, read_profiles(grid))
    assert ("gen_p_mw" in compared) == code.startswith("1-EHV")


def test_the_clock_is_utc_all_year(year: xr.Dataset) -> None:
    time = pd.DatetimeIndex(year["time"].values)
    assert time.equals(pd.date_range("2015-12-31T23:00", periods=YEAR, freq="15min"))
    assert year.attrs["step_s"] == 900


def test_the_sun_does_not_jump_when_clocks_change(village: PowerNet, year: xr.Dataset) -> None:
    """In UTC the middle of the sun's power moves by minutes over two weeks, not by an hour."""
    sun = year["sgen_p_mw"][:, village.net.sgen["profile"].str.startswith("PV").to_numpy()]
    power = sun.sum("sgen").to_series()
    hour = power.index.hour + power.index.minute / 60
    for change in ("2016-03-27", "2016-10-30"):
        at = pd.Timestamp(change)
        middle = []
        for start in (at - pd.Timedelta(days=14), at):
            two_weeks = (power.index >= start) & (power.index < start + pd.Timedelta(days=14))
            middle.append(np.average(hour[two_weeks], weights=power[two_weeks]))
        assert abs(middle[1] - middle[0]) < 0.4


def test_large_courses_come_in_pieces(
    village: PowerNet, year: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power_profiles, "LAZY_BYTES", 1_000_000)
    monkeypatch.setattr(power_profiles, "PIECE_BYTES", 300_000)
    pieces = read_profiles(village)["load_p_mw"]
    assert len(pieces.chunks[0]) > 5
    np.testing.assert_array_equal(pieces, year["load_p_mw"])


def test_float32_is_the_same_to_its_last_digit(village: PowerNet, year: xr.Dataset) -> None:
    short = read_profiles(village, dtype=np.float32)["load_p_mw"]
    assert short.dtype == np.float32
    np.testing.assert_allclose(short, year["load_p_mw"], rtol=3e-7)


def test_damaged_profiles_are_told(village: PowerNet) -> None:
    def broken(change: str) -> PowerNet:
        net = pandapower.auxiliary.pandapowerNet(village.net)
        net["profiles"] = {name: table.copy() for name, table in net.profiles.items()}
        load = net["profiles"]["load"]
        column = next(name for name in load if name.endswith("_pload"))
        if change == "absent":
            load.drop(columns=column, inplace=True)
        elif change == "gap":
            load.loc[5, column] = np.nan
        elif change == "stamp":
            for table in net["profiles"].values():
                table.loc[3, "time"] = "soon"
        elif change == "other clock":
            load.loc[3, "time"] = "soon"
        else:
            net["profiles"] = {}
        return PowerNet(net, "village")

    for change, expected in {
        "absent": r"no profile \S+_pload, which is named by load",
        "gap": r"profile \S+_pload has steps without a value",
        "stamp": "row 3: time is 'soon', expected day.month.year hour:minute",
        "other clock": "column time differs from that of load",
        "none": "has no profiles of its own; name a file of them",
    }.items():
        with pytest.raises(InputError, match=expected):
            read_profiles(broken(change))


@pytest.fixture
def grid() -> PowerNet:
    net = pandapower.create_empty_network()
    pandapower.create_bus(net, 20.0)
    pandapower.create_ext_grid(net, 0)
    for name, power in (("mill", 3.0), ("farm", 2.0), ("farm", 1.0), ("1", 0.5)):
        pandapower.create_load(net, 0, power, power / 4, name=name)
    pandapower.create_sgen(net, 0, 0.7, name="sun")
    return PowerNet(net, "four loads")


def write(folder: Path, text: str) -> Path:
    path = folder / "courses.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_names_elements_by_name_or_index(grid: PowerNet, tmp_path: Path) -> None:
    """Load 1 is a farm, but a load has the name 1: names come first. Others keep their power."""
    text = (
        "time_utc,load_p_mw:mill,load_p_mw:2,load_p_mw:1,sgen_p_mw:sun\n"
        "2026-01-01T00:00,3.5,1.5,0.1,0\n2026-01-01T01:15+01:00,3.25,-1,0.2,0.4\n"
    )
    courses = read_profiles(grid, write(tmp_path, text))
    assert courses["load_p_mw"].values.tolist() == [[3.5, 2.0, 1.5, 0.1], [3.25, 2.0, -1.0, 0.2]]
    assert courses["sgen_p_mw"].values.tolist() == [[0.0], [0.4]]
    assert set(courses) == {"load_p_mw", "sgen_p_mw"}
    assert courses.attrs["step_s"] == 900
    assert courses["time"].values[0] == np.datetime64("2026-01-01T00:00")


def test_semicolons_go_with_either_decimal_sign(grid: PowerNet, tmp_path: Path) -> None:
    for text in ("2026-01-01;0,5\n2026-01-02;1\n", "2026-01-01;0.5\n2026-01-02;1\n"):
        courses = read_profiles(grid, write(tmp_path, f"time_utc;load_q_mvar:mill\n{text}"))
        assert courses["load_q_mvar"].values[:, 0].tolist() == [0.5, 1.0]


def test_what_is_written_as_netcdf_is_read_again(
    village: PowerNet, year: xr.Dataset, tmp_path: Path
) -> None:
    week = year.isel(time=slice(0, 672))
    week.to_netcdf(tmp_path / "week.nc", engine="h5netcdf")
    again = read_profiles(village, tmp_path / "week.nc")
    xr.testing.assert_equal(again, week)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time_utc,load_p_mw:barn\n2026-01-01,1\n", ["has no load of name or index 'barn'"]),
        ("time_utc,load_p_mw:farm\n2026-01-01,1\n", ["2 rows of load have this name"]),
        ("time_utc,load_mw:mill\n2026-01-01,1\n", ["load_mw is not known; known are load_p_mw"]),
        (
            "time_utc,load_p_mw:mill,load_p_mw:0\n2026-01-01,1,1\n",
            ["column load_p_mw:0: load_p_mw of this element stands more than once"],
        ),
        (
            "time_utc,load_p_mw:mill\n2026-01-01,\n2026-01-02,much\n2026-01-03,inf\n",
            ["2: has no value, expected a finite number [MW]", "3: is much", "4: is inf"],
        ),
        (
            "time_utc,load_p_mw:mill\n2026-01-02,1\n2026-01-01,1\n2026-01-01,1\nsoon,1\n",
            [
                "row 3: time is '2026-01-01', it lies before the row above it",
                "row 4: time is '2026-01-01', it stands more than once",
                "row 5: time is 'soon', expected a time such as 2026-01-12T05:15",
            ],
        ),
        ("time,load_p_mw:mill\n2026-01-01,1\n", ["column time_utc stands 0 times, expected once"]),
        ("time_utc\n2026-01-01\n", ["holds no course; expected columns such as load_p_mw:NAME"]),
        ("time_utc,load_p_mw:mill\n", ["has no rows behind the header"]),
        ("time_utc,load_p_mw:mill\n2026,1,2\n", ["the header has 2 cells, the rows 3"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_file_is_told(
    text: str, expected: list[str], grid: PowerNet, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_profiles(grid, write(tmp_path, text))
    assert len(caught.value.faults) == len(expected)
    for fragment in expected:
        assert fragment in str(caught.value)


def test_faults_of_netcdf_are_told(grid: PowerNet, tmp_path: Path) -> None:
    time = pd.date_range("2026-01-01", periods=2)
    power = np.array([[1.0, 2.0], [np.nan, 4.0]])
    files = {
        "has no coordinate time": xr.Dataset({"load_p_mw": (("step", "load"), power)}),
        "load_p_mw: lies over (load, time), expected (time, load)": xr.Dataset(
            {"load_p_mw": (("load", "time"), power)}, {"time": time, "load": [0, 1]}
        ),
        "load_p_mw: load has no indices or names": xr.Dataset(
            {"load_p_mw": (("time", "load"), power)}, {"time": time}
        ),
        "load_p_mw, load mill, row 3: has no value": xr.Dataset(
            {"load_p_mw": (("time", "load"), power)}, {"time": time, "load": ["mill", "2"]}
        ),
    }
    for at, (expected, data) in enumerate(files.items()):
        path = tmp_path / f"{at}.nc"
        data.to_netcdf(path, engine="h5netcdf")
        with pytest.raises(InputError) as caught:
            read_profiles(grid, path)
        assert len(caught.value.faults) == 1
        assert expected in str(caught.value)
    (tmp_path / "text.nc").write_text("time")
    with pytest.raises(InputError, match="cannot be read as NetCDF 4"):
        read_profiles(grid, tmp_path / "text.nc")
