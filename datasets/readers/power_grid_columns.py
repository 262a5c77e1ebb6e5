"""What a power flow needs of each table of a pandapower net: columns, units, ranges and buses.

Names and units are those of pandapower's documentation of its elements. Lines and transformers of
published cases have negative resistances and reactances (equivalents of parts that were reduced
away), so only what a formula divides by, or takes the root of, is bounded, and what a loading is
measured against.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Needed:
    """A column of numbers: its unit, its range, and whether a table may do without it."""

    name: str
    unit: str
    low: float = -np.inf
    high: float = np.inf
    above: bool = False  # `low` itself is out of range
    optional: bool = False
    blank: bool = False  # a row may go without a value, or hold infinity: it then has no limit

    def expected(self) -> str:
        """The range in words."""
        unit = f" {self.unit}" if self.unit else ""
        if np.isfinite(self.high):
            start = f"more than {self.low:g} and at most" if self.above else f"{self.low:g} to"
            return f"expected {start} {self.high:g}{unit}"
        if np.isfinite(self.low):
            return f"expected {'more than' if self.above else 'at least'} {self.low:g}{unit}"
        return f"expected a finite number{f' [{self.unit}]' if self.unit else ''}"


def _any(unit: str, *names: str, optional: bool = False) -> tuple[Needed, ...]:
    return tuple(Needed(name, unit, optional=optional) for name in names)


def _positive(unit: str, *names: str) -> tuple[Needed, ...]:
    return tuple(Needed(name, unit, low=0.0, above=True) for name in names)


SCALING = Needed("scaling", "", optional=True)
RATED = Needed("sn_mva", "MVA", low=0.0, optional=True, blank=True)
POWER = (*_any("MW", "p_mw"), *_any("Mvar", "q_mvar"), SCALING, RATED)
PHASES = (
    *_any("MW", "p_a_mw", "p_b_mw", "p_c_mw"),
    *_any("Mvar", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    SCALING,
    RATED,
)
SHARES = tuple(
    Needed(f"const_{kind}_{power}_percent", "%", 0.0, 100.0, optional=True)
    for power in "pq"
    for kind in "zi"
)  # of a load that are a constant impedance and a constant current
LIMIT = Needed("max_loading_percent", "%", low=0.0, above=True, optional=True, blank=True)
IN_PARALLEL = (
    Needed("parallel", "", low=1.0, optional=True),
    Needed("df", "", low=0.0, high=1.0, above=True, optional=True),
    LIMIT,
)
SIDES = ("hv", "mv", "lv")
WARD = (*_any("MW", "ps_mw", "pz_mw"), *_any("Mvar", "qs_mvar", "qz_mvar"))

COLUMNS: dict[str, tuple[Needed, ...]] = {
    "bus": _positive("kV", "vn_kv"),
    "load": (*POWER, *SHARES),
    "sgen": POWER,
    "storage": POWER,
    "asymmetric_load": PHASES,
    "asymmetric_sgen": PHASES,
    "gen": (*_any("MW", "p_mw"), *_positive("p.u.", "vm_pu"), SCALING, RATED),
    "ext_grid": (*_positive("p.u.", "vm_pu"), *_any("degree", "va_degree")),
    "motor": (
        *_any("MW", "pn_mech_mw"),
        Needed("efficiency_percent", "%", 0.0, 100.0, above=True),
        Needed("cos_phi", "", 0.0, 1.0, above=True),
        *_any("%", "loading_percent"),
        SCALING,
    ),
    "shunt": (
        *_any("MW", "p_mw"),
        *_any("Mvar", "q_mvar"),
        *_positive("kV", "vn_kv"),
        *_any("", "step", optional=True),
    ),
    "ward": WARD,
    "xward": (*WARD, *_any("ohm", "r_ohm", "x_ohm"), *_positive("p.u.", "vm_pu")),
    "line": (
        *_positive("km", "length_km"),
        *_any("ohm/km", "r_ohm_per_km", "x_ohm_per_km"),
        *_any("nF/km", "c_nf_per_km"),
        *_any("µS/km", "g_us_per_km", optional=True),
        Needed("max_i_ka", "kA", low=0.0, optional=True, blank=True),
        *IN_PARALLEL,
    ),
    "trafo": (
        *_positive("MVA", "sn_mva"),
        *_positive("kV", "vn_hv_kv", "vn_lv_kv"),
        *_any("%", "vk_percent", "vkr_percent", "i0_percent"),
        *_any("kW", "pfe_kw"),
        *_any("degree", "shift_degree"),
        *IN_PARALLEL,
    ),
    "trafo3w": (
        *_positive("MVA", "sn_hv_mva", "sn_mv_mva", "sn_lv_mva"),
        *_positive("kV", "vn_hv_kv", "vn_mv_kv", "vn_lv_kv"),
        *_any("%", *(f"{kind}_{side}_percent" for kind in ("vk", "vkr") for side in SIDES)),
        *_any("%", "i0_percent"),
        *_any("kW", "pfe_kw"),
        *_any("degree", "shift_mv_degree", "shift_lv_degree"),
        LIMIT,
    ),
    "impedance": (
        *_any("p.u.", "rft_pu", "xft_pu", "rtf_pu", "xtf_pu"),
        *_positive("MVA", "sn_mva"),
    ),
    "dcline": (
        *_any("MW", "p_mw", "loss_mw"),
        *_any("%", "loss_percent"),
        *_positive("p.u.", "vm_from_pu", "vm_to_pu"),
    ),
    "switch": (Needed("z_ohm", "ohm", low=0.0, optional=True),),
}

BUSES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen", "gen", "ext_grid",
         "motor", "shunt", "ward", "xward", "svc", "ssc", "vsc"),
        ("bus",),
    ),
    **dict.fromkeys(("line", "impedance", "tcsc", "dcline"), ("from_bus", "to_bus")),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "switch": ("bus",),
}  # fmt: skip

SWITCHED = {"b": "bus", "l": "line", "t": "trafo", "t3": "trafo3w"}
"""Table of the second end of a switch, by its column `et`."""
