"""The town network that ships with pandapipes, sized, a day of quarter-hours, 100 scenarios."""

from dataclasses import replace
from typing import TYPE_CHECKING

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network import HeatNetworkTables

RETURN_DEGC = 45.0
DAY_SHARE = 0.6  # of the design load, a cold day


def sized_town(seed: int = 1) -> "HeatNetworkTables":
    """The town with demands drawn from the building stock and pipes sized for them."""
    import numpy as np

    from tvilling.datasets.readers.heat.network import read_network
    from tvilling.datasets.simulated.building_stock import draw_stock
    from tvilling.sciml.systems.heat_network.sizing.pipes import size

    read = read_network("pandapipes:schutterwald_heat").checked()
    stock = draw_stock(list(read.consumers["name"]), seed)
    consumers = read.consumers.assign(
        heat_w=stock["design_w"].to_numpy(), return_degc=RETURN_DEGC, flow_kg_per_s=np.nan
    )
    pipes = read.pipes.assign(ground_degc=np.nan)
    sized = size(replace(read, consumers=consumers, pipes=pipes)).tables
    load = sized.consumers.assign(heat_w=DAY_SHARE * sized.consumers["heat_w"])
    return replace(sized, consumers=load)


def measure() -> Measurement:
    """Seconds for the ensemble, against pandapipes' transient mode on the same network."""
    from tvilling.benchmarks.heat_ensemble import measure_ensemble

    return measure_ensemble("heat_schutterwald_ensemble", sized_town(), cells=2)
