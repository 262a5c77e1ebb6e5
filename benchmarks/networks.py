"""Networks of any size to measure on."""

import numpy as np
import pandas as pd

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables


def random_tree(
    consumers: int, seed: int = 0, heat_w: float = 20e3, reach: int = 8
) -> HeatNetworkTables:
    """A tree of `consumers`, each hung on one of the `reach` before it; 50 m a branch.

    Diameters are chosen for 1 m/s at 0.2 kg/s a consumer. Supply and return are alike.
    """
    rng = np.random.default_rng(seed)
    parent = np.array(
        [0] + [int(rng.integers(max(0, i - reach), i)) for i in range(1, consumers + 1)]
    )
    below = np.ones(consumers + 1)
    for i in range(consumers, 0, -1):
        below[parent[i]] += below[i]
    diameter_m = 1.1 * np.sqrt(0.2 * below / 1000 * 4 / np.pi)
    nodes = np.arange(1, consumers + 1)
    pipes = pd.concat(
        [
            pd.DataFrame(
                {
                    "name": [f"{side}{i}" for i in nodes],
                    "from_junction": [f"{side}{a}" for a in start],
                    "to_junction": [f"{side}{b}" for b in end],
                    "length_m": 50.0,
                    "inner_diameter_m": diameter_m[1:],
                    "roughness_m": 1e-4,
                    "loss_w_per_mk": 0.8 * np.pi * diameter_m[1:],
                }
            )
            for side, start, end in (("s", parent[1:], nodes), ("r", nodes, parent[1:]))
        ],
        ignore_index=True,
    )
    return HeatNetworkTables(
        junctions=pd.DataFrame(
            {"name": [f"{side}{i}" for side in "sr" for i in range(consumers + 1)]}
        ),
        pipes=pipes,
        consumers=pd.DataFrame(
            {
                "name": [f"c{i}" for i in nodes],
                "from_junction": [f"s{i}" for i in nodes],
                "to_junction": [f"r{i}" for i in nodes],
                "heat_w": heat_w,
                "return_degc": 40.0,
            }
        ),
        sources=pd.DataFrame(
            {
                "name": ["plant"],
                "supply_junction": ["s0"],
                "return_junction": ["r0"],
                "supply_degc": [75.0],
                "supply_bar": [10.0],
                "lift_bar": [6.0],
            }
        ),
        source=f"random tree of {consumers} consumers",
    )
