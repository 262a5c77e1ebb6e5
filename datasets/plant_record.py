"""What a heat plant's computer knows: hourly load, outdoor temperature and power price.

Three kinds of load: `flensburg`, the measured load of a city; `stock`, drawn from a stated building
stock and driven by the weather; `file`, the user's own meters. Weather and prices are those of the
records where they are at hand and cover the time, else formulas; the attributes say which.

The measured load of 2014 to 2016 is laid on 2020 to 2022 by moving it 313 weeks, so weekdays
stay what they were, with its own outdoor temperature. That loosens the tie between weather and
power price, which in truth have cold and calm days in common. Its days follow the clock on the
wall, with 24 hours each: the hour that a spring change leaves out is dropped, the one that autumn
repeats is interpolated.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from tvilling.datasets.clock import DENMARK, is_shown_twice, local_clock
from tvilling.datasets.plausible import LIMITS, other_money
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.tables import Column, read_table
from tvilling.sciml.systems.heat_plant.tariffs import DKK_PER_EUR

if TYPE_CHECKING:
    import xarray as xr

Source = Literal["auto", "recorded", "synthetic"]
WEEKS_MOVED = 313
CONSUMERS = 400  # of the stock behind a load; its sum is scaled, so their number only smooths it
LOAD_DECAY_H = 24 * 7  # how long before the record the stock's load is warmed up
MOVED = (
    "measured city load of Flensburg 2014 to 2016 (data set flensburg), moved by 313 weeks and "
    "scaled; its own outdoor temperature; weather and price are therefore less tied than in truth"
)
FILE_COLUMNS = (
    Column("time_utc", "", "start of the hour, UTC", kind="str", required=True),
    Column("load_mw", "MW", "heat load", low=0.0, high=5000.0),
    Column("outdoor_degc", "°C", "outdoor temperature", low=-50.0, high=50.0),
    Column("price_dkk_per_kwh", "DKK/kWh", "spot price of power", low=-10.0, high=100.0),
    Column("tank_mwh", "MWh", "heat in the tank at the end of the hour", low=0.0, high=1e5),
)
OTHER_UNITS = {  # heading: column, factor and what is added, into its unit
    "load_kw": ("load_mw", 1e-3, 0.0),
    "load_w": ("load_mw", 1e-6, 0.0),
    "outdoor_k": ("outdoor_degc", 1.0, -273.15),
    "outdoor_degf": ("outdoor_degc", 1 / 1.8, -32.0 / 1.8),
    "price_dkk_per_mwh": ("price_dkk_per_kwh", 1e-3, 0.0),
    "price_ore_per_kwh": ("price_dkk_per_kwh", 1e-2, 0.0),
    "price_eur_per_mwh": ("price_dkk_per_kwh", DKK_PER_EUR / 1e3, 0.0),
    "tank_kwh": ("tank_mwh", 1e-3, 0.0),
}
OTHER_COLUMNS = tuple(Column(heading, "", f"as {to[0]}") for heading, to in OTHER_UNITS.items())
FIRST_STAMP, LAST_STAMP = pd.Timestamp("1990-01-01"), pd.Timestamp("2100-01-01")


def measured_city(annual_mwh: float) -> "xr.Dataset":
    """The load of Flensburg, moved to 2020 to 2022 and scaled to `annual_mwh` in a mean year.

    Returns
    -------
    xarray.Dataset
        Over `time` (UTC): `load_mw` and `outdoor_degc`.

    Raises
    ------
    InputError
        The data set is not at hand.
    """
    from tvilling.datasets.registry import load

    data = load("flensburg")
    frame = data[["heat_load_mw", "outdoor_degc"]].to_pandas()
    local = frame.index + pd.Timedelta(weeks=WEEKS_MOVED)
    utc = local.tz_localize(DENMARK, ambiguous=True, nonexistent="NaT").tz_convert("UTC")
    frame = frame.set_axis(utc.tz_localize(None), axis=0).loc[lambda row: row.index.notna()]
    frame = frame.reindex(pd.date_range(frame.index[0], frame.index[-1], freq="h"))
    frame = frame.interpolate(limit=1).rename(columns={"heat_load_mw": "load_mw"})
    frame["load_mw"] *= annual_mwh / (frame["load_mw"].mean() * 8766.0)
    return _dataset(frame, MOVED, data.attrs["source"])


def stock_load(
    start: str, stop: str, annual_mwh: float, seed: int, weather: Source
) -> "xr.Dataset":
    """A load drawn from a building stock, driven by recorded or synthetic weather.

    Parameters
    ----------
    start, stop
        First hour, and the hour after the last, UTC.
    annual_mwh
        Heat of a normal year.
    weather
        `auto` takes the record where it is at hand and covers the hours.

    Returns
    -------
    xarray.Dataset
        Over `time` (UTC): `load_mw` and `outdoor_degc`.

    Raises
    ------
    InputError
        Recorded weather is asked for and not at hand for all of the time.
    """
    from tvilling.datasets.simulated.building_stock import draw_stock
    from tvilling.datasets.simulated.heat_load import heat_load

    warm = pd.Timestamp(start) - pd.Timedelta(hours=LOAD_DECAY_H)
    time = pd.date_range(warm, stop, freq="h", inclusive="left")
    degc, told = _weather(time, seed, weather)
    stock = draw_stock(CONSUMERS, seed, total_mwh=annual_mwh)
    clock = (time + pd.Timedelta(hours=1)).to_numpy()  # local standard time
    load = heat_load(stock, degc, clock, seed).sum("consumer").values / 1e6
    frame = pd.DataFrame({"load_mw": load, "outdoor_degc": degc}, index=time)
    return _dataset(frame.iloc[LOAD_DECAY_H:], "drawn from a stated building stock", told)


def power_prices(start: str, stop: str, seed: int, prices: Source) -> "xr.Dataset":
    """Hourly `price_dkk_per_kwh` over `time` (UTC), recorded (DK1) or by formula.

    Raises
    ------
    InputError
        The record is asked for and not at hand for all of the time.
    """
    import xarray as xr

    from tvilling.datasets.prices import RECORDED, SYNTHETIC, synthetic_prices
    from tvilling.datasets.registry import is_at_hand, load

    time = pd.date_range(start, stop, freq="h", inclusive="left")
    found, told = None, ""
    if prices != "synthetic" and is_at_hand("dk_prices"):
        record = load("dk_prices")["price_dk1_dkk_per_kwh"].to_pandas().reindex(time)
        found = record.to_numpy() if record.notna().all() else None
        told = RECORDED
    if found is None:
        if prices == "recorded":
            raise InputError("prices", [f"recorded prices are not at hand for {_span(time)}"])
        origin = pd.Timestamp("2015-01-01")
        days = (time[-1] + pd.Timedelta(hours=1) - origin).days + 2
        course = synthetic_prices(days, seed)
        at = (time + pd.Timedelta(hours=1) - origin) // pd.Timedelta(hours=1)
        found, told = course[np.asarray(at)], SYNTHETIC
    units = {"units": "DKK/kWh", "long_name": "day-ahead power price"}
    return xr.Dataset(
        {"price_dkk_per_kwh": ("time", found, units)}, {"time": time}, {"prices": told}
    )


def from_file(path: Path) -> "xr.Dataset":
    """The user's own record: CSV with `time_utc` and any of load, outdoor, price and tank.

    Hours that are absent or blank are not numbers in what is returned; the columns that stand in
    the file are there over every hour from its first to its last.

    Raises
    ------
    InputError
        With every fault of the file: values out of range, stamps that cannot be read, stand twice
        or do not lie on the hour.
    """
    from tvilling.datasets.readers.measured.csv_file import open_csv

    table, told = _in_our_units(open_csv(path, (*FILE_COLUMNS, *OTHER_COLUMNS)), path)
    given, faults = read_table(table, FILE_COLUMNS, path.name)
    faults += _other_units(table, path.name) if faults else []
    stamps = pd.to_datetime(
        given["time_utc"], errors="coerce", utc=True, format="ISO8601"
    ).dt.tz_localize(None)
    faults += _stamp_faults(given["time_utc"], stamps, path.name)
    if faults:
        raise InputError(str(path), faults)
    names = [column.name for column in FILE_COLUMNS[1:] if column.name in table.columns]
    frame = given[names].set_axis(pd.DatetimeIndex(stamps), axis=0).sort_index()
    told += local_clock(pd.DatetimeIndex(frame.index))
    frame = frame.reindex(pd.date_range(frame.index[0], frame.index[-1], freq="h"))
    data = _dataset(frame, f"file {path.name}", f"file {path.name}")
    return data.assign_attrs(notes=told)


def _in_our_units(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Columns whose heading names another unit, in the unit of their column, and what to tell."""
    told, faults = [], []
    for heading, (name, factor, more) in OTHER_UNITS.items():
        if heading not in table.columns:
            continue
        if name in table.columns:
            faults.append(f"{path.name}: columns {heading} and {name} stand beside each other")
            continue
        numbers = pd.to_numeric(table[heading], errors="coerce")
        text = (numbers * factor + more).map(lambda value: repr(float(value)))
        table[heading] = text.where(numbers.notna(), table[heading])
        table = table.rename(columns={heading: name})
        rate = f" at {DKK_PER_EUR:g} DKK/EUR" if "_eur_" in heading else ""
        told.append(f"{heading} is taken as {name}{rate}")
    if faults:
        raise InputError(str(path), faults)
    return table, told


