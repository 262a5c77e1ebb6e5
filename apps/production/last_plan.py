"""The plan that was made before, held on for the day on which there is nothing to plan with."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.production.facts import HOUR

if TYPE_CHECKING:
    import xarray as xr

RESULT = "plan.nc"
PLAN = "plan"
HOLDS_FOR = np.timedelta64(7, "D")
DAY_H = 24


def last_plan(folder: Path, title: str, moment: np.datetime64) -> "xr.Dataset | None":
    """The latest plan of this title below `folder` that begins before `moment`, within a week.

    The attribute `held_from` names its folder.
    """
    import xarray as xr

    found: tuple[np.datetime64, Path] | None = None
    for path in sorted(folder.glob(f"*/{RESULT}")):
        begins = None if path.parent.name.startswith(".") else _begins(path, title)
        if begins is None or not moment - HOLDS_FOR <= begins < moment:
            continue
        if found is None or begins > found[0]:
            found = begins, path
    if found is None:
        return None
    with xr.open_dataset(found[1], engine="h5netcdf") as data:
        return data.sel(way=[PLAN]).load().assign_attrs(held_from=found[1].parent.name)


def held(last: "xr.Dataset", moment: np.datetime64, hours: int) -> "xr.Dataset":
    """The rest of the last plan from `moment` on, and then its last day over and over.

    What it says of load, weather and prices is what was believed then; no price counts as
    published.
    """
    begins = last["time"].values[0]
    steps = last.sizes["time"]
    at = int((moment - begins) // HOUR) + np.arange(-1, hours)
    day = min(DAY_H, steps)
    before, *at = np.where(at < steps, at, steps - day + (at - steps) % day).tolist()
    data = last.isel(time=at).assign_coords(time=moment + np.arange(hours) * HOUR)
    data["time"].attrs = dict(last["time"].attrs)
    data["published"] = data["published"] * 0
    stood = last.isel(time=before, way=0)
    data["on_before"] = stood["on"].drop_vars(("time", "way"))
    return data.assign_attrs(tank_before_mwh=float(stood["tank_mwh"]))


def _begins(path: Path, title: str) -> "np.datetime64 | None":
    """First hour of the plan in `path`, if it is one of this title."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf") as data:
            if data.attrs.get("title") != title or PLAN not in data["way"].values:
                return None
            return data["time"].values[0]
    except (OSError, ValueError, KeyError):
        return None  # not a plan, or cut short
