"""Heat load of the district heating of Flensburg, hourly, 2014 to 2016."""

from pathlib import Path

import pandas as pd
import xarray as xr

from tvilling.datasets.labels import set_time_attrs, to_dataset
from tvilling.datasets.quality import is_spike, longest_run, mask_outside, regular_axis
from tvilling.datasets.readers.measured.csv_file import count_missing, read_csv
from tvilling.sciml.io.tables import Column

FILE = "heat_load_2014_2016.csv"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
CLOCK = "the plant's own: 24 hours every day, no clock change; its zone is not stated"
COLUMNS = (
    Column("time", "", "hour, at its start", kind="str"),
    Column("heat_load_mw", "MW", "heat load of the city"),
    Column("outdoor_degc", "degC", "outdoor temperature"),
)
FIELDS = {
    "heat_load_mw": ("MW", "heat load of the whole network"),
    "outdoor_degc": ("degC", "outdoor temperature"),
    "heat_load_suspect": ("1", "the load stands alone between its neighbours"),
}
SPIKE_MW = 50.0


def read(folder: Path) -> xr.Dataset:
    """Load and outdoor temperature over the naive time of the source.

    Returns
    -------
    xr.Dataset
        Over `time` (hours, without zone): `heat_load_mw`, `outdoor_degc`, and `heat_load_suspect`,
        true where one hour alone leaves its neighbours by more than 50 MW (the value stays: a
        network of this size can do it, but seldom does). Attributes count `missing_hours`,
        `missing_values`, `outliers` (outside 0 to 1000 MW or -40 to 50 °C: NaN), `suspect_hours`
        and `longest_constant_run_h`.

    Raises
    ------
    InputError
        Where the file is damaged or an hour stands twice.
    """
    table = read_csv(folder / FILE, COLUMNS, {"time": TIME_FORMAT}, once="time").set_index("time")
    axis, missing_hours = regular_axis(pd.DatetimeIndex(table.index), "h")
    missing_values = count_missing(table)
    table = table.reindex(axis)
    load = mask_outside(table["heat_load_mw"].to_numpy(), 0.0, 1000.0)
    outdoor = mask_outside(table["outdoor_degc"].to_numpy(), -40.0, 50.0)
    suspect = is_spike(load.values, SPIKE_MW)
    frame = pd.DataFrame(
        {
            "heat_load_mw": load.values,
            "outdoor_degc": outdoor.values,
            "heat_load_suspect": suspect,
        },
        index=axis,
    )
    data = set_time_attrs(to_dataset(frame, FIELDS, "time"), CLOCK)
    data.attrs |= {
        "missing_hours": missing_hours,
        "missing_values": missing_values,
        "outliers": load.outliers + outdoor.outliers,
        "suspect_hours": int(suspect.sum()),
        "longest_constant_run_h": longest_run(load.values),
    }
    return data
