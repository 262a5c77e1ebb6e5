"""Backtests: the days that are run, what is known in each, and the bounds on recorded years."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tvilling.apps.cli.main import app
from tvilling.apps.plant.backtest import by_year, run_backtest
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import gather, to_local
from tvilling.apps.plant.replay import loads_ahead, moments_of, planning_hours, replay
from tvilling.apps.plant.report.table import ways_table
from tvilling.apps.shared.case_file import read_case
from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE
from tvilling.sciml.core.errors import InputError

CASES = Path(__file__).parents[3] / "cases"
SYNTHETIC = [
    "load={kind: stock, annual_mwh: 43000}",
    "weather.source=synthetic",
    "prices.source=synthetic",
    "forecast.model=ridge",
    "forecast.history_days=60",
]


def synthetic(*overrides):
    return read_case(CASES / "backtest_dk1.yaml", [*SYNTHETIC, *overrides], PlantCase)


def test_a_period_is_cut_at_the_danish_new_year():
    cut = by_year((date(2024, 12, 30), date(2025, 1, 2)))
    assert {year: (str(one.first)[:16], str(one.stop)[:16]) for year, one in cut.items()} == {
        2024: ("2024-12-29T23:00", "2024-12-31T23:00"),
        2025: ("2024-12-31T23:00", "2025-01-02T23:00"),
    }
    assert len(by_year((date(2024, 1, 1), date(2024, 12, 31)))[2024].time) == 8784


@pytest.mark.parametrize("days", [(3, 2), (3, 3)])
def test_a_period_too_short_is_refused(days):
    with pytest.raises(InputError, match="two days or more"):
        by_year((date(2025, 1, days[0]), date(2025, 1, days[1])))


def test_plans_are_made_at_the_same_danish_hour_over_a_change_of_the_clock():
    case = synthetic()
    stretch = by_year((date(2025, 3, 28), date(2025, 3, 31)))[2025]
    moments = moments_of(case, stretch)
    local = to_local(stretch.time[moments])
    assert local.hour.tolist() == [0, 13, 13, 13, 13]
    assert np.diff(moments).tolist() == [13, 24, 23, 24]


def test_planning_hours_of_every_few_hours():
    assert planning_hours(synthetic("backtest.every_h=6")) == (1, 7, 13, 19)
    assert planning_hours(synthetic()) == (13,)


def test_no_forecast_looks_at_the_load_that_came_after_it():
    """Loads after a moment are half as high again: the forecasts made before it do not move."""
    case = synthetic()
    path = CASES / "backtest_dk1.yaml"
    stretch = by_year((date(2025, 2, 1), date(2025, 2, 6)))[2025]
    facts = gather(case, path, stretch.first, stretch.stop)
    moments = moments_of(case, stretch)
    ahead, _ = loads_ahead(case, facts, stretch, moments)
    changed = facts.record.copy(deep=True)
    at = stretch.time[moments[3]]
    changed["load_mw"].loc[{"time": slice(at, None)}] *= 1.5
    other, _ = loads_ahead(case, type(facts)(changed, False), stretch, moments)
    for step in moments[1:4].tolist():
        np.testing.assert_allclose(ahead[step], other[step], rtol=1e-12)
    assert np.abs(ahead[int(moments[4])] - other[int(moments[4])]).max() > 0.1


@pytest.fixture(scope="module")
def week():
    stretch = by_year((date(2025, 2, 3), date(2025, 2, 9)))[2025]
    return replay(synthetic(), CASES / "backtest_dk1.yaml", stretch)


def test_a_week_stands_between_its_bounds(week):
    ways = {way.name: way for way in ways_table(week)}
    cost = {name: way.cost_dkk for name, way in ways.items()}
    assert list(ways) == [NO_TANK, RULE, PLANNED, BEST]
    assert cost[BEST] <= cost[PLANNED] < cost[NO_TANK]
    assert cost[BEST] <= cost[RULE]
    assert ways[PLANNED].unserved_mwh == pytest.approx(0.0, abs=1e-9)
    assert week.attrs["plans"] == 8
    assert week.attrs["fallbacks"] == 0
    assert 0 < week.attrs["forecast_mae_mw"] < 0.7


def test_heat_made_is_heat_drawn_and_stored(week):
    """Hour by hour, with the tank's losses: at most 2 % of the tank an hour may be lost."""
    one = week.sel(way=PLANNED)
    level = np.concatenate([[one.attrs["tank_before_mwh"]], one["tank_mwh"].values])
    into = one["heat_mw"].sum("unit").values - one["load_mw"].values
    lost = into - np.diff(level)
    assert lost.min() > 0
    assert lost.max() < 0.02 * one.attrs["tank_capacity_mwh"]


def test_the_command_writes_a_folder_and_a_table(tmp_path):
    answer = CliRunner().invoke(
        app,
        ["backtest", str(CASES / "backtest_dk1.yaml"), "--from", "2025-12-30", "--to", "2026-01-02",
         "--out", str(tmp_path), *(part for text in SYNTHETIC for part in ("--set", text)),
         "--set", "backtest.load=perfect"],
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} >= {
        "backtest_2025.nc", "backtest_2026.nc", "report_2025.html", "report_2026.html",
        "summary.json", "case.yaml",
    }  # fmt: skip
    assert "perfect: the true load" in answer.output
    assert "reports: " in answer.output


def test_a_period_outside_the_record_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("TVILLING_DATA", raising=False)
    monkeypatch.setenv("TVILLING_CACHE", str(tmp_path))
    answer = CliRunner().invoke(
        app,
        ["backtest", str(CASES / "backtest_dk1.yaml"), "--from", "2031-01-01", "--to", "2031-01-09",
         "--out", str(tmp_path / "out")],
    )  # fmt: skip
    assert isinstance(answer.exception, InputError)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_cluster_gives_the_same(tmp_path):
    path, period = CASES / "backtest_dk1.yaml", (date(2025, 12, 29), date(2026, 1, 2))
    here = run_backtest(path, period, SYNTHETIC, tmp_path / "a")
    there = run_backtest(path, period, SYNTHETIC, tmp_path / "b", "local")
    for year, data in here.years.items():
        np.testing.assert_allclose(there.years[year]["tank_mwh"], data["tank_mwh"], atol=1e-6)


def recorded(year, load):
    known = [f"backtest.load={load}", f"weather.ahead={load}"]
    case = read_case(CASES / "backtest_dk1.yaml", known, PlantCase)
    stretch = by_year((date(year, 1, 1), date(year, 12, 31)))[year]
    data = replay(case, CASES / "backtest_dk1.yaml", stretch)
    return {way.name: way.cost_dkk for way in ways_table(data)}


def check_year(year):
    """Bounds that a plant on recorded prices of DK1 is held to."""
    perfect, forecast = (recorded(year, load) for load in ("perfect", "forecast"))
    assert perfect[PLANNED] < 1.006 * perfect[BEST]
    assert perfect[PLANNED] < 0.95 * perfect[NO_TANK]
    assert perfect[PLANNED] < perfect[RULE]
    assert forecast[PLANNED] < 1.015 * forecast[BEST]
    assert forecast[PLANNED] < forecast[RULE]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_a_recorded_year_is_planned_next_to_perfect_foresight(year):
    check_year(year)
