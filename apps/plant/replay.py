"""One stretch of a backtest: what came, what was known at every moment, and the ways through it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import (
    HOUR,
    PlantInputs,
    conditions,
    forward_degc,
    gather,
    to_local,
)
from tvilling.apps.plant.inputs.unused import unused
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.planning.information_set import InformationSet

SIMPLER = ("ridge", "naive_day")  # beside the model of the case, for the time it does worse
DAY_H, LATELY_H = 24, 14 * 24
Ahead = dict[int, np.ndarray]


@dataclass(frozen=True)
class Stretch:
    """Hours that are run again, from `first` up to `stop`, UTC."""

    first: np.datetime64
    stop: np.datetime64

    @property
    def time(self) -> np.ndarray:
        """Start of each hour."""
        return np.arange(self.first, self.stop, HOUR)


def replay(
    case: PlantCase, path: Path, stretch: Stretch, tell: Callable[[str], None] = lambda stage: None
) -> "xr.Dataset":
    """Run a stretch in all ways: `labelled.backtest_data`, with how well the load was forecast.

    Raises
    ------
    InputError
        A record is not at hand or has gaps in the stretch.
    """
    from tvilling.apps.plant.report.labelled import backtest_data
    from tvilling.rl_control.planning.backtest import backtest
    from tvilling.rl_control.planning.programme import Settings

    tell("reading the records")
    facts = gather(case, path, stretch.first, stretch.stop)
    moments = moments_of(case, stretch)
    _check_whole(facts, stretch)
    tell("forecasting the load of every day")
    ahead, told = loads_ahead(case, facts, stretch, moments)
    known = _known(case, facts, stretch, moments, ahead)
    chosen = case.plan
    settings = Settings(commitment=chosen.commitment, gap=chosen.gap, limit_s=chosen.limit_s)
    run = backtest(known, moments, settings, chosen.tank_mwh, tell)
    reasons = sorted({one.reason for one in run.decisions if one.reason})
    return backtest_data(
        known.conditions,
        run,
        **facts.record.attrs,
        **told,
        notes=json.dumps(_notes(case, facts), ensure_ascii=False),
        plans=len(run.decisions),
        fallbacks=sum(one.how != "plan" for one in run.decisions),
        fallback_reasons="; ".join(reasons),
        **({} if chosen.tank_mwh is None else {"tank_before_mwh": chosen.tank_mwh}),
    )


def _notes(case: PlantCase, facts: PlantInputs) -> list[str]:
    """What was left out of the records, or stands in the case and is not used."""
    lines = [*facts.notes, *unused(case, facts)]
    if case.network is not None:
        lines.append("network is not used: a backtest takes the load as that at the plant")
    return lines


def moments_of(case: PlantCase, stretch: Stretch) -> np.ndarray:
    """Steps at which a plan is made: the first, and the hours of planning on the Danish clock."""
    hours = to_local(stretch.time).hour.to_numpy()
    steps = np.flatnonzero(np.isin(hours, planning_hours(case)))
    return np.unique(np.concatenate([[0], steps]))


def planning_hours(case: PlantCase) -> tuple[int, ...]:
    """Hours of the day at which plans are made, Danish clock."""
    replay = case.backtest
    return tuple(sorted((replay.plan_hour + k) % 24 for k in range(0, 24, replay.every_h)))


def loads_ahead(
    case: PlantCase, facts: PlantInputs, stretch: Stretch, moments: np.ndarray
) -> tuple[Ahead, dict[str, float | str]]:
    """Load forecasts by the step they were made at, and how they were made.

    Each is made by the model of the case, or by one of `SIMPLER`: by the one whose forecasts of
    the two weeks before had the least error, as far as it was known by then. A model begins when
    it has learnt enough. Steps without any are planned on the true load, and counted.
    """
    if case.backtest.load == "perfect":
        return {}, {"forecast": "perfect: the true load", "forecast_mae_mw": 0.0}
    history = facts.record[["load_mw", "outdoor_degc"]].sel(time=slice(None, stretch.stop - HOUR))
    models = tuple(dict.fromkeys((case.forecast.model, *SIMPLER)))
    rolled = {model: _rolled(case, history, stretch, model) for model in models}
    errors = {model: _errors(history, stretch, one) for model, one in rolled.items()}
    found: Ahead = {}
    used: dict[str, int] = dict.fromkeys(models, 0)
    missed = []
    for step in moments.tolist():
        there = [model for model in models[::-1] if step in rolled[model]]
        if there:
            best = min(there, key=lambda model: _lately(errors[model], step))
            found[step] = rolled[best][step]
            missed.append(errors[best][step])
            used[best] += 1
    mean = [error for error in missed if np.isfinite(error)]
    told = ", ".join(f"{model} {count}" for model, count in used.items() if count)
    return found, {
        "forecast": f"{told or 'none'}; weather ahead: {case.weather.ahead}",
        "forecast_mae_mw": float(np.mean(mean)) if mean else 0.0,
        "plans_on_true_load": len(moments) - len(found),
    }


def _lately(errors: dict[int, float], step: int) -> float:
    """Mean error of the forecasts of the two weeks before `step` whose first day had passed."""
    known = [
        error
        for made, error in errors.items()
        if step - LATELY_H <= made <= step - DAY_H and np.isfinite(error)
    ]
    return float(np.mean(known)) if known else np.inf


def _rolled(case: PlantCase, history: "xr.Dataset", stretch: Stretch, model: str) -> Ahead:
    """Forecasts of one model, from two weeks before on if it has learnt enough by then."""
    import pandas as pd

    from tvilling.twins.forecasting.load import ForecastSettings, rolling_origin
    from tvilling.twins.forecasting.load.features import REACH_H
    from tvilling.twins.forecasting.load.models import needed_days

    settings = ForecastSettings(
        hours=case.plan.horizon_h,
        origin_hours=planning_hours(case),
        model=model,
        weather=case.weather.ahead,
        interval="split",
        quantiles=(0.5,),
        country=case.forecast.country,
        weather_names=("outdoor_degc",),
        calibration_days=7,
        max_rows=15_000,
    )
    begun = history["time"].values[0] + (REACH_H + DAY_H * (needed_days((model,)) + 1)) * HOUR
    ends = np.array([stretch.first - LATELY_H * HOUR, begun, stretch.stop - HOUR])
    days = to_local(ends).tz_localize(None).normalize()
    first = max(days[0], days[1] + pd.Timedelta(days=1))
    if first > days[2]:
        return {}
    period = f"{first:%Y-%m-%d}", f"{days[2]:%Y-%m-%d}"
    rolled = rolling_origin(history, settings, period, (model,), case.backtest.refit_days)
    steps = ((rolled["origin"].values - stretch.first) // HOUR).astype(int)
    values = rolled["forecast_mw"].sel(model=model).values
    return {
        int(step): row for step, row in zip(steps, values, strict=True) if np.isfinite(row).all()
    }


def _errors(history: "xr.Dataset", stretch: Stretch, found: Ahead) -> dict[int, float]:
    """Mean absolute error of the first day of every forecast, by the step it was made at [MW].

    Not a number where the load of that day is not known to its end.
    """
    load = history["load_mw"].values
    begin = int((stretch.first - history["time"].values[0]) // HOUR)
    errors = {}
    for step, values in found.items():
        count = min(DAY_H, len(values))
        came = load[begin + step : begin + step + count]
        whole = len(came) == count
        errors[step] = float(np.abs(values[:count] - came).mean()) if whole else np.nan
    return errors


def _known(
    case: PlantCase, facts: PlantInputs, stretch: Stretch, moments: np.ndarray, ahead: Ahead
) -> "InformationSet":
    from tvilling.rl_control.planning.information_set import InformationSet
    from tvilling.twins.forecasting.load.weather import forecast_error_k
    from tvilling.twins.forecasting.price import WEEK_H

    came = facts.record.reindex(time=stretch.time)
    outdoor, horizon = came["outdoor_degc"].values, case.plan.horizon_h
    degc: Ahead = {}
    if case.weather.ahead == "forecast":
        errors = forecast_error_k(stretch.time[moments], horizon, 0)
        for step, error in zip(moments.tolist(), errors, strict=True):
            true = outdoor[step : step + horizon]
            degc[step] = true + error[: len(true)]
    elif case.weather.ahead == "last_observed":
        degc = {int(step): np.full(horizon, outdoor[max(step - 1, 0)]) for step in moments}
    past = facts.lately(stretch.first, "price_dkk_per_kwh", WEEK_H)
    price = came["price_dkk_per_kwh"].values
    around = conditions(case, stretch.time, price, outdoor)
    forward = partial(forward_degc, case.supply.forward)
    return InformationSet(
        case.plant, around, came["load_mw"].values, horizon, ahead, degc, past, forward
    )


def _check_whole(facts: PlantInputs, stretch: Stretch) -> None:
    """Refuse a stretch in which something is not known."""
    came = facts.record.reindex(time=stretch.time)
    needed = ("load_mw", "outdoor_degc", "price_dkk_per_kwh")
    gaps = {name: int(came[name].isnull().sum()) for name in needed}
    faults = [f"{name} is missing in {count} hours" for name, count in gaps.items() if count]
    if faults:
        begin, end = to_local(np.array([stretch.first, stretch.stop - HOUR]))
        raise InputError(f"backtest of {begin:%Y-%m-%d} to {end:%Y-%m-%d}", faults)
