"""A year of outdoor temperature and sun as formulas, for trials where no record is at hand."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from tvilling.datasets.weather import COLDEST_DAY, YEAR_MEAN_DEGC, YEAR_SWING_K

SYNTHETIC = "synthetic weather (documented formula, not measured)"
DAY_SWING_K = (1.0, 4.0)  # half the range of a clear day, in mid-winter and mid-summer
SPREAD_K, MEMORY_H = 3.4, 60.0  # of hourly weather around the season and the day
LATITUDE_DEG, LONGITUDE_DEG = 56.0, 10.0
CLEARNESS = 0.6  # mean share of clear-sky sun that gets through clouds, Danish mean of the year


def outdoor_degc(time_utc: pd.DatetimeIndex, seed: int) -> Float[np.ndarray, " time"]:
    """Outdoor temperature [°C]: season, day, and weather with a memory of 60 hours.

        T = mean - swing cos(2 pi (d - d0) / 365.25) + day(season) cos(2 pi (h - 14) / 24) + w

    Mean, swing and coldest day d0 are those of the sine through the Danish record of 2020 to 2022;
    w is first-order noise with a standard deviation of 3.4 K. It depends on the time alone, not on
    where the record begins: w is drawn from the first hour of 2015 on.
    """
    day = time_utc.dayofyear.to_numpy() + time_utc.hour.to_numpy() / 24.0
    season = np.cos(2 * np.pi * (day - COLDEST_DAY) / 365.25)
    low, high = DAY_SWING_K
    swing = 0.5 * (low + high) - 0.5 * (high - low) * season
    hour = time_utc.hour.to_numpy() + LONGITUDE_DEG / 15.0
    daily = swing * np.cos(2 * np.pi * (hour - 14.0) / 24.0)
    return YEAR_MEAN_DEGC - YEAR_SWING_K * season + daily + _weather(time_utc, seed)


def irradiance_w_per_m2(time_utc: pd.DatetimeIndex) -> Float[np.ndarray, " time"]:
    """Sun on level ground [W/m²]: a clear sky after Haurwitz, times a mean clearness of 0.6.

        G = 0.6 · 1098 cos z exp(-0.059 / cos z)

    z is the zenith angle at 56° N, 10° E, in the middle of the hour, with the declination of
    Cooper. Cloudy and clear days are not told apart.

    Source: Haurwitz, Insolation in relation to cloudiness and cloud density, Journal of
    Meteorology 2, 154-166, 1945.
    """
    day = time_utc.dayofyear.to_numpy()
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day) / 365.0)
    solar_h = time_utc.hour.to_numpy() + 0.5 + LONGITUDE_DEG / 15.0
    angle = np.deg2rad(15.0 * (solar_h - 12.0))
    latitude = np.deg2rad(LATITUDE_DEG)
    up = np.sin(latitude) * np.sin(declination)
    up = up + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    high = np.maximum(up, 1e-3)
    return np.where(up > 0, CLEARNESS * 1098.0 * high * np.exp(-0.059 / high), 0.0)


def _weather(time_utc: pd.DatetimeIndex, seed: int) -> Float[np.ndarray, " time"]:
    """First-order noise by hour since 2015, repeated every 16 years."""
    from scipy.signal import lfilter

    hours = 16 * 8766
    memory = np.exp(-1.0 / MEMORY_H)
    kicks = np.random.default_rng(seed).standard_normal(hours)
    kicks[1:] *= np.sqrt(1.0 - memory**2)
    noise = SPREAD_K * lfilter([1.0], [1.0, -memory], kicks)
    since = (time_utc - pd.Timestamp("2015-01-01")) // pd.Timedelta(hours=1)
    return noise[np.asarray(since) % hours]
