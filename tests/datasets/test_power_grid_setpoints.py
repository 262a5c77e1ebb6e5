"""Machines that hold one point at different values: refused with the bus, both machines, both."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_power_net import small, written

from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.datasets.readers.power_grid.setpoints import setpoint_faults
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandapower as pp


def gens(net: Any, first: int, second: int) -> None:
    pp.create_gen(net, first, 0.1, vm_pu=1.01, name="G1")
    pp.create_gen(net, second, 0.1, vm_pu=0.99, name="G2")


def beyond(net: Any) -> int:
    return int(pp.create_bus(net, 20.0, name="beyond"))


def at_one_bus(net: Any) -> None:
    gens(net, 2, 2)


def beside_the_grid(net: Any) -> None:
    pp.create_gen(net, 0, 1.0, vm_pu=1.03, name="G1")


def over_a_switch(net: Any) -> None:
    far = beyond(net)
    pp.create_switch(net, 2, far, et="b")
    gens(net, 2, far)


def over_two_switches(net: Any) -> None:
    middle, far = beyond(net), beyond(net)
    pp.create_switch(net, 2, middle, et="b")
    pp.create_switch(net, middle, far, et="b", z_ohm=1e-7)
    gens(net, 2, far)


def over_no_impedance(net: Any) -> None:
    far = beyond(net)
    pp.create_impedance(net, 2, far, 1e-9, 1e-9, 100.0)
    gens(net, 2, far)


def over_a_stump(net: Any) -> None:
    far = beyond(net)
    pp.create_line_from_parameters(net, 2, far, 1e-6, 0.1, 0.1, 0.0, 0.3)
    gens(net, 2, far)


def two_grids(net: Any) -> None:
    pp.create_ext_grid(net, 0, vm_pu=1.0, va_degree=5.0, name="other")


def a_dc_line(net: Any) -> None:
    pp.create_dcline(net, 1, 2, 0.1, 0.0, 0.0, 1.0, 1.02, name="cable")
    pp.create_gen(net, 2, 0.1, vm_pu=1.01, name="G1")


FAULTS: dict[Callable[[Any], None], str] = {
    at_one_bus: "bus 2 (end) is held at 1.01 p.u. by gen 0 (G1) and at 0.99 p.u. by gen 1 (G2)",
    beside_the_grid: "bus 0 (high) is held at 1 p.u. by ext_grid 0 and at 1.03 p.u. by gen 0 (G1)",
    over_a_switch: "bus 2 (end) and bus 3 (beyond), joined as one, is held at 1.01 p.u. by gen 0",
    over_two_switches: "bus 2 (end) and bus 4 (beyond), joined as one, is held at 1.01 p.u. by",
    over_no_impedance: "bus 2 (end) and bus 3 (beyond), joined as one, is held at 1.01 p.u. by",
    over_a_stump: "bus 2 (end) and bus 3 (beyond), joined as one, is held at 1.01 p.u. by gen 0",
    two_grids: "bus 0 (high) is held at 0 degree by ext_grid 0 and at 5 degree by ext_grid 1 (oth",
    a_dc_line: "bus 2 (end) is held at 1.01 p.u. by gen 0 (G1) and at 1.02 p.u. by dcline 0 (cabl",
}


@pytest.mark.parametrize("change", FAULTS)
def test_a_conflict_names_the_bus_both_machines_and_both_values(
    change: Callable[[Any], None], tmp_path: Path
) -> None:
    net = small()
    change(net)
    with pytest.raises(InputError) as caught:
        read_power_net(written(net, tmp_path / "grid.json"))
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith(FAULTS[change])
    assert caught.value.faults[0].endswith(", expected one set-point")


def open_switch(net: Any) -> None:
    over_a_switch(net)
    net.switch["closed"] = net.switch["et"] != "b"


def one_is_off(net: Any) -> None:
    at_one_bus(net)
    net.gen["in_service"] = [True, False]


def the_same_value(net: Any) -> None:
    at_one_bus(net)
    net.gen["vm_pu"] = [1.01, 1.01 + 1e-9]


def a_real_cable(net: Any) -> None:
    pp.create_gen(net, 1, 0.1, vm_pu=1.0, name="G1")
    pp.create_gen(net, 2, 0.1, vm_pu=1.001, name="G2")


@pytest.mark.parametrize("change", [open_switch, one_is_off, the_same_value, a_real_cable])
def test_set_points_that_go_together_are_solved_as_by_pandapower(
    change: Callable[[Any], None],
) -> None:
    net = small()
    change(net)
    assert setpoint_faults(net) == []
    flow = solve(from_pandapower(net))
    assert flow.outcome.tolist() == [Outcome.SOLVED]
    pp.runpp(net, numba=False)
    size = np.abs(flow.e + 1j * flow.f)[0][flow.grid.buses.bus]
    alive = flow.grid.buses.bus >= 0
    np.testing.assert_allclose(size[alive], net.res_bus["vm_pu"].to_numpy()[alive], atol=1e-8)
