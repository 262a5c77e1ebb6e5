"""What a user states of prices, units and outages is used, or told."""

import numpy as np
import pandas as pd
import pytest
from plant_files import MOMENT, meters, write_case

from tvilling.apps.plant import planning
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.check import Checked
from tvilling.apps.plant.inputs.forecast_inputs import prices_ahead
from tvilling.apps.plant.inputs.known import HOUR, conditions, gather, moment_of, unverified
from tvilling.apps.plant.plan_warnings import plan_warnings
from tvilling.apps.plant.planning import make_plan
from tvilling.apps.plant.replay import Stretch, _known
from tvilling.apps.plant.report.assumptions import plan_assumptions
from tvilling.apps.plant.report.labelled import plan_data
from tvilling.apps.shared.case_file import read_case
from tvilling.twins.forecasting.price import known_until

NAIVE = {"model": "naive_week", "history_days": 30}
PLAN = {"moment": MOMENT, "horizon_h": 48, "gap": 0.005}
BOILERS = [
    {"kind": "boiler", "name": "chips", "fuel": "biomass", "heat_mw": 12},
    {"kind": "boiler", "name": "waste", "fuel": "waste", "heat_mw": 15, "min_load": 1.0,
     "must_run": True},
]  # fmt: skip


def read(folder, table=None, **changes):
    path = write_case(folder, table, **{"forecast": NAIVE, "plan": PLAN, **changes})
    case = read_case(path, (), PlantCase)
    moment = moment_of(case, None)
    return case, gather(case, path, moment, moment + case.plan.horizon_h * HOUR), moment


@pytest.fixture
def unchecked(monkeypatch):
    nothing = Checked(0.0, 0.0, 0.0, "boiler: ramp 2 times", True)
    monkeypatch.setattr(planning, "check_schedule", lambda *given: nothing)


def own_prices(value: float = 3.0) -> pd.DataFrame:
    """Prices of one's own beyond those that the market has published at the moment."""
    table = meters()
    table["price_dkk_per_kwh"] = table["price_dkk_per_kwh"].fillna(value)
    return table


def test_own_prices_beyond_the_published_ones_are_used_and_told(tmp_path):
    case, facts, moment = read(tmp_path, own_prices())
    price, known, notes, why = prices_ahead(case, facts, moment)
    assert known.all()
    np.testing.assert_allclose(price[35:], 3.0)
    assert "13 prices of the file are later than the market has published by then" in notes[0]
    assert why == ""


def test_as_a_trial_of_the_past_they_are_not_read_and_that_is_told(tmp_path):
    case, facts, moment = read(tmp_path, own_prices(), prices={"beyond": "expected"})
    price, known, notes, _ = prices_ahead(case, facts, moment)
    assert known.sum() == 35
    assert price[35:].max() < 1.5
    assert "expected ones in their place" in notes[0]


def test_a_backtest_never_reads_them(tmp_path):
    """Prices later than those published at a step are replaced: what it plans on does not move."""
    table = own_prices()
    table["load_mw"] = table["load_mw"].fillna(table["load_mw"].shift(168))
    case, facts, moment = read(tmp_path, table)
    stretch = Stretch(moment, moment + 72 * HOUR)
    known = _known(case, facts, stretch, np.array([0]), {})
    seen = known(0)[0].cost_dkk_per_h
    until = int((known_until(np.array([moment]))[0] - moment) // HOUR)
    known.conditions.price_dkk_per_kwh[until:] = 9.0
    np.testing.assert_array_equal(known(0)[0].cost_dkk_per_h, seen)


def test_heat_thrown_away_and_broken_limits_are_among_the_warnings(tmp_path, unchecked):
    case, facts, moment = read(tmp_path, plant={"units": BOILERS})
    plan = make_plan(case, facts, moment, only_rule="a test")
    lines = plan_warnings(plan)
    thrown = float(plan.schedule.surplus_mw.sum())
    assert thrown > 100.0
    assert f"{thrown:.2f} MWh are thrown away: units make more than load and tank take" in lines
    assert "limits of units are broken: boiler: ramp 2 times" in lines


def test_rates_without_a_source_are_named_in_report_and_summary(tmp_path, unchecked):
    case, facts, moment = read(tmp_path, plant={"units": BOILERS})
    plan = make_plan(case, facts, moment, only_rule="a test")
    data = plan_data(plan, **facts.record.attrs)
    rates = unverified(case, plan.outlook.time)
    names = {line.split()[0] for line in rates}
    assert names == {"biomass_price", "waste_price", "co2_waste"}
    told = " ".join(plan_assumptions(case, data))
    assert all(line in told for line in rates)
    assert "Unverified rates used:" in told


def test_an_outage_takes_every_hour_that_it_touches(tmp_path):
    outage = {"unit": "electric boiler", "start": "2026-02-16T18:20", "end": "2026-02-16T18:40"}
    case, _, moment = read(tmp_path, outages=[outage])
    time = moment + np.arange(24) * HOUR
    around = conditions(case, time, np.full(24, 0.5), np.full(24, 2.0))
    out = np.flatnonzero(around.available["electric boiler"] == 0)
    assert out.tolist() == [5]  # from 18:00 on the Danish clock


def test_an_outage_at_another_time_is_told_as_such(tmp_path, unchecked):
    outage = {"unit": "electric boiler", "start": "2026-03-16T18:00", "end": "2026-03-16T19:00"}
    case, facts, moment = read(tmp_path, outages=[outage])
    lines = plan_warnings(make_plan(case, facts, moment, only_rule="a test"))
    assert any("outside the plan's hours" in line for line in lines)


def test_loads_of_the_file_behind_the_moment_are_not_read_and_told(tmp_path, unchecked):
    table = meters()
    table["load_mw"] = table["load_mw"].fillna(table["load_mw"].shift(168))
    case, facts, moment = read(tmp_path, table)
    lines = plan_warnings(make_plan(case, facts, moment, only_rule="a test"))
    assert "96 loads of the file are later than the plan begins and not read" in lines
