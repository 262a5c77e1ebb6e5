"""Fit a load forecast: who may answer, how far off they were lately, and the fit itself."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load.bounds import rooms_of
from tvilling.twins.forecasting.load.features import REACH_H
from tvilling.twins.forecasting.load.model import LoadModel
from tvilling.twins.forecasting.load.models import NAIVE, SIMPLER, needed_days
from tvilling.twins.forecasting.load.quantiles import fit_quantiles
from tvilling.twins.forecasting.load.rolled import Rolled, least_load, roll
from tvilling.twins.forecasting.load.series import DAY_H, HOUR, Series, lengthened, read_series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.training import daily_origins, fit_members, training_rows

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

CALIBRATION_SHARE = 0.25  # of a short history
ONCE = 10_000  # days between fits: one fit
SPREAD_H = 25  # between forecasts at any hour: every hour of the day comes in turn


def fit(history: "xr.Dataset | pd.DataFrame", settings: ForecastSettings) -> LoadModel:
    """Learn from a history.

    The last `calibration_days` (a quarter of a short history) are forecast by a model that has not
    seen them; their errors give the intervals. The model that is handed over has seen all. Where
    the history is too short for the model that is asked for, or a naive one did better on those
    days, the simpler one is taken and noted.

    Parameters
    ----------
    history
        `load_mw` [MW] and weather over `time`, hourly; see `read_series`.
    settings
        With `model="auto"`, `choose` finds the model first.

    Raises
    ------
    InputError
        Where the history is at fault.
    """
    series = read_series(history, settings)
    if settings.model == "auto":
        from tvilling.twins.forecasting.load.model_choice import choose

        settings = replace(settings, model=choose(history, settings).model)
    days = (series.end - REACH_H - settings.hours) // DAY_H
    calibration = int(min(settings.calibration_days, days * CALIBRATION_SHARE))
    model, notes = _affordable(settings.model, days - calibration)
    settings = replace(settings, model=model, weather_names=tuple(series.weather))
    rolled = _rolled_lately(series, settings, calibration)
    lately, more = _best_lately(rolled, model)
    settings, notes = replace(settings, model=lately), (*notes, *more)
    rows, load = training_rows(series, settings)
    return LoadModel(
        settings=settings,
        members=fit_members(tuple(dict.fromkeys((lately, *NAIVE))), rows, load, settings.seed),
        weights={name: float(values[-1]) for name, values in rolled.weights.items()},
        naive=_better_naive(rolled),
        rooms=_rooms_now(rolled, settings),
        learned=fit_quantiles(rows, load, settings.levels_to_learn, settings.seed),
        trained_until=series.time[0] + series.end * HOUR,
        scale_mw=(rolled.typical_mw, least_load(series.load_mw)),
        notes=notes,
    )


def _affordable(model: str, days: int) -> tuple[str, tuple[str, ...]]:
    """The model, or the most demanding simpler one that `days` of past forecasts suffice for."""
    taken = model
    while needed_days([taken]) > days and taken in SIMPLER:
        taken = SIMPLER[taken]
    if taken == model:
        return model, ()
    return taken, (f"{taken}: {days} d to learn from, {model} needs {needed_days([model])} d",)


def _rolled_lately(series: Series, settings: ForecastSettings, days: int) -> Rolled:
    """Forecasts of the last days by models that knew what was before; then one without outcome."""
    longer = lengthened(series, settings.hours)
    begin = max(series.end - days * DAY_H - settings.hours, REACH_H)
    origins = np.arange(begin, series.end, SPREAD_H)
    if settings.origin_hours:
        origins = daily_origins(longer, settings)
        origins = origins[(origins >= begin) & (origins < series.end)]
    if not len(origins):
        raise InputError("load history", ["too short for a single forecast whose outcome is known"])
    models = dict.fromkeys((settings.model, *NAIVE))
    return roll(longer, settings, np.append(origins, series.end), tuple(models), ONCE)


def _rooms_now(rolled: Rolled, settings: ForecastSettings) -> dict[str, dict[float, np.ndarray]]:
    """Room of the last origin by model, level and lead; naive models have no learned quantiles."""
    plain = replace(rolled, learned_mw={})
    return {
        name: {
            level: room[-1]
            for level, room in rooms_of(
                rolled if name == settings.model else plain, name, settings
            ).items()
        }
        for name in rolled.forecast_mw
    }


def _errors_mw(rolled: Rolled) -> dict[str, float]:
    """Mean absolute error of each model over the last days [MW]."""
    return {
        name: float(np.nanmean(np.abs(values - rolled.load_mw)))
        for name, values in rolled.forecast_mw.items()
    }


def _best_lately(rolled: Rolled, model: str) -> tuple[str, tuple[str, ...]]:
    """The model, unless a naive one did better on the last days: then that, with a note."""
    error = _errors_mw(rolled)
    naive = _better_naive(rolled)
    if not error[naive] < error[model]:
        return model, ()
    told = f"{naive}: on the last days its error was {error[naive]:.3g} MW, that of {model}"
    return naive, (f"{told} {error[model]:.3g} MW",)


def _better_naive(rolled: Rolled) -> str:
    error = _errors_mw(rolled)
    return min(NAIVE, key=lambda name: error[name])
