"""Courses of power over time for the elements of a grid: SimBench's own, or those of a file.

SimBench gives each element a nominal power and the name of a relative profile; the power of an
element is their product, as in `simbench.get_absolute_values`. Its stamps are those of a German
clock on the wall: 2016-03-27 has no hour from 02:00, 2016-10-30 has that hour twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tvilling.datasets.clock import local_to_utc
from tvilling.datasets.power_profiles_notes import constant_note
from tvilling.datasets.readers.power_grid.labels import elements
from tvilling.datasets.readers.power_grid.reader import PowerNet
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike

GERMANY = "Europe/Berlin"
STAMP = "%d.%m.%Y %H:%M"
LAZY_BYTES = 500_000_000  # above this a course is computed in pieces, when it is asked for
PIECE_BYTES = 100_000_000


@dataclass(frozen=True)
class Course:
    """A power that changes with time: its element, its column there, and its unit."""

    kind: str
    column: str
    unit: str
    text: str


COURSES = {
    "load_p_mw": Course("load", "p_mw", "MW", "active power drawn by loads"),
    "load_q_mvar": Course("load", "q_mvar", "Mvar", "reactive power drawn by loads"),
    "sgen_p_mw": Course("sgen", "p_mw", "MW", "active power of static generators"),
    "sgen_q_mvar": Course("sgen", "q_mvar", "Mvar", "reactive power of static generators"),
    "storage_p_mw": Course("storage", "p_mw", "MW", "power that storages take; negative: give"),
    "storage_q_mvar": Course("storage", "q_mvar", "Mvar", "reactive power drawn by storages"),
    "gen_p_mw": Course("gen", "p_mw", "MW", "active power of generators that hold a voltage"),
}
RELATIVE = {
    "load_p_mw": (("load",), "_pload"),
    "load_q_mvar": (("load",), "_qload"),
    "sgen_p_mw": (("powerplants", "renewables"), ""),
    "gen_p_mw": (("powerplants", "renewables"), ""),
    "storage_p_mw": (("storage",), ""),
}
"""Tables of SimBench's relative profiles, and what is behind their names there."""


def read_profiles(
    power_net: PowerNet, path: str | Path | None = None, dtype: "DTypeLike" = np.float64
) -> "xr.Dataset":
    """Courses of power of the elements of a grid.

    Parameters
    ----------
    power_net
        The grid.
    path
        A CSV or NetCDF file with courses (docs/grid-files.md). None: the grid's own, which
        SimBench grids have.
    dtype
        Type of the numbers; with float64 they equal SimBench's to the last bit.

    Returns
    -------
    xarray.Dataset
        Over `time` (UTC, without zone) and, for each kind of element, its index in pandapower's
        table: `load_p_mw`, `load_q_mvar` over (`time`, `load`), `sgen_p_mw`, `storage_p_mw`,
        `gen_p_mw` and so on, those that are given. `load_name` and so on are the names. Powers
        replace the column of the table of the same name; a power flow multiplies them by the
        table's `scaling` as it does that column. An element without a course keeps its power: the
        attribute `constant` names those that have one other than 0. A variable of more than
        0.5 GB is an array of dask.

    Raises
    ------
    InputError
        With every fault: no courses, unknown elements, missing values, times out of order.
    """
    if path is not None:
        from tvilling.datasets.power_profiles_file import read_profile_file

        return read_profile_file(power_net, Path(path), dtype)
    profiles = power_net.net.get("profiles")
    if not isinstance(profiles, dict) or not any(len(table) for table in profiles.values()):
        raise InputError(
            power_net.source, ["has no profiles of its own; name a file of them (CSV or NetCDF)"]
        )
    return _own_profiles(power_net, profiles, np.dtype(dtype))


def _own_profiles(
    power_net: PowerNet, profiles: dict[str, pd.DataFrame], dtype: np.dtype
) -> "xr.Dataset":
    stamps = _stamps(power_net.source, profiles)
    faults: list[str] = []
    courses: dict[str, Any] = {}
    for name in RELATIVE:
        table = power_net.net[COURSES[name].kind]
        if len(table) and "profile" in table:
            courses[name] = _course(table, name, profiles, len(stamps), dtype, faults)
    if faults:
        raise InputError(power_net.source, faults)
    time = local_to_utc(stamps, GERMANY, power_net.source).utc
    told = "relative profiles of SimBench times the nominal power of each element"
    data = label_courses(power_net, time, courses, told, "German local time, here as UTC")
    covered = {
        name: power_net.net[COURSES[name].kind]["profile"].notna().to_numpy() for name in courses
    }
    return with_constants(power_net, data, covered)


