"""A value that no grid has is refused, in every column that a power flow reads."""

import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import element_nets
import numpy as np
import pytest
from small_power_net import small, written

from tvilling.datasets.readers.pandapower.columns import COLUMNS, STEP_COLUMNS
from tvilling.datasets.readers.pandapower.ranges import Needed
from tvilling.datasets.readers.power_grid.checks import net_faults
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower as pp

NETS = {
    "asymmetric_load": "one_phase_loads", "asymmetric_sgen": "one_phase_loads",
    "gen": "machines", "motor": "motor", "storage": "machines", "ward": "ward",
    "xward": "extended_ward", "shunt": "shunt_by_table",
    "impedance": "impedance_that_differs_by_end", "dcline": "dc_line", "switch": "bus_switch",
    "trafo3w": "three_windings_tap_at_hv",
    "trafo_characteristic_table": "tap_by_table", "shunt_characteristic_table": "shunt_by_table",
}  # fmt: skip
"""A grid that has rows of each kind of element."""
EVERY = [(kind, one) for kind, columns in (COLUMNS | STEP_COLUMNS).items() for one in columns]


@pytest.fixture(scope="module")
def nets() -> dict[str, Any]:
    found = {name: element_nets.net_with(name)[0] for name in {*NETS.values(), "nothing"}}
    found["machines"] = deepcopy(found["machines"])
    if found["machines"].storage.empty:
        pp.create_storage(found["machines"], 4, 0.2, 1.0)
    if found["one_phase_loads"].asymmetric_sgen.empty:
        pp.create_asymmetric_sgen(found["one_phase_loads"], 4, 0.1)
    return found


def faults_with(nets: dict[str, Any], kind: str, column: str, value: float) -> list[str]:
    """Faults of a grid whose first row of a table holds `value`."""
    net = deepcopy(nets[NETS.get(kind, "nothing")])
    table = net[kind]
    old = table.get(column, np.nan)
    net[kind] = table.assign(**{column: old}).astype({column: float})
    net[kind].iloc[0, net[kind].columns.get_loc(column)] = value
    return [fault for fault in net_faults(net) if f"{column} is {value}" in fault]


@pytest.mark.parametrize(
    ("kind", "column"), EVERY, ids=[f"{kind}.{one.name}" for kind, one in EVERY]
)
def test_no_column_takes_a_value_that_no_grid_has(
    nets: dict[str, Any], kind: str, column: Needed
) -> None:
    for value in (1e30, -1e30, 1e308, -np.inf if not column.name.startswith("min_") else np.inf):
        faults = faults_with(nets, kind, column.name, value)
        row = nets[NETS.get(kind, "nothing")][kind].index[0]
        assert any(
            fault.startswith(f"{kind} {row}") and fault.endswith(column.expected())
            for fault in faults
        )


@pytest.mark.parametrize("name", sorted({*NETS.values(), "nothing"}))
def test_the_grids_themselves_have_no_fault(nets: dict[str, Any], name: str) -> None:
    assert net_faults(nets[name]) == []


@pytest.mark.parametrize(
    ("kind", "column", "value", "expected"),
    [
        ("bus", "vn_kv", 1e308, "expected 0.001 to 2000 kV"),
        ("bus", "vn_kv", 1e-300, "expected 0.001 to 2000 kV"),
        ("load", "p_mw", 1e30, "expected -1e6 to 1e6 MW"),
        ("ext_grid", "vm_pu", 20.0, "expected 0.1 to 2 p.u."),
        ("trafo", "sn_mva", 1e308, "expected 1e-6 to 1e6 MVA"),
        ("line", "length_km", 1e-300, "expected 1e-6 to 100000 km"),
        ("trafo", "vk_percent", 1e30, "expected -1e8 to 1e8 %"),
    ],
)
def test_a_json_file_with_it_is_refused(
    tmp_path: Path, kind: str, column: str, value: float, expected: str
) -> None:
    net = small()
    net[kind][column] = value
    with pytest.raises(InputError, match=expected) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert any(fault.startswith(f"{kind} 0") for fault in caught.value.faults)


def test_reference_power_and_frequency_have_ranges(tmp_path: Path) -> None:
    net = small()
    net.sn_mva, net.f_hz = 1e30, 1e-30
    with pytest.raises(InputError) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert list(caught.value.faults) == [
        "sn_mva of the network is 1e+30 MVA, expected 1e-6 to 1e6 MVA",
        "f_hz of the network is 1e-30 Hz, expected 1 to 1000 Hz",
    ]


MATPOWER = """function mpc = two
mpc.version = '2';
mpc.baseMVA = {base};
mpc.bus = [1 3 0 0 0 0 1 1 {va} {kv} 1 1.1 0.9; 2 1 {pd} 10 {gs} {bs} 1 1 0 110 1 1.1 0.9];
mpc.gen = [1 50 0 {qmax} -30 {vg} 100 1 90 0];
mpc.branch = [1 2 {r} {x} {b} {rate} 0 0 {ratio} {shift} 1 -360 360];
"""
GOOD = {
    "base": "100", "kv": "110", "pd": "50", "gs": "0", "bs": "0", "va": "0", "vg": "1",
    "qmax": "30", "r": "0.01", "x": "0.1", "b": "0.02", "rate": "0", "ratio": "0", "shift": "0",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", ["1e30", "1e308", "-1e30"])
def test_a_matpower_case_with_it_is_refused(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "two.m"
    path.write_text(MATPOWER.format(**GOOD | {name: value}))
    with pytest.raises(InputError, match="expected"):
        read_power_net(path)


def test_the_matpower_case_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.m"
    path.write_text(MATPOWER.format(**GOOD))
    assert len(read_power_net(path).net.bus) == 2


def test_a_limit_may_be_infinite_on_its_own_side(nets: dict[str, Any]) -> None:
    assert not faults_with(nets, "line", "max_i_ka", np.inf)
    assert not faults_with(nets, "gen", "min_q_mvar", -np.inf)
    assert faults_with(nets, "line", "max_i_ka", -np.inf)
    assert faults_with(nets, "gen", "min_q_mvar", np.inf)
