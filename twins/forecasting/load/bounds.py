"""Quantiles of forecasts, from how far earlier forecasts were from the truth.

The load of many consumers is a sum of shares that come and go independently, so its error grows
like the square root of its size. Errors of split conformal prediction are told in that unit,

    sqrt(max(|forecast| / typical load, 0.1)),

so that what was seen in autumn serves in winter. Learned quantiles have a width of their own and
need no unit.
"""

import numpy as np

from tvilling.twins.forecasting.load.conformal import Online, absolute_score, quantile_score
from tvilling.twins.forecasting.load.rolled import Grid, Rolled
from tvilling.twins.forecasting.load.settings import ForecastSettings

MIN_SHARE = 0.1  # of the typical load, below which errors shrink no more


def rooms_of(rolled: Rolled, model: str, settings: ForecastSettings) -> dict[float, Grid]:
    """Room [MW at typical load] beside forecasts, by upper level, from what was known then."""
    forecast, load = rolled.forecast_mw[model], rolled.load_mw
    rooms = {}
    for level in (level for level in settings.quantiles if level > 0.5):
        if rolled.learned_mw:
            low = rolled.learned_mw[opposite(settings, level)]
            scores = quantile_score(load, low, rolled.learned_mw[level])
        else:
            scores = absolute_score(load, forecast) / unit_of(forecast, rolled.typical_mw)
        online = Online(2 * level - 1, settings.calibration_days, settings.is_adaptive)
        rooms[level] = online.bounds(rolled.origin, scores)
    return rooms


def unit_of(forecast_mw: Grid, typical_mw: float) -> Grid:
    """Unit in which errors of a forecast are told [-], 1 at typical load."""
    return np.sqrt(np.maximum(np.abs(forecast_mw) / max(typical_mw, 1e-9), MIN_SHARE))


def quantiles_from(
    forecast_mw: Grid,
    learned_mw: dict[float, Grid],
    rooms: dict[float, Grid],
    scale: tuple[float, float],
    settings: ForecastSettings,
) -> dict[float, Grid]:
    """Quantiles [MW] by level: the forecast, or what was learned, with room on both sides.

    The quantile at 0.5 is the forecast, and no quantile lies on its wrong side. `scale` holds the
    typical and the least load [MW].
    """
    typical_mw, floor_mw = scale
    found = {level: forecast_mw for level in settings.quantiles if level == 0.5}
    for level, room in rooms.items():
        low = opposite(settings, level)
        room_mw = room if learned_mw else room * unit_of(forecast_mw, typical_mw)
        below, above = learned_mw.get(low, forecast_mw), learned_mw.get(level, forecast_mw)
        found[low] = np.maximum(np.minimum(below - room_mw, forecast_mw), floor_mw)
        found[level] = np.maximum(above + room_mw, forecast_mw)
    return {level: found[level] for level in settings.quantiles}


def opposite(settings: ForecastSettings, level: float) -> float:
    """The level of the settings on the other side of 0.5."""
    return min(settings.quantiles, key=lambda other: abs(other - (1 - level)))
