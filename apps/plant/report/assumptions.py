"""What a plan or a backtest rests on, one sentence each."""

from typing import TYPE_CHECKING

from tvilling.apps.plant.case import CityLoad, PlantCase
from tvilling.apps.plant.inputs.known import unverified

if TYPE_CHECKING:
    import xarray as xr


def plan_assumptions(case: PlantCase, data: "xr.Dataset") -> list[str]:
    """For the report of a plan."""
    known = int(data["published"].sum())
    return [
        *_records(data),
        f"Prices are known for {known} of {data.sizes['time']} hours; beyond, the course of "
        "the last seven days at their level is expected.",
        f"At the beginning: {data.attrs['stood']}.",
        *_rule(data),
        f"The load is forecast by {data.attrs['forecast_model']}, weather ahead: "
        f"{data.attrs['forecast_weather']}; the interval holds 90 % of hours.",
        *_plant(case, data),
    ]


def backtest_assumptions(case: PlantCase, data: "xr.Dataset") -> list[str]:
    """For the report of a backtest."""
    replay = case.backtest
    load = (
        "the true load (perfect knowledge)"
        if replay.load == "perfect"
        else f"a load forecast by {case.forecast.model}, learnt anew every {replay.refit_days} "
        "days from what was known by then"
    )
    lines = [
        *_records(data),
        f"A plan is made every {replay.every_h} h from {replay.plan_hour}:00 on, for "
        f"{case.plan.horizon_h} h, on prices that are published by then and expected ones beyond, "
        f"{load}, and weather ahead: {case.weather.ahead.replace('_', ' ')}.",
        "What a plan and the hour differ by goes into the tank or comes out of it; where it "
        "cannot, units are turned up or down. Power follows the spot price: what was bid is not "
        "settled apart.",
        *_plant(case, data),
    ]
    if isinstance(case.load, CityLoad):
        lines.append(
            "Load and prices are of different years, so cold, calm hours with high prices are "
            "rarer together than in truth."
        )
    return lines


def _rule(data: "xr.Dataset") -> list[str]:
    """Which limits of units the operator's rule breaks, that a plan keeps."""
    broken = data.attrs.get("rule_breaks", "")
    if not broken:
        return []
    return [f"The operator's rule looks at no ramps; of its hours break a limit: {broken}."]


def _records(data: "xr.Dataset") -> list[str]:
    return [
        f"Load: {data.attrs['load']}.",
        f"Weather: {data.attrs['weather']}.",
        f"Prices: {data.attrs['prices']}.",
    ]


def _unverified(case: PlantCase, data: "xr.Dataset") -> list[str]:
    rates = unverified(case, data["time"].values)
    return [f"Unverified rates used: {'; '.join(rates)}."] if rates else []


def _plant(case: PlantCase, data: "xr.Dataset") -> list[str]:
    rules = case.charges.rules_of
    starts = (
        "Starts, minimum loads and minimum times count."
        if case.plan.commitment
        else "Starts and minimum loads are left out: units run at any load."
    )
    sun = "Sun on collectors is a formula for a mean sky, whatever the weather; "
    sun += "cloudy and clear days are not told apart."
    has_sun = any(unit.kind == "solar" for unit in case.plant.units)
    return [
        *([sun] if has_sun else []),
        "Taxes and tariffs are those that ship with Tvilling, "
        + ("of each hour's own year" if rules is None else f"of {rules} at all times")
        + ".",
        *_unverified(case, data),
        starts,
        "The tank is a reservoir for the plan; it is then run in layers to check the plan.",
    ]
