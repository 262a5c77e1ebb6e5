"""The weather ahead of a forecast, as it was known then.

Four kinds, never mixed: what came true (a bound that nobody has), the last observed value held, the
last observed day repeated, and a forecast. A backtest has no recorded forecasts, so it makes them
from what came true and an error e that grows with lead time k [h]:

    e_k = s(k) z_k,   z_k = r z_{k-1} + sqrt(1 - r²) n_k,   n_k standard normal

with s(k) along the lines of `ERROR_K` and r = 0.95, both chosen here. Its mean absolute error over
the first 72 h is 1.6 K; published for six models and 14 stations in Poland are 1.5 to 2.1 K [1].
Other weather than the outdoor temperature is then held as last observed. Each origin has its own
draw, which depends on its hour and the seed alone.

[1] Kendzierski, Czernecki, Kolendowicz, Jaczewski: Air temperature forecasts' accuracy of selected
short-term and long-term numerical weather prediction models over Poland, Geofizika 35 (2018),
doi:10.15233/gfz.2018.35.5.
"""

import numpy as np
from jaxtyping import Float, Int

from tvilling.twins.forecasting.load.series import DAY_H, HOUR, OUTDOOR, Series
from tvilling.twins.forecasting.load.settings import ForecastSettings

ERROR_LEAD_H = (0.0, 6.0, 24.0, 72.0, 168.0)
ERROR_K = (0.5, 0.8, 2.0, 3.0, 4.0)
ERROR_MEMORY = 0.95

Ahead = dict[str, Float[np.ndarray, "origin lead"]]


def weather_ahead(
    series: Series, origins: Int[np.ndarray, " origin"], hours: int, settings: ForecastSettings
) -> Ahead:
    """Weather over the hours from each origin, of the kind that the settings name.

    Parameters
    ----------
    origins
        Positions of the first hour ahead; the hour before is the last observed.
    """
    return {
        name: _ahead(series, name, origins, hours, settings)
        for name in settings.weather_names
        if name in series.weather
    }


def _ahead(
    series: Series, name: str, origins: np.ndarray, hours: int, settings: ForecastSettings
) -> Float[np.ndarray, "origin lead"]:
    values = series.weather[name]
    lead = np.arange(hours)
    if settings.weather == "last_day":
        return values[origins[:, None] - DAY_H + lead % DAY_H]
    is_forecast = settings.weather == "forecast"
    if settings.weather == "last_observed" or (is_forecast and name != OUTDOOR):
        return np.repeat(values[origins - 1][:, None], hours, axis=1)
    true = values[origins[:, None] + lead]
    if settings.weather == "perfect":
        return true
    return true + forecast_error_k(series.time[origins], hours, settings.seed)


def forecast_error_k(time: np.ndarray, hours: int, seed: int) -> Float[np.ndarray, "origin lead"]:
    """Error of the outdoor temperature [K] in forecasts made at `time`."""
    stamps = (np.asarray(time, "datetime64[ns]") - np.datetime64(0, "ns")) // HOUR
    white = np.stack(
        [np.random.default_rng([seed, int(stamp)]).standard_normal(hours) for stamp in stamps]
    )
    fresh = np.sqrt(1 - ERROR_MEMORY**2)
    for lead in range(1, hours):
        white[:, lead] = ERROR_MEMORY * white[:, lead - 1] + fresh * white[:, lead]
    return error_sd_k(np.arange(hours)) * white


def error_sd_k(lead_h: Float[np.ndarray, " lead"]) -> Float[np.ndarray, " lead"]:
    """Standard deviation of the error of a forecast outdoor temperature [K]."""
    return np.interp(lead_h, ERROR_LEAD_H, ERROR_K)
