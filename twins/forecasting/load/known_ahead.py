"""The weather ahead of one forecast: what was observed since the load ended, then what is told."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.twins.forecasting.load.series import DAY_H, HOUR, OUTDOOR, Series, lengthened
from tvilling.twins.forecasting.load.settings import ForecastSettings
from tvilling.twins.forecasting.load.weather import Ahead

if TYPE_CHECKING:
    import xarray as xr


def known_ahead(
    series: Series,
    told: "xr.Dataset | pd.DataFrame | None",
    delay_h: int,
    settings: ForecastSettings,
) -> tuple[Ahead, int]:
    """Weather of the settings' `hours` from the end of the load, and hours that had to be held.

    Parameters
    ----------
    told
        Weather over `time`: all of it counts where the settings' kind is `perfect`, the outdoor
        temperature where it is `forecast`, and nothing where it is as observed.
    delay_h
        Hours between the end of the load and the start of the forecast; their weather is observed
        where the history has it.
    """
    time = series.time[0] + (series.end + np.arange(settings.hours)) * HOUR
    names = {"perfect": list(series.weather), "forecast": [OUTDOOR]}.get(settings.weather, [])
    table = pd.DataFrame(index=time) if told is None else _table(told, names, time)
    before = lengthened(series, 0)
    ahead, held = {}, 0
    for name, past in before.weather.items():
        values = np.full(settings.hours, np.nan)
        observed = series.weather[name][series.end : series.end + delay_h]
        values[: len(observed)] = observed
        if name in table:
            values = np.where(np.isfinite(values), values, table[name].to_numpy(float))
        if name == OUTDOOR and names:
            held = int(np.isnan(values).sum())
        ahead[name] = _filled(past[: series.end], values, settings)[None]
    return ahead, held


def _table(told: "xr.Dataset | pd.DataFrame", names: list[str], time: np.ndarray) -> pd.DataFrame:
    """The weather that is told, of those `names` that there are, at each of `time`."""
    told = told[[name for name in names if name in told]]
    table = told if isinstance(told, pd.DataFrame) else told.to_dataframe()
    index = pd.DatetimeIndex(table.index)
    table = table.set_axis(index if index.tz is None else index.tz_convert(None), axis=0)
    return table.reindex(pd.DatetimeIndex(time))


def _filled(past: np.ndarray, values: np.ndarray, settings: ForecastSettings) -> np.ndarray:
    """Hours without a value: the last known value held, or the last known day repeated."""
    whole = np.concatenate([past[-DAY_H:], values])
    back = DAY_H if settings.weather == "last_day" else 1
    for at in range(len(whole)):
        if np.isnan(whole[at]) and at >= back:
            whole[at] = whole[at - back]
    return whole[DAY_H:]
