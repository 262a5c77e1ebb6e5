"""Courses of power over time from a user's own file, CSV or NetCDF."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tvilling.datasets.clock import local_clock
from tvilling.datasets.plausible_power import faults_of, notes_of, told
from tvilling.datasets.power_profiles import COURSES, label_courses, with_constants
from tvilling.datasets.readers.power_grid.reader import PowerNet
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.csv_table import parse_cells, separator_of
from tvilling.sciml.io.files import read_text
from tvilling.sciml.io.netcdf import load_netcdf

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike

TIME = "time_utc"
MAX_FAULTS = 20
STAMP_EXAMPLE = "2026-01-12T05:15"


@dataclass
class _Reading:
    """A file while it is read: times, columns by variable and position of the element, faults."""

    power_net: PowerNet
    time: pd.DatetimeIndex = field(default_factory=lambda: pd.DatetimeIndex([]))
    columns: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, key: Any, given: pd.Series, place: str) -> None:
        """One column: the course of the variable `name` for the element that `key` names."""
        if name not in COURSES:
            known = ", ".join(COURSES)
            self.faults.append(f"{place}: {name} is not known; known are {known}")
            return
        position = self._position(COURSES[name].kind, key, place)
        if position is None:
            return
        if position in self.columns.setdefault(name, {}):
            self.faults.append(f"{place}: {name} of this element stands more than once")
            return
        read = pd.to_numeric(given, errors="coerce").to_numpy(float)
        values = np.full(len(given), np.nan) if given.dtype == bool else read
        rows = np.flatnonzero(~np.isfinite(values))
        for row in rows[:MAX_FAULTS]:
            cell = given.iloc[row]
            found = "has no value" if pd.isna(cell) else f"is {cell}"
            expected = f"expected a finite number [{COURSES[name].unit}]"
            self.faults.append(f"{place}, row {given.index[row] + 2}: {found}, {expected}")
        if len(rows) > MAX_FAULTS:
            self.faults.append(f"{place}: {len(rows) - MAX_FAULTS} more such rows")
        self.columns[name][position] = values

    def judge(self) -> list[str]:
        """Faults of courses in another unit, and notes of what else no meter reads."""
        notes = {}
        for name, columns in self.columns.items():
            course = COURSES[name]
            table = self.power_net.net[course.kind]
            for position, values in columns.items():
                place = f"{name}:{table['name'].iloc[position]}"
                nominal = float(table[course.column].iloc[position])
                found = faults_of(values, nominal, course.unit)
                self.faults += [f"{place} {fault}" for fault in found]
                notes[place] = notes_of(values, nominal, course.kind, self.time)
        return [*local_clock(self.time), *told(notes)]

    def _position(self, kind: str, key: Any, place: str) -> int | None:
        """Row of the element that is named, or whose index is given; None with a fault."""
        table = self.power_net.net[kind]
        text = str(key).strip()
        names = table["name"].astype(str).to_numpy() if "name" in table else np.array([])
        rows = np.flatnonzero(names == text)
        if len(rows) == 1:
            return int(rows[0])
        at = np.flatnonzero(table.index.astype(str).to_numpy() == text)
        if len(rows) > 1:
            count = f"{len(rows)} rows of {kind} have this name"
            self.faults.append(f"{place}: {count}; write the index instead")
        elif len(at) == 1:
            return int(at[0])
        else:
            self.faults.append(f"{place}: the grid has no {kind} of name or index {text!r}")
        return None


def read_profile_file(power_net: PowerNet, path: Path, dtype: "DTypeLike") -> "xr.Dataset":
    """Courses of a file for the elements of a grid, as `read_profiles` gives them.

    Elements of a kind for which the file has a variable, but not this element, keep their power.

    Raises
    ------
    InputError
        With every fault: unknown variables and elements, missing values, times that cannot be
        read, stand twice or run backwards.
    """
    reading = _Reading(power_net)
    if path.suffix.lower() in (".nc", ".h5", ".hdf5"):
        _read_netcdf(reading, path)
    else:
        _read_csv(reading, path)
    if not reading.faults and not reading.columns:
        reading.faults.append("holds no course; expected columns such as load_p_mw:NAME")
    notes = [] if reading.faults else reading.judge()
    if reading.faults:
        raise InputError(str(path), reading.faults)
    courses = {}
    for name, columns in reading.columns.items():
        table = power_net.net[COURSES[name].kind]
        nominal = table[COURSES[name].column].to_numpy(dtype)
        course = np.tile(nominal, (len(reading.time), 1))
        for position, values in columns.items():
            course[:, position] = values
        courses[name] = course
    data = label_courses(power_net, reading.time, courses, f"file {path.name}", "UTC")
    covered = {
        name: np.isin(np.arange(courses[name].shape[1]), list(columns))
        for name, columns in reading.columns.items()
    }
    data = data.assign_attrs(notes=notes) if notes else data
    return with_constants(power_net, data, covered)


def _read_csv(reading: _Reading, path: Path) -> None:
    text = read_text(path)
    separator, skipped = separator_of(text)
    if separator == ",":
        header, table = _with_commas(text, skipped, path)
    else:
        cells, faults = parse_cells(text, path.name, lambda name: name != TIME)
        if faults:
            raise InputError(str(path), faults)
        header, table = list(cells.columns), cells.set_axis(range(cells.shape[1]), axis=1)
    if header.count(TIME) != 1:
        count = f"column {TIME} stands {header.count(TIME)} times, expected once"
        raise InputError(str(path), [count])
    if not len(table):
        raise InputError(str(path), ["has no rows behind the header"])
    for at, cell in enumerate(header):
        if cell == TIME:
            _set_times(reading, table[at].astype(str))
            continue
        name, _, key = cell.partition(":")
        reading.add(name.strip(), key, table[at], f"column {cell}")


def _with_commas(text: str, skipped: int, path: Path) -> tuple[list[str], pd.DataFrame]:
    """Header and cells of a table with decimal points, which may be large."""
    head, _, rest = text.split("\n", skipped)[-1].partition("\n")
    try:
        header = [cell.strip() for cell in next(csv.reader([head]))]
    except csv.Error as fault:
        raise InputError(str(path), [f"is not a table ({fault})"]) from None
    if not rest.strip():
        return header, pd.DataFrame()
    times = {at: str for at, cell in enumerate(header) if cell == TIME}
    try:
        table = pd.read_csv(io.StringIO(rest), dtype=times, header=None, low_memory=False)
    except pd.errors.ParserError as fault:
        raise InputError(str(path), [f"is not a table ({str(fault).strip()})"]) from fault
    if len(header) != table.shape[1]:
        count = f"the header has {len(header)} cells, the rows {table.shape[1]}"
        raise InputError(str(path), [count])
    return header, table


def _read_netcdf(reading: _Reading, path: Path) -> None:
    data = load_netcdf(path)
    if "time" not in data.coords or data["time"].dims != ("time",):
        raise InputError(str(path), ["has no coordinate time"])
    _set_times(reading, pd.Series(data["time"].to_numpy()))
    for name, variable in data.data_vars.items():
        course = COURSES.get(str(name))
        if course is None:
            reading.add(str(name), "", pd.Series(dtype=float), f"variable {name}")
        elif variable.dims != ("time", course.kind):
            dims = ", ".join(map(str, variable.dims))
            reading.faults.append(f"{name}: lies over ({dims}), expected (time, {course.kind})")
        elif course.kind not in data.coords:
            reading.faults.append(f"{name}: {course.kind} has no indices or names")
        else:
            if variable.dtype.kind not in "iuf":
                reading.faults.append(f"{name}: is of type {variable.dtype}, expected numbers")
                continue
            values = variable.to_numpy().astype(float)
            for at, key in enumerate(data[course.kind].to_numpy()):
                given = pd.Series(values[:, at])
                reading.add(str(name), key, given, f"{name}, {course.kind} {key}")


def _set_times(reading: _Reading, given: pd.Series) -> None:
    """Times in UTC; a stamp without zone is taken as UTC."""
    text = given.dt.strftime("%Y-%m-%d %H:%M") if given.dtype.kind == "M" else given
    form = None if given.dtype.kind == "M" else "ISO8601"
    if given.dtype.kind not in "MOU":
        reading.faults.append(f"time is of type {given.dtype}, expected times")
        return
    times = pd.to_datetime(given, errors="coerce", utc=True, format=form)
    reading.time = pd.DatetimeIndex(times.dt.tz_localize(None))
    backwards = times.diff() < pd.Timedelta(0)
    bad = {
        f"expected a time such as {STAMP_EXAMPLE}": times.isna(),
        "it stands more than once": times.duplicated() & times.notna(),
        "it lies before the row above it, expected order of time": backwards,
    }
    for what, marked in bad.items():
        rows = np.flatnonzero(marked.to_numpy())
        reading.faults += [
            f"row {given.index[row] + 2}: time is {text.iloc[row]!r}, {what}"
            for row in rows[:MAX_FAULTS]
        ]
        if len(rows) > MAX_FAULTS:
            reading.faults.append(f"{len(rows) - MAX_FAULTS} more rows like the last")
