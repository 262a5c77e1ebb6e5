"""Pre-insulated bonded steel pipes of the EN 253 series, and their heat loss.

`en253.csv` holds the dimensions that manufacturers' catalogues share: nominal size, outer
diameter and wall of the steel pipe, and the outer diameter of the casing for the insulation
series 1, 2 and 3. The casing's wall is the least one of EN 253. Heat loss and heat capacity are
computed here from these dimensions; no value is a manufacturer's.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import pandas as pd
from jaxtyping import Float

from tvilling.sciml.core.errors import InputError

SERIES = (1, 2, 3)
STEEL_KG_PER_M3, STEEL_J_PER_KGK = 7850.0, 480.0
STEEL_ROUGHNESS_M = 0.05e-3  # new welded steel; 0.1 mm and more after years of service
CASING_MM = (180, 200, 225, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900, 1000)
CASING_WALL_MM = (3.0, 3.2, 3.4, 3.6, 3.9, 4.1, 4.5, 4.8, 5.2, 5.6, 6.0, 6.6, 7.2, 7.9, 8.7, 9.4)

Array = Float[np.ndarray, " size"]


@dataclass(frozen=True)
class Burial:
    """How pipes lie in the ground, and what surrounds them.

    Attributes
    ----------
    cover_m
        Soil above the casing [m].
    gap_m
        Clear distance between the casings of supply and return [m]. None: the pipe lies alone.
    insulation_w_per_mk
        Conductivity of the polyurethane foam [W/(m K)]; EN 253 allows at most 0.029 at 50 °C.
    casing_w_per_mk, soil_w_per_mk
        Conductivity of the polyethylene casing and of the soil [W/(m K)].
    surface_m2k_per_w
        Resistance between the soil's surface and the air [m2 K/W], as in EN 13941.
    """

    cover_m: float = 0.8
    gap_m: float | None = None
    insulation_w_per_mk: float = 0.027
    casing_w_per_mk: float = 0.4
    soil_w_per_mk: float = 1.6
    surface_m2k_per_w: float = 0.0685


def pipe_sizes(series: int = 2, burial: Burial | None = None) -> pd.DataFrame:
    """The sizes of one insulation series, smallest first.

    Returns
    -------
    pandas.DataFrame
        Columns `dn`, `inner_diameter_m`, `outer_diameter_m`, `casing_diameter_m`,
        `loss_w_per_mk` (computed, see `loss_w_per_mk`) and `wall_j_per_mk` (heat capacity of the
        steel wall, computed).

    Raises
    ------
    InputError
        The series is not 1, 2 or 3.
    """
    if series not in SERIES:
        raise InputError("pipe catalogue", [f"insulation series is {series}, expected 1, 2 or 3"])
    table = _dimensions()
    outer_m = table["outer_diameter_mm"].to_numpy() / 1000
    inner_m = outer_m - 2 * table["wall_mm"].to_numpy() / 1000
    casing_m = table[f"casing{series}_mm"].to_numpy() / 1000
    return pd.DataFrame(
        {
            "dn": table["dn"],
            "inner_diameter_m": inner_m,
            "outer_diameter_m": outer_m,
            "casing_diameter_m": casing_m,
            "loss_w_per_mk": loss_w_per_mk(outer_m, casing_m, burial or Burial()),
            "wall_j_per_mk": wall_j_per_mk(inner_m, outer_m),
        }
    )


def loss_w_per_mk(outer_m: Array, casing_m: Array, burial: Burial) -> Array:
    """Steady heat loss of one buried pipe per metre and kelvin above the ground [W/(m K)].

    1/U = ln(d_foam/d_steel)/(2 pi k_foam) + ln(d_casing/d_foam)/(2 pi k_casing)
        + ln(4 z/d_casing)/(2 pi k_soil) + R_pair, with the depth of the axis
    z = cover + d_casing/2 + k_soil R_surface. The resistances of water film and steel, below one
    per cent, are left out. Where a second pipe of the same size lies beside it,
    R_pair = ln(1 + (2 z/c)^2)/(4 pi k_soil) with c the distance of the axes: the mean loss of the
    two, exact for their sum (the warmer one loses more, the colder one less by as much).
    Valid for z > d_casing and steady temperatures.

    Wallentén, Steady-state heat loss from insulated pipes, Lund 1991 (TVBH-3017); EN 13941-1.
    """
    foam_m = casing_m - 2 * _casing_wall_m(casing_m)
    depth_m = burial.cover_m + casing_m / 2 + burial.soil_w_per_mk * burial.surface_m2k_per_w
    resistance = (
        np.log(foam_m / outer_m) / burial.insulation_w_per_mk
        + np.log(casing_m / foam_m) / burial.casing_w_per_mk
        + np.log(4 * depth_m / casing_m) / burial.soil_w_per_mk
    ) / (2 * np.pi)
    if burial.gap_m is not None:
        between_m = casing_m + burial.gap_m
        pair = np.log1p((2 * depth_m / between_m) ** 2)
        resistance = resistance + pair / (4 * np.pi * burial.soil_w_per_mk)
    return 1 / resistance


def wall_j_per_mk(inner_m: Array, outer_m: Array) -> Array:
    """Heat capacity of a steel wall per metre [J/(m K)], at 7850 kg/m3 and 480 J/(kg K)."""
    area_m2 = np.pi / 4 * (outer_m**2 - inner_m**2)
    return STEEL_KG_PER_M3 * STEEL_J_PER_KGK * area_m2


def _casing_wall_m(casing_m: Array) -> Array:
    """Least wall of a polyethylene casing [m]; 3 mm up to 180 mm outer diameter."""
    return np.interp(casing_m * 1000, CASING_MM, CASING_WALL_MM) / 1000


@lru_cache(maxsize=1)
def _dimensions() -> pd.DataFrame:
    folder = resources.files("tvilling.sciml.systems.heat_network")
    with folder.joinpath("en253.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)
