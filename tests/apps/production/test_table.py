"""The table against the backtest's own accounts, against bills, and against sums done by hand."""

import io
import json

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from tvilling.apps.plant.report.table import (
    as_facts,
    begun,
    credited,
    hourly_cost_dkk,
    number,
    terminal_table,
    ways_table,
)
from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE


def test_figures_are_those_of_the_backtest(ran):
    ways = {way.name: way for way in ways_table(ran.data)}
    assert list(ways) == [NO_TANK, RULE, PLANNED, BEST]
    for name, outcome in ran.run.outcomes.items():
        way, bill = ways[name], outcome.bill
        assert way.cost_dkk == pytest.approx(outcome.cost_dkk, rel=1e-9)
        assert way.running_dkk == pytest.approx(bill.running_dkk, rel=1e-9)
        assert way.start_dkk == pytest.approx(bill.start_dkk, rel=1e-9)
        assert way.penalty_dkk == pytest.approx(bill.penalty_dkk, abs=1e-6)
        assert way.co2_t == pytest.approx(bill.co2_t, rel=1e-9)
        assert way.unit_starts == bill.starts
        assert way.starts == sum(bill.starts.values())
        assert way.heat_mwh == pytest.approx(bill.heat_mwh, rel=1e-9)
        net = sum(bill.power_mwh.values())
        assert way.sold_mwh - way.bought_mwh == pytest.approx(net, rel=1e-9)
        assert way.saving_share == pytest.approx(ran.run.saving(name, RULE), rel=1e-9, abs=1e-12)
        assert way.reached_share == pytest.approx(ran.run.reached(name), rel=1e-9, abs=1e-12)
    assert 0.0 < ways[PLANNED].reached_share < 1.0
    assert ways[RULE].tank_dkk != 0.0


def test_a_plan_is_that_of_its_bills(plan, plan_set):
    for way, bill in zip(ways_table(plan_set), plan.bills().values(), strict=True):
        assert way.cost_dkk + way.tank_dkk == pytest.approx(bill.total_dkk, rel=1e-9)
        assert way.start_dkk == pytest.approx(bill.start_dkk)
        assert way.unit_starts == bill.starts
    first = ways_table(plan_set)[0]
    assert first.start_dkk > 0
    assert first.reached_share is None  # what could be saved is not known before the hours came
    others = [way.cost_dkk for way in ways_table(plan_set)[1:]]
    assert first.cost_dkk <= min(others) * (1 + plan.decision.gap)


def two_hours(**attrs) -> xr.Dataset:
    """One unit at 100 DKK an hour and 50 a start; the rule starts it twice and fills the tank."""
    on = np.array([[[1, 0, 0]], [[1, 0, 1]]], np.int8)
    tank = np.array([[2.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    per_way = {"unserved_mw": [[0, 0, 0.01], [0, 0, 0]], "surplus_mw": np.zeros((2, 3))}
    return xr.Dataset(
        {
            "on": (("way", "unit", "time"), on),
            "cost_dkk_per_h": (("way", "unit", "time"), 100.0 * on),
            "heat_mw": (("way", "unit", "time"), 2.0 * on),
            "power_mw": (("way", "unit", "time"), -1.0 * on),
            "co2_kg_per_h": (("way", "unit", "time"), 500.0 * on),
            "tank_mwh": (("way", "time"), tank),
            **{name: (("way", "time"), values) for name, values in per_way.items()},
            "load_mw": ("time", [2.0, 2.0, 1.0]),
        },
        {
            "way": ["plan", RULE],
            "unit": ["pump"],
            "time": np.datetime64("2021-01-01", "ns") + np.arange(3) * np.timedelta64(1, "h"),
        },
        {"start_cost_dkk": np.float64(50.0), "tank_before_mwh": 1.0} | attrs,
    )


def test_sums_done_by_hand():
    """The plan: 100 running, 50 start, 0.01 MWh missing at 10 000; so a MWh of heat costs 50."""
    plan, rule = ways_table(two_hours(bound_dkk=225.0))
    assert (plan.running_dkk, plan.start_dkk, plan.starts) == (100.0, 50.0, 1)
    assert plan.penalty_dkk == pytest.approx(100.0)
    assert plan.cost_dkk == pytest.approx(250.0)
    assert plan.tank_dkk == pytest.approx(0.0)
    assert rule.tank_dkk == pytest.approx(50.0)
    assert rule.cost_dkk == pytest.approx(200 + 100 - 50)
    assert plan.saving_dkk == pytest.approx(0.0, abs=1e-9)
    assert (plan.bought_mwh, plan.sold_mwh, plan.co2_t) == (1.0, 0.0, 0.5)
    assert plan.heat_dkk_per_mwh == pytest.approx(50.0)
    dearer = two_hours(bound_dkk=225.0)
    dearer["cost_dkk_per_h"].loc[{"way": RULE}] *= 1.125
    assert ways_table(dearer)[0].reached_share is None
    assert ways_table(dearer)[0].saving_share == pytest.approx(25.0 / 275.0)


def test_what_ran_before_is_not_started():
    data = two_hours()
    assert begun(data).sel(way="plan").values.tolist() == [[True, False, False]]
    data["on_before"] = ("unit", np.array([1], np.int8))
    assert begun(data).sel(way="plan").values.tolist() == [[False, False, False]]
    assert begun(data).sel(way=RULE).values.tolist() == [[False, False, True]]


def test_what_is_not_known_is_told_as_nothing():
    ways = ways_table(two_hours(bound_dkk=np.nan))
    assert all(way.reached_share is None for way in ways)
    alone = ways_table(two_hours().sel(way=["plan"]))
    assert alone[0].saving_dkk is None
    text = json.dumps(as_facts(ways), allow_nan=False)
    assert json.loads(text)["plan"]["heat_mwh"] == {"pump": 2.0}


def test_hours_add_up_to_the_table(ran):
    net = credited(ran.data, hourly_cost_dkk(ran.data)).sum("time")
    for way in ways_table(ran.data):
        assert float(net.sel(way=way.name)) == pytest.approx(way.cost_dkk, rel=1e-9)


def test_a_file_gives_the_same_table(plan_set, tmp_path):
    plan_set.to_netcdf(tmp_path / "plan.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "plan.nc", engine="h5netcdf") as data:
        assert ways_table(data) == ways_table(plan_set)


def test_the_terminal_shows_each_way(ran):
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(terminal_table(ran.data))
    text = console.export_text()
    planned = next(way for way in ways_table(ran.data) if way.name == PLANNED)
    assert number(planned.cost_dkk) in text
    assert "Of what could be saved" in text
    assert "Heat thrown away" not in text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234.5, 1, "1\N{NO-BREAK SPACE}234.5"), (-0.04, 1, "0.0"), (-3.0, 0, "\N{MINUS SIGN}3")],
)
def test_numbers_as_they_are_read(value, digits, text):
    assert number(value, digits) == text
