"""What is neither solved nor shown to have no solution is said to be not known, in words.

A machine that holds 1 p.u. behind z = |z| exp(jζ) sends P(δ) = (cos ζ - cos(ζ + δ))/|z| at the
angle δ, and most at δ = π - ζ: where the line has resistance, beyond 90°.
"""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pytest

from tvilling.apps.grid.report.tables import flow_rows, violation_rows
from tvilling.apps.grid.summary_stats import not_known, outcome_word
from tvilling.datasets.readers.power_grid.reader import read_power_net
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.power_system import system
from tvilling.sciml.systems.power_grid.results.labels import label
from tvilling.sciml.systems.power_grid.results.violations import limits_of, violations
from tvilling.sciml.systems.power_grid.solver.angles import widest_degree
from tvilling.sciml.systems.power_grid.solver.base_case import base_case
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Options, Outcome
from tvilling.sciml.systems.power_grid.solver.starts import STORED, loaded_starts
from tvilling.sciml.systems.power_grid.studies.contingency import study
from tvilling.sciml.systems.power_grid.studies.contingency_table import sums
from tvilling.sciml.systems.power_grid.studies.outages import alone, failing

ZETA, SIZE = np.pi / 4, 0.1
Z = SIZE * np.exp(1j * ZETA)  # p.u. on 1 MVA and 20 kV


def sent_mw(delta: float) -> float:
    """Power of the machine at the angle `delta` [rad]."""
    return float((np.cos(ZETA) - np.cos(ZETA + delta)) / SIZE)


@cache
def _line() -> Any:
    net = pp.create_empty_network(sn_mva=1.0)
    start, end = pp.create_bus(net, 20.0), pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, start)
    pp.create_gen(net, end, 1.0, vm_pu=1.0)
    ohm = 400.0 * Z
    pp.create_line_from_parameters(net, start, end, 1.0, ohm.real, ohm.imag, 0.0, 10.0)
    return net


def line(p_mw: float) -> Any:
    """An external grid, a line, and a machine that sends `p_mw`."""
    net = deepcopy(_line())
    net.gen["p_mw"] = p_mw
    return net


def test_an_angle_beyond_90_degrees_never_counts_as_solved() -> None:
    grid = from_pandapower(line(1.0))
    angles = np.radians([30.0, 80.0, 89.0, 91.0, 110.0, 134.0])
    most = sent_mw(np.pi - ZETA)
    p_mw = np.array([*map(sent_mw, angles), 1.01 * most])[:, None]
    flow = solve(grid, {"gen_p_mw": p_mw})
    assert [Outcome(one).name for one in flow.outcome] == 3 * ["SOLVED"] + 3 * ["UNKNOWN"] + [
        "INFEASIBLE"
    ]
    np.testing.assert_allclose(flow.va_rad[:3, 1], angles[:3], atol=1e-8)
    assert not (flow.reached[3:6] == 0.0).any()
    assert flow.reached[6] == pytest.approx(1.0 / 1.01, rel=3e-5)
    for v in flow.v[3:6]:
        assert widest_degree(grid, v) <= 90.0


def test_what_is_not_known_is_said_in_words() -> None:
    grid = from_pandapower(line(sent_mw(np.radians(110.0))))
    flow = solve(grid)
    data = label(flow)
    assert outcome_word(data) == "unknown"
    assert not_known(data).all()
    assert np.isnan(data["vm_pu"].values).all()
    first = flow_rows(data)[0]
    assert first[0] == "not known whether it has a solution"
    assert first[1].startswith("one is known up to ")
    table = violations(flow, limits_of(grid))
    assert table[["element", "quantity"]].values.tolist() == [["the grid", "not known"]]
    assert "not known" in violation_rows(table)[0][1]
    plant = system(grid)
    powers = {"gen_w": 1e6 * grid.elements["gen"].p_mw, "gen_vm_pu": 1.0, "ext_grid_vm_pu": 1.0}
    action = {name: jnp.broadcast_to(jnp.asarray(value), 1) for name, value in powers.items()}
    assert int(plant.step((), action, {}, 1.0)[1]["status"]) == Status.NOT_CONVERGED


def test_a_grid_with_a_contingency_that_is_not_known_is_not_secure() -> None:
    net = line(sent_mw(np.radians(40.0)))
    row = net.line.iloc[0]
    pp.create_line_from_parameters(
        net, 0, 1, 1.0, 2 * row.r_ohm_per_km, 2 * row.x_ohm_per_km, 0.0, 10.0
    )
    net.gen["p_mw"] = sent_mw(np.radians(100.0))
    grid = from_pandapower(net)
    elements = failing(grid)
    found = sums(study(grid, elements, alone(elements)))
    assert found["not_known"] == 1
    assert not found["secure"]


def test_limits_that_do_not_settle_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a share of 0, which nothing was followed for."""
    net = line(1.0)
    net.gen["max_q_mvar"], net.gen["min_q_mvar"] = -0.1, -0.2
    monkeypatch.setattr("tvilling.sciml.systems.power_grid.solver.batch_solver.ROUNDS", 1)
    flow = solve(from_pandapower(net), options=Options(q_limits=True))
    assert flow.outcome[0] == Outcome.UNKNOWN
    assert np.isnan(flow.reached[0])


def test_the_voltages_of_the_file_are_a_start() -> None:
    net = line(sent_mw(np.radians(60.0)))
    grid = from_pandapower(net)
    assert grid.stored is None
    pp.runpp(net, numba=False, lightsim2grid=False)
    grid = from_pandapower(net)
    assert grid.stored is not None
    assert np.degrees(np.angle(grid.stored[1])) == pytest.approx(60.0, abs=1e-6)
    np.testing.assert_allclose(loaded_starts(grid)[STORED], base_case(grid).v, atol=1e-8)


CASE = """function mpc = case2
mpc.version = '2';
mpc.baseMVA = 1;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 20 1 1.1 0.9;
 2 2 0 0 0 0 1 1 60 20 1 1.1 0.9;
];
mpc.gen = [
 1 0 0 100 -100 1 1 1 100 -100;
 2 {p_mw} 0 100 -100 1 1 1 100 -100;
];
mpc.branch = [
 1 2 {r} {x} 0 0 0 0 0 0 1 -360 360;
];
"""


def test_the_voltages_of_a_matpower_case_are_a_start(tmp_path: Path) -> None:
    path = tmp_path / "case2.m"
    path.write_text(CASE.format(p_mw=sent_mw(np.radians(60.0)), r=Z.real, x=Z.imag))
    grid = from_pandapower(read_power_net(path).net)
    assert grid.stored is not None
    np.testing.assert_allclose(grid.stored, base_case(grid).v, atol=1e-8)
