"""The DESTEST common exercise as benches: a steady state and a week of sixteen buildings.

The exercise was worked on with two sets of pipes along the same nodes. `Pipe_data.csv` holds that
of CE_1. The published results of CE_0 fit the smaller plastic pipes of the case description (its
table 6): with the pipes of the file the pressure would fall by 8.8 kPa from i to e where the tools
found 22 to 25 kPa, and the water would cool by 0.089 K from i to h where they found 0.06.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Float

from tvilling.datasets.benches.bench import Bench
from tvilling.datasets.registry import load
from tvilling.sciml.core.water import Water, constant_water, iapws_water
from tvilling.sciml.systems.heat_network import HeatNetworkTables, Options

if TYPE_CHECKING:
    import xarray as xr

SOURCE_NODE = "i"
PEAK_W = 19_347.2793  # of one building
PEX_W_PER_MK, PEX_FOAM_W_PER_MK, PEX_ROUGHNESS_M = 0.35, 0.026, 7e-6
WEEK_S = 7 * 24 * 3600.0
CE1_CP_J_PER_KGK = 4182.0
CE1_COOLING_K = 20.0
CE1_MIN_FLOW_SHARE = 0.003


@dataclass(frozen=True)
class PexPipe:
    """Pre-insulated plastic pipe: outer diameter, wall and insulation [m]."""

    outer_diameter_m: float
    wall_m: float
    insulation_m: float

    @property
    def inner_diameter_m(self) -> float:
        """Bore [m]."""
        return self.outer_diameter_m - 2 * self.wall_m

    @property
    def loss_w_per_mk(self) -> float:
        """Loss per metre and kelvin [W/(m K)]: plastic wall and foam in series, no soil.

        1/U = ln(D/d)/(2π λ_wall) + ln((D + 2 t)/D)/(2π λ_foam)
        """
        wall = np.log(self.outer_diameter_m / self.inner_diameter_m) / PEX_W_PER_MK
        foam = np.log1p(2 * self.insulation_m / self.outer_diameter_m) / PEX_FOAM_W_PER_MK
        return float(2 * np.pi / (wall + foam))


SERVICE_PIPE = PexPipe(0.025, 0.0023, 0.034)
MAIN_PIPES = {
    **dict.fromkeys(("a-b", "e-f"), PexPipe(0.032, 0.0029, 0.030)),
    **dict.fromkeys(("b-c", "c-d", "f-g", "g-h"), PexPipe(0.040, 0.0037, 0.026)),
    **dict.fromkeys(("d-i", "h-i"), PexPipe(0.050, 0.0046, 0.031)),
}


def destest_ce0() -> Bench:
    """CE_0, the steady state at peak load.

    Assumptions: 16 buildings of 19.347 kW cool the water by 30 K; supply 70 °C at node i; ground
    10 °C at the outer side of the insulation; water with the properties of 70 °C (cp 4190
    J/(kg K); the tools' flows of 8848 to 8870 kg/h stand for 4198 to 4188). Plastic pipes of the
    series S5 of ISO 15875-2 with foam of 0.026 W/(m K), wall of 0.35 W/(m K) and roughness
    7 µm: 25 to 50 mm, see `MAIN_PIPES`. They run straight between the nodes, so h-i is 26.83 m
    (36 m in the pipe table, along the streets; only SIM_VICUS took that).

    Returns
    -------
    Bench
        Junctions are `<node> supply` and `<node> return`, pipes `<start>-<end> supply` and so on;
        `seen` is `load("destest", part="ce0_results")`.
    """
    network = load("destest", part="network")
    kinds = [MAIN_PIPES.get(str(name), SERVICE_PIPE) for name in network["pipe"].values]
    pipes = pd.DataFrame(
        {
            "name": network["pipe"].values,
            "length_m": _straight_m(network),
            "inner_diameter_m": [kind.inner_diameter_m for kind in kinds],
            "loss_w_per_mk": [kind.loss_w_per_mk for kind in kinds],
            "roughness_m": PEX_ROUGHNESS_M,
        }
    )
    tables = _tables(network, pipes, {"cooling_k": 30.0}, supply_degc=70.0)
    drive = {
        "supply_degc": jnp.full((1, 1), 70.0),
        "heat_w": jnp.full((1, len(tables.consumers)), PEAK_W),
        "ground_degc": jnp.full(1, 10.0),
    }
    options = Options(cells=1, water=_water(4190.0, 70.0))
    return Bench(tables, options, drive, 3600.0, load("destest", part="ce0_results"))


def destest_ce1(dt_s: float = 600.0, cells: int = 4) -> Bench:
    """CE_1, the first week of the heat profile.

    Assumptions, those of the example model that the exercise publishes: pipes of
    `Pipe_data.csv`, whose column "U-value" is the conductivity λ of the insulation, so U = 2π λ /
    ln((d + 2 t)/d); ground 12 °C; supply 50 °C; buildings cool by 20 K; cp 4182 J/(kg K). Each
    building lets at least 0.3 % of its peak flow pass, which the tools' 940 W injected at the
    beginning of a night without demand show. Each value of the profile holds for its ten minutes.
    Walls hold no heat. Ten times smaller steps and twice the cells move heat and loss by 0.1 %.

    Returns
    -------
    Bench
        Named as in `destest_ce0`; `seen` is `load("destest", part="ce1_results")`.
    """
    network = load("destest", part="network")
    diameter_m = network["inner_diameter_m"].values
    thickness_m = network["insulation_thickness_m"].values
    w_per_mk = network["u_value_w_per_mk"].values
    pipes = pd.DataFrame(
        {
            "name": network["pipe"].values,
            "length_m": network["length_m"].values,
            "inner_diameter_m": diameter_m,
            "loss_w_per_mk": 2 * np.pi * w_per_mk / np.log1p(2 * thickness_m / diameter_m),
        }
    )
    least = CE1_MIN_FLOW_SHARE * PEAK_W / (CE1_CP_J_PER_KGK * CE1_COOLING_K)
    setting = {"cooling_k": CE1_COOLING_K, "min_flow_kg_per_s": least}
    tables = _tables(network, pipes, setting, supply_degc=50.0)
    profile = load("destest", part="heat_profile")
    begin_s = np.arange(0.0, WEEK_S, dt_s)
    row = np.searchsorted(profile["time_s"].values, begin_s, side="right") - 1
    heat_w = jnp.asarray(profile["heat_w"].values[row])
    drive = {
        "supply_degc": jnp.full((len(begin_s), 1), 50.0),
        "heat_w": jnp.tile(heat_w[:, None], (1, len(tables.consumers))),
        "ground_degc": jnp.full(len(begin_s), 12.0),
    }
    options = Options(cells=cells, water=_water(CE1_CP_J_PER_KGK, 50.0))
    return Bench(tables, options, drive, dt_s, load("destest", part="ce1_results"))


def _water(cp_j_per_kgk: float, degc: float) -> Water:
    """Water of constant properties: the given heat capacity, the others those at `degc`."""
    real, at = iapws_water(), jnp.asarray(degc)
    density, viscosity = real.density_kg_per_m3(at), real.viscosity_pa_s(at)
    return constant_water(cp_j_per_kgk, float(density), float(viscosity))


def _straight_m(network: "xr.Dataset") -> Float[np.ndarray, " pipe"]:
    """Distance between the ends of each pipe [m]."""
    start, end = (network.sel(node=network[side].values) for side in ("start", "end"))
    return np.hypot(
        start["x_m"].values - end["x_m"].values, start["y_m"].values - end["y_m"].values
    )


def _tables(
    network: "xr.Dataset", pipes: pd.DataFrame, setting: dict[str, float], supply_degc: float
) -> HeatNetworkTables:
    """Supply and return pipes alike, and one consumer of `setting` at every building."""
    nodes = [str(name) for name in network["node"].values]
    houses = [name for name in nodes if name.startswith("SimpleDistrict")]
    away, near = network["start"].values, network["end"].values
    both = [
        pipes.assign(
            name=pipes["name"] + f" {side}",
            from_junction=[f"{node} {side}" for node in first],
            to_junction=[f"{node} {side}" for node in last],
        )
        for side, first, last in (("supply", near, away), ("return", away, near))
    ]
    consumers = {
        "name": houses,
        "from_junction": [f"{house} supply" for house in houses],
        "to_junction": [f"{house} return" for house in houses],
        "heat_w": PEAK_W,
    }
    source = {
        "name": "source",
        "supply_junction": f"{SOURCE_NODE} supply",
        "return_junction": f"{SOURCE_NODE} return",
        "supply_degc": supply_degc,
        "lift_bar": 1.0,
    }
    return HeatNetworkTables(
        junctions=pd.DataFrame({"name": [f"{n} {s}" for s in ("supply", "return") for n in nodes]}),
        pipes=pd.concat(both, ignore_index=True),
        consumers=pd.DataFrame(consumers | setting),
        sources=pd.DataFrame([source]),
        source="DESTEST",
    )
