"""Columns into a labelled data set, with a unit on every variable."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

Fields = Mapping[str, tuple[str, str]]


def to_dataset(frame: pd.DataFrame, fields: Fields, dim: str) -> xr.Dataset:
    """Columns of `frame` as variables over `dim`, whose coordinate is the index of `frame`.

    Parameters
    ----------
    frame
        One column for every name in `fields`; others are left out.
    fields
        Unit and description of each variable.
    dim
        Name of the dimension.
    """
    variables = {
        name: (dim, _plain(frame[name]), {"units": units, "long_name": text})
        for name, (units, text) in fields.items()
    }
    return xr.Dataset(variables, coords={dim: _plain(frame.index)})


def _plain(values: pd.Series | pd.Index) -> np.ndarray:
    """`values` as an array; text gets a fixed width, which files can hold."""
    array = values.to_numpy()
    return array.astype(str) if array.dtype == object else array


def set_time_attrs(data: xr.Dataset, clock: str) -> xr.Dataset:
    """`data` with the meaning of its coordinate `time` written on it."""
    data["time"].attrs = {"long_name": "start of the hour", "clock": clock}
    data.attrs["clock"] = clock
    return data