def with_constants(
    power_net: PowerNet, data: "xr.Dataset", covered: Mapping[str, np.ndarray]
) -> "xr.Dataset":
    """`data` with an attribute `constant` that names what has no course, where there is any."""
    note = constant_note(power_net.net, covered)
    return data.assign_attrs(constant=note) if note else data


def _stamps(source: str, profiles: dict[str, pd.DataFrame]) -> pd.DatetimeIndex:
    """Local stamps of all tables, which must agree."""
    columns = {name: table["time"] for name, table in profiles.items() if len(table)}
    first = next(iter(columns.values()))
    faults = [
        f"profiles of {name}: column time differs from that of {next(iter(columns))}"
        for name, column in columns.items()
        if not np.array_equal(first.to_numpy(), column.to_numpy())
    ]
    stamps = pd.to_datetime(first, format=STAMP, errors="coerce")
    bad = np.flatnonzero(stamps.isna())
    faults += [
        f"profiles, row {row}: time is {first.iloc[row]!r}, expected day.month.year hour:minute"
        for row in bad[:20]
    ]
    if faults:
        raise InputError(source, faults)
    return pd.DatetimeIndex(stamps)


def _course(
    table: pd.DataFrame,
    name: str,
    profiles: dict[str, pd.DataFrame],
    steps: int,
    dtype: np.dtype,
    faults: list[str],
) -> Any:
    """Nominal powers times the relative profile of each element [time, element].

    An element without a profile keeps its nominal power.
    """
    tables, suffix = RELATIVE[name]
    relative = [profiles[each] for each in tables if len(profiles.get(each, ()))]
    codes, names = pd.factorize(table["profile"])
    place = {column: each for each in reversed(relative) for column in each.columns}
    unknown = np.array([f"{profile}{suffix}" not in place for profile in names], bool)
    lost = np.append(unknown, False)[codes]
    if lost.any():
        missing = ", ".join(f"{profile}{suffix}" for profile in names[unknown])
        kind = COURSES[name].kind
        faults.append(f"no profile {missing}, which is named by {elements(table, kind, lost)}")
        return None
    matrix = np.ones((steps, len(names) + 1), dtype)  # the last column is for code -1
    for at, profile in enumerate(names):
        column = f"{profile}{suffix}"
        matrix[:, at] = place[column][column].to_numpy(float)
        if not np.isfinite(matrix[:, at]).all():
            faults.append(f"profile {column} has steps without a value")
    nominal = table[COURSES[name].column].to_numpy(dtype)
    return _gathered(matrix, codes, nominal)


def _gathered(matrix: np.ndarray, codes: np.ndarray, nominal: np.ndarray) -> Any:
    """`matrix[:, codes] * nominal`, in pieces of time where that is large."""

    def gather(block: np.ndarray) -> np.ndarray:
        course = np.take(block, codes, axis=1)
        course *= nominal
        return course

    row_bytes = len(codes) * matrix.itemsize
    if len(matrix) * row_bytes <= LAZY_BYTES:
        return gather(matrix)
    import dask.array as da

    blocks = da.from_array(matrix, chunks=(max(PIECE_BYTES // row_bytes, 1), -1))
    return blocks.map_blocks(gather, dtype=matrix.dtype, chunks=(blocks.chunks[0], (len(codes),)))


def label_courses(
    power_net: PowerNet, time: pd.DatetimeIndex, courses: dict[str, Any], told: str, clock: str
) -> "xr.Dataset":
    """Courses [time, element] with units, times in UTC, and index and name of each element."""
    import xarray as xr

    variables, coords = {}, {"time": time.to_numpy()}
    for name, course in courses.items():
        about = COURSES[name]
        table = power_net.net[about.kind]
        attrs = {"units": about.unit, "long_name": about.text}
        variables[name] = (("time", about.kind), course, attrs)
        coords[about.kind] = table.index.to_numpy()
        names = table["name"] if "name" in table else pd.Series("", table.index)
        coords[f"{about.kind}_name"] = (about.kind, names.fillna("").astype(str).to_numpy(str))
    data = xr.Dataset(variables, coords, {"grid": power_net.source, "profiles": told})
    steps = np.unique(np.diff(data["time"].values))
    if len(steps) == 1:
        data.attrs["step_s"] = float(steps[0] / np.timedelta64(1, "s"))
    data.attrs["clock"] = clock
    data["time"].attrs = {"long_name": "time", "clock": "UTC"}
    return data
