"""The plan that was made before, held on for the day on which there is nothing to plan with."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.plant.case import ZONE
from tvilling.apps.plant.inputs.known import HOUR
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import check_sums
from tvilling.sciml.io.netcdf import open_netcdf
from tvilling.twins.clock_hours import same_hour_before

if TYPE_CHECKING:
    import xarray as xr

RESULT = "plan.nc"
PLAN = "plan"
HOLDS_FOR = np.timedelta64(7, "D")
DAY_H = 24


def last_plan(
    folder: Path,
    title: str,
    units: tuple[str, ...],
    moment: np.datetime64,
    note: Callable[[str], None] = lambda text: None,
) -> "xr.Dataset | None":
    """The plan made last, of this title and these units, that begins in the week before `moment`.

    Folders below `folder` are named by the time they were made. The attribute `held_from` names
    the folder that was found. One whose files are damaged is passed over, and
    `note` is told so.
    """
    for path in sorted(folder.glob(f"*/{RESULT}"), reverse=True):
        if path.parent.name.startswith("."):
            continue
        try:
            begins = _begins(path, title, units)
            if begins is None or not moment - HOLDS_FOR <= begins < moment:
                continue
            check_sums(path.parent)
            with open_netcdf(path) as data:
                return data.sel(way=[PLAN]).load().assign_attrs(held_from=path.parent.name)
        except (OSError, ValueError, KeyError) as error:  # an InputError is a ValueError
            reason = "; ".join(error.faults) if isinstance(error, InputError) else error
            place = f"{path.parent.name}/{RESULT}"
            note(f"the earlier plan {place} is passed over, it is damaged: {reason}")
    return None


def held(last: "xr.Dataset", moment: np.datetime64, hours: int) -> "xr.Dataset":
    """The rest of the last plan from `moment` on, and then its last day over and over.

    Days are those of the Danish clock: what is held is the plan of the same hour of the day.

    What it says of load, weather and prices is what was believed then; no price counts as
    published.
    """
    begins = last["time"].values[0]
    steps = last.sizes["time"]
    at = int((moment - begins) // HOUR) + np.arange(-1, hours)
    day = min(DAY_H, steps)
    back = (at - steps) // day + 1 if day == DAY_H else np.zeros(len(at), int)
    of_clock = (same_hour_before(begins + at * HOUR, back * DAY_H, ZONE.key) - begins) // HOUR
    last_day = steps - day + (of_clock.astype(int) - steps) % day
    before, *at = np.where(at < steps, at, last_day).tolist()
    data = last.isel(time=at).assign_coords(time=moment + np.arange(hours) * HOUR)
    data["time"].attrs = dict(last["time"].attrs)
    data["published"] = data["published"] * 0
    stood = last.isel(time=before, way=0)
    data["on_before"] = stood["on"].drop_vars(("time", "way"))
    data["hours_before"] = data["hours_before"] * 0
    return data.assign_attrs(tank_before_mwh=float(stood["tank_mwh"]))


def _begins(path: Path, title: str, units: tuple[str, ...]) -> "np.datetime64 | None":
    """First hour of the plan in `path`, if it is one of this title and of these units."""
    with open_netcdf(path) as data:
        ours = data.attrs.get("title") == title and PLAN in data["way"].values
        if not ours or tuple(data["unit"].values) != units:
            return None
        return data["time"].values[0]
