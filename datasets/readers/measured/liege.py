"""The pipe bench of the University of Liège: seven tests with a step of hot water.

The bench is one insulated steel pipe in a room. Water of a known flow enters; temperatures of the
water and of the pipe wall are logged at both ends. Source: van der Heijde et al., Dynamic equation-
based thermo-hydraulic pipe model for district heating and cooling systems, Energy Conversion and
Management 151, 2017, doi 10.1016/j.enconman.2017.08.072.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from tvilling.datasets.readers.measured.mos import read_matrix
from tvilling.sciml.core.errors import InputError

TESTS = ("150801", "151202", "151204_1", "151204_2", "151204_4", "160104_2", "160118_1")

BENCH = {
    "pipe_length_m": 39.0,
    "inner_diameter_m": 0.05248,
    "wall_thickness_m": 0.00391,
    "wall_density_kg_per_m3": 7800.0,
    "wall_heat_capacity_j_per_kgk": 480.0,
    "insulation_thickness_m": 0.013,
    "insulation_conductivity_w_per_mk": 0.04,
    "resistance_mk_per_w": 2.164,
    "ambient_degc": 18.0,
}

COLUMNS = {
    "flow_kg_per_s": ("kg/s", "mass flow of the water"),
    "wall_outlet_degc": ("degC", "pipe wall at the outlet"),
    "water_outlet_degc": ("degC", "water at the outlet"),
    "wall_inlet_degc": ("degC", "pipe wall at the inlet"),
    "water_inlet_degc": ("degC", "water at the inlet"),
}

TIME = {"units": "s", "long_name": "time since the start"}


def read(folder: Path, test: str | None = None) -> xr.Dataset:
    """One test, or all seven.

    Parameters
    ----------
    folder
        Folder with the files `PipeDataULg<test>.mos`.
    test
        One of `TESTS`; all without it.

    Returns
    -------
    xr.Dataset
        Over `time_s` [s], which does not run at equal steps: `flow_kg_per_s`, and in °C the
        temperatures of `COLUMNS`. All tests together stand over (`test`, `sample`), with `time_s`
        a variable and NaN behind the end of the shorter ones (`row_count` says where that is). A
        sensor that shows 0 throughout was not connected: its values are NaN and its name stands in
        the attribute `dead_sensors`. The attributes hold the data of the bench (`BENCH`).

    Raises
    ------
    InputError
        Where the test is not known or the file is damaged.
    """
    if test is not None and test not in TESTS:
        raise InputError("liege", [f"test is {test!r}, expected one of {', '.join(TESTS)}"])
    names = TESTS if test is None else (test,)
    found = {name: read_matrix(_file(folder, name), "dat", 1 + len(COLUMNS)) for name in names}
    dead = {name: _mask_dead(matrix) for name, matrix in found.items()}
    data = _stack(found) if test is None else _single(found[names[0]])
    data.attrs = BENCH | {
        "tests": ", ".join(names),
        "dead_sensors": ", ".join(f"{name} {column}" for name in names for column in dead[name]),
        "missing_values": sum(len(found[name]) * len(dead[name]) for name in names),
    }
    return data


def _file(folder: Path, test: str) -> Path:
    return folder / f"PipeDataULg{test}.mos"


def _mask_dead(matrix: Float[np.ndarray, "row column"]) -> list[str]:
    """Set the columns of sensors that show 0 throughout to NaN; their names."""
    dead = [
        (at, name)
        for at, name in enumerate(COLUMNS, start=1)
        if name != "flow_kg_per_s" and not matrix[:, at].any()
    ]
    for at, _ in dead:
        matrix[:, at] = np.nan
    return [name for _, name in dead]


def _single(matrix: Float[np.ndarray, "row column"]) -> xr.Dataset:
    variables = {
        name: ("time_s", matrix[:, at], {"units": units, "long_name": text})
        for at, (name, (units, text)) in enumerate(COLUMNS.items(), start=1)
    }
    return xr.Dataset(variables, coords={"time_s": ("time_s", matrix[:, 0], TIME)})


def _stack(found: dict[str, Float[np.ndarray, "row column"]]) -> xr.Dataset:
    """All tests side by side, the shorter ones padded with NaN."""
    counts = [len(matrix) for matrix in found.values()]
    cells = np.full((len(found), max(counts), 1 + len(COLUMNS)), np.nan)
    for at, matrix in enumerate(found.values()):
        cells[at, : len(matrix)] = matrix
    dims = ("test", "sample")
    variables = {
        name: (dims, cells[..., at], {"units": units, "long_name": text})
        for at, (name, (units, text)) in enumerate(COLUMNS.items(), start=1)
    }
    data = xr.Dataset(variables, coords={"test": list(found)})
    data["time_s"] = (dims, cells[..., 0], TIME)
    data["row_count"] = ("test", counts, {"units": "1", "long_name": "rows of the test"})
    return data
