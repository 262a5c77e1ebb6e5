"""Load forecasts a day ahead on measured loads, beside naive ones: error and coverage."""

from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from tvilling.twins.forecasting.load import Choice, Score

PERIODS = {
    "flensburg": ("2016-01-01", "2016-12-31"),
    "dk_consumption": ("2021-01-01", "2022-12-31"),
    "aalborg": ("2020-01-01", "2020-12-31"),
}
WEATHERS = ("perfect", "last_observed", "forecast")
MODELS = ("naive_day", "naive_week", "ridge", "boosting", "network", "blend")
BASELINES = ("naive_day", "naive_week", "ridge", "boosting")
REFIT_DAYS = 60
MAIN = ("flensburg", "forecast")  # the line of the table; the rest stands in `extra`


def measure() -> Measurement:
    """Mean absolute error of the best baseline over ours, in a year that nothing was tuned on.

    Forecasts are made at local midnight for 24 hours, all year, by models fitted anew every 60
    days on what had ended by then. Ours is the model that rolling-origin validation on the years
    before the test prefers; baselines are naive, ridge and gradient boosting on the same features.
    """
    extra: dict[str, Any] = {}
    for name in PERIODS:
        kinds = WEATHERS if name != "aalborg" else ("none",)
        extra[name] = {kind: one_load(name, kind) for kind in kinds}
    extra["week_ahead"] = week_ahead()
    ours = extra[MAIN[0]][MAIN[1]]
    errors = ours["mae_mw"]
    best = min(BASELINES, key=lambda model: errors[model])
    return Measurement(
        name="load_forecast",
        ours=errors[ours["chosen"]],
        peer=errors[best],
        unit="MW mean absolute error, Flensburg 2016, a day ahead, forecast weather",
        ratio=errors[best] / errors[ours["chosen"]],
        peer_name=f"best baseline ({best})",
        extra=extra,
    )


def one_load(name: str, kind: str) -> dict[str, Any]:
    """What a year of forecasts of one load with one kind of weather gave."""
    from tvilling.twins.forecasting.load import (
        MEASURED,
        ForecastSettings,
        choose,
        measured_history,
        rolling_origin,
        score,
    )

    entry = MEASURED[name]
    settings = ForecastSettings(
        hours=24,
        origin_hours=(0,),
        zone=entry.zone,
        country=entry.country,
        weather="last_observed" if kind == "none" else kind,  # type: ignore[arg-type]
    )
    history = measured_history(name)
    before = history.sel(time=history["time"] < history["time"].dtype.type(PERIODS[name][0]))
    choice = choose(before, settings, MODELS)
    found = score(rolling_origin(history, settings, PERIODS[name], MODELS, REFIT_DAYS))
    return told(choice, found)


def week_ahead() -> dict[str, Any]:
    """Error and coverage of each day of a week ahead, and what a year of them takes."""
    import time

    from tvilling.twins.forecasting.load import ForecastSettings, measured_history, rolling_origin

    name = MAIN[0]
    settings = ForecastSettings(
        hours=168, origin_hours=(0,), zone=None, country="de", weather="forecast"
    )
    history = measured_history(name)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    one = rolling_origin(history, settings, PERIODS[name], refit_days=90).sel(model="blend")
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    load = one["load_mw"]
    low, high = one["quantile_mw"].isel(quantile=0), one["quantile_mw"].isel(quantile=-1)
    inside = ((load >= low) & (load <= high)).where(load.notnull())
    day = (one["lead_h"] - 1) // 24
    return {
        "mae_mw_by_day": abs(one["forecast_mw"] - load).groupby(day).mean(...).to_numpy().tolist(),
        "coverage_by_day": inside.groupby(day).mean(...).to_numpy().tolist(),
        "year_cpu_s": cpu_s,
        "year_wall_s": wall_s,
    }


def told(choice: "Choice", found: "dict[str, Score]") -> dict[str, Any]:
    """Figures of every model, and of the intervals of the chosen one."""
    chosen = found[choice.model]
    naive = min(found["naive_day"].mae_mw, found["naive_week"].mae_mw)
    return {
        "chosen": choice.model,
        "validation_mae_mw": choice.mae_mw,
        "mae_mw": {model: one.mae_mw for model, one in found.items()},
        "percent_under_better_naive": 100 * (1 - chosen.mae_mw / naive),
        "coverage_of_90_percent": chosen.coverage,
        "coverage_least_month": chosen.least_month_coverage,
        "interval_width_mw": chosen.width_mw,
        "hours": chosen.hours,
    }
