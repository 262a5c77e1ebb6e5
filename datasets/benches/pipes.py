"""Measured pipes as benches: the test rig of Liège and the Austrian network."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Float

from tvilling.datasets.benches.bench import Bench
from tvilling.datasets.registry import load
from tvilling.sciml.systems.heat_network import HeatNetworkTables, Options

AIT_JUNCTIONS = (
    "point_1", "branch", "junction_a", "junction_b", "point_2", "point_3", "point_4",
)  # fmt: skip
AIT_SUPPLY_DEGC = 95.0


def liege_pipe(test: str, cells: int = 39, dt_s: float = 1.0) -> Bench:
    """One test of the Liège rig: a pipe whose inlet temperature jumps at constant flow.

    Assumptions: the wall has the water's temperature and its own heat capacity; the loss is
    1/2.164 W/(m K) to air of 18 °C; the pipe starts with a linear profile between the two first
    readings. The measured inlet of the end of a step holds over it.

    Cells of 1 m and steps of 1 s are a choice, not a converged grid. Implicit upwind cells spread
    a front like a diffusivity u Δx/2 + u² Δt/2, which here stands in for what the plug-flow
    equation leaves out: turbulent dispersion and the lag of the sensors. Mean error over the seven
    tests [K]: 0.41 with 1 m and 1 s, 0.42 with 2 s, 0.43 with 0.5 s; 0.52 with 2 m and 1 s;
    0.59 with 0.5 m and 0.5 s, where the front is too steep.

    Returns
    -------
    Bench
        Junctions `inlet` and `outlet`; `seen` is the test as `load("liege", test=...)` gives it.

    Raises
    ------
    InputError
        Where the test is not known or its file is absent.
    """
    data = load("liege", test=test)
    rig = data.attrs
    pipe = {
        "name": "pipe",
        "from_junction": "inlet",
        "to_junction": "outlet",
        "length_m": rig["pipe_length_m"],
        "inner_diameter_m": rig["inner_diameter_m"],
        "loss_w_per_mk": 1 / rig["resistance_mk_per_w"],
        "wall_j_per_mk": _wall_j_per_mk(rig["inner_diameter_m"], rig),
    }
    tables = HeatNetworkTables(
        junctions=pd.DataFrame({"name": ["inlet", "outlet"]}),
        pipes=pd.DataFrame([pipe]),
        consumers=_no_consumers(),
        sources=_open_source("inlet", float(data["water_inlet_degc"].mean())),
        injections=_outlets(["outlet"]),
        source=f"Liège {test}",
    )
    end_s = _step_ends(data, dt_s)
    drive = {
        "supply_degc": _at(data["water_inlet_degc"], end_s)[:, None],
        "injection_kg_per_s": -_at(data["flow_kg_per_s"], end_s)[:, None],
        "ground_degc": jnp.full(len(end_s), rig["ambient_degc"]),
        "heat_w": jnp.zeros((len(end_s), 0)),
    }
    start = (float(data["water_inlet_degc"][0]), float(data["water_outlet_degc"][0]))
    return Bench(tables, Options(cells=cells), drive, dt_s, data, {"pipe": start})


def ait_network(cells: int = 20, dt_s: float = 60.0) -> Bench:
    """The week of the Austrian network, fed with the temperature of point 1.

    Assumptions: walls have the water's temperature; losses go to the measured ambient
    temperature through the given resistances; readings every 15 minutes are joined by straight
    lines. What the flow of point 1 leaves over goes into the branch that is not measured; whatever
    its unit, pipe 0 is then passed within seconds. All water starts at 95 °C, which is forgotten
    after the first 40 000 s.

    Twenty cells a pipe (1 to 6 m) and 60 s: twice or four times the cells, or half the step, move
    the errors by less than 0.02 K at points 2 and 3.

    Returns
    -------
    Bench
        Junctions `point_1` to `point_4`, `branch`, `junction_a` and `junction_b`; `seen` is
        `load("ait")`.

    Raises
    ------
    InputError
        Where the file is absent or damaged.
    """
    data = load("ait")
    diameter_m = data["pipe_inner_diameter_m"].values
    tables = HeatNetworkTables(
        junctions=pd.DataFrame({"name": AIT_JUNCTIONS}),
        pipes=pd.DataFrame(
            {
                "name": data["pipe"].values,
                "from_junction": data["pipe_start"].values,
                "to_junction": data["pipe_end"].values,
                "length_m": data["pipe_length_m"].values,
                "inner_diameter_m": diameter_m,
                "loss_w_per_mk": 1 / data["pipe_resistance_mk_per_w"].values,
                "wall_j_per_mk": _wall_j_per_mk(diameter_m, data.attrs),
            }
        ),
        consumers=_no_consumers(),
        sources=_open_source("point_1", AIT_SUPPLY_DEGC),
        injections=_outlets(["point_2", "point_3", "point_4", "branch"]),
        source="AIT",
    )
    end_s = _step_ends(data, dt_s)
    flow = {point: _at(data["flow_kg_per_s"].sel(point=point), end_s) for point in (1, 2, 3, 4)}
    left = flow[1] - flow[2] - flow[3] - flow[4]
    drive = {
        "supply_degc": _at(data["water_degc"].sel(point=1), end_s)[:, None],
        "injection_kg_per_s": -jnp.stack([flow[2], flow[3], flow[4], left], axis=1),
        "ground_degc": _at(data["ambient_degc"], end_s),
        "heat_w": jnp.zeros((len(end_s), 0)),
    }
    return Bench(tables, Options(cells=cells), drive, dt_s, data)


def _no_consumers() -> pd.DataFrame:
    return pd.DataFrame({"name": [], "from_junction": [], "to_junction": []})


def _open_source(junction: str, degc: float) -> pd.DataFrame:
    return pd.DataFrame([{"name": "source", "supply_junction": junction, "supply_degc": degc}])


def _outlets(junctions: list[str]) -> pd.DataFrame:
    """Injections whose flows the drives replace."""
    return pd.DataFrame({"name": junctions, "junction": junctions, "flow_kg_per_s": -1.0})


def _wall_j_per_mk(
    inner_diameter_m: float | Float[np.ndarray, " pipe"], wall: Mapping[Any, Any]
) -> float | Float[np.ndarray, " pipe"]:
    """Heat capacity of a pipe wall per metre [J/(m K)]."""
    thickness_m = wall["wall_thickness_m"]
    area_m2 = np.pi * thickness_m * (inner_diameter_m + thickness_m)
    return area_m2 * wall["wall_density_kg_per_m3"] * wall["wall_heat_capacity_j_per_kgk"]


def _step_ends(data: xr.Dataset, dt_s: float) -> Float[np.ndarray, " time"]:
    return np.arange(dt_s, float(data["time_s"][-1]) + dt_s / 2, dt_s)


def _at(values: xr.DataArray, time_s: Float[np.ndarray, " time"]) -> Float[Array, " time"]:
    """A measured series between its readings."""
    return jnp.asarray(np.interp(time_s, values["time_s"].values, values.values))
