"""A plan and a backtest of the example plant, small and across the change to summer time."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tvilling.apps.plant.inputs.forecast_inputs import ForecastInputs
from tvilling.apps.plant.planning import Plan
from tvilling.apps.plant.report.labelled import backtest_data, plan_data
from tvilling.rl_control.planning.backtest import NO_TANK, RULE, Backtest, backtest
from tvilling.rl_control.planning.information_set import InformationSet
from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.mpc import Decision
from tvilling.rl_control.planning.programme import Settings, best_schedule
from tvilling.rl_control.planning.schedule import InitialState
from tvilling.sciml.systems.heat_plant.charges import danish_charges
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.linearisation import linearise
from tvilling.sciml.systems.heat_plant.plant import example_plant

DAYS, PLAN_H = 9, 48
MIDNIGHT = "2021-03-22T23:00"  # UTC; the clock goes forward on 28 March


@dataclass(frozen=True)
class Ran:
    """A backtest beside its labelled data."""

    run: Backtest
    data: xr.Dataset


def around(hours: int, start: str = MIDNIGHT) -> Conditions:
    """Cold nights and warm days, prices that fall below zero on some afternoons."""
    time = pd.date_range(start, periods=hours, freq="h").to_numpy()
    hour = np.arange(hours)
    day = np.sin(2 * np.pi * (hour - 9) / 24)
    price = 0.3 - 0.2 * np.sin(4 * np.pi * hour / 24) + 0.25 * np.sin(hour / 23.0)
    return Conditions(
        time=time,
        price_dkk_per_kwh=price,
        outdoor_degc=2.0 + 4.0 * day,
        forward_degc=np.full(hours, 75.0),
        return_degc=np.full(hours, 42.0),
        charges=danish_charges(time),
        irradiance_w_per_m2=np.clip(500.0 * day, 0.0, None),
    )


def load_mw(hours: int) -> np.ndarray:
    """A load that swings over the day."""
    hour = np.arange(hours)
    return 7.0 + 2.0 * np.sin(2 * np.pi * hour / 24) + 0.5 * np.sin(hour / 5.0)


@pytest.fixture(scope="session")
def ran() -> Ran:
    """Nine days without start costs, planned each noon on a load that is believed 2 % too low."""
    conditions, load = around(24 * DAYS), load_mw(24 * DAYS)
    moments = np.concatenate([[0], np.arange(14, 24 * DAYS, 24)])
    believed = {int(step): 0.98 * load[step : step + PLAN_H] for step in moments}
    before = np.full(168, 0.3)
    free = {"start_cost_dkk": 0.0, "min_load": 0.0, "idle_share": 0.0}
    units = tuple(unit.model_copy(update=free) for unit in example_plant().units)
    plant = example_plant().model_copy(update={"units": units})
    known = InformationSet(plant, conditions, load, PLAN_H, believed, {}, before)
    run = backtest(known, moments, Settings())
    return Ran(run, backtest_data(conditions, run, title="Nine days"))


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Two days with starts and minimum loads, the prices of the second evening only expected."""
    conditions, load = around(PLAN_H, "2021-03-27T12:00"), load_mw(PLAN_H)
    plant = linearise(example_plant(), conditions)
    before = InitialState.at_rest(plant)
    found = best_schedule(
        plant, load, before, Settings(commitment=True, end_mwh=before.tank_mwh, gap=1e-3)
    )
    outlook = ForecastInputs(
        time=conditions.time,
        load_mw=load,
        load_low_mw=0.9 * load,
        load_high_mw=1.1 * load,
        outdoor_degc=conditions.outdoor_degc,
        price_dkk_per_kwh=conditions.price_dkk_per_kwh,
        published=np.arange(PLAN_H) < 34,
        model="ridge",
        weather_is="a forecast",
    )
    others = {
        RULE: merit_order(plant, load, before),
        NO_TANK: merit_order(plant, load, before, with_tank=False),
    }
    decision = Decision(0, "plan", "", found.gap, found)
    nothing = dict.fromkeys(field.name for field in fields(Plan))  # of case and checks
    return Plan(
        **nothing
        | {
            "outlook": outlook,
            "conditions": conditions,
            "plant": plant,
            "before": before,
            "stood": "tank half full",
            "decision": decision,
            "others": others,
            "behind": {},
        }
    )


@pytest.fixture
def plan_set(plan: Plan) -> xr.Dataset:
    """The plan as labelled data."""
    return plan_data(plan, title="Two days <of a town>")
