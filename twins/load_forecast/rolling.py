"""Forecasts as they would have been made, day after day, with models that knew the past alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from tvilling.sciml.errors import InputError
from tvilling.twins.load_forecast.blend import MEMBERS, weights_over
from tvilling.twins.load_forecast.bounds import Grid, Rolled, quantiles_from, rooms_of
from tvilling.twins.load_forecast.calendar import local_stamps
from tvilling.twins.load_forecast.features import Rows, make_rows
from tvilling.twins.load_forecast.models import needed_days
from tvilling.twins.load_forecast.quantiles import fit_quantiles
from tvilling.twins.load_forecast.series import HOUR, Series, as_stamp, lengthened, read_series
from tvilling.twins.load_forecast.settings import INTERVALS, WEATHERS, ForecastSettings
from tvilling.twins.load_forecast.training import (
    daily_origins,
    fit_members,
    load_of,
    training_rows,
)
from tvilling.twins.load_forecast.weather import weather_ahead

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DAY = np.timedelta64(1, "D")


def rolling_origin(
    history: "xr.Dataset | pd.DataFrame",
    settings: ForecastSettings,
    period: tuple[str, str],
    models: Sequence[str] | None = None,
    refit_days: int = 60,
) -> "xr.Dataset":
    """Forecast every day of a period as it would have been forecast then.

    Models are fitted anew every `refit_days` on what had ended by then. Forecasts begin
    `calibration_days` before the period where the history allows, so that the first day of the
    period has an interval already.

    Parameters
    ----------
    history
        `load_mw` and weather over `time`, before and throughout the period; see `read_series`.
    period
        First and last day, in local time.
    models
        Names of `MODELS`; by default the one of the settings alone.

    Returns
    -------
    xr.Dataset
        Over `model`, `origin` (first hour ahead), `lead_h` (1 for that hour) and `quantile`:
        `load_mw` (what came true), `forecast_mw`, `quantile_mw`, and `time` of each hour.
        Attributes name the kind of weather and the coverage that intervals aim at.

    Raises
    ------
    InputError
        Where the history is at fault, or too short before the period for one of the models.
    """
    names = tuple(models or (settings.model,))
    series = lengthened(read_series(history, settings), settings.hours)
    origins = _origins(series, settings, period, names)
    rolled = roll(series, settings, origins, names, refit_days)
    quantiles = {
        name: quantiles_from(
            rolled.forecast_mw[name],
            rolled.learned_mw,
            rooms_of(rolled, name, settings),
            (rolled.typical_mw, rolled.floor_mw),
            settings,
        )
        for name in names
    }
    kept = local_stamps(rolled.origin, settings.zone).to_numpy() >= as_stamp(period[0])
    return _label(rolled, quantiles, kept, settings).assign_attrs(refit_days=refit_days)


def _origins(
    series: Series, settings: ForecastSettings, period: tuple[str, str], models: Sequence[str]
) -> Int[np.ndarray, " origin"]:
    """Positions of the origins of a period, and of the days before it that intervals need."""
    first, last = (np.datetime64(day, "D").astype("datetime64[ns]") for day in period)
    warm = first - (settings.calibration_days + settings.hours // 24 + 1) * DAY
    origins = daily_origins(series, settings)
    origins = origins[origins <= series.end]
    local = local_stamps(series.time[origins], settings.zone).to_numpy()
    possible = local[:1] + needed_days(models) * DAY
    within = (local >= first) & (local < last + DAY)
    if not within.any() or first < possible[0]:
        span = f"{period[0]} to {period[1]}"
        known = f"{str(possible[0])[:10]} to {str(local[-1])[:10]}" if len(local) else "longer"
        raise InputError(
            "rolling origin", [f"the period is {span}, expected {known} for {', '.join(models)}"]
        )
    return origins[(local >= max(warm, possible[0])) & (local < last + DAY)]


def roll(
    series: Series,
    settings: ForecastSettings,
    origins: np.ndarray,
    models: Sequence[str],
    refit_days: int,
) -> Rolled:
    """Forecast from `origins`, with models fitted anew every `refit_days`."""
    ahead = weather_ahead(series, origins, settings.hours, settings)
    rows = make_rows(series, origins, ahead, settings)
    known, load = training_rows(series, settings)
    ended = known.origin + settings.hours * HOUR
    levels = [level for level in settings.quantiles if level != 0.5 and settings.learns_quantiles]
    found: dict[str, list[np.ndarray]] = {}
    learned: dict[float, list[np.ndarray]] = {level: [] for level in levels}
    for block in _blocks(rows, refit_days):
        past, new = ended <= rows.origin[block][0], rows.where(block)
        for name, predict in fit_members(
            models, known.where(past), load[past], settings.seed
        ).items():
            found.setdefault(name, []).append(predict(new))
        if levels:
            quantiles = fit_quantiles(known.where(past), load[past], levels, settings.seed)
            for level, values in quantiles(new).items():
                learned[level].append(values)
    floor, shape = least_load(series), (len(origins), settings.hours)
    true = load_of(series, rows).reshape(shape)
    forecast = {
        name: np.maximum(np.concatenate(values).reshape(shape), floor)
        for name, values in found.items()
    }
    weights = {}
    if "blend" in models:
        members = {name: forecast[name] for name in MEMBERS}
        weights = weights_over(series.time[origins], true, members)
        forecast["blend"] = sum(weights[name][:, None] * members[name] for name in MEMBERS)
    return Rolled(
        origin=series.time[origins],
        load_mw=true,
        forecast_mw={name: forecast[name] for name in models},
        learned_mw={
            level: np.concatenate(values).reshape(shape) for level, values in learned.items()
        },
        weights=weights,
        floor_mw=floor,
        typical_mw=float(np.nanmean(np.abs(series.load_mw[: origins[0]]))),
    )


def least_load(series: Series) -> float:
    """What a load is never forecast below [MW]: 0 for a load that has never been negative."""
    return 0.0 if np.nanmin(series.load_mw) >= 0 else -np.inf


def _blocks(rows: Rows, refit_days: int) -> list[np.ndarray]:
    """Row numbers of each stretch between two fits."""
    number = ((rows.origin - rows.origin[0]) // (refit_days * DAY)).astype(int)
    return [np.flatnonzero(number == block) for block in np.unique(number)]


def _label(
    rolled: Rolled,
    quantiles: dict[str, dict[float, Grid]],
    kept: np.ndarray,
    settings: ForecastSettings,
) -> "xr.Dataset":
    """Names and units put on forecasts, from the origins that are kept."""
    import xarray as xr

    lead = np.arange(1, settings.hours + 1)
    forecast = np.stack(list(rolled.forecast_mw.values()))[:, kept]
    shape = (len(quantiles), len(settings.quantiles), *rolled.load_mw.shape)
    told = np.array([list(levels.values()) for levels in quantiles.values()]).reshape(shape)
    mw = {"units": "MW"}
    return xr.Dataset(
        {
            "load_mw": (("origin", "lead_h"), rolled.load_mw[kept], mw),
            "forecast_mw": (("model", "origin", "lead_h"), forecast, mw),
            "quantile_mw": (("model", "quantile", "origin", "lead_h"), told[:, :, kept], mw),
        },
        coords={
            "model": list(rolled.forecast_mw),
            "quantile": list(settings.quantiles),
            "origin": ("origin", rolled.origin[kept], {"long_name": "first hour ahead"}),
            "lead_h": (
                "lead_h",
                lead,
                {"units": "h", "long_name": "hours behind the last known load"},
            ),
            "time": (("origin", "lead_h"), rolled.origin[kept][:, None] + (lead - 1) * HOUR),
        },
        attrs={
            "weather": settings.weather,
            "weather_is": WEATHERS[settings.weather],
            "interval": settings.interval,
            "interval_is": INTERVALS[settings.interval],
            "coverage_target": settings.coverage,
            "zone": settings.zone or "",
            "seed": settings.seed,
        },
    )
