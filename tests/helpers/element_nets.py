"""Small pandapower nets with one kind of element each, on a grid that has power flowing."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

Change = Callable[[Any], dict[str, Any] | None]
CHANGES: dict[str, Change] = {}
TRAFO = {
    "sn_mva": 25.0,
    "vn_hv_kv": 110.0,
    "vn_lv_kv": 20.0,
    "vkr_percent": 0.41,
    "vk_percent": 12.0,
    "pfe_kw": 14.0,
    "i0_percent": 0.07,
}
TRAFO3W = {
    "vn_hv_kv": 110.0,
    "vn_mv_kv": 20.0,
    "vn_lv_kv": 10.0,
    "sn_hv_mva": 40.0,
    "sn_mv_mva": 25.0,
    "sn_lv_mva": 15.0,
    "vk_hv_percent": 10.1,
    "vk_mv_percent": 10.4,
    "vk_lv_percent": 10.9,
    "vkr_hv_percent": 0.26,
    "vkr_mv_percent": 0.3,
    "vkr_lv_percent": 0.32,
    "pfe_kw": 30.0,
    "i0_percent": 0.1,
    "shift_mv_degree": 30.0,
    "shift_lv_degree": -30.0,
}
CABLE = "NA2XS2Y 1x240 RM/25 12/20 kV"


def net_with(name: str) -> tuple[Any, dict[str, Any]]:
    """The grid with the change of that name, and options of `runpp` that go with it."""
    net = deepcopy(base_net())  # to make an empty net takes pandapower 0.2 s
    return net, CHANGES[name](net) or {}


@cache
def base_net() -> Any:
    """110 kV, a transformer, a ring of five buses at 20 kV and a spur."""
    net = pp.create_empty_network(sn_mva=10.0)
    pp.create_bus(net, 110.0, name="grid")
    pp.create_bus(net, 110.0, name="hv")
    for number in range(6):
        pp.create_bus(net, 20.0, name=f"mv {number}")
    pp.create_ext_grid(net, 0, vm_pu=1.02, va_degree=3.0)
    pp.create_line(net, 0, 1, 12.0, "243-AL1/39-ST1A 110.0", name="overhead")
    pp.create_transformer_from_parameters(net, 1, 2, shift_degree=150.0, name="main", **TRAFO)
    for start, end in ((2, 3), (3, 4), (4, 5), (5, 6), (6, 2), (4, 7)):
        pp.create_line(net, start, end, 2.5, CABLE, name=f"cable {start}-{end}")
    for bus, p_mw in ((3, 3.0), (5, 2.4), (6, 1.1), (7, 1.7)):
        pp.create_load(net, bus, p_mw, 0.3 * p_mw, name=f"load {bus}")
    pp.create_sgen(net, 4, 1.3, -0.2, scaling=0.9)
    return net


def change(build: Change) -> Change:
    """Keep a change by the name of its function."""
    CHANGES[build.__name__] = build
    return build


@change
def nothing(net: Any) -> None: ...


@change
def line_open_at_one_end(net: Any) -> None:
    pp.create_switch(net, 5, 3, "l", closed=False)


@change
def line_open_at_both_ends(net: Any) -> None:
    pp.create_switch(net, 4, 3, "l", closed=False)
    pp.create_switch(net, 5, 3, "l", closed=False)


@change
def open_lines_left_out(net: Any) -> dict[str, Any]:
    pp.create_switch(net, 5, 3, "l", closed=False)
    return {"neglect_open_switch_branches": True}


@change
def line_between_open_and_closed_switch(net: Any) -> None:
    pp.create_switch(net, 4, 3, "l", closed=True)
    pp.create_switch(net, 5, 3, "l", closed=False)


@change
def spur_without_supply(net: Any) -> None:
    pp.create_switch(net, 4, 6, "l", closed=False)


@change
def bus_switch(net: Any) -> None:
    extra = pp.create_bus(net, 20.0)
    pp.create_switch(net, 5, extra, "b", closed=True)
    pp.create_load(net, extra, 0.4, 0.1)


@change
def bus_switch_open(net: Any) -> None:
    extra = pp.create_bus(net, 20.0)
    pp.create_switch(net, 5, extra, "b", closed=False)
    pp.create_load(net, extra, 0.4, 0.1)


@change
def bus_switch_with_impedance(net: Any) -> dict[str, Any]:
    for z_ohm in (0.4, 0.0):
        extra = pp.create_bus(net, 20.0)
        pp.create_switch(net, 5, extra, "b", closed=True, z_ohm=z_ohm)
        pp.create_load(net, extra, 0.4, 0.1)
    off = pp.create_bus(net, 20.0, in_service=False)
    pp.create_switch(net, 5, off, "b", closed=True, z_ohm=0.3)
    pp.create_switch(net, 5, off, "b", closed=True, z_ohm=0.4)
    pp.create_switch(net, 3, 6, "b", closed=False, z_ohm=0.3)
    return {"switch_rx_ratio": 0.7}


@change
def transformer_open_at_hv(net: Any) -> None:
    second = pp.create_transformer_from_parameters(net, 1, 2, shift_degree=150.0, **TRAFO)
    pp.create_switch(net, 1, second, "t", closed=False)


@change
def transformer_open_at_lv(net: Any) -> None:
    second = pp.create_transformer_from_parameters(net, 1, 2, shift_degree=150.0, **TRAFO)
    pp.create_switch(net, 2, second, "t", closed=False)


@change
def three_windings_open_at_mv(net: Any) -> None:
    _three_windings(net)
    pp.create_switch(net, 2, 0, "t3", closed=False)


def _tap(net: Any, side: str, **tap: Any) -> None:
    setting = {"tap_side": side, "tap_neutral": 0, "tap_min": -9, "tap_max": 9, "tap_pos": -4}
    for name, value in {**setting, **tap}.items():
        net.trafo[name] = value


@change
def tap_at_hv(net: Any) -> None:
    _tap(net, "hv", tap_step_percent=1.5, tap_changer_type="Ratio")


@change
def tap_at_lv(net: Any) -> None:
    _tap(net, "lv", tap_step_percent=1.5, tap_changer_type="Ratio", tap_neutral=1, tap_pos=6)


@change
def cross_regulator(net: Any) -> None:
    _tap(net, "hv", tap_step_percent=1.5, tap_step_degree=60.0, tap_changer_type="Ratio")


@change
def symmetrical_regulator(net: Any) -> None:
    _tap(net, "hv", tap_step_percent=1.2, tap_step_degree=90.0, tap_changer_type="Symmetrical")


@change
def ideal_phase_shifter(net: Any) -> None:
    _tap(net, "lv", tap_step_degree=2.0, tap_changer_type="Ideal")


@change
def phase_shifter_in_a_loop(net: Any) -> None:
    _tap(net, "hv", tap_step_degree=0.3, tap_changer_type="Ideal")
    net.trafo["tap_step_percent"] = np.nan
    pp.create_transformer_from_parameters(net, 1, 2, shift_degree=150.0, parallel=2, **TRAFO)


@change
def second_tap_changer(net: Any) -> None:
    _tap(net, "hv", tap_step_percent=1.5, tap_changer_type="Ratio")
    second = {"side": "lv", "neutral": 0, "min": -2, "max": 2, "pos": 2, "step_percent": 2.5}
    for name, value in {**second, "step_degree": 0.0, "changer_type": "Ratio"}.items():
        net.trafo[f"tap2_{name}"] = value


@change
def tap_by_table(net: Any) -> None:
    _tap(net, "hv", tap_changer_type="Tabular", id_characteristic_table=0, tap_pos=-2)
    net.trafo["tap_dependency_table"] = True
    net["trafo_characteristic_table"] = pd.DataFrame(
        {
            "id_characteristic": 0,
            "step": [-2, -1, 0, 1, 2],
            "voltage_ratio": [0.94, 0.97, 1.0, 1.03, 1.06],
            "angle_deg": [-3.0, -1.0, 0.0, 1.0, 3.0],
            "vk_percent": [11.0, 11.6, 12.0, 12.2, 12.7],
            "vkr_percent": [0.4, 0.4, 0.41, 0.42, 0.42],
        }
    )


@change
def transformers_as_pi(net: Any) -> dict[str, Any]:
    pp.create_transformer_from_parameters(net, 1, 2, shift_degree=150.0, parallel=2, **TRAFO)
    return {"trafo_model": "pi"}


@change
def angles_of_transformers_left_out(net: Any) -> dict[str, Any]:
    return {"calculate_voltage_angles": False}


@change
def leakage_on_one_side(net: Any) -> None:
    net.trafo["leakage_resistance_ratio_hv"] = 0.3
    net.trafo["leakage_reactance_ratio_hv"] = 0.7


def _three_windings(net: Any, **tap: Any) -> None:
    lv = pp.create_bus(net, 10.0, name="tertiary")
    net.trafo["in_service"] = False
    net.ext_grid["va_degree"] = 0.0
    pp.create_transformer3w_from_parameters(net, 1, 2, lv, **{**TRAFO3W, **tap})
    pp.create_load(net, lv, 4.0, 1.0)
    pp.create_load(net, 3, 2.0, 1.0)


def _star(side: str, at_star_point: bool) -> dict[str, Any]:
    tap = {"tap_side": side, "tap_neutral": 0, "tap_min": -8, "tap_max": 8, "tap_pos": 5}
    kind = {"tap_step_percent": 1.2, "tap_step_degree": 0.0, "tap_changer_type": "Ratio"}
    return {**tap, **kind, "tap_at_star_point": at_star_point}


@change
def three_windings_tap_at_hv(net: Any) -> None:
    _three_windings(net, **_star("hv", at_star_point=False))


@change
def three_windings_tap_at_mv(net: Any) -> None:
    _three_windings(net, **_star("mv", at_star_point=False))


@change
def three_windings_tap_at_lv(net: Any) -> None:
    _three_windings(net, **{**_star("lv", at_star_point=False), "tap_step_degree": 60.0})


@change
def three_windings_tap_at_star_point(net: Any) -> None:
    _three_windings(net, **_star("hv", at_star_point=True))


@change
def three_windings_tap_of_mv_at_star_point(net: Any) -> dict[str, Any]:
    _three_windings(net, **_star("mv", at_star_point=True))
    return {"trafo3w_losses": "star"}


@change
def ward(net: Any) -> None:
    pp.create_ward(net, 5, 0.7, 0.2, 0.5, 0.3)


@change
def extended_ward(net: Any) -> None:
    pp.create_xward(net, 5, 0.7, 0.2, 0.5, 0.3, r_ohm=0.6, x_ohm=4.0, vm_pu=1.01)
    pp.create_xward(net, 6, 0.2, 0.1, 0.0, 0.1, r_ohm=0.6, x_ohm=4.0, vm_pu=1.0)
    net.xward.loc[1, "in_service"] = False


@change
def shunt_in_steps(net: Any) -> None:
    pp.create_shunt(net, 6, q_mvar=-0.8, p_mw=0.02, vn_kv=21.0, step=3, max_step=4)


@change
def shunt_by_table(net: Any) -> None:
    pp.create_shunt(net, 6, q_mvar=-0.8, p_mw=0.02, step=2, max_step=4)
    net.shunt["id_characteristic_table"] = 0
    net.shunt["step_dependency_table"] = True
    net["shunt_characteristic_table"] = pd.DataFrame(
        {
            "id_characteristic": 0,
            "step": [1, 2, 3, 4],
            "q_mvar": [-0.5, -1.4, -1.9, -2.2],
            "p_mw": [0.01, 0.03, 0.04, 0.05],
        }
    )


@change
def impedance_that_differs_by_end(net: Any) -> None:
    pp.create_impedance(
        net, 5, 7, rft_pu=0.01, xft_pu=0.06, rtf_pu=0.02, xtf_pu=0.09, sn_mva=5.0,
        gf_pu=0.01, bf_pu=0.02, gt_pu=0.005, bt_pu=-0.01,
    )  # fmt: skip


@change
def dc_line(net: Any) -> None:
    limits = {"min_q_from_mvar": -5, "max_q_from_mvar": 5, "min_q_to_mvar": -5, "max_q_to_mvar": 5}
    pp.create_gen(net, 6, 0.5, vm_pu=1.0)
    pp.create_dcline(net, 3, 7, 0.8, 1.5, 0.02, vm_from_pu=1.0, vm_to_pu=1.01, **limits)


@change
def loads_that_depend_on_voltage(net: Any) -> None:
    shares = {"const_z_p_percent": 40, "const_i_p_percent": 35, "const_i_q_percent": 80}
    pp.create_load(net, 7, 1.1, 0.5, **shares, const_z_q_percent=10)
    pp.create_load(net, 5, 0.9, 0.2, const_z_p_percent=100, const_z_q_percent=100)
    pp.create_load(net, 2, 0.9, 0.2, const_i_p_percent=100, const_i_q_percent=100)
    pp.create_gen(net, 6, 0.5, vm_pu=0.99)
    pp.create_load(net, 6, 0.8, 0.3, const_i_p_percent=60, const_z_p_percent=40)


@change
def loads_that_depend_on_voltage_taken_as_constant(net: Any) -> dict[str, Any]:
    loads_that_depend_on_voltage(net)
    return {"voltage_depend_loads": False}


@change
def motor(net: Any) -> None:
    pp.create_motor(net, 5, pn_mech_mw=0.6, cos_phi=0.85, loading_percent=80, efficiency_percent=92)


@change
def one_phase_loads(net: Any) -> None:
    pp.create_asymmetric_load(net, 5, p_a_mw=0.2, q_a_mvar=0.05, p_b_mw=0.3, p_c_mw=0.1)
    pp.create_asymmetric_sgen(net, 7, p_a_mw=0.2, q_c_mvar=0.05, scaling=0.7)


@change
def storage(net: Any) -> None:
    pp.create_storage(net, 5, p_mw=-0.6, max_e_mwh=2.0, q_mvar=0.1, scaling=0.8)
    pp.create_storage(net, 6, p_mw=0.6, max_e_mwh=2.0)


@change
def two_external_grids(net: Any) -> None:
    pp.create_ext_grid(net, 7, vm_pu=1.0, va_degree=-149.0)


@change
def external_grids_at_one_bus(net: Any) -> None:
    pp.create_ext_grid(net, 0, vm_pu=1.02, va_degree=3.0)


@change
def slack_machine_only(net: Any) -> None:
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 3, 1.0, vm_pu=1.01, slack=True)


@change
def machines(net: Any) -> None:
    pp.create_gen(net, 6, 1.5, vm_pu=1.01, scaling=0.8)
    pp.create_gen(net, 6, 0.5, vm_pu=1.01)
    pp.create_gen(net, 0, 0.5, vm_pu=1.02)
    pp.create_gen(net, 5, 0.5, vm_pu=1.04, in_service=False)


@change
def machine_on_a_joined_bus(net: Any) -> None:
    extra = pp.create_bus(net, 20.0)
    pp.create_switch(net, extra, 6, "b")
    pp.create_gen(net, extra, 1.5, vm_pu=1.01)


@change
def island_out_of_service(net: Any) -> None:
    net.bus.loc[[7], "in_service"] = False
    net.load.loc[3, "in_service"] = False
    net.line.loc[6, "in_service"] = False
    pp.create_bus(net, 20.0, name="alone")
    ends = [pp.create_bus(net, 0.4) for _ in range(2)]
    pp.create_line(net, *ends, 0.1, "NAYY 4x150 SE")
    pp.create_load(net, ends[1], 0.1)


@change
def island_with_its_own_supply(net: Any) -> None:
    ends = [pp.create_bus(net, 0.4) for _ in range(2)]
    pp.create_line(net, *ends, 0.1, "NAYY 4x150 SE")
    pp.create_load(net, ends[1], 0.05)
    pp.create_ext_grid(net, ends[0], vm_pu=0.98)


@change
def parallel_lines(net: Any) -> None:
    net.line.loc[2, "parallel"] = 3
    pp.create_line(net, 3, 4, 1.0, CABLE)
    pp.create_line(net, 4, 3, 2.0, CABLE, df=0.8)
    net.line["g_us_per_km"] = 11.0


@change
def temperature_of_lines(net: Any) -> dict[str, Any]:
    net.line["temperature_degree_celsius"] = 70.0
    net.line["alpha"] = 4.03e-3
    return {"consider_line_temperature": True}


@change
def branch_from_a_bus_to_itself(net: Any) -> None:
    extra = pp.create_bus(net, 20.0)
    pp.create_switch(net, extra, 6, "b")
    pp.create_line(net, extra, 6, 1.0, CABLE)


@change
def sixty_hertz(net: Any) -> None:
    net.f_hz = 60.0
    net.sn_mva = 100.0
