"""Hourly day-ahead power prices for trials where no record is at hand."""

import numpy as np
from jaxtyping import Float

MEAN_DKK_PER_KWH = 0.55
DAY_SPREAD, DAY_MEMORY = 0.45, 0.7  # of the logarithm of a day's level; correlation from day to day
HOUR_SPREAD, HOUR_MEMORY = 0.12, 0.8  # the same of an hour
PEAKS = ((8.0, 2.0, 0.35), (18.5, 2.5, 0.55))  # hour, width [h], height
DIPS = ((3.0, 3.0, -0.35), (13.5, 2.5, -0.25))


def synthetic_prices(
    days: int, seed: int, count: int | None = None
) -> Float[np.ndarray, "*count hour"]:
    """Day-ahead prices [DKK/kWh] over `days` days of 24 hours, of `count` scenarios.

    price = mean · shape(hour) · exp(day level + hour noise), where shape has a peak in the morning
    and one in the evening and dips at night and at noon, and both logarithms are first-order
    autoregressive with mean correction. A plausible course for trials, not a record and not a
    forecast; spread, memory and shape are near those of western Denmark in 2018 to 2020, except
    that prices never fall below zero.
    """
    random = np.random.default_rng(seed)
    rows = 1 if count is None else count
    hour = np.arange(24 * days) % 24
    level = np.repeat(_wander(random, (rows, days), DAY_SPREAD, DAY_MEMORY), 24, axis=1)
    noise = _wander(random, (rows, 24 * days), HOUR_SPREAD, HOUR_MEMORY)
    price = MEAN_DKK_PER_KWH * day_shape(hour) * np.exp(level + noise)
    return price[0] if count is None else price


def day_shape(hour: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The price at `hour` [h] of a day over its mean."""

    def bump(at: np.ndarray, middle: float, width: float) -> np.ndarray:
        away = (at - middle + 12.0) % 24.0 - 12.0
        return np.exp(-((away / width) ** 2) / 2)

    def raw(at: np.ndarray) -> np.ndarray:
        total = np.ones_like(at)
        for middle, width, height in (*PEAKS, *DIPS):
            total += height * bump(at, middle, width)
        return total

    return raw(np.asarray(hour, float)) / raw(np.arange(24.0)).mean()


def _wander(
    random: np.random.Generator, shape: tuple[int, int], spread: float, memory: float
) -> Float[np.ndarray, "row step"]:
    """First-order autoregressive noise whose exponential has mean one."""
    from scipy.signal import lfilter

    kicks = random.standard_normal(shape)
    kicks[:, 1:] *= np.sqrt(1.0 - memory**2)
    return spread * lfilter([1.0], [1.0, -memory], kicks, axis=1) - spread**2 / 2
