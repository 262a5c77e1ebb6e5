"""Ranges that variables of a labelled run have to keep, and the elements that leave them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Limit:
    """A range that a variable of a labelled run has to keep, and by how much it may miss.

    Attributes
    ----------
    name
        The variable, which has the dimension `time` and at most one of elements.
    low, high
        Least and greatest value, by element or time where they differ.
    margin
        By how much a value may be outside before it counts, in the variable's unit.
    says, because
        What it means to leave the range, such as "below freezing", and how it can come to it.
    """

    name: str
    low: "xr.DataArray | float" = -np.inf
    high: "xr.DataArray | float" = np.inf
    margin: "xr.DataArray | float" = 0.0
    says: str = ""
    because: str = ""


@dataclass(frozen=True)
class Miss:
    """One element outside a limit.

    Attributes
    ----------
    element
        Its name; empty where the variable has no elements.
    value, bound
        The worst value and the end of the range that it misses, in the variable's unit.
    steps
        In how many of the steps looked at it is outside.
    """

    element: str
    value: float
    bound: float
    steps: int


def misses(data: "xr.Dataset", limit: Limit, at: np.ndarray | None = None) -> list[Miss]:
    """The elements of a labelled run that leave `limit`, the worst first.

    Parameters
    ----------
    data
        As `tvilling.sciml.results.label` gives it, of one controller or scenario.
    at
        Numbers of the steps to look at; all without it.
    """
    if limit.name not in data:
        return []
    values = data[limit.name]
    at = np.arange(values.sizes["time"]) if at is None else at
    low, high, margin = (_here(bound, data) for bound in (limit.low, limit.high, limit.margin))
    under, over = low - values - margin, values - high - margin
    far = under.where(under > over, over).isel(time=at).fillna(-np.inf)
    dims = [dim for dim in far.dims if dim != "time"]
    if not dims:
        far, values = far.expand_dims("element"), values.expand_dims("element")
        low, high = (_wider(bound, values) for bound in (low, high))
        dims = ["element"]
    (dim,) = dims
    order = far.max("time").values
    found = []
    for k in np.argsort(-order, kind="stable"):
        if not order[k] > 0:
            break
        row = far.isel({dim: k}).values
        step = {"time": int(at[int(row.argmax())]), dim: int(k)}
        value, least, most = (float(_wider(one, values).isel(step)) for one in (values, low, high))
        name = str(values[dim].values[k]) if dim in values.coords else ""
        found.append(Miss(name, value, least if value < least else most, int((row > 0).sum())))
    return found


def _here(bound: "xr.DataArray | float", data: "xr.Dataset") -> "xr.DataArray | float":
    """`bound` for the controller or scenario of `data`."""
    if isinstance(bound, int | float):
        return bound
    where = {
        dim: data[dim].item()
        for dim in bound.dims
        if dim != "time" and dim in data.coords and not data[dim].dims
    }
    return bound.sel(where, drop=True)


def _wider(bound: "xr.DataArray | float", like: "xr.DataArray") -> "xr.DataArray":
    """`bound` with the dimensions of `like`."""
    import xarray as xr

    wide = xr.zeros_like(like) + bound if hasattr(bound, "dims") else xr.full_like(like, bound)
    return wide.transpose(*like.dims)
