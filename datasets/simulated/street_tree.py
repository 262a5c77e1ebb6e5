"""A made-up heat network of any size: a main, side streets, and a service pipe to every house."""

import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_network.sizing.pipes import SizingOptions, size
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

HOUSES_A_STREET = 10
MAIN_M, PLOT_M, SERVICE_M = (50.0, 120.0), (18.0, 35.0), (6.0, 20.0)
HEAT_W, HEAT_SPREAD = 14e3, 0.35  # median of the design demand, deviation of its logarithm
RETURN_DEGC, SUPPLY_DEGC = 40.0, 75.0
LIFT_BAR, SUPPLY_BAR = 6.0, 9.0


def street_tree(consumers: int, seed: int = 0) -> HeatNetworkTables:
    """A tree of streets with `consumers` houses, supply and return alike, sized by its demands.

    Streets of ten houses leave a main of 50 to 120 m between them. Plots are 18 to 35 m wide and
    service pipes 6 to 20 m long; lengths are uniform, design demands log-normal about 14 kW.
    Pipes are of EN 253 series 2 and chosen by
    `tvilling.sciml.systems.heat_network.sizing.pipes.size` at 75 °C supply and 40 °C return. These
    figures are assumptions, not a survey.

    Junctions are named s… on the supply and r… on the return side: plant, m0, m1, … on the main,
    m0_1, m0_2, … along the first street, c0, c1, … at the houses.

    Raises
    ------
    InputError
        Fewer than one consumer.
    """
    if consumers < 1:
        raise InputError("street tree", [f"consumers is {consumers}, expected at least 1"])
    random = np.random.default_rng(seed)
    segments = _segments(consumers, random)
    places = ["plant", *(end for _, end, _ in segments)]
    houses = [f"c{at}" for at in range(consumers)]
    tables = HeatNetworkTables(
        junctions=pd.DataFrame({"name": [f"{side}_{place}" for side in "sr" for place in places]}),
        pipes=pd.DataFrame(
            {
                "name": f"{side}_{end}",
                "from_junction": f"{side}_{start if side == 's' else end}",
                "to_junction": f"{side}_{end if side == 's' else start}",
                "length_m": length_m,
                "inner_diameter_m": 0.1,
            }
            for side in "sr"
            for start, end, length_m in segments
        ),
        consumers=pd.DataFrame(
            {
                "name": houses,
                "from_junction": [f"s_{house}" for house in houses],
                "to_junction": [f"r_{house}" for house in houses],
                "heat_w": HEAT_W * np.exp(HEAT_SPREAD * random.standard_normal(consumers)),
                "return_degc": RETURN_DEGC,
            }
        ),
        sources=pd.DataFrame(
            {
                "name": ["plant"],
                "supply_junction": ["s_plant"],
                "return_junction": ["r_plant"],
                "supply_degc": [SUPPLY_DEGC],
                "supply_bar": [SUPPLY_BAR],
                "lift_bar": [LIFT_BAR],
            }
        ),
        source=f"street tree of {consumers} consumers, seed {seed}",
    )
    options = SizingOptions(supply_degc=SUPPLY_DEGC, return_degc=RETURN_DEGC)
    return size(tables.checked(), options).tables


def _segments(consumers: int, random: np.random.Generator) -> list[tuple[str, str, float]]:
    """Start, end and length [m] of every pipe of one side, from the plant outwards."""

    def length_m(limits: tuple[float, float]) -> float:
        return round(float(random.uniform(*limits)), 1)

    segments: list[tuple[str, str, float]] = []
    main, along = "plant", ""
    for house in range(consumers):
        street, plot = divmod(house, HOUSES_A_STREET)
        if plot == 0:
            segments.append((main, f"m{street}", length_m(MAIN_M)))
            main = along = f"m{street}"
        segments.append((along, f"m{street}_{plot + 1}", length_m(PLOT_M)))
        along = f"m{street}_{plot + 1}"
        segments.append((along, f"c{house}", length_m(SERVICE_M)))
    return segments