def _other_units(table: pd.DataFrame, name: str) -> list[str]:
    """What columns that are beyond their range in the median may be in."""
    lines = []
    for column in FILE_COLUMNS:
        if column.kind == "str" or column.name not in table:
            continue
        middle = float(pd.to_numeric(table[column.name], errors="coerce").median())
        high = column.high if column.name != "price_dkk_per_kwh" else LIMITS["price_median"].value
        if column.low <= middle <= high or np.isnan(middle):
            continue
        hint = {
            "load_mw": "is it kW or W?",
            "outdoor_degc": "is it kelvin or Fahrenheit?",
            "tank_mwh": "is it kWh?",
        }.get(column.name, other_money(middle).strip("; "))
        lines.append(
            f"{name}: {column.name} is {middle:.4g} {column.unit} in the median {hint}".rstrip()
        )
    return lines


def _stamp_faults(text: pd.Series, stamps: pd.Series, name: str) -> list[str]:
    """Stamps that are none, stand twice or lie between hours, with their rows."""
    bad = {
        "expected a time such as 2026-01-12T05:00": stamps.isna(),
        "it stands more than once": stamps.duplicated() & stamps.notna(),
        "expected a full hour": stamps.notna() & (stamps != stamps.dt.floor("h")),
        "expected 1990 to 2100": stamps.notna() & ~stamps.between(FIRST_STAMP, LAST_STAMP),
    }
    twice = pd.DatetimeIndex(stamps[bad["it stands more than once"]])
    local = len(twice) and is_shown_twice(twice, DENMARK).all()
    faults = [] if len(text) >= 2 else [f"{name}: {len(text)} rows, expected two or more"]
    for what, marked in bad.items():
        rows = np.flatnonzero(marked.to_numpy())
        faults += [
            f"{name}, row {text.index[row] + 2}: time_utc is {text.iloc[row]!r}, {what}"
            for row in rows[:20]
        ]
        if len(rows) > 20:
            faults.append(f"{name}: {len(rows) - 20} more rows like the last")
    if local:
        faults.append(f"{name}: clocks in Denmark show these hours twice; stamps must be UTC")
    return faults


