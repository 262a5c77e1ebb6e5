"""A small network with a ring main and four consumers, to try things on."""

import jax.numpy as jnp
import numpy as np
import pandas as pd

from tvilling.sciml.systems.example import Example
from tvilling.sciml.systems.heat_network.builder import Options, build
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

SEGMENTS = (  # name, from, to, length m, inner diameter m
    ("main", "plant", "a", 200.0, 0.107),
    ("north", "a", "b", 150.0, 0.070),
    ("south", "a", "c", 180.0, 0.070),
    ("tie", "b", "c", 120.0, 0.054),
    ("east", "c", "d", 90.0, 0.043),
)
CONSUMERS = (("school", "b"), ("hall", "c"), ("homes", "d"), ("depot", "a"))


def looped_tables() -> HeatNetworkTables:
    """Four consumers on a ring main, supply and return alike."""
    places = ("plant", "a", "b", "c", "d")
    pipes = [
        {
            "name": f"{name}_{side}",
            "from_junction": f"{start}_{side}" if side == "s" else f"{end}_{side}",
            "to_junction": f"{end}_{side}" if side == "s" else f"{start}_{side}",
            "length_m": length,
            "inner_diameter_m": diameter,
            "loss_w_per_mk": 0.25,
            "wall_j_per_mk": 3000.0,
        }
        for name, start, end, length, diameter in SEGMENTS
        for side in ("s", "r")
    ]
    return HeatNetworkTables(
        junctions=pd.DataFrame(
            {
                "name": [f"{place}_{side}" for side in ("s", "r") for place in places],
                "elevation_m": np.tile([0.0, 2.0, 5.0, 3.0, 8.0], 2),
            }
        ),
        pipes=pd.DataFrame(pipes),
        consumers=pd.DataFrame(
            {
                "name": [name for name, _ in CONSUMERS],
                "from_junction": [f"{place}_s" for _, place in CONSUMERS],
                "to_junction": [f"{place}_r" for _, place in CONSUMERS],
                "heat_w": [120e3, 80e3, 60e3, 40e3],
                "return_degc": [40.0, 45.0, 38.0, 42.0],
                "bypass_kg_per_s": [0.0, 0.0, 0.02, 0.0],
            }
        ),
        sources=pd.DataFrame(
            {
                "name": ["plant"],
                "supply_junction": ["plant_s"],
                "return_junction": ["plant_r"],
                "supply_degc": [75.0],
                "supply_bar": [6.0],
                "lift_bar": [2.0],
            }
        ),
        source="looped example",
    )


def example() -> Example:
    """The looped network at a winter load; it fails where the supply is colder than the return."""
    tables = looped_tables()
    network = build(tables, Options(cells=3))
    drive = {
        "heat_w": jnp.asarray(tables.consumers["heat_w"].to_numpy(float)),
        "ground_degc": jnp.array(8.0),
    }
    return Example(
        system=network,
        action={"supply_degc": jnp.array([78.0])},
        drive=drive,
        dt_s=900.0,
        failing=({"supply_degc": jnp.array([78.0])}, {**drive, "heat_w": drive["heat_w"] * 100}),
    )
