"""Samples of scenario parameters: low-discrepancy, stratified, or years of recorded weather."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Range:
    """One parameter that varies from `low` to `high`; uniform, or uniform in the logarithm."""

    name: str
    unit: str
    low: float
    high: float
    logarithmic: bool = False

    def faults(self) -> list[str]:
        """What is wrong with it, one line each."""
        faults = []
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            faults.append(
                f"{self.name}: low is {self.low:g} and high is {self.high:g} {self.unit}, "
                "expected low below high, both finite"
            )
        if self.logarithmic and self.low <= 0:
            faults.append(
                f"{self.name}: low is {self.low:g} {self.unit}, expected above 0 for a "
                "logarithmic range"
            )
        return faults

    def spread(self, unit_interval: np.ndarray) -> np.ndarray:
        """Points of [0, 1) spread over the range."""
        if self.logarithmic:
            return self.low * (self.high / self.low) ** unit_interval
        return self.low + (self.high - self.low) * unit_interval


def sobol(ranges: tuple[Range, ...], count: int, seed: int) -> "xr.Dataset":
    """The first `count` points of a scrambled Sobol sequence over `ranges`.

    `count` must be a power of two, as the sequence is balanced only then (Sobol' 1967). Variables
    `[scenario]` with units.
    """
    if count < 1 or count & (count - 1):
        raise InputError("sobol", [f"count is {count}, expected a power of two"])
    from scipy.stats import qmc

    return _spread(ranges, qmc.Sobol(max(len(ranges), 1), rng=seed).random(count), "sobol", seed)


def latin_hypercube(ranges: tuple[Range, ...], count: int, seed: int) -> "xr.Dataset":
    """`count` points over `ranges` with one in each of `count` strata of every parameter.

    McKay, Beckman and Conover 1979. Variables `[scenario]` with units.
    """
    if count < 1:
        raise InputError("latin_hypercube", [f"count is {count}, expected at least 1"])
    from scipy.stats import qmc

    points = qmc.LatinHypercube(max(len(ranges), 1), rng=seed).random(count)
    return _spread(ranges, points, "latin_hypercube", seed)


def weather_years(weather: "xr.Dataset", steps: int) -> "xr.Dataset":
    """Recorded `weather` cut into one scenario a calendar year, its first `steps` steps.

    Parameters
    ----------
    weather
        Variables `[time]`, regular in time and without missing values.
    steps
        Time steps of each scenario; years that hold fewer are left out and counted in the
        attribute `years_left_out`.

    Returns
    -------
    Dataset
        Variables `[scenario, time]`; `scenario` is the year, `time` the hours from its start.

    Raises
    ------
    InputError
        If no year is long enough, the steps differ in length or a value is missing.
    """
    import xarray as xr

    time = weather.indexes["time"]
    faults = [
        f"{name} misses {int(variable.isnull().sum())} values"
        for name, variable in weather.data_vars.items()
        if bool(variable.isnull().any())
    ]
    lengths = np.unique(np.diff(time.values))
    if len(lengths) != 1:
        faults.append(f"time has steps of {len(lengths)} lengths, expected one")
    years = [int(year) for year in np.unique(time.year) if np.sum(time.year == year) >= steps]
    if not years:
        faults.append(f"no calendar year holds {steps} steps")
    if faults:
        raise InputError("weather_years", faults)
    hours = np.arange(steps) * (lengths[0] / np.timedelta64(3600, "s"))
    cut = [
        weather.isel(time=np.flatnonzero(time.year == year)[:steps]).assign_coords(time=hours)
        for year in years
    ]
    data = xr.concat(cut, "scenario").assign_coords(scenario=years)
    data["time"].attrs["units"] = "h"
    left_out = len(np.unique(time.year)) - len(years)
    return data.transpose("scenario", "time").assign_attrs(years_left_out=left_out)


def _spread(ranges: tuple[Range, ...], points: np.ndarray, method: str, seed: int) -> "xr.Dataset":
    """`points` of the unit cube, `[scenario, parameter]`, spread over `ranges`."""
    import xarray as xr

    faults = [fault for one in ranges for fault in one.faults()]
    names = [one.name for one in ranges]
    faults += [f"{name} is given twice" for name in sorted(set(names)) if names.count(name) > 1]
    if not ranges:
        faults.append("no parameter varies")
    if faults:
        raise InputError(method, faults)
    return xr.Dataset(
        {
            one.name: ("scenario", one.spread(points[:, at]), {"units": one.unit})
            for at, one in enumerate(ranges)
        },
        coords={"scenario": np.arange(len(points))},
        attrs={"method": method, "seed": seed},
    )
