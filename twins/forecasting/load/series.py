"""A load and its weather on an even hourly axis, with gaps known and bridged by the past alone."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from tvilling.datasets.plausible import judged_load
from tvilling.sciml.core.errors import InputError
from tvilling.twins.forecasting.load.settings import ForecastSettings

if TYPE_CHECKING:
    import xarray as xr

HOUR = np.timedelta64(1, "h")
LOAD, OUTDOOR = "load_mw", "outdoor_degc"
DAY_H, WEEK_H = 24, 168
RANGES = {
    LOAD: (-1e6, 1e6, "MW"),
    "outdoor_degc": (-60.0, 60.0, "°C"),
    "wind_m_per_s": (0.0, 80.0, "m/s"),
    "humidity_percent": (0.0, 105.0, "%"),
}


@dataclass(frozen=True)
class Series:
    """Load and weather, hour by hour.

    Attributes
    ----------
    time
        Start of each hour, UTC (or local, where the settings name no zone).
    load_mw
        Load [MW]; NaN where it is not known.
    bridged_mw
        The same with gaps filled from the hours before them; NaN behind the last known hour.
    weather
        Weather by name, gaps filled from the hours before them; NaN behind the last known hour.
    missing_h, missing_weather_h
        How many hours were missing between the first and the last.
    notes
        Which readings of the load were left out as not plausible, in words.
    """

    time: np.ndarray
    load_mw: Float[np.ndarray, " time"]
    bridged_mw: Float[np.ndarray, " time"]
    weather: dict[str, Float[np.ndarray, " time"]]
    missing_h: int
    missing_weather_h: int
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """Position behind the last hour whose load is known."""
        return int(np.flatnonzero(np.isfinite(self.load_mw))[-1]) + 1

    def position(self, time: np.datetime64 | str) -> int:
        """Position of an hour on the axis, which may lie beyond it."""
        return int((as_stamp(time) - self.time[0]) // HOUR)

    def share_known(self, window_h: int) -> Float[np.ndarray, " time"]:
        """Share of the `window_h` hours before each position whose load is known [-]."""
        total = np.concatenate([[0.0], np.cumsum(np.isfinite(self.load_mw))])
        at = np.arange(len(self.time) + 1)
        return (total[at] - total[np.maximum(at - window_h, 0)]) / window_h


def as_stamp(time: np.datetime64 | str) -> np.datetime64:
    """A time as the axis of a series has it, in nanoseconds."""
    return np.datetime64(time).astype("datetime64[ns]")


def read_series(history: "xr.Dataset | pd.DataFrame", settings: ForecastSettings) -> Series:
    """Check a history and lay it on an even axis.

    Parameters
    ----------
    history
        `load_mw` and weather over `time` (coordinate or index), hourly, in order; hours may be
        absent or NaN. Readings of the load that are not plausible (`datasets/plausible.py`: a meter
        at zero, stuck, far from the days before) are left out and noted. The first hours without
        load are left out, and so is weather that is known in less than a day.

    Raises
    ------
    InputError
        With every fault: no load, hours out of order or twice or between whole hours, values
        outside their ranges, less than eight days of load.
    """
    table = _table(history, settings)
    axis = pd.date_range(table.index[0], table.index[-1], freq="h")
    table = table.reindex(axis)
    judged = judged_load(table[LOAD].to_numpy(float), axis.to_numpy())
    table[LOAD] = judged.values
    _check_length(table)
    first = table.index.get_loc(table[LOAD].first_valid_index())
    table = table.iloc[first:]
    load = table[LOAD].to_numpy(float)
    last = int(np.flatnonzero(np.isfinite(load))[-1]) + 1
    names = [name for name in settings.weather_names if name in table]
    names = [name for name in names if table[name].notna().sum() >= DAY_H]
    weather = {name: _bridged(table[name].to_numpy(float)) for name in names}
    gaps = sum(int(np.isnan(table[name].to_numpy(float)[:last]).sum()) for name in names)
    return Series(
        time=table.index.to_numpy().astype("datetime64[ns]"),
        load_mw=load,
        bridged_mw=_bridged(load),
        weather=weather,
        missing_h=int(np.isnan(load[:last]).sum()),
        missing_weather_h=gaps,
        notes=judged.notes,
    )


def _check_length(table: pd.DataFrame) -> None:
    known = int(table[LOAD].notna().sum())
    if known < WEEK_H + DAY_H:
        fault = f"{LOAD} is known in {known} h, expected {WEEK_H + DAY_H} h or more"
        raise InputError("load history", [fault])


def without_future(series: Series, start: "np.datetime64 | str | None") -> Series:
    """The series up to `start`; all of it without one.

    Raises
    ------
    InputError
        Where less than eight days of it lie before `start`.
    """
    if start is None:
        return series
    count = min(series.position(start), len(series.time))
    if count < WEEK_H + DAY_H or not np.isfinite(series.load_mw[:count]).any():
        fault = f"{max(count, 0)} h before {start}, expected {WEEK_H + DAY_H} h or more"
        raise InputError("load history", [fault])
    load = series.load_mw[:count]
    return replace(
        series,
        time=series.time[:count],
        load_mw=load,
        missing_h=int(np.isnan(load[: np.flatnonzero(np.isfinite(load))[-1]]).sum()),
        bridged_mw=series.bridged_mw[:count],
        weather={name: values[:count] for name, values in series.weather.items()},
    )


def lengthened(series: Series, hours: int) -> Series:
    """The axis `hours` longer: no load, and the last day of the weather repeated."""
    more = series.time[-1] + HOUR * np.arange(1, hours + 1)
    none = np.full(hours, np.nan)
    return replace(
        series,
        time=np.concatenate([series.time, more]),
        load_mw=np.concatenate([series.load_mw, none]),
        bridged_mw=np.concatenate([series.bridged_mw, none]),
        weather={name: _repeated(v, hours) for name, v in series.weather.items()},
    )


def _repeated(values: Float[np.ndarray, " time"], hours: int) -> Float[np.ndarray, " longer"]:
    """Behind the last known value, the day before it again and again."""
    known = values[: int(np.flatnonzero(np.isfinite(values))[-1]) + 1]
    missing = len(values) + hours - len(known)
    return np.concatenate([known, np.resize(known[-DAY_H:], missing)])


def _table(history: "xr.Dataset | pd.DataFrame", settings: ForecastSettings) -> pd.DataFrame:
    """The columns that count, in order of time, or every fault."""
    names = [LOAD, *settings.weather_names]
    if isinstance(history, pd.DataFrame):
        table = history[[name for name in names if name in history]]
    else:
        kept = [name for name in names if name in history]
        table = pd.DataFrame(
            {name: history[name].to_numpy() for name in kept}, index=history["time"].to_numpy()
        )
    if LOAD not in table:
        raise InputError("load history", [f"no variable {LOAD}; there are {list(history)}"])
    index = pd.DatetimeIndex(table.index)
    table = table.set_axis(index if index.tz is None else index.tz_convert(None), axis=0)
    faults = [*_time_faults(pd.DatetimeIndex(table.index)), *_value_faults(table)]
    known = int(table[LOAD].notna().sum())
    if known < WEEK_H + DAY_H:
        faults.append(f"{LOAD} is known in {known} h, expected {WEEK_H + DAY_H} h or more")
    if faults:
        raise InputError("load history", faults)
    return table.astype(float)


def _time_faults(index: pd.DatetimeIndex) -> list[str]:
    faults = []
    if index.has_duplicates:
        faults.append(f"{index[index.duplicated()][0]} stands twice, expected every hour once")
    elif not index.is_monotonic_increasing:
        at = int(np.argmax(np.diff(index.to_numpy()) < np.timedelta64(0, "s"))) + 1
        faults.append(f"{index[at]} stands behind a later hour, expected order of time")
    odd = index[index != index.floor("h")]
    if len(odd):
        faults.append(f"{odd[0]} is no whole hour; so are {len(odd)} stamps")
    return faults


def _value_faults(table: pd.DataFrame) -> list[str]:
    faults = []
    for name, column in table.items():
        low, high, unit = RANGES.get(str(name), (-np.inf, np.inf, ""))
        values = column.to_numpy(float)
        bad = np.flatnonzero((values < low) | (values > high) | np.isinf(values))
        if len(bad):
            faults.append(
                f"{table.index[bad[0]]}: {name} is {values[bad[0]]:g} {unit}, expected {low:g} to "
                f"{high:g} {unit}; so are {len(bad)} values"
            )
    return faults


def _bridged(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Gaps filled with the same hour of the day before, or of the nearest day before that.

    Behind the last known value all stays NaN; a gap at the start takes the first known value.
    """
    filled = values.copy()
    known: Bool[np.ndarray, " time"] = np.isfinite(values)
    if not known.any():
        return filled
    first, last = np.flatnonzero(known)[[0, -1]]
    filled[:first] = values[first]
    for at in np.flatnonzero(~known[:last]):
        if at >= first:
            filled[at] = filled[at - DAY_H] if at >= DAY_H else filled[at - 1]
    return filled
