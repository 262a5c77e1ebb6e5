"""Values of a power grid that are refused, all in one message, and those that are only noted."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_power_net import small, written

from tvilling.datasets.readers.power_grid.checks import net_faults
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower


def put(kind: str, value: object, *columns: str) -> Callable[[Any], None]:
    """Something that writes `value` into columns of a table."""

    def change(net: Any) -> None:
        net[kind] = net[kind].assign(**dict.fromkeys(columns, value))

    return change


def twice(net: Any) -> None:
    net["load"] = net["load"].loc[[0, 0]]


def without_column(net: Any) -> None:
    net["load"] = net["load"].drop(columns="q_mvar")


def band(net: Any) -> None:
    net["bus"] = net["bus"].assign(min_vm_pu=[0.9, 1.1, 0.9], max_vm_pu=[1.1, 0.9, 1.1])


FAULTS: dict[str, tuple[Callable[[Any], None], str]] = {
    "load without a power": (
        put("load", np.nan, "p_mw"),
        "load 0 (mill): p_mw has no value, expected -1e6 to 1e6 MW",
    ),
    "line of no length": (
        put("line", -0.5, "length_km"),
        "line 0 (cable): length_km is -0.5 km, expected 1e-6 to 100000 km",
    ),
    "line without impedance": (
        put("line", 0.0, "r_ohm_per_km", "x_ohm_per_km"),
        "line 0 (cable): r_ohm_per_km and x_ohm_per_km are both 0 ohm/km, expected an impedance",
    ),
    "unknown bus": (
        put("line", 7, "to_bus"),
        "line 0 (cable): to_bus is 7, and there is no such bus",
    ),
    "no slack": (
        put("ext_grid", False, "in_service"),
        "no ext_grid is in service and no gen with slack, expected at least one",
    ),
    "short circuit": (
        put("trafo", 30.0, "vkr_percent"),
        "trafo 0 (T1): vkr_percent is 30 % and vk_percent is 12 %",
    ),
    "parallel": (
        put("line", 0, "parallel"),
        "line 0 (cable): parallel is 0, expected 1 to 10000",
    ),
    "shares": (
        put("load", 60.0, "const_z_p_percent", "const_i_p_percent"),
        "load 0 (mill): const_z_p_percent and const_i_p_percent add up to 120 %",
    ),
    "share": (
        put("load", 160.0, "const_z_p_percent"),
        "load 0 (mill): const_z_p_percent is 160.0 %, expected 0 to 100 %",
    ),
    "switch": (
        put("switch", 4, "element"),
        "switch 0 (breaker): element is 4, and there is no such line",
    ),
    "kind of switch": (
        put("switch", "x", "et"),
        "switch 0 (breaker): et is x, expected one of b, l, t, t3",
    ),
    "flag": (
        put("load", "perhaps", "in_service"),
        "load 0 (mill): in_service is perhaps, expected true or false",
    ),
    "voltage": (
        put("ext_grid", 0.0, "vm_pu"),
        "ext_grid 0: vm_pu is 0.0 p.u., expected 0.1 to 2 p.u.",
    ),
    "derating": (
        put("line", 0.0, "df"),
        "line 0 (cable): df is 0.0, expected 0.001 to 1",
    ),
    "derating above 1": (
        put("trafo", 1.2, "df"),
        "trafo 0 (T1): df is 1.2, expected 0.001 to 1",
    ),
    "rating": (
        put("line", -0.4, "max_i_ka"),
        "line 0 (cable): max_i_ka is -0.4 kA, expected 0 to 1e9 kA",
    ),
    "loading": (
        put("trafo", 0.0, "max_loading_percent"),
        "trafo 0 (T1): max_loading_percent is 0.0 %, expected 0.001 to 1e9 %",
    ),
    "rated power": (
        put("load", -5.0, "sn_mva"),
        "load 0 (mill): sn_mva is -5.0 MVA, expected 0 to 1e6 MVA",
    ),
    "band": (
        band,
        "bus 1 (low): min_vm_pu is 1.1 p.u. and max_vm_pu is 0.9 p.u., expected min_vm_pu at most",
    ),
    "loop": (
        put("line", 2, "from_bus"),
        "line 0 (cable): from_bus and to_bus are both 2, expected two buses",
    ),
    "loop of a transformer": (
        put("trafo", 1, "hv_bus"),
        "trafo 0 (T1): hv_bus and lv_bus are both 1, expected two buses",
    ),
    "column": (without_column, "load: column q_mvar [Mvar] is missing"),
    "index": (twice, "load: index 0 stands more than once"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_told_with_place_value_unit_and_range(what: str) -> None:
    change, expected = FAULTS[what]
    net = small()
    assert net_faults(net) == []
    change(net)
    faults = net_faults(net)
    assert any(fault.startswith(expected) for fault in faults), faults
    assert len(faults) == 1


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    net = small()
    wrong = (
        "load without a power", "line of no length", "line without impedance", "unknown bus",
        "short circuit", "voltage", "no slack",
    )  # fmt: skip
    for what in wrong:
        FAULTS[what][0](net)
    with pytest.raises(InputError) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert caught.value.source == str(tmp_path / "grid.json")
    assert len(caught.value.faults) == len(wrong)
    for what in wrong:
        assert any(fault.startswith(FAULTS[what][1]) for fault in caught.value.faults), what


def test_columns_that_are_missing_do_not_hide_other_faults() -> None:
    net = small()
    put("ext_grid", False, "in_service")(net)
    for kind, column in (("bus", "in_service"), ("trafo", "vk_percent"), ("switch", "et")):
        net[kind] = net[kind].drop(columns=column)
    assert net_faults(net) == [
        "bus: column in_service is missing",
        "trafo: column vk_percent [%] is missing",
        "switch: column et is missing",
        "no ext_grid is in service and no gen with slack, expected at least one; --slack BUS makes "
        "a bus the reference",
    ]


def test_limits_may_be_left_empty() -> None:
    net = small()
    for kind, column in (
        ("line", "max_loading_percent"), ("trafo", "max_loading_percent"), ("line", "max_i_ka"),
        ("load", "sn_mva"), ("bus", "min_vm_pu"),
    ):  # fmt: skip
        put(kind, np.nan, column)(net)
    put("bus", 1.1, "max_vm_pu")(net)
    assert net_faults(net) == []


NOTES: dict[str, tuple[Callable[[Any], None], str]] = {
    "no rating": (
        put("line", 0.0, "max_i_ka"),
        "max_i_ka is 0 or has no value: no rating, and the loading is not judged: line 0 (cable)",
    ),
    "two voltages": (
        put("bus", [110.0, 20.0, 10.0], "vn_kv"),
        "joins buses of different vn_kv, as if both had that of from_bus: line 0 (cable)",
    ),
    "tap": (
        put("trafo", 30, "tap_pos"),
        "tap_pos is outside tap_min to tap_max, and kept: trafo 0 (T1)",
    ),
    "dead bus": (
        put("bus", [True, True, False], "in_service"),
        "out of service with their bus (bus 2 (end)): load 0 (mill), sgen 0 (sun), line 0 (cable)",
    ),
    "scaling": (
        put("sgen", -1.0, "scaling"),
        "scaling is negative, which turns the power round: sgen 0 (sun)",
    ),
    "phases": (
        lambda net: pandapower.create_asymmetric_load(net, 2, p_a_mw=0.3, p_b_mw=0.1),
        "taken as balanced, with the sum of their three phases: 1 of asymmetric_load",
    ),
}


@pytest.mark.parametrize("what", NOTES)
def test_what_is_odd_is_noted_and_kept(what: str, tmp_path: Path) -> None:
    change, expected = NOTES[what]
    net = small()
    change(net)
    assert read_power_net(written(net, tmp_path / "grid.json")).notes == (expected,)


def test_a_grid_whose_slack_goes_out_with_its_bus_has_none(tmp_path: Path) -> None:
    net = small()
    put("bus", [False, True, True], "in_service")(net)
    with pytest.raises(InputError) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert caught.value.faults[0].startswith(
        "no ext_grid is in service and no gen with slack, expected at least one; "
        "--slack BUS makes a bus the reference; out of service with their bus (bus 0 (high)): ext"
    )
