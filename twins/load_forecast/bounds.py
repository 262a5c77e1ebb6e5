"""Quantiles of forecasts, from how far earlier forecasts were from the truth."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tvilling.twins.load_forecast.conformal import Online, absolute_score, quantile_score
from tvilling.twins.load_forecast.settings import ForecastSettings

Grid = Float[np.ndarray, "origin lead"]


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
        Learned quantiles by level; empty where no conformalized quantile regression is asked for.
    floor_mw
        What no load is forecast below.
    """

    origin: np.ndarray
    load_mw: Grid
    forecast_mw: dict[str, Grid]
    learned_mw: dict[float, Grid]
    floor_mw: float


def rooms_of(rolled: Rolled, model: str, settings: ForecastSettings) -> dict[float, Grid]:
    """Room [MW] beside each forecast of `model`, by upper level, from what was known then."""
    forecast, load = rolled.forecast_mw[model], rolled.load_mw
    rooms = {}
    for level in (level for level in settings.quantiles if level > 0.5):
        scores = absolute_score(load, forecast)
        if settings.interval == "cqr":
            low = rolled.learned_mw[opposite(settings, level)]
            scores = quantile_score(load, low, rolled.learned_mw[level])
        online = Online(2 * level - 1, settings.calibration_days, settings.interval == "adaptive")
        rooms[level] = online.bounds(rolled.origin, scores)
    return rooms


def quantiles_from(
    forecast_mw: Grid,
    learned_mw: dict[float, Grid],
    rooms_mw: dict[float, Grid],
    floor_mw: float,
    settings: ForecastSettings,
) -> dict[float, Grid]:
    """Quantiles [MW] by level: the forecast, or what was learned, with room on both sides.

    The quantile at 0.5 is the forecast, and no quantile lies on its wrong side.
    """
    found = {level: forecast_mw for level in settings.quantiles if level == 0.5}
    for level, room in rooms_mw.items():
        low = opposite(settings, level)
        below, above = learned_mw.get(low, forecast_mw), learned_mw.get(level, forecast_mw)
        found[low] = np.maximum(np.minimum(below - room, forecast_mw), floor_mw)
        found[level] = np.maximum(above + room, forecast_mw)
    return {level: found[level] for level in settings.quantiles}


def opposite(settings: ForecastSettings, level: float) -> float:
    """The level of the settings on the other side of 0.5."""
    return min(settings.quantiles, key=lambda other: abs(other - (1 - level)))
