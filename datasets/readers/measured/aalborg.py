"""Smart heat meters in Aalborg: one meter for three years, and what is known of all buildings.

Source: Schaffer et al., Three years of hourly data from 3021 smart heat meters installed in Danish
residential buildings, Scientific Data 2022, doi 10.1038/s41597-022-01502-3. The registers of the
meter are cumulative. The source has moved them to whole hours by interpolation and filled what was
missing, so most readings are no whole units of the meter's display (1 kWh, 0.01 m3, 1 m3 °C).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from tvilling.datasets.labels import set_time_attrs, to_dataset
from tvilling.datasets.quality import (
    Increments,
    mask_outside,
    register_increments,
    regular_axis,
)
from tvilling.datasets.readers.measured.csv_file import count_missing, read_csv
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.tables import Column

METER_FILE = "processed_final_data_sample.csv"
CONTEXT_FILE = "contextual_data.csv"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
REGISTERS = {
    "energy": "energy_heat_kwh",
    "volume": "volume_flow_m3",
    "supply": "inlet_flow_energy_m3xC",
    "return": "back_flow_energy_m3xC",
}
METER_COLUMNS = (
    Column("customer_id", "", "customer", kind="str"),
    Column("meter_id", "", "meter", kind="str"),
    Column("time_rounded", "", "hour, UTC", kind="str"),
    Column("energy_heat_kwh", "kWh", "heat register"),
    Column("volume_flow_m3", "m3", "volume register"),
    Column("inlet_flow_energy_m3xC", "m3 degC", "volume times supply temperature"),
    Column("back_flow_energy_m3xC", "m3 degC", "volume times return temperature"),
)
METER_FIELDS = {
    "energy_kwh": ("kWh", "heat used"),
    "heat_w": ("W", "mean heat flow"),
    "flow_m3_per_h": ("m3/h", "mean flow of the water"),
    "supply_degc": ("degC", "supply temperature weighted with the flow"),
    "return_degc": ("degC", "return temperature weighted with the flow"),
    "temperature_step_k": ("K", "by how much one unit of a register moves the temperatures"),
}
MAX_HEAT_KWH_PER_H = 100.0
MAX_FLOW_M3_PER_H = 5.0
MAX_WATER_DEGC = 120.0
REGISTER_UNIT_M3K = 1.0

CONTEXT_COLUMNS = (
    Column("meter_id", "", "meter"),
    Column("customer_id", "", "customer"),
    Column("unit_type", "", "kind of building", kind="str"),
    Column("construction_year", "a", "year of construction"),
    Column("energy_label", "", "energy label", kind="str"),
)


def read_meter(folder: Path, hours: int = 1) -> xr.Dataset:
    """What one meter saw in every hour, or in blocks of `hours`.

    Differences of the registers give heat and flow; the temperatures are differences of the
    temperature registers over that of the volume, so they are weighted with the flow. At a flow of
    0.05 m3/h one unit of a temperature register is 20 K (`temperature_step_k`): single hours
    scatter, a day (`hours=24`) does not.

    Parameters
    ----------
    folder
        Folder with the files.
    hours
        Length of a block [h], 1 to 8760; an incomplete last block is left out.

    Returns
    -------
    xr.Dataset
        Over `time` (UTC, start of the block): the variables of `METER_FIELDS`. A block is NaN
        where a register fell, an hour is missing or the heat or flow is more than a house takes
        (100 kWh/h, 5 m3/h); temperatures are NaN without flow, where a temperature register stood
        still while water flowed, and above 120 °C. Attributes count each (`register_resets`,
        `missing_hours`, `missing_values`, `outliers`, `hours_without_flow`,
        `still_temperature_registers`, `temperature_outliers`, `return_above_supply`: left as it
        is), and `energy_over_gaps_kwh`, `interpolated_readings`.

    Raises
    ------
    InputError
        Where the file is damaged, holds more than one meter, or `hours` is out of range.
    """
    if not 1 <= hours <= 8760:
        raise InputError("aalborg", [f"hours is {hours} h, expected 1 to 8760 h"])
    path = folder / METER_FILE
    table = read_csv(path, METER_COLUMNS, {"time_rounded": TIME_FORMAT}, once="time_rounded")
    meters = table["meter_id"].unique()
    if len(meters) > 1:
        fault = f"{path.name}: readings of {len(meters)} meters, expected one"
        raise InputError(path.name, [fault])
    readings = table.set_index("time_rounded")[list(REGISTERS.values())].sort_index()
    axis, missing_hours = regular_axis(pd.DatetimeIndex(readings.index), "h")
    counts: dict[str, float | int | str] = {
        "meter_id": meters[0],
        "customer_id": table["customer_id"].iloc[0],
        "missing_hours": missing_hours,
        "missing_values": count_missing(readings),
        "interpolated_readings": int((readings["energy_heat_kwh"] % 1 > 0).sum()),
    }
    gains = {
        name: register_increments(readings[column].reindex(axis).to_numpy())
        for name, column in REGISTERS.items()
    }
    return _label(axis, _hourly(gains, counts), counts, hours)


def _hourly(
    gains: dict[str, Increments], counts: dict[str, float | int | str]
) -> dict[str, Float[np.ndarray, " hour"]]:
    """Gains by register, NaN in all of them where one cannot be trusted."""
    energy = mask_outside(gains["energy"].increment, 0.0, MAX_HEAT_KWH_PER_H)
    volume = mask_outside(gains["volume"].increment, 0.0, MAX_FLOW_M3_PER_H)
    hourly = {name: gain.increment for name, gain in gains.items()}
    hourly |= {"energy": energy.values, "volume": volume.values}
    whole = np.isfinite(np.stack(list(hourly.values()))).all(axis=0)
    counts["register_resets"] = sum(gain.resets for gain in gains.values())
    counts["outliers"] = energy.outliers + volume.outliers
    counts["energy_over_gaps_kwh"] = gains["energy"].over_gaps
    counts["masked_hours"] = int((~whole).sum())
    return {name: np.where(whole, gain, np.nan) for name, gain in hourly.items()}


def _label(
    axis: pd.DatetimeIndex,
    hourly: dict[str, Float[np.ndarray, " hour"]],
    counts: dict[str, float | int | str],
    hours: int,
) -> xr.Dataset:
    blocks = (len(axis) - 1) // hours
    gain = {
        name: values[: blocks * hours].reshape(blocks, hours).sum(axis=1)
        for name, values in hourly.items()
    }
    flowing = gain["volume"] > 0
    volume = np.where(flowing, gain["volume"], np.nan)
    still = {name: flowing & (gain[name] == 0) for name in ("supply", "return")}
    water = {
        name: mask_outside(np.where(still[name], np.nan, gain[name] / volume), 0.0, MAX_WATER_DEGC)
        for name in still
    }
    frame = pd.DataFrame(
        {
            "energy_kwh": gain["energy"],
            "heat_w": gain["energy"] * 1000.0 / hours,
            "flow_m3_per_h": gain["volume"] / hours,
            "supply_degc": water["supply"].values,
            "return_degc": water["return"].values,
            "temperature_step_k": REGISTER_UNIT_M3K / volume,
        },
        index=axis[: blocks * hours : hours],
    )
    data = set_time_attrs(to_dataset(frame, METER_FIELDS, "time"), "UTC")
    data.attrs |= counts | {
        "block_h": hours,
        "hours_without_flow": int((hourly["volume"] == 0).sum()),
        "still_temperature_registers": sum(int(at.sum()) for at in still.values()),
        "temperature_outliers": sum(found.outliers for found in water.values()),
        "return_above_supply": int((water["return"].values > water["supply"].values).sum()),
    }
    return data


def read_context(folder: Path) -> xr.Dataset:
    """Kind, year and energy label of the buildings behind 3127 meters.

    Returns
    -------
    xr.Dataset
        Over `meter` (its number): `customer`, `building` (text), `construction_year` (NaN where
        blank, or outside 1500 to 2030: `outliers`), `energy_label` (empty where there is none:
        `missing_labels`).

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    table = read_csv(folder / CONTEXT_FILE, CONTEXT_COLUMNS, once="meter_id")
    year = mask_outside(table["construction_year"].to_numpy(), 1500.0, 2030.0)
    variables = {
        "customer": (table["customer_id"].astype(int).to_numpy(), "number of the customer"),
        "building": (table["unit_type"].to_numpy(str), "kind of building"),
        "construction_year": (year.values, "year of construction"),
        "energy_label": (table["energy_label"].to_numpy(str), "energy label, A to G"),
    }
    data = xr.Dataset(
        {
            name: ("meter", values, {"units": "1", "long_name": text})
            for name, (values, text) in variables.items()
        },
        coords={"meter": table["meter_id"].astype(int).to_numpy()},
    )
    data.attrs = {
        "missing_values": count_missing(table),
        "missing_labels": int((table["energy_label"] == "").sum()),
        "outliers": year.outliers,
    }
    return data
