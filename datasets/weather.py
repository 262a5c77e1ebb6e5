"""Outdoor and ground temperatures for a winter week: recorded where there is a record."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

COLD_WEEK = "2021-02-08"  # the coldest calendar week of the Danish record 2020-2022, -4.8 °C
YEAR_MEAN_DEGC, YEAR_SWING_K, COLDEST_DAY = 8.3, 7.8, 29.0  # sine through the same record
SOIL_M2_PER_S = 0.6e-6  # moist mineral soil
SYNTHETIC_MONTHS, SYNTHETIC_DAYS = (11, 12, 1, 2, 3), 14
RECORDED = "recorded Danish weather (data set dk_consumption)"
SYNTHETIC = "synthetic winter week (documented formula, not measured)"
DAY_S, YEAR_S = 86_400.0, 365.25 * 86_400.0


def winter_week(
    start: str | None = None, step_s: float = 900.0, days: int = 7, recorded: bool | None = None
) -> "xr.Dataset":
    """Outdoor temperature over some winter days.

    Parameters
    ----------
    start
        First day, local standard time (UTC+1). None: the coldest week of the record.
    step_s
        Time step [s]; the hourly record is interpolated linearly.
    days
        How many days.
    recorded
        True: the Danish record. False: the synthetic week of `synthetic_outdoor_degc`, which holds
        for at most 14 days between November and March. None: the record where it is at hand, in
        the folder that TVILLING_DATA names or downloaded before, and covers the days; else the
        synthetic week.

    Returns
    -------
    xarray.Dataset
        `outdoor_degc` over `time` (start of each step, local standard time); the attribute
        `source` says where it comes from, and `kind` which of the two it is, recorded or synthetic.

    Raises
    ------
    InputError
        The record is asked for and not at hand, or does not cover the days; or the synthetic week
        is asked for, or left over, on days for which it does not hold.
    """
    import xarray as xr

    first = _first_day(start, step_s, days)
    count = round(days * DAY_S / step_s)
    time = first + pd.to_timedelta(np.arange(count) * step_s, unit="s")
    kind, why = _choice(time, recorded)
    if kind == "recorded":
        degc, source = _recorded_outdoor_degc(time), RECORDED
    else:
        since_midnight_s = (time - first.normalize()).total_seconds().to_numpy()
        degc, source = synthetic_outdoor_degc(since_midnight_s), f"{SYNTHETIC}{why}"
    return xr.Dataset(
        {"outdoor_degc": ("time", degc, {"units": "degC", "long_name": "outdoor temperature"})},
        coords={"time": time},
        attrs={"source": source, "kind": kind, "clock": "local standard time, UTC+1"},
    )


def synthetic_outdoor_degc(
    since_start_s: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """A winter week as a formula [°C], `since_start_s` seconds after a midnight.

    -1.5 + 3.6 cos(2 pi t / 5.5 d) + 1.2 cos(2 pi (t - 14 h) / 1 d) + 0.8 cos(2 pi t / 2.3 d + 1):
    a mild start, a cold spell on the third day, mild again at the end; warmest about 14 h each day.
    The spread of its daily means, 2.3 K, is close to that of Danish winters (2.5 K in 2020-2022).
    """
    day = np.asarray(since_start_s) / DAY_S
    turn = 2 * np.pi
    return (
        -1.5
        + 3.6 * np.cos(turn * day / 5.5)
        + 1.2 * np.cos(turn * (day - 14 / 24))
        + 0.8 * np.cos(turn * day / 2.3 + 1.0)
    )


def ground_degc(
    time: Float[np.ndarray, " time"] | pd.DatetimeIndex, depth_m: float = 1.0
) -> Float[np.ndarray, " time"]:
    """Temperature of undisturbed ground [°C] at `depth_m` [m] below the surface.

    T(z, t) = mean - swing e^(-z/d) cos(2 pi (t - t0) / year - z/d), with the damping depth
    d = sqrt(soil year / pi), the solution for a half space under a sine at its surface. Mean,
    swing and the coldest day t0 of the surface are those of the sine through the air temperatures
    of the Danish record; soil is the thermal diffusivity of moist mineral soil. Snow, sun and the
    pipes themselves are left out.

    Kusuda, Achenbach, Earth temperature and thermal diffusivity at selected stations in the
    United States, ASHRAE Transactions 71, 1965.
    """
    stamps = pd.DatetimeIndex(np.asarray(time))
    new_year = pd.to_datetime(stamps.year.astype(str) + "-01-01")
    day = (stamps - new_year).total_seconds().to_numpy() / DAY_S
    damping = depth_m / np.sqrt(SOIL_M2_PER_S * YEAR_S / np.pi)
    phase = 2 * np.pi * (day - COLDEST_DAY) * DAY_S / YEAR_S - damping
    return YEAR_MEAN_DEGC - YEAR_SWING_K * np.exp(-damping) * np.cos(phase)


def _first_day(start: str | None, step_s: float, days: int) -> pd.Timestamp:
    faults = []
    try:
        first = pd.Timestamp(start or COLD_WEEK)
    except ValueError:
        raise InputError("weather", [f"start is {start!r}, expected a date"]) from None
    if not 1.0 <= step_s <= DAY_S:
        faults.append(f"step_s is {step_s:g} s, expected 1 to 86400 s")
    if not 1 <= days <= 366:
        faults.append(f"days is {days}, expected 1 to 366")
    if faults:
        raise InputError("weather", faults)
    return first


def _choice(time: pd.DatetimeIndex, recorded: bool | None) -> tuple[str, str]:
    """Which weather is used, recorded or synthetic, and why it is not the record."""
    from tvilling.datasets.registry import is_at_hand

    why = ""
    if recorded is None:
        outside = (
            _outside_record(time)
            if is_at_hand("dk_consumption")
            else ["the Danish record is not at hand"]
        )
        recorded, why = not outside, "".join(f"; {fault}" for fault in outside)
    faults = _outside_record(time) if recorded else _outside_synthetic(time)
    if faults:
        raise InputError("weather", [fault + why for fault in faults])
    return "recorded" if recorded else "synthetic", why


def _outside_synthetic(time: pd.DatetimeIndex) -> list[str]:
    """Faults for days on which the synthetic winter week does not hold."""
    span = f"{time[0]:%Y-%m-%d} to {time[-1]:%Y-%m-%d}"
    advice = (
        f"choose a winter start and at most {SYNTHETIC_DAYS} days, or a time in the Danish record "
        "2020-2022 and set TVILLING_DATA to the folder that holds it"
    )
    if set(time.month) - set(SYNTHETIC_MONTHS):
        return [f"{span} leaves November to March, where the synthetic winter week holds; {advice}"]
    if time[-1] - time[0] >= pd.Timedelta(days=SYNTHETIC_DAYS):
        return [f"{span} is longer than the synthetic winter week holds; {advice}"]
    return []


def _record() -> "xr.DataArray":
    """The Danish record [°C] over the middle of each hour, local standard time.

    A value of the record is the mean of the hour before its stamp.
    """
    from tvilling.datasets.registry import load

    record = load("dk_consumption")["outdoor_degc"].dropna("time")
    middle = pd.Timedelta(hours=1) - pd.Timedelta(minutes=30)
    return record.assign_coords(time=pd.DatetimeIndex(record["time"].to_numpy()) + middle)


def _outside_record(time: pd.DatetimeIndex) -> list[str]:
    """Faults for days that the record does not cover."""
    stamps = _record().indexes["time"]
    first, last = stamps[0].normalize() + pd.Timedelta(days=1), stamps[-1]
    if first <= time[0] and time[-1] <= last:
        return []
    return [
        f"{time[0]:%Y-%m-%d} to {time[-1]:%Y-%m-%d} is not in the Danish record, expected days "
        f"from {first:%Y-%m-%d} to {last - pd.Timedelta(days=1):%Y-%m-%d}"
    ]


def _recorded_outdoor_degc(time: pd.DatetimeIndex) -> Float[np.ndarray, " time"]:
    """The Danish record at local standard times [°C], between the middles of its hours."""
    record = _record()
    stamps = record.indexes["time"]
    hours = (stamps - stamps[0]).total_seconds().to_numpy()
    wanted = (time - stamps[0]).total_seconds().to_numpy()
    return np.interp(wanted, hours, record.to_numpy())
