"""Hourly day-ahead power prices: days of the record, and a formula where none is at hand."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Part = Literal["training", "held_out"]
EVERY, HELD_OUT = 5, 1  # of five weeks of the record the second is held out
RECORDED = "recorded day-ahead prices of western Denmark (data set dk_prices)"
SYNTHETIC = "synthetic prices (documented formula, not measured)"
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


def price_days(
    count: int, seed: int, part: Part = "training", days: int = 1, recorded: bool | None = None
) -> "xr.Dataset":
    """`count` stretches of whole days of prices, drawn by `seed`; no day is in both parts.

    Of every five weeks of the record, Monday to Sunday, the second is held out, the first of them
    that of 8 January 2018. So a day is no neighbour of one that was learned from, but for Sundays
    and Mondays. A stretch begins at local midnight and lies within its part; days of 23 or 25
    hours, when the clock changes, are left out. Stretches differ as long as there are enough;
    beyond that they are drawn again.

    Parameters
    ----------
    count
        How many.
    seed
        Of the draw.
    part
        `training` or `held_out`.
    days
        Length of a stretch, 1 to 7.
    recorded
        True: the record of western Denmark. False: `synthetic_prices`, another stream for each
        part. None: the record where it is at hand, in the folder that TVILLING_DATA names or
        downloaded before, else the formula.

    Returns
    -------
    xarray.Dataset
        `price_dkk_per_kwh` over `scenario` and `hour`, and of the record `date`, the first day of
        each stretch. Attributes `source`, `kind` and `part`.

    Raises
    ------
    InputError
        An argument is out of range, or the record is asked for and not at hand.
    """
    import xarray as xr

    from tvilling.datasets.registry import is_at_hand

    _check_request(count, part, days)
    if recorded is None:
        recorded = is_at_hand("dk_prices")
    coords = {}
    if recorded:
        price, first = _recorded_days(count, seed, part, days)
        coords["date"] = ("scenario", first.to_numpy())
    else:
        price = synthetic_prices(days, 2 * seed + (part == "held_out"), count)
    units = {"units": "DKK/kWh", "long_name": "day-ahead power price"}
    attrs = {
        "source": RECORDED if recorded else SYNTHETIC,
        "kind": "recorded" if recorded else "synthetic",
        "part": part,
    }
    return xr.Dataset({"price_dkk_per_kwh": (("scenario", "hour"), price, units)}, coords, attrs)


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


def _check_request(count: int, part: str, days: int) -> None:
    faults = []
    if count < 1:
        faults.append(f"count is {count}, expected 1 or more")
    if not 1 <= days <= 7:
        faults.append(f"days is {days}, expected 1 to 7")
    if part not in ("training", "held_out"):
        faults.append(f"part is {part!r}, expected training or held_out")
    if faults:
        raise InputError("price days", faults)


def _recorded_days(
    count: int, seed: int, part: str, days: int
) -> tuple[Float[np.ndarray, "scenario hour"], "pd.DatetimeIndex"]:
    """Prices of drawn stretches of the record, and their first days."""
    import pandas as pd

    from tvilling.datasets.registry import load

    data = load("dk_prices")
    local = pd.DatetimeIndex(data["local_time"].to_numpy())
    price = pd.Series(data["price_dk1_dkk_per_kwh"].to_numpy(), local)
    by_day = price.groupby(local.normalize()).agg(list)
    by_day = by_day[by_day.map(lambda hours: len(hours) == 24 and not np.isnan(hours).any())]
    week = (by_day.index - pd.Timestamp("2018-01-01")).days // 7  # a Monday
    held_out = week % EVERY == HELD_OUT
    chosen = by_day[held_out if part == "held_out" else ~held_out]
    last = chosen.index[days - 1 :]
    starts = np.flatnonzero((last - chosen.index[: len(last)]).days == days - 1)
    drawn = np.random.default_rng(seed).choice(starts, count, replace=count > len(starts))
    hours = np.array(chosen.to_list())
    rows = np.stack([hours[start : start + days].ravel() for start in drawn])
    return rows, pd.DatetimeIndex(chosen.index[drawn])
