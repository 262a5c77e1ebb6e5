"""Faults planted into the meters and prices of a plant: each is told with the plan, or refused."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from plant_files import MOMENT, PLANT, meters, write_case

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.forecast_inputs import look_ahead
from tvilling.apps.plant.inputs.known import HOUR, gather, moment_of
from tvilling.apps.plant.plan_warnings import plan_warnings
from tvilling.apps.plant.planning import make_plan
from tvilling.apps.shared.case_file import read_case
from tvilling.sciml.core.errors import InputError

AT = pd.Timestamp("2026-02-16T12:00")  # the moment, UTC
H = pd.Timedelta(hours=1)
PRICE, LOAD, OUT, TANK = "price_dkk_per_kwh", "load_mw", "outdoor_degc", "tank_mwh"
Change = Callable[[pd.DataFrame], None]
NAIVE = {"model": "naive_week", "history_days": 30}


def read(folder, table, **changes):
    """Case, facts and moment of a plan on `table`."""
    path = write_case(folder, table, forecast=NAIVE, **changes)
    case = read_case(path, (), PlantCase)
    moment = moment_of(case, None)
    return case, gather(case, path, moment, moment + case.plan.horizon_h * HOUR), moment


def outlook(folder, table, **changes):
    case, facts, moment = read(folder, table, **changes)
    return look_ahead(case, facts, moment)


def scaled(name: str, factor: float, more: float = 0.0) -> Change:
    return lambda table: table.__setitem__(name, factor * table[name] + more)


def held(name: str, hours_before: int, count: int, value: float | None = None) -> Change:
    """`count` hours of one value, from `hours_before` the moment on."""

    def change(table: pd.DataFrame) -> None:
        begin = AT - hours_before * H
        table.loc[begin : begin + (count - 1) * H, name] = (
            table.loc[begin, name] if value is None else value
        )

    return change


def swapped(table: pd.DataFrame) -> None:
    table[[LOAD, PRICE]] = table[[PRICE, LOAD]].to_numpy()


def ends_days_before(table: pd.DataFrame) -> None:
    table.loc[AT - 50 * H :, [LOAD, OUT]] = np.nan


def prices_in_local_hours(table: pd.DataFrame) -> None:
    table[PRICE] = table[PRICE].shift(1)


def warm_when_cold(table: pd.DataFrame) -> None:
    table[OUT] = 4.0 - table[OUT]


def test_meters_that_are_right_have_no_note(tmp_path):
    assert outlook(tmp_path, meters()).notes == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (held(LOAD, 48, 48, 0.0), "load_mw: 48 h left out (48 at zero"),
        (held(LOAD, 1, 1, 25.0), "far from the 14 days before"),
        (held(LOAD, 200, 1, 400.0), "1 above 1.5 times what the plant can give"),
        (held(LOAD, 80, 30), "30 unchanged for hours"),
        (held(LOAD, 300, 100, 0.7), "100 unchanged for hours"),
        (held(OUT, 100, 1, 45.0), "outdoor_degc: 1 h left out (1 far from the hours beside"),
        (held(OUT, 90, 30), "30 unchanged for a day"),
        (warm_when_cold, "the load rises with the outdoor temperature"),
        (held(PRICE, 60, 1, 40.0), "1 beyond the market's limits"),
        (held(PRICE, 60, 1, 12.0), "more than Denmark has seen"),
        (held(PRICE, 60, 40), "prices do not change for a day or longer"),
        (scaled(PRICE, 0.1), "unusually low: EUR/kWh?"),
        (ends_days_before, "the load ends 50 h before the forecast begins"),
        (prices_in_local_hours, "the last price is of the hour from 00:00 on the Danish clock"),
    ],
)
def test_a_planted_fault_is_told(tmp_path, change, told):
    table = meters()
    change(table)
    notes = outlook(tmp_path, table).notes
    assert any(told in line for line in notes), notes


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (scaled(PRICE, 1000 / 7.45), "EUR/MWh"),
        (scaled(PRICE, 100.0), "øre/kWh"),
        (scaled(PRICE, 1000.0), "DKK/MWh"),
        (scaled(LOAD, 1000.0), "kW"),
        (scaled(LOAD, 1e6), "kW or W"),
        (scaled(LOAD, 1e-3), "GW"),
        (scaled(OUT, 1.0, 273.15), "kelvin"),
        (scaled(OUT, 1.8, 32.0), "Fahrenheit"),
        (scaled(LOAD, -1.0), "expected 0 to 5000 MW"),
        (swapped, "price_dkk_per_kwh is"),
        (held(LOAD, 600, 600, 0.0), "not plausible"),
    ],
)
def test_another_unit_is_refused_with_what_it_may_be(tmp_path, change, told):
    table = meters()
    change(table)
    with pytest.raises(InputError, match=told.replace("/", ".")):
        outlook(tmp_path, table)


@pytest.mark.parametrize(
    ("heading", "name", "factor"),
    [
        ("price_eur_per_mwh", PRICE, 1000 / 7.45),
        ("price_ore_per_kwh", PRICE, 100.0),
        ("price_dkk_per_mwh", PRICE, 1000.0),
        ("load_kw", LOAD, 1000.0),
    ],
)
def test_a_unit_that_the_heading_names_is_taken_and_told(tmp_path, heading, name, factor):
    table = meters()
    right = outlook(tmp_path, table)
    table[name] *= factor
    found = outlook(tmp_path, table.rename(columns={name: heading}))
    np.testing.assert_allclose(found.load_mw, right.load_mw)
    np.testing.assert_allclose(found.price_dkk_per_kwh, right.price_dkk_per_kwh)
    assert any(f"{heading} is taken as {name}" in line for line in found.notes)


@pytest.mark.parametrize(
    ("readings", "told", "stood"),
    [
        ({72: 12.0}, "72 h old and not taken", "half full"),
        ({1: 12000.0}, "is not taken; is it kWh?", "half full"),
        (dict.fromkeys(range(1, 49), 12.0), "has read 12 MWh for 48 h: stuck?", "12.0 MWh"),
        ({3: 12.0}, "", "12.0 MWh"),
    ],
)
def test_readings_of_the_tank_are_judged(tmp_path, readings, told, stood):
    table = meters()
    table[TANK] = np.nan
    for ago, value in readings.items():
        table.loc[AT - ago * H, TANK] = value
    case, facts, moment = read(tmp_path, table, plan={"moment": MOMENT, "horizon_h": 24})
    plan = make_plan(case, facts, moment, only_rule="a test")
    assert stood in plan.stood
    lines = plan_warnings(plan)
    assert any(told in line for line in lines)
    if not told:
        assert not any("tank" in line for line in lines)


def test_a_reading_is_fresh_by_time_and_not_by_rows(tmp_path):
    """A file that ends three days before: its last six rows are no six hours."""
    table = meters()[: AT - 72 * H].copy()
    table[TANK] = 12.0
    case, facts, moment = read(tmp_path, table)
    plan = make_plan(case, facts, moment, only_rule="a test")
    assert "half full" in plan.stood


def test_expected_prices_keep_their_hour_where_the_record_ends_early(tmp_path):
    """Five hours without a price: the course of the day is not moved by them."""
    right, late = meters(), meters()
    late.loc[AT - 5 * H :, PRICE] = np.nan
    for table in (right, late):
        table[PRICE] = np.where(
            table[PRICE].notna(), np.where(table.index.hour.isin([16, 17]), 2.0, 0.3), np.nan
        )
    dear = outlook(tmp_path, late).price_dkk_per_kwh > 0.9
    hours = pd.date_range(AT, periods=48, freq="h").hour
    assert set(hours[dear]) == {16, 17}


def test_twice_the_same_hour_in_autumn_is_refused_with_the_reason(tmp_path):
    local = pd.date_range("2026-10-20", "2026-10-28", freq="h", tz="Europe/Copenhagen")
    stamps = local.tz_localize(None)
    table = pd.DataFrame({LOAD: 6.0, OUT: 9.0}, index=stamps)
    with pytest.raises(InputError, match="stamps must be UTC"):
        read(tmp_path, table)


def test_the_plant_decides_what_is_too_much(tmp_path):
    """300 MW are a unit mistaken at a plant of 23 MW, and a load at one of 300."""
    table = meters()
    table[LOAD] *= 40.0
    with pytest.raises(InputError, match="by the size of the plant"):
        outlook(tmp_path, table)
    units = [dict(unit, heat_mw=40 * unit["heat_mw"]) for unit in PLANT["units"]]
    assert outlook(tmp_path, table, plant={**PLANT, "units": units}).notes == ()
