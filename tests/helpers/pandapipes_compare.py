"""A pandapipes net solved by pandapipes and by us, and how far the two are apart."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pandapipes_peer import KELVIN, solve, water_of

from tvilling.datasets.readers.heat.pandapipes import read_pandapipes
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatNetworkTables, Options, build

JUNCTION_K, FLOW_SHARE, PRESSURE_BAR = 5e-3, 1e-4, 1e-3
MIN_FLOW_KG_PER_S = 1e-6
GROUND_DEGC = 20.0  # pandapipes' own ambient temperature, of still water

_steady = jax.jit(HeatNetwork.steady)


@dataclass(frozen=True)
class Compared:
    """Ours, and the largest differences from the solved net: temperature, pressure, flow."""

    tables: HeatNetworkTables
    output: dict[str, np.ndarray]
    junction_k: float
    junction_bar: float
    flow_share: float

    @property
    def status(self) -> int:
        """Flags of ours."""
        return int(self.output["status"])

    @property
    def agrees(self) -> bool:
        """Whether temperatures, pressures and flows are the same within the tolerances.

        A temperature that pandapipes has not computed does not count.
        """
        return bool(
            not self.junction_k > JUNCTION_K
            and self.junction_bar <= PRESSURE_BAR
            and self.flow_share <= FLOW_SHARE
        )


def ours(net: Any, friction: str = "nikuradse") -> tuple[HeatNetworkTables, dict[str, np.ndarray]]:
    """`net` as our reader has it and its steady state, every source as it states."""
    tables = read_pandapipes(net)
    network = build(tables, Options(cells=1, friction=friction, water=water_of(net)))
    action = {"supply_degc": jnp.asarray(tables.sources["supply_degc"].to_numpy(float))}
    heat_w = tables.consumers["heat_w"].fillna(0.0).to_numpy(float)
    drive = {"heat_w": jnp.asarray(heat_w), "ground_degc": jnp.array(GROUND_DEGC)}
    output = _steady(network, action, drive)[1]
    return tables, {name: np.asarray(values) for name, values in output.items()}


def compare(net: Any, friction: str = "nikuradse", **options: Any) -> Compared:
    """Solve `net` by both; `options` go to pandapipes, whose failure is raised."""
    solve(net, friction_model=friction, **{"mode": "sequential", **options})
    tables, output = ours(net, friction)
    return Compared(tables, output, *differences(net, output))


def differences(net: Any, output: dict[str, np.ndarray]) -> tuple[float, float, float]:
    """The largest differences of junctions' temperature [K] and pressure [bar], and pipes' flow.

    Flows count relative to their own, at least 10 g/s.
    """
    count = len(net.junction)  # ours has one more for a valve at a pipe's end
    degc = net.res_junction["t_k"].to_numpy() - KELVIN
    bar = net.res_junction["p_bar"].to_numpy()
    flow = net.res_pipe["mdot_from_kg_per_s"].to_numpy()
    least = MIN_FLOW_KG_PER_S / FLOW_SHARE
    apart = np.abs(flow - output["pipe_kg_per_s"]) / np.maximum(np.abs(flow), least)
    return (
        float(np.abs(degc - output["junction_degc"][:count]).max()),
        float(np.abs(bar - output["junction_bar"][:count]).max()),
        float(apart.max(initial=0.0)),
    )
