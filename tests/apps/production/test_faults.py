"""What goes wrong at a plant, thing by thing: there is always a plan, and the ledger says why."""

import json

import numpy as np
import pandas as pd
import pytest
from plant_files import MOMENT, meters, write_case
from typer.testing import CliRunner

from tvilling.apps.cli.main import app
from tvilling.apps.plant.plan import run_plan
from tvilling.sciml.core.errors import InputError
from tvilling.twins.ledger import Ledger, verify

AT = pd.Timestamp("2026-02-16T12:00")  # the moment, UTC


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("TVILLING_HOME", str(folder))
    return folder


def planned(tmp_path, table=None, moment=MOMENT, **changes):
    return run_plan(write_case(tmp_path, table, moment, **changes), (), tmp_path / "runs")


def last_line(home):
    """Facts of the last line of the ledger, which holds."""
    assert verify(home / "ledger.jsonl").ok
    return list(Ledger(home / "ledger.jsonl").read())[-1]["facts"]


def test_with_everything_there_it_is_a_plan(tmp_path, home):
    made = planned(tmp_path)
    told = last_line(home)
    assert (told["how"], told["reason"]) == ("plan", "")
    assert told["gap"] <= 0.005
    assert told["warnings"] == made.warnings == []
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "SHA256SUMS", "case.yaml", "log.jsonl", "plan.nc", "report.html", "summary.json",
    ]  # fmt: skip
    summary = json.loads((made.folder / "summary.json").read_text())
    assert {**summary, "event": "plan"} == told
    assert float(made.data["unserved_mw"].sel(way="plan").sum()) == 0.0
    assert int(made.data["published"].sum()) == 35


def test_without_tomorrow_s_prices_the_rule_steps_in(tmp_path, home):
    table = meters()
    table.loc[AT + pd.Timedelta(hours=11) :, "price_dkk_per_kwh"] = np.nan
    made = planned(tmp_path, table)
    told = last_line(home)
    assert told["how"] == "rule"
    assert "24 of 35 published prices are missing" in told["reason"]
    rule, plan = (made.data["load"].sel(way=name) for name in ("merit order", "plan"))
    np.testing.assert_array_equal(plan, rule)


def test_three_missing_prices_are_bridged_and_told(tmp_path, home):
    table = meters()
    table.loc[AT + pd.to_timedelta([3, 4, 5], "h"), "price_dkk_per_kwh"] = np.nan
    planned(tmp_path, table)
    told = last_line(home)
    assert told["how"] == "plan"
    assert "3 of 35 published prices are missing" in told["warnings"][0]


def test_a_meter_that_failed_for_hours_is_bridged_and_told(tmp_path, home):
    table = meters()
    table.loc[AT - pd.to_timedelta([30, 31, 32, 50], "h"), "load_mw"] = np.nan
    planned(tmp_path, table)
    told = last_line(home)
    assert told["how"] == "plan"
    assert "4 hours of load are missing in the history" in told["warnings"]


def test_a_meter_that_failed_all_day_leaves_a_simpler_forecast_with_its_reason(tmp_path, home):
    table = meters()
    table.loc[AT - pd.Timedelta(hours=22) : AT - pd.Timedelta(hours=2), "load_mw"] = np.nan
    planned(tmp_path, table)
    told = last_line(home)
    assert told["how"] == "plan"
    assert told["forecast_model"].startswith("naive")
    assert any("of the last 24 h of load only" in line for line in told["warnings"])


def test_data_a_day_late_are_planned_on_and_told(tmp_path, home):
    table = meters()
    table.loc[AT - pd.Timedelta(hours=24) :, "load_mw"] = np.nan
    planned(tmp_path, table)
    told = last_line(home)
    assert told["how"] == "plan"
    assert any("the load ends 24 h before" in line for line in told["warnings"])


