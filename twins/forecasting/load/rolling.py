"""Forecasts as they would have been made, day after day, with models that knew the past alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load.bounds import quantiles_from, rooms_of
from tvilling.twins.forecasting.load.calendar import local_stamps
from tvilling.twins.forecasting.load.models import needed_days
from tvilling.twins.forecasting.load.rolled import DAY, Grid, Rolled, roll
from tvilling.twins.forecasting.load.series import HOUR, Series, as_stamp, lengthened, read_series
from tvilling.twins.forecasting.load.settings import INTERVALS, WEATHERS, ForecastSettings
from tvilling.twins.forecasting.load.training import daily_origins

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


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
