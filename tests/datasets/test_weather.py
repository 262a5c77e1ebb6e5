"""Weather of a winter week: the record, the formula that stands in for it, and the ground."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.weather import (
    SOIL_M2_PER_S,
    YEAR_S,
    ground_degc,
    synthetic_outdoor_degc,
    winter_week,
)
from tvilling.sciml.core.errors import InputError

RAW = "dk_power/denmark_consumption_weather_2020_2022.csv"


@pytest.fixture(scope="module")
def raw(data_folder: Path) -> pd.Series:
    table = pd.read_csv(data_folder / RAW, parse_dates=["HourDK"])
    return table.set_index("HourDK")["temp_mean_past1h"]


@pytest.mark.data
def test_recorded_week_is_the_coldest_of_the_record(raw: pd.Series) -> None:
    week = winter_week()
    assert week.sizes["time"] == 7 * 96
    assert week["time"].values[0] == np.datetime64("2021-02-08")
    assert "recorded" in week.attrs["source"]
    by_week = raw.resample("W").mean()
    assert by_week.idxmin() == pd.Timestamp("2021-02-14")
    assert float(week["outdoor_degc"].mean()) == pytest.approx(by_week.min(), abs=0.1)


@pytest.mark.data
def test_hourly_means_of_the_steps_give_the_record_back(raw: pd.Series) -> None:
    """The weather columns run on UTC; half an hour of interpolation leaves about 0.1 K."""
    week = winter_week(step_s=300.0)["outdoor_degc"]
    hourly = week.resample(time="1h").mean().to_pandas()
    # An hour that begins at h by the local clock ends at h UTC, which is how the record stamps it.
    error = hourly.to_numpy() - raw.reindex(hourly.index).to_numpy()
    assert np.sqrt(np.mean(error**2)) < 0.15


@pytest.mark.data
def test_days_outside_the_record_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected days from 2020-01-0[12] to 2022-12-3[01]"):
        winter_week("2023-01-02", recorded=True)


@pytest.mark.data
def test_constants_are_those_of_the_record(raw: pd.Series) -> None:
    """Degree-hours of the normal year, and the sine behind the ground temperature."""
    from tvilling.datasets.simulated.building_stock import BASE_DEGC, NORMAL_DEGREE_HOURS
    from tvilling.datasets.weather import COLDEST_DAY, YEAR_MEAN_DEGC, YEAR_SWING_K

    degree_hours = (BASE_DEGC - raw).clip(lower=0).sum() / 3
    assert degree_hours == pytest.approx(NORMAL_DEGREE_HOURS, rel=1e-3)
    turn = 2 * np.pi * np.arange(len(raw)) / 24 / 365.25
    design = np.stack([np.ones(len(raw)), np.cos(turn), np.sin(turn)], axis=1)
    mean, cosine, sine = np.linalg.lstsq(design, raw.to_numpy(), rcond=None)[0]
    assert mean == pytest.approx(YEAR_MEAN_DEGC, abs=0.05)
    assert np.hypot(cosine, sine) == pytest.approx(YEAR_SWING_K, abs=0.05)
    coldest = np.arctan2(-sine, -cosine) / (2 * np.pi) * 365.25
    assert coldest == pytest.approx(COLDEST_DAY, abs=0.5)
    winter = raw[raw.index.month.isin([12, 1, 2])].resample("D").mean().std()
    assert winter == pytest.approx(2.5, abs=0.05)


def test_without_the_record_the_week_is_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TVILLING_DATA", raising=False)
    week = winter_week(step_s=3600.0)
    assert "synthetic" in week.attrs["source"]
    assert week["outdoor_degc"].attrs["units"] == "degC"
    np.testing.assert_array_equal(
        week["outdoor_degc"], synthetic_outdoor_degc(np.arange(168) * 3600.0)
    )
    days = week["outdoor_degc"].resample(time="D").mean()
    assert float(days.std()) == pytest.approx(2.3, abs=0.05)
    assert int(np.argmin(days.to_numpy())) == 2
    assert -8 < float(week["outdoor_degc"].min()) < float(week["outdoor_degc"].max()) < 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "yesterday-ish"}, "expected a date"),
        ({"step_s": 0.0}, "expected 1 to 86400 s"),
        ({"days": 0}, "expected 1 to 366"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        winter_week(recorded=False, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "2021-07-01"}, "leaves November to March"),
        ({"start": "2021-03-28"}, "leaves November to March"),
        ({"start": "2021-10-31"}, "leaves November to March"),
        ({"start": "2021-01-01", "days": 15}, "longer than the synthetic winter week holds"),
    ],
)
@pytest.mark.parametrize("recorded", [None, False])
def test_the_winter_formula_is_refused_where_it_does_not_hold(
    settings: dict, message: str, recorded: bool | None, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.delenv("TVILLING_DATA", raising=False)
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))
    with pytest.raises(InputError, match=message) as error:
        winter_week(recorded=recorded, **settings)
    assert "TVILLING_DATA" in str(error.value)


def test_the_winter_formula_holds_over_the_new_year_for_14_days() -> None:
    assert winter_week("2030-12-25", days=14, recorded=False).attrs["kind"] == "synthetic"


def test_a_start_at_noon_keeps_the_warm_hour_of_the_day() -> None:
    day = winter_week("2021-02-08T12:00", 3600.0, 1, recorded=False)["outdoor_degc"]
    np.testing.assert_array_equal(day, synthetic_outdoor_degc((12.0 + np.arange(24)) * 3600.0))


@pytest.mark.data
def test_days_outside_the_record_fall_back_only_where_the_formula_holds() -> None:
    week = winter_week("2024-01-08")
    assert week.attrs["kind"] == "synthetic"
    assert "2024-01-08 to 2024-01-14 is not in the Danish record" in week.attrs["source"]
    assert winter_week("2021-07-01").attrs["kind"] == "recorded"
    with pytest.raises(InputError, match="leaves November to March"):
        winter_week("2024-07-01")


def test_ground_temperature_solves_the_heat_equation() -> None:
    """dT/dt = a d2T/dz2, by central differences over an hour and five centimetres."""
    time, hour, step_m = pd.Timestamp("2021-05-03"), pd.Timedelta(hours=1), 0.05
    for depth_m in (0.5, 1.0, 3.0):

        def at(when: pd.Timestamp, depth: float = depth_m) -> float:
            return float(ground_degc(pd.DatetimeIndex([when]), depth)[0])

        rise = (at(time + hour) - at(time - hour)) / 7200
        bend = at(time, depth_m + step_m) - 2 * at(time) + at(time, depth_m - step_m)
        assert rise == pytest.approx(SOIL_M2_PER_S * bend / step_m**2, rel=2e-3)


def test_ground_lags_and_damps_with_depth() -> None:
    year = pd.date_range("2021-01-01", "2021-12-31", freq="D")
    shallow, deep = ground_degc(year, 0.0), ground_degc(year, 2.0)
    damping = 2.0 / np.sqrt(SOIL_M2_PER_S * YEAR_S / np.pi)
    assert np.ptp(deep) / np.ptp(shallow) == pytest.approx(np.exp(-damping), rel=1e-3)
    lag = int(deep.argmax()) - int(shallow.argmax())
    assert lag == pytest.approx(damping * 365.25 / (2 * np.pi), abs=1.01)


def test_a_data_folder_without_the_record_gives_the_synthetic_week(tmp_path, monkeypatch):
    monkeypatch.setenv("TVILLING_DATA", str(tmp_path))
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    assert "synthetic" in winter_week().attrs["source"]
    with pytest.raises(InputError):
        winter_week(recorded=True)
