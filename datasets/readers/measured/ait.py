"""One week of a small district-heating network in Austria, at its source and three substations.

Water leaves point 1, the source. Pipe 0 leads to a branch that is not measured and takes what the
mass balance leaves over; pipe 1 to a junction, from which pipe 4 leads to point 4 and pipe 5 to a
second junction; from there pipe 2 leads to point 2 and pipe 3 to point 3. Source: van der Heijde et
al., Dynamic equation-based thermo-hydraulic pipe model for district heating and cooling systems,
Energy Conversion and Management 151, 2017, doi 10.1016/j.enconman.2017.08.072.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import xarray as xr

from tvilling.datasets.quality import mask_outside
from tvilling.datasets.readers.measured.mos import read_matrix
from tvilling.sciml.core.units import ZERO_DEGC_K

FILE = "PipeDataAIT151218.mos"
POINTS = (1, 2, 3, 4)
START_UP_S = 10_000.0


@dataclass(frozen=True)
class PipeData:
    """One buried pipe of the network: from where to where, its size and resistance to the ambient.

    Every pipe has a steel wall of 3.2 mm (8000 kg/m3, 500 J/(kg K)) and insulation of
    0.024 W/(m K), and lies in soil of 2.4 W/(m K); `resistance_mk_per_w` covers insulation and
    soil.
    """

    name: str
    start: str
    end: str
    length_m: float
    inner_diameter_m: float
    resistance_mk_per_w: float


PIPES = (
    PipeData("pipe_0", "point_1", "branch", 20.0, 0.0825, 4.764),
    PipeData("pipe_1", "branch", "junction_a", 115.0, 0.0825, 4.764),
    PipeData("pipe_2", "junction_b", "point_2", 76.0, 0.0273, 5.070),
    PipeData("pipe_3", "junction_b", "point_3", 38.0, 0.0273, 5.070),
    PipeData("pipe_4", "junction_a", "point_4", 29.0, 0.0273, 5.070),
    PipeData("pipe_5", "junction_a", "junction_b", 20.0, 0.0825, 4.764),
)

UNITS = {
    "start": "1",
    "end": "1",
    "length_m": "m",
    "inner_diameter_m": "m",
    "resistance_mk_per_w": "m K/W",
}

NETWORK = {
    "wall_thickness_m": 0.0032,
    "wall_density_kg_per_m3": 8000.0,
    "wall_heat_capacity_j_per_kgk": 500.0,
    "insulation_conductivity_w_per_mk": 0.024,
    "soil_conductivity_w_per_mk": 2.4,
    "start_up_s": START_UP_S,
}

DOUBT = (
    "The flow at point 1 is given as kg/s and stands at 16 to 46, which is 3 to 9 m/s in the bore "
    "of 82.5 mm; the flows at the other points are below 0.2. Its unit is doubtful, and the "
    "documented models of the network do not use it."
)


def read(folder: Path) -> xr.Dataset:
    """The week at 15 minutes, and the pipes of the network.

    Returns
    -------
    xr.Dataset
        Over `time_s` [s] and `point` (1 to 4): `water_degc`, `flow_kg_per_s`; over `time_s`:
        `ambient_degc`. Over `pipe`: the fields of `PIPES`. Values that no water or weather shows
        (water outside 0 to 150 °C, ambient outside -40 to 50 °C, flow below 0) are NaN, counted in
        `outliers`. The attribute `start_up_s` says up to when a model's start values still show.

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    matrix = read_matrix(folder / FILE, "dat", 2 + 2 * len(POINTS))
    water = mask_outside(matrix[:, 1:5] - ZERO_DEGC_K, 0.0, 150.0)
    flow = mask_outside(matrix[:, 5:9], 0.0, np.inf)
    ambient = mask_outside(matrix[:, 9] - ZERO_DEGC_K, -40.0, 50.0)
    data = xr.Dataset(
        {
            "water_degc": (("time_s", "point"), water.values, {"units": "degC"}),
            "flow_kg_per_s": (("time_s", "point"), flow.values, {"units": "kg/s"}),
            "ambient_degc": ("time_s", ambient.values, {"units": "degC"}),
        },
        coords={
            "time_s": ("time_s", matrix[:, 0], {"units": "s", "long_name": "time since the start"}),
            "point": list(POINTS),
        },
    )
    data["flow_kg_per_s"].attrs["doubt"] = DOUBT
    outliers = water.outliers + flow.outliers + ambient.outliers
    data.attrs = NETWORK | {"outliers": outliers, "doubts": DOUBT}
    return data.assign(_pipes()).assign_coords(pipe=[pipe.name for pipe in PIPES])


def _pipes() -> dict[str, tuple[str, list[float | str], dict[str, str]]]:
    return {
        f"pipe_{field.name}": (
            "pipe",
            [getattr(pipe, field.name) for pipe in PIPES],
            {"units": UNITS[field.name]},
        )
        for field in fields(PipeData)
        if field.name != "name"
    }
