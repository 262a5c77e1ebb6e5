"""A plan begins where the plant stands: by the meter of the tank, or as the last plan foresaw."""

import numpy as np
import pytest
from plant_files import meters, write_case

from tvilling.apps.plant.plan import run_plan

DAY_TWO = "2026-02-17T13:00"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))


def days(tmp_path, table=None):
    """Plans of two days that follow each other, on meters that know both."""
    case = write_case(tmp_path, meters(DAY_TWO) if table is None else table)
    first = run_plan(case, (), tmp_path / "runs")
    second = run_plan(case, [f"plan.moment={DAY_TWO}"], tmp_path / "runs")
    return first, second


def test_the_second_day_begins_where_the_first_plan_ended(tmp_path):
    first, second = days(tmp_path)
    before, after = (one.data.sel(way="plan") for one in (first, second))
    assert after.attrs["tank_before_mwh"] == pytest.approx(float(before["tank_mwh"][23]))
    np.testing.assert_array_equal(after["on_before"], before["on"].isel(time=23))
    assert "as the last plan foresaw" in second.summary["stood"]
    assert "half full" in first.summary["stood"]
    assert int(before["on"].isel(time=23).sum()) > 0
    running = [str(name) for name in before["unit"].values[before["on"].isel(time=23) > 0]]
    starts = second.summary["ways"]["plan"]["unit_starts"]
    still = after["on"].isel(time=0).sel(unit=running).values.astype(bool)
    assert all(starts[name] == 0 for name, on in zip(running, still, strict=True) if on and
               after["on"].sel(unit=name).values.all())  # fmt: skip


def test_the_meter_of_the_tank_goes_before_the_last_plan(tmp_path):
    table = meters(DAY_TWO)
    table["tank_mwh"] = 11.5
    table.iloc[-200:, table.columns.get_loc("tank_mwh")] = np.nan
    table.loc["2026-02-17T10:00", "tank_mwh"] = 12.25
    _, second = days(tmp_path, table)
    assert second.data.attrs["tank_before_mwh"] == pytest.approx(12.25)
    assert "12.2 MWh, by its meter" in second.summary["stood"]


def test_what_the_case_says_goes_first(tmp_path):
    table = meters()
    table["tank_mwh"] = 11.5
    case = write_case(tmp_path, table)
    made = run_plan(case, ["plan.tank_mwh=7"], tmp_path / "runs")
    assert made.data.attrs["tank_before_mwh"] == 7.0


def test_a_reading_that_is_old_does_not_count(tmp_path):
    table = meters()
    table["tank_mwh"] = np.nan
    table.loc["2026-02-16T02:00", "tank_mwh"] = 11.5
    made = run_plan(write_case(tmp_path, table), (), tmp_path / "runs")
    assert "half full" in made.summary["stood"]
