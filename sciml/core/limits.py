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
        As `tvilling.sciml.core.results.label` gives it, of one controller or scenario.
    at
        Numbers of the steps to look at; all without it.
    """
    if limit.name not in data:
        return []
    values = data[limit.name]
    at = np.arange(values.sizes["time"]) if at is None else at
    low, high, margin = (_here(bound, data) for bound in (limit.low, limit.high, limit.margin))
    under, over = low - values - margin, values - high - margin
    far = under.where(under > over, over).fillna(-np.inf)
    dims = [str(dim) for dim in values.dims if dim != "time"]
    order = ("time", *dims)
    names = (
        [str(name) for name in values[dims[0]].values] if dims and dims[0] in values.coords else []
    )
    outside, given, least, most = (
        _wider(one, values).transpose(*order).values.reshape(values.sizes["time"], -1)
        for one in (far, values, low, high)
    )
    outside = outside[at]
    worst = outside.max(axis=0, initial=-np.inf)
    found = []
    for k in np.argsort(-worst, kind="stable"):
        if not worst[k] > 0:
            break
        step = at[int(outside[:, k].argmax())]
        value = float(given[step, k])
        bound = float(least[step, k] if value < least[step, k] else most[step, k])
        count = int((outside[:, k] > 0).sum())
        found.append(Miss(names[k] if names else "", value, bound, count))
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
