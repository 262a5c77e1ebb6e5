"""Danish power: day-ahead spot prices, and consumption with weather.

Both files carry local time. The price file shows the autumn hour twice, with the same price both
times, and holds a row for the spring hour that no clock shows (its value is interpolated). The
consumption file shows the autumn hour once, with the sum of both hours, and has the spring row too.
Its weather columns run on through both changes and follow the sun on UTC: the coldest hour of the
day falls at sunrise in UTC the year round, and the daily course does not move at a change of the
clock, while that of the consumption does. They are read as UTC.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float

from tvilling.datasets.clock import DENMARK, is_shown_twice, local_to_utc, rows_for_shown_twice
from tvilling.datasets.labels import set_time_attrs, to_dataset
from tvilling.datasets.quality import mask_outside, regular_axis
from tvilling.datasets.readers.measured.csv_file import count_missing, read_csv
from tvilling.sciml.io.tables import Column

PRICE_FILE = "spot_price_dkk_per_kwh_2018_2022.csv"
CONSUMPTION_FILE = "denmark_consumption_weather_2020_2022.csv"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
UTC = "UTC"

PRICE_COLUMNS = (
    Column("DateTime", "", "hour, local time", kind="str"),
    Column("EL_price_DK1", "DKK/kWh", "western Denmark"),
    Column("EL_price_DK2", "DKK/kWh", "eastern Denmark"),
)
PRICE_FIELDS = {
    "price_dk1_dkk_per_kwh": ("DKK/kWh", "day-ahead spot price, western Denmark"),
    "price_dk2_dkk_per_kwh": ("DKK/kWh", "day-ahead spot price, eastern Denmark"),
}
PRICE_RANGE = (-5.0, 40.0)  # the market's own limits were -500 and 4000 EUR/MWh

METERED = {
    "GrossConsumptionMWh": "consumption_mwh_per_h",
    "EL_price": "price_dkk_per_kwh",
    "IsHoliday": "holiday",
    "Electric cars": "electric_cars_standardised",
    "Plug-in hybrid cars": "hybrid_cars_standardised",
}
WEATHER = {
    "temp_mean_past1h": "outdoor_degc",
    "wind_speed_past1h": "wind_m_per_s",
    "humidity_past1h": "humidity_percent",
}
CONSUMPTION_COLUMNS = (
    Column("HourDK", "", "hour, local time", kind="str"),
    Column("DayOfWeek", "", "name of the day", kind="str"),
    Column("Hour", "h", "hour of the day"),
    *(Column(name, "", text) for name, text in (METERED | WEATHER).items()),
)
CONSUMPTION_FIELDS = {
    "consumption_mwh_per_h": ("MWh/h", "gross electricity consumption of Denmark"),
    "price_dkk_per_kwh": ("DKK/kWh", "day-ahead spot price, mean of western and eastern Denmark"),
    "holiday": ("1", "1 on a public holiday"),
    "electric_cars_standardised": ("1", "new electric cars, standardised by the source"),
    "hybrid_cars_standardised": ("1", "new plug-in hybrid cars, standardised by the source"),
    "outdoor_degc": ("degC", "outdoor temperature, mean of the hour before"),
    "wind_m_per_s": ("m/s", "wind speed, mean of the hour before"),
    "humidity_percent": ("percent", "relative humidity, mean of the hour before"),
    "consumption_split": ("1", "the value is half of a sum over two hours"),
}
RANGES = {
    "consumption_mwh_per_h": (0.0, 20_000.0),
    "price_dkk_per_kwh": PRICE_RANGE,
    "outdoor_degc": (-40.0, 45.0),
    "wind_m_per_s": (0.0, 60.0),
    "humidity_percent": (0.0, 100.0),
}


def read_prices(folder: Path) -> xr.Dataset:
    """Hourly day-ahead prices of both Danish price areas.

    Returns
    -------
    xr.Dataset
        Over `time` (UTC, hours): `price_dk1_dkk_per_kwh`, `price_dk2_dkk_per_kwh`, and the
        coordinate `local_time` as the source has it. Attributes count `doubled_autumn_hours` (both
        kept), `equal_autumn_hours` (both carry one price), `invented_spring_hours` (dropped),
        `unresolved_hours` (dropped), `missing_hours`, `missing_values` and `outliers` (outside -5
        to 40 DKK/kWh: NaN).

    Raises
    ------
    InputError
        Where the file is damaged or its hours are not in order.
    """
    table = read_csv(folder / PRICE_FILE, PRICE_COLUMNS, {"DateTime": TIME_FORMAT})
    local = pd.DatetimeIndex(table.pop("DateTime"))
    missing_values = count_missing(table)
    table.columns = pd.Index(PRICE_FIELDS)
    frame, outliers = _mask(table, dict.fromkeys(PRICE_FIELDS, PRICE_RANGE))
    clock = local_to_utc(local, DENMARK, PRICE_FILE)
    equal = int((frame.eq(frame.shift()).all(axis=1) & local.duplicated()).sum())
    frame, missing_hours = _on_utc(frame.assign(local=local), clock.utc)
    data = set_time_attrs(to_dataset(frame, PRICE_FIELDS, "time"), UTC)
    text = {"long_name": "start of the hour in local time", "clock": DENMARK}
    data = data.assign_coords(local_time=("time", frame["local"].to_numpy(), text))
    data.attrs |= {
        "doubled_autumn_hours": clock.doubled,
        "equal_autumn_hours": equal,
        "invented_spring_hours": clock.invented,
        "unresolved_hours": clock.unresolved,
        "missing_hours": missing_hours,
        "missing_values": missing_values,
        "outliers": outliers,
    }
    return data


def read_consumption(folder: Path) -> xr.Dataset:
    """Hourly gross consumption of Denmark with weather, mean price and car sales.

    Returns
    -------
    xr.Dataset
        Over `time` (UTC, hours): the variables of `CONSUMPTION_FIELDS`. The sum that stands for
        both autumn hours is shared equally between them and marked in `consumption_split`; where
        it does not look like a sum (below 1.5 times its neighbours), both hours are NaN. Attributes
        count `split_autumn_hours`, `doubtful_autumn_hours`, `invented_spring_hours` (dropped),
        `missing_hours`, `missing_values` and `outliers` (NaN). The first hour has no weather and
        the last hour only weather, because the two clocks differ by an hour.

    Raises
    ------
    InputError
        Where the file is damaged or its hours are not in order.
    """
    table = read_csv(folder / CONSUMPTION_FILE, CONSUMPTION_COLUMNS, {"HourDK": TIME_FORMAT})
    local = pd.DatetimeIndex(table["HourDK"])
    table = table.rename(columns=METERED | WEATHER)
    missing_values = count_missing(table)
    table, outliers = _mask(table, RANGES)
    rows = rows_for_shown_twice(local, DENMARK)
    clock = local_to_utc(local[rows], DENMARK, CONSUMPTION_FILE)
    alone = is_shown_twice(local, DENMARK) & ~local.duplicated(keep=False)
    shared, is_sum = _share_sums(table["consumption_mwh_per_h"].to_numpy(), alone)
    metered = table[list(METERED.values())].assign(
        consumption_mwh_per_h=shared, consumption_split=is_sum
    )
    metered, _ = _on_utc(metered.iloc[rows], clock.utc)
    weather = table[list(WEATHER.values())].set_index(local)
    frame, missing_hours = _on_axis(metered.join(weather, how="outer"))
    frame["consumption_split"] = frame["consumption_split"].eq(True)
    data = set_time_attrs(to_dataset(frame, CONSUMPTION_FIELDS, "time"), UTC)
    data.attrs |= {
        "split_autumn_hours": int(is_sum.sum()),
        "doubtful_autumn_hours": int((alone & ~is_sum).sum()),
        "invented_spring_hours": clock.invented,
        "missing_hours": missing_hours,
        "missing_values": missing_values,
        "outliers": outliers,
    }
    return data


def _mask(table: pd.DataFrame, ranges: dict[str, tuple[float, float]]) -> tuple[pd.DataFrame, int]:
    masked = {name: mask_outside(table[name].to_numpy(), *ends) for name, ends in ranges.items()}
    values = {name: found.values for name, found in masked.items()}
    return table.assign(**values), sum(found.outliers for found in masked.values())


def _share_sums(
    values: Float[np.ndarray, " hour"], alone: Bool[np.ndarray, " hour"]
) -> tuple[Float[np.ndarray, " hour"], Bool[np.ndarray, " hour"]]:
    """`values` with half of each sum where `alone`, and where those sums are.

    Two hours together are about twice either neighbour; halfway between one and two parts them.
    """
    padded = np.pad(values, 1, constant_values=np.nan)
    beside = (padded[:-2] + padded[2:]) / 2
    is_sum = alone & (values > 1.5 * beside)
    halves = np.where(is_sum, values / 2, values)
    return np.where(alone & ~is_sum, np.nan, halves), is_sum


def _on_utc(frame: pd.DataFrame, utc: pd.DatetimeIndex) -> tuple[pd.DataFrame, int]:
    return _on_axis(frame.set_index(utc).loc[lambda rows: rows.index.notna()])


def _on_axis(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    axis, missing = regular_axis(pd.DatetimeIndex(frame.index), "h")
    return frame.reindex(axis), missing
