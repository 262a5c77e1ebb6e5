"""Plans and backtests as labelled data, with units on every variable."""

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.plant.planning import Plan

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.planning.backtest import Backtest
    from tvilling.rl_control.planning.schedule import Schedule
    from tvilling.sciml.systems.heat_plant.conditions import Conditions
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

UNIT_COURSES = {  # name: (what it is of in the plant, unit, text)
    "heat_mw": ("heat_mw", "MW", "heat delivered"),
    "power_mw": ("power_mw", "MW", "power delivered; negative: drawn"),
    "fuel_mw": ("fuel_mw", "MW", "fuel burnt"),
    "cost_dkk_per_h": ("cost_dkk_per_h", "DKK/h", "cost without starts"),
    "co2_kg_per_h": ("co2_kg_per_h", "kg/h", "CO2 from chimneys and of power bought"),
}
LONG_H = 1e4  # stands for as long as matters
CONDITIONS = {
    "price_dkk_per_kwh": ("DKK/kWh", "spot price of power"),
    "outdoor_degc": ("°C", "outdoors"),
    "forward_degc": ("°C", "water that leaves the plant"),
    "return_degc": ("°C", "water that comes back"),
}


def plan_data(plan: Plan, **attrs: Any) -> "xr.Dataset":
    """The plan over `way` (`plan`, then the rules on the same outlook), `unit`, `mode` and `time`.

    Beside what `ways_data` gives: the forecast of the load with its interval, and which prices are
    published. Attributes say how the plan was found, everything that was missing, and, as JSON in
    `network`, what planning the supply temperature brought.
    """
    outlook, decision = plan.outlook, plan.decision
    ways = {"plan": plan.schedule, **plan.others}
    data = ways_data(plan.plant, plan.conditions, ways)
    mw = {"units": "MW"}
    data["load_mw"] = ("time", outlook.load_mw, mw | {"long_name": "heat load, forecast"})
    interval = np.stack([outlook.load_low_mw, outlook.load_high_mw])
    text = mw | {"long_name": "ends of the 90 % interval of the load"}
    data["load_interval_mw"] = (("end", "time"), interval, text)
    data = data.assign_coords(end=["low", "high"])
    published = outlook.published.astype(np.int8)
    text = {"units": "1", "long_name": "1 where the price is published, 0 where it is expected"}
    data["published"] = ("time", published, text)
    text = {"units": "1", "long_name": "1 where a unit ran before the first hour"}
    hours = np.minimum(plan.before.hours, LONG_H)
    about = {"units": "h", "long_name": "for how long a unit had run, or stood, before"}
    data["hours_before"] = ("unit", hours, about)
    data["on_before"] = ("unit", plan.before.on.astype(np.int8), text)
    return data.assign_attrs(
        how=decision.how,
        reason=decision.reason,
        status=decision.schedule.status,
        gap=float(decision.gap),
        bound_dkk=float(decision.schedule.bound_dkk),
        forecast_model=outlook.model,
        forecast_weather=outlook.weather_is,
        notes=json.dumps(list(outlook.notes), ensure_ascii=False),
        tank_before_mwh=plan.before.tank_mwh,
        tank_worth_dkk_per_mwh=_worth_dkk_per_mwh(plan),
        stood=plan.stood,
        network=json.dumps(plan.behind, ensure_ascii=False),
        rule_breaks=_rule_breaks(plan),
        **attrs,
    )


def _rule_breaks(plan: Plan) -> str:
    """Limits of units that the operator's rule breaks, and how often; empty where none."""
    from tvilling.rl_control.planning.backtest import RULE
    from tvilling.sciml.systems.heat_plant.verify import broken_limits

    rule = plan.others[RULE]
    broken = broken_limits(plan.plant, rule.load, rule.on)
    return "; ".join(f"{limit} {count} times" for limit, count in broken.items())


def _worth_dkk_per_mwh(plan: Plan) -> float:
    """What another MWh left in the tank would cost, for ways that end with different levels."""
    from tvilling.rl_control.planning.programme import Settings, worth_dkk_per_mwh

    level = float(plan.schedule.tank_mwh[-1])
    closed = Settings(commitment=True, end_mwh=level)
    return worth_dkk_per_mwh(plan.plant, plan.outlook.load_mw, plan.before, closed)


def backtest_data(conditions: "Conditions", run: "Backtest", **attrs: Any) -> "xr.Dataset":
    """The ways of a backtest over `way`, `unit`, `mode` and `time`, with the load that came.

    `attrs` have `tank_before_mwh` where the tank was not half full at the beginning.
    """
    ways = {name: outcome.schedule for name, outcome in run.outcomes.items()}
    data = ways_data(run.actual, conditions, ways)
    text = {"units": "MW", "long_name": "heat load, as it came"}
    data["load_mw"] = ("time", run.demand_mw, text)
    half_mwh = run.actual.tank.capacity_mwh / 2
    worth = {"tank_worth_dkk_per_mwh": run.worth_dkk_per_mwh}
    return data.assign_attrs({"tank_before_mwh": half_mwh, **worth, **attrs})


def ways_data(
    plant: "LinearPlant", conditions: "Conditions", ways: "dict[str, Schedule]"
) -> "xr.Dataset":
    """Schedules side by side. Powers are means of the hour that begins at `time` (UTC)."""
    import xarray as xr

    from tvilling.rl_control.planning.schedule import unit_course

    names = list(ways)
    variables: dict[str, Any] = {}
    for name, (of_mode, unit, text) in UNIT_COURSES.items():
        values = np.stack([unit_course(plant, one, of_mode) for one in ways.values()])
        variables[name] = (("way", "unit", "time"), values, {"units": unit, "long_name": text})
    on = np.stack([one.on for one in ways.values()]).astype(np.int8)
    variables["on"] = (("way", "unit", "time"), on, {"units": "1", "long_name": "1 while it runs"})
    load = np.stack([one.load for one in ways.values()])
    about = {"units": "1", "long_name": "share of full load"}
    variables["load"] = (("way", "mode", "time"), load, about)
    for name, unit, text in (
        ("tank_mwh", "MWh", "heat in the tank at the end of the hour"),
        ("unserved_mw", "MW", "heat that is missing"),
        ("surplus_mw", "MW", "heat thrown away"),
    ):
        values = np.stack([getattr(one, name) for one in ways.values()])
        variables[name] = (("way", "time"), values, {"units": unit, "long_name": text})
    for name, (unit, text) in CONDITIONS.items():
        attrs = {"units": unit, "long_name": text}
        variables[name] = ("time", getattr(conditions, name), attrs)
    coords = {
        "way": names,
        "unit": list(plant.units),
        "mode": list(plant.modes),
        "time": ("time", conditions.time, {"long_name": "start of the hour, UTC"}),
    }
    return xr.Dataset(
        variables,
        coords,
        {
            "Conventions": "CF-1.11",
            "tvilling_version": version("tvilling"),
            "tank_capacity_mwh": plant.tank.capacity_mwh,
            "start_cost_dkk": plant.start_cost_dkk.tolist(),
        },
    )