def test_a_unit_out_of_service_stands_and_is_told(tmp_path, home):
    outage = {"unit": "heat pump", "start": "2026-02-16T18:00", "end": "2026-02-17T08:00",
              "reason": "compressor"}  # fmt: skip
    made = planned(tmp_path, outages=[outage])
    heat = made.data["heat_mw"].sel(way="plan", unit="heat pump")
    out = heat.sel(time=slice("2026-02-16T17:00", "2026-02-17T06:00"))
    assert out.sizes["time"] == 14
    assert float(np.abs(out).max()) == 0.0
    assert float(heat.max()) > 0.9
    assert any("compressor" in line for line in last_line(home)["warnings"])


def test_a_search_that_runs_out_of_time_gives_way_to_the_rule(tmp_path, home):
    plan = {"moment": MOMENT, "horizon_h": 48, "gap": 0.0, "limit_s": 0.001}
    planned(tmp_path, plan=plan)
    told = last_line(home)
    assert told["how"] == "rule"
    assert "time limit" in told["reason"]


@pytest.mark.parametrize(
    ("moment", "published"),
    [("2026-03-28T13:00", 34), ("2026-03-29T13:00", 35), ("2026-10-24T13:00", 36)],
)
def test_a_plan_over_a_change_of_the_clock_has_every_hour_once(tmp_path, home, moment, published):
    made = planned(tmp_path, meters(moment), moment)
    time = made.data.indexes["time"]
    assert (np.diff(time) == np.timedelta64(1, "h")).all()
    assert int(made.data["published"].sum()) == published
    assert last_line(home)["how"] == "plan"


def test_without_any_data_the_last_plan_is_held(tmp_path, home):
    first = planned(tmp_path)
    (tmp_path / "meters.csv").unlink()
    case = tmp_path / "case.yaml"
    held = run_plan(case, ["plan.moment=2026-02-17T13:00"], tmp_path / "runs")
    told = last_line(home)
    assert told["how"] == "hold"
    assert "meters.csv" in told["reason"]
    assert told["held_from"] == first.folder.name
    before = first.data["load"].sel(way="plan").values
    after = held.data["load"].sel(way="plan").values
    np.testing.assert_array_equal(after[:, :24], before[:, 24:])
    np.testing.assert_array_equal(after[:, 24:], before[:, 24:])
    assert "meters.csv" in (held.folder / "report.html").read_text()


def test_without_data_and_without_a_plan_nothing_is_written(tmp_path, home):
    case = write_case(tmp_path)
    (tmp_path / "meters.csv").unlink()
    with pytest.raises(InputError, match=r"meters\.csv"):
        run_plan(case, (), tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("*"))
    assert not (home / "ledger.jsonl").exists()


def test_a_tampered_ledger_is_found_by_the_command(tmp_path, home):
    planned(tmp_path)
    planned(tmp_path)
    path = home / "ledger.jsonl"
    assert CliRunner().invoke(app, ["ledger", "verify", str(path)]).exit_code == 0
    path.write_text(path.read_text().replace('"how": "plan"', '"how": "rule"', 1))
    answer = CliRunner().invoke(app, ["ledger", "verify", str(path)])
    assert answer.exit_code == 3
    assert "line 1" in answer.output


def test_charges_beyond_their_last_year_are_carried_over_and_told(tmp_path, home):
    moment = "2026-12-30T13:00"
    made = planned(tmp_path, meters(moment), moment)
    assert last_line(home)["how"] == "plan"
    assert any("of 2026 are taken" in line for line in made.warnings)


def test_a_week_ahead_is_planned_on_a_meter_that_is_late(tmp_path, home):
    table = meters(days_ahead=8)
    table.loc[AT - pd.Timedelta(hours=3) :, "load_mw"] = np.nan
    plan = {"moment": MOMENT, "horizon_h": 168, "gap": 0.02, "limit_s": 20, "commitment": False}
    made = planned(tmp_path, table, plan=plan)
    assert made.data.sizes["time"] == 168
    assert any("the load ends 3 h before" in line for line in made.warnings)
