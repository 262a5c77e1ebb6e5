"""Forecasts from many origins, by models that are fitted anew as time goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tvilling.twins.forecasting.load.blend import MEMBERS, weights_over
from tvilling.twins.forecasting.load.features import Rows, make_rows
from tvilling.twins.forecasting.load.quantiles import fit_quantiles
from tvilling.twins.forecasting.load.series import HOUR, Series
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.training import fit_members, load_of, training_rows
from tvilling.twins.forecasting.load.weather import weather_ahead

Grid = Float[np.ndarray, "origin lead"]
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Rolled:
    """Forecasts of several models from the same origins.

    Attributes
    ----------
    origin
        First hour ahead of each forecast.
    load_mw
        What came true; NaN where it is not known.
    forecast_mw
        By model.
    learned_mw
        Learned quantiles by level; none where the interval is split conformal.
    weights
        Weight of each member of the blend at every origin; empty without one.
    floor_mw
        What no load is forecast below.
    typical_mw
        Mean size of the load before the first origin.
    """

    origin: np.ndarray
    load_mw: Grid
    forecast_mw: dict[str, Grid]
    learned_mw: dict[float, Grid]
    weights: dict[str, Float[np.ndarray, " origin"]]
    floor_mw: float
    typical_mw: float


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
    answers, learned = [], []
    for block in _blocks(rows, refit_days):
        past, new = ended <= rows.origin[block][0], rows.where(block)
        lesson = known.where(past), load[past]
        members = fit_members(models, *lesson, settings.seed)
        answers.append({name: predict(new) for name, predict in members.items()})
        learned.append(fit_quantiles(*lesson, settings.levels_to_learn, settings.seed)(new))
    shape = (len(origins), settings.hours)
    before = series.load_mw[: origins[0]]
    floor, true = least_load(before), load_of(series, rows).reshape(shape)
    forecast = {name: np.maximum(v, floor) for name, v in _joined(answers, shape).items()}
    weights = {}
    if "blend" in models:
        weights = weights_over(series.time[origins], true, {m: forecast[m] for m in MEMBERS})
        forecast["blend"] = sum(weights[m][:, None] * forecast[m] for m in MEMBERS)
    return Rolled(
        origin=series.time[origins],
        load_mw=true,
        forecast_mw={name: forecast[name] for name in models},
        learned_mw=_joined(learned, shape),
        weights=weights,
        floor_mw=floor,
        typical_mw=float(np.nanmean(np.abs(before))),
    )


def least_load(load_mw: Float[np.ndarray, " time"]) -> float:
    """What a load is never forecast below [MW]: 0 for one that has never been negative."""
    return 0.0 if np.nanmin(load_mw) >= 0 else -np.inf


def _joined(parts: list[dict], shape: tuple[int, int]) -> dict:
    """Rows of every stretch behind one another, as [origin, lead]."""
    return {key: np.concatenate([part[key] for part in parts]).reshape(shape) for key in parts[0]}


def _blocks(rows: Rows, refit_days: int) -> list[np.ndarray]:
    """Row numbers of each stretch between two fits."""
    number = ((rows.origin - rows.origin[0]) // (refit_days * DAY)).astype(int)
    return [np.flatnonzero(number == block) for block in np.unique(number)]