def _weather(time: pd.DatetimeIndex, seed: int, source: Source) -> tuple[np.ndarray, str]:
    from tvilling.datasets.registry import is_at_hand, load
    from tvilling.datasets.simulated.synthetic_year import SYNTHETIC, outdoor_degc
    from tvilling.datasets.weather import RECORDED

    if source != "synthetic" and is_at_hand("dk_consumption"):
        record = load("dk_consumption")["outdoor_degc"].to_pandas().reindex(time)
        record = record.interpolate(limit=6, limit_area="inside")
        if record.notna().all():
            return record.to_numpy(), RECORDED
    if source == "recorded":
        raise InputError("weather", [f"recorded weather is not at hand for {_span(time)}"])
    return outdoor_degc(time, seed), SYNTHETIC


def _span(time: pd.DatetimeIndex) -> str:
    return f"{time[0]:%Y-%m-%d %H:%M} to {time[-1]:%Y-%m-%d %H:%M} UTC"


def _dataset(frame: pd.DataFrame, load: str, weather: str) -> "xr.Dataset":
    import xarray as xr

    texts = {column.name: (column.unit, column.description) for column in FILE_COLUMNS}
    variables = {
        name: (
            "time",
            frame[name].to_numpy(float),
            dict(zip(("units", "long_name"), texts[name], strict=True)),
        )
        for name in frame.columns
    }
    return xr.Dataset(
        variables, {"time": frame.index.to_numpy()}, {"load": load, "weather": weather}
    )
