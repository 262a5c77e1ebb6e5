"""A small heat network that holds every kind of element and every way to set a consumer."""

import pandas as pd

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

PLACES = ("plant", "a", "b", "c", "d", "e", "f", "g")
PIPES = (  # name, from, to, length m
    ("main", "plant", "a", 200.0),
    ("north", "a", "b", 150.0),
    ("south", "a", "c", 180.0),
    ("tie", "b", "c", 120.0),
    ("east", "f", "d", 90.0),
    ("link", "e", "g", 60.0),
)
EAST_M = (0.0, 190.0, 320.0, 320.0, 410.0, 325.0, 330.0, 380.0)
NORTH_M = (0.0, 0.0, 50.0, -60.0, -60.0, -60.0, -60.0, -60.0)


def every_element() -> HeatNetworkTables:
    """Two plants, a booster, a valve, an exchanger, an injection and consumers of every kind.

    Supply: plant – a – b – c – a is a ring; valve c–e, booster e–f in front of d; g has the second
    plant. The return mirrors the pipes of the supply.
    """
    pipes = [
        {
            "name": f"{name}_{side}",
            "from_junction": f"{start}_{side}" if side == "s" else f"{end}_{side}",
            "to_junction": f"{end}_{side}" if side == "s" else f"{start}_{side}",
            "length_m": length,
            "inner_diameter_m": 0.1,
            "roughness_m": 1e-4,
            "zeta": 0.5,
            "loss_w_per_mk": 0.25,
            "wall_j_per_mk": 3000.0,
            "ground_degc": 9.0 if name == "main" else float("nan"),
        }
        for name, start, end, length in PIPES
        for side in ("s", "r")
    ]
    consumers = [
        {"name": "return", "at": "b", "heat_w": 80e3, "return_degc": 45.0, "min_dp_bar": 0.1,
         "bypass_kg_per_s": 0.02},
        {"name": "cooling", "at": "c", "heat_w": 60e3, "cooling_k": 30.0},
        {"name": "both", "at": "d", "heat_w": 40e3, "flow_kg_per_s": 0.4},
        {"name": "exchanger", "at": "d", "heat_w": 50e3, "ua_w_per_k": 4e3,
         "secondary_supply_degc": 60.0, "secondary_return_degc": 30.0},
        {"name": "flow", "at": "g", "flow_kg_per_s": 0.3, "return_degc": 40.0},
    ]  # fmt: skip
    table = pd.DataFrame(consumers)
    table["from_junction"], table["to_junction"] = table["at"] + "_s", table.pop("at") + "_r"
    return HeatNetworkTables(
        junctions=pd.DataFrame(
            {
                "name": [f"{place}_{side}" for side in ("s", "r") for place in PLACES],
                "elevation_m": [0.0, 2.0, 5.0, 3.0, 8.0, 3.0, 3.0, 1.0] * 2,
                "x": [570_000.0 + east for east in EAST_M] * 2,
                "y": [6_220_000.0 + north for north in NORTH_M] * 2,
            }
        ),
        pipes=pd.DataFrame(pipes),
        valves=pd.DataFrame(
            [
                _series("valve", "c_s", "e_s", zeta=2.0, is_open=True),
                _series("valve back", "e_r", "c_r", zeta=2.0, is_open=True),
            ]
        ),
        pumps=pd.DataFrame(
            [
                {
                    "name": "booster",
                    "from_junction": "e_s",
                    "to_junction": "f_s",
                    "lift0_bar": 0.3,
                    "lift1_bar_h_per_m3": -0.005,
                    "lift2_bar_h2_per_m6": -0.001,
                }
            ]
        ),
        exchangers=pd.DataFrame([_series("cooler", "f_r", "e_r", zeta=1.0, heat_w=2e3)]),
        consumers=table,
        sources=pd.DataFrame(
            [
                _plant("plant", supply_degc=75.0, supply_bar=6.0, lift_bar=2.0),
                _plant("g", supply_degc=70.0, flow_kg_per_s=0.5),
            ]
        ),
        injections=pd.DataFrame([{"name": "leak", "junction": "a_r", "flow_kg_per_s": -0.05}]),
        source="every element",
    )


def _series(name: str, start: str, end: str, **values: object) -> dict[str, object]:
    return {
        "name": name,
        "from_junction": start,
        "to_junction": end,
        "inner_diameter_m": 0.1,
        **values,
    }


def _plant(place: str, **values: object) -> dict[str, object]:
    ends = {"supply_junction": f"{place}_s", "return_junction": f"{place}_r"}
    return {"name": f"plant {place}", **ends, **values}
