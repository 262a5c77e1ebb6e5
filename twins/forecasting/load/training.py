"""Rows to learn from: which origins, which hours, and what is left out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from tvilling.twins.forecasting.load.calendar import local_stamps
from tvilling.twins.forecasting.load.features import REACH_H, Rows, make_rows
from tvilling.twins.forecasting.load.models import MODELS, Predict, members_of
from tvilling.twins.forecasting.load.series import DAY_H, HOUR, Series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.weather import weather_ahead

ROWS_MADE = 4  # rows made for each that is kept
STRIDES_H = (1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31, 35, 37, 41, 43, 47)  # none shared with a day
MIN_KNOWN = 0.5  # share of the last day before an origin


def daily_origins(series: Series, settings: ForecastSettings) -> Int[np.ndarray, " origin"]:
    """Positions of the origins of forecasts made every day; at local midnight if at any hour."""
    hours = settings.origin_hours or (0,)
    positions = np.flatnonzero(np.isin(local_stamps(series.time, settings.zone).hour, hours))
    return positions[positions >= REACH_H]


def training_rows(
    series: Series, settings: ForecastSettings
) -> tuple[Rows, Float[np.ndarray, " row"]]:
    """Rows and loads [MW] of past forecasts, no more than the settings allow.

    Hours whose load is not known are left out, and so are origins before which more than half a
    day is not known.
    """
    origins = _thinned(series, settings)
    origins = origins[origins + settings.hours <= series.end]
    origins = origins[series.share_known(DAY_H)[origins] >= MIN_KNOWN]
    ahead = weather_ahead(series, origins, settings.hours, settings)
    rows = make_rows(series, origins, ahead, settings)
    load = load_of(series, rows)
    good = np.flatnonzero(np.isfinite(load) & np.isfinite(rows.values).all(axis=1))
    if len(good) > settings.max_rows:
        random = np.random.default_rng(settings.seed)
        good = np.sort(random.choice(good, settings.max_rows, replace=False))
    return rows.where(good), load[good]


def load_of(series: Series, rows: Rows) -> Float[np.ndarray, " row"]:
    """Measured load of each row [MW], NaN where it is not known."""
    at = ((rows.time - series.time[0]) // HOUR).astype(int)
    inside = at < len(series.time)
    return np.where(inside, series.load_mw[np.minimum(at, len(series.time) - 1)], np.nan)


def fit_members(
    models: Sequence[str], rows: Rows, load_mw: Float[np.ndarray, " row"], seed: int
) -> dict[str, Predict]:
    """Fit what `models` are made of."""
    wanted = {member for model in models for member in members_of(model)}
    return {
        name: fit(rows, load_mw, seed)
        for name, fit in MODELS.items()
        if name in wanted and fit is not None
    }


def _thinned(series: Series, settings: ForecastSettings) -> Int[np.ndarray, " origin"]:
    """Origins at the hours that the settings name, or spread evenly over the hours of the day."""
    most = max(1, ROWS_MADE * settings.max_rows // settings.hours)
    if settings.origin_hours:
        origins = daily_origins(series, settings)
        return origins[:: -(-len(origins) // most)] if len(origins) else origins
    span = series.end - REACH_H
    stride = next((s for s in STRIDES_H if span // s <= most), STRIDES_H[-1])
    return np.arange(REACH_H, series.end, stride)
