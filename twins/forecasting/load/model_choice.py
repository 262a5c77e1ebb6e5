"""Which model is best for a load: the one that would have been, lately."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tvilling.twins.forecasting.load.features import REACH_H
from tvilling.twins.forecasting.load.models import MODELS, needed_days
from tvilling.twins.forecasting.load.rolling import rolling_origin
from tvilling.twins.forecasting.load.scores import score
from tvilling.twins.forecasting.load.series import DAY_H, read_series
from tvilling.twins.forecasting.load.settings import ForecastSettings

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SHARE, MAX_DAYS = 0.4, 365  # of the history that is forecast, and at most
FITS, MIN_DAYS = 4, 7  # in those days, and between two
TIE = 0.01


@dataclass(frozen=True)
class Choice:
    """The model that rolling-origin validation prefers.

    Attributes
    ----------
    model
        The one with the least mean absolute error; the blend where it is within 1 % of that, since
        its members make up for each other.
    mae_mw
        Mean absolute error [MW] of each that was tried, best first.
    period
        First and last day that were forecast.
    """

    model: str
    mae_mw: dict[str, float]
    period: tuple[str, str]


def choose(
    history: "xr.Dataset | pd.DataFrame",
    settings: ForecastSettings,
    models: Sequence[str] | None = None,
    refit_days: int | None = None,
) -> Choice:
    """Forecast the last days of a history as it would have been done then; the best model wins.

    The days are 40 % of the history, 365 at most. Models for which the days before are too few are
    not tried; without `refit_days` they are fitted four times.

    Raises
    ------
    InputError
        Where the history is at fault.
    """
    series = read_series(history, settings)
    days = series.end // DAY_H - REACH_H // DAY_H - 1
    tried_days = max(1, min(MAX_DAYS, int(days * SHARE)))
    before = days - tried_days
    tried = [name for name in models or MODELS if needed_days([name]) <= before]
    last = series.time[series.end - 1].astype("datetime64[D]")
    period = (str(last - np.timedelta64(tried_days - 1, "D")), str(last))
    quick = replace(settings, model=tried[0], quantiles=(0.5,), calibration_days=MIN_DAYS)
    every = refit_days or max(MIN_DAYS, -(-tried_days // FITS))
    found = score(rolling_origin(history, quick, period, tried, every))
    mae = {name: found[name].mae_mw for name in sorted(found, key=lambda n: found[n].mae_mw)}
    return Choice(preferred(mae), mae, period)


def preferred(mae_mw: dict[str, float]) -> str:
    """The model with the least error, or the blend where it is within 1 % of that."""
    best = min(mae_mw, key=lambda name: mae_mw[name])
    return "blend" if mae_mw.get("blend", np.inf) <= (1 + TIE) * mae_mw[best] else best
