"""Measured loads as histories: what a forecast may see of them, without any price."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tvilling.datasets.registry import load
from tvilling.twins.forecasting.load.settings import Country

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Measured:
    """A data set with a load: which variable, in which unit, by which clock and calendar."""

    variable: str
    to_mw: float
    zone: str | None
    country: Country
    weather: tuple[str, ...]


MEASURED = {
    # The daily course of Flensburg does not move at a change of the clock: its stamps are local.
    "flensburg": Measured("heat_load_mw", 1.0, None, "de", ("outdoor_degc",)),
    "dk_consumption": Measured(
        "consumption_mwh_per_h",
        1.0,
        "Europe/Copenhagen",
        "dk",
        ("outdoor_degc", "wind_m_per_s", "humidity_percent"),
    ),
    "aalborg": Measured("heat_w", 1e-6, "Europe/Copenhagen", "dk", ()),
}


def measured_history(name: str) -> "xr.Dataset":
    """`load_mw` and weather of one of `MEASURED`, over `time`.

    Raises
    ------
    InputError
        Where the data are not at hand.
    """
    import xarray as xr

    entry, data = MEASURED[name], load(name)
    load_mw = data[entry.variable].astype(float) * entry.to_mw
    load_mw.attrs = {"units": "MW", "long_name": data[entry.variable].attrs["long_name"]}
    return xr.Dataset(
        {"load_mw": load_mw, **{weather: data[weather] for weather in entry.weather}},
        attrs={**data.attrs, "zone": entry.zone or "local", "country": entry.country},
    )
