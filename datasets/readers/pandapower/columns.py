"""What a power flow needs of each table of a pandapower net: columns, units, ranges and buses.

Names and units are those of pandapower's documentation of its elements.
"""

from tvilling.datasets.readers.pandapower.ranges import QUANTITIES, Needed


def _of(quantity: str, *names: str, optional: bool = False) -> tuple[Needed, ...]:
    """Columns of a quantity of `QUANTITIES`."""
    return tuple(Needed(name, *QUANTITIES[quantity], optional) for name in names)


def _may(quantity: str, *names: str) -> tuple[Needed, ...]:
    """Columns that a table may do without, and a row too."""
    return tuple(Needed(name, *QUANTITIES[quantity], True, True) for name in names)


def _limit(quantity: str, *names: str) -> tuple[Needed, ...]:
    """Columns of limits, which a table and a row may do without, or have as infinity."""
    return tuple(Needed(name, *QUANTITIES[quantity], True, True, True) for name in names)


SCALING = Needed("scaling", *QUANTITIES["scaling"], optional=True)
RATED = _may("rating that is not used", "sn_mva")
LIMITS = (
    *_limit("power limit", "min_p_mw", "max_p_mw"),
    *_limit("reactive limit", "min_q_mvar", "max_q_mvar"),
)
POWER = (*_of("power", "p_mw"), *_of("reactive power", "q_mvar"), SCALING, *RATED, *LIMITS)
PHASES = (
    *_of("power", "p_a_mw", "p_b_mw", "p_c_mw"),
    *_of("reactive power", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    SCALING,
    *RATED,
)
SHARES = tuple(
    share
    for power in "pq"
    for share in _of("share", *(f"const_{kind}_{power}_percent" for kind in "zi"), optional=True)
)  # of a load that are a constant impedance and a constant current
RATING = _limit("loading limit", "max_loading_percent")
IN_PARALLEL = (
    *_of("count", "parallel", optional=True),
    *_of("derating", "df", optional=True),
    *RATING,
)
SIDES = ("hv", "mv", "lv")
VK = ("vk", "vkr")
WARD = (*_of("power", "ps_mw", "pz_mw"), *_of("reactive power", "qs_mvar", "qz_mvar"))
WEIGHT = _may("weight", "slack_weight")


def _taps(changer: str) -> tuple[Needed, ...]:
    """Columns of a tap changer, `tap` or `tap2`."""
    return (
        *_may("step", *(f"{changer}_{name}" for name in ("neutral", "min", "max", "pos"))),
        *_may("tap", f"{changer}_step_percent"),
        *_may("angle", f"{changer}_step_degree"),
    )


COLUMNS: dict[str, tuple[Needed, ...]] = {
    "bus": (*_of("voltage", "vn_kv"), *_limit("voltage limit", "min_vm_pu", "max_vm_pu")),
    "load": (*POWER, *SHARES),
    "sgen": POWER,
    "storage": POWER,
    "asymmetric_load": PHASES,
    "asymmetric_sgen": PHASES,
    "gen": (
        *_of("power", "p_mw"),
        *_of("voltage set-point", "vm_pu"),
        SCALING,
        *RATED,
        *LIMITS,
        *WEIGHT,
        *_limit("voltage limit", "min_vm_pu", "max_vm_pu"),
    ),
    "ext_grid": (
        *_of("voltage set-point", "vm_pu"),
        *_of("angle", "va_degree"),
        *LIMITS,
        *WEIGHT,
    ),
    "motor": (
        *_of("power", "pn_mech_mw"),
        *_of("efficiency", "efficiency_percent"),
        *_of("power factor", "cos_phi"),
        *_of("loading", "loading_percent"),
        SCALING,
    ),
    "shunt": (
        *_of("power", "p_mw"),
        *_of("reactive power", "q_mvar"),
        *_of("voltage", "vn_kv"),
        *_of("step", "step", optional=True),
    ),
    "ward": WARD,
    "xward": (
        *WARD,
        *_of("resistance", "r_ohm", "x_ohm"),
        *_of("voltage set-point", "vm_pu"),
        *WEIGHT,
    ),
    "line": (
        *_of("length", "length_km"),
        *_of("resistance per km", "r_ohm_per_km", "x_ohm_per_km"),
        *_of("capacitance", "c_nf_per_km"),
        *_of("conductance", "g_us_per_km", optional=True),
        *_limit("current limit", "max_i_ka"),
        *_may("temperature", "temperature_degree_celsius"),
        *_may("temperature coefficient", "alpha"),
        *IN_PARALLEL,
    ),
    "trafo": (
        *_of("rated power", "sn_mva"),
        *_of("voltage", "vn_hv_kv", "vn_lv_kv"),
        *_of("short circuit", "vk_percent", "vkr_percent", "i0_percent"),
        *_of("losses", "pfe_kw"),
        *_of("angle", "shift_degree"),
        *_taps("tap"),
        *_taps("tap2"),
        *_may("ratio", "leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"),
        *IN_PARALLEL,
    ),
    "trafo3w": (
        *_of("rated power", "sn_hv_mva", "sn_mv_mva", "sn_lv_mva"),
        *_of("voltage", "vn_hv_kv", "vn_mv_kv", "vn_lv_kv"),
        *_of("short circuit", *(f"{kind}_{side}_percent" for kind in VK for side in SIDES)),
        *_of("short circuit", "i0_percent"),
        *_of("losses", "pfe_kw"),
        *_of("angle", "shift_mv_degree", "shift_lv_degree"),
        *_taps("tap"),
        *RATING,
    ),
    "impedance": (
        *_of("impedance", "rft_pu", "xft_pu", "rtf_pu", "xtf_pu"),
        *_may("impedance", "gf_pu", "bf_pu", "gt_pu", "bt_pu"),
        *_of("rated power", "sn_mva"),
    ),
    "dcline": (
        *_of("power", "p_mw", "loss_mw"),
        *_of("loss share", "loss_percent"),
        *_of("voltage set-point", "vm_from_pu", "vm_to_pu"),
        *_limit("power limit", "max_p_mw"),
        *_limit("reactive limit", "min_q_from_mvar", "max_q_from_mvar"),
        *_limit("reactive limit", "min_q_to_mvar", "max_q_to_mvar"),
    ),
    "switch": _of("switch", "z_ohm", optional=True),
}

STEP_COLUMNS: dict[str, tuple[Needed, ...]] = {
    "trafo_characteristic_table": (
        *_may("step", "step"),
        *_may("tap ratio", "voltage_ratio"),
        *_may("angle", "angle_deg"),
        *_may("short circuit", "vk_percent", "vkr_percent"),
        *_may("short circuit", *(f"{kind}_{side}_percent" for kind in VK for side in SIDES)),
    ),
    "shunt_characteristic_table": (
        *_may("step", "step"),
        *_may("power", "p_mw"),
        *_may("reactive power", "q_mvar"),
    ),
}
"""Columns of the tables of characteristics."""

REFERENCES = (*_of("rated power", "sn_mva"), *_of("frequency", "f_hz"))
"""Numbers of the net itself."""

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
