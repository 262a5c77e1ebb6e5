"""A power flow has several solutions: only the one that a grid can be operated at counts.

Lines from one slack bus to one load each have closed forms: with z = r + jx and s = p + jq,

    |V|⁴ + (2 (r p + x q) - 1) |V|² + |z|² |s|² = 0,

whose upper root is the operable one. With several such feeders there are 2ᵏ solutions, and where an
even number of feeders has collapsed the sign of the Jacobian's determinant tells nothing.
"""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest
from continuation import curve, equations
from hypothesis import given, settings
from hypothesis import strategies as st

from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.solver.base_case import base_case
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.solver.flow import Outcome
from tvilling.sciml.systems.power_grid.solver.newton_batch import attempt_closely, block_problem

Z_OHM, VN_KV = 1.0 + 3.0j, 20.0
Z = Z_OHM / VN_KV**2  # per MVA
TAN_PHI = 0.3
NOSE_MW = 1.0 / (2.0 * (Z.real + TAN_PHI * Z.imag + abs(Z) * abs(1.0 + 1j * TAN_PHI)))


@cache
def empty() -> Any:
    """A net without anything, which takes pandapower 0.2 s to make."""
    return pp.create_empty_network(sn_mva=1.0)


def feeders(count: int, p_mw: float) -> Any:
    """`count` lines from one slack bus, each with a load at its end."""
    net = deepcopy(empty())
    start = pp.create_bus(net, VN_KV)
    pp.create_ext_grid(net, start)
    for _ in range(count):
        end = pp.create_bus(net, VN_KV)
        pp.create_line_from_parameters(net, start, end, 1.0, Z_OHM.real, Z_OHM.imag, 0.0, 1.0)
        pp.create_load(net, end, p_mw, TAN_PHI * p_mw)
    return net


def upper(p_mw: np.ndarray, q_mvar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Operable voltages [p.u.], NaN where there are none, and how far off the nose they are."""
    linear = 1.0 - 2.0 * (Z.real * p_mw + Z.imag * q_mvar)
    left = linear**2 - 4.0 * abs(Z) ** 2 * (p_mw**2 + q_mvar**2)
    left = np.where(linear > 0, left, -1.0)
    return np.sqrt((linear + np.sqrt(np.where(left >= 0, left, np.nan))) / 2.0), left


@pytest.mark.parametrize("base", [0.0, 0.5, 0.9, 0.99, 0.99999, 1.5])
def test_collapsed_feeders_never_count(base: float) -> None:
    """Whatever the base case, near or beyond its nose, and in whatever direction scenarios lie."""
    rng = np.random.default_rng(0)
    for count in (1, 2, 3):
        grid = from_pandapower(feeders(count, base * NOSE_MW))
        p_mw = rng.uniform(-0.5, 1.2, (1000, count)) * NOSE_MW
        q_mvar = rng.uniform(-0.3, 0.6, p_mw.shape) * p_mw
        flow = solve(grid, {"load_p_mw": p_mw, "load_q_mvar": q_mvar})
        expected, left = upper(p_mw, q_mvar)
        clear = np.abs(left).min(axis=1) > 1e-8
        solved = flow.outcome == Outcome.SOLVED
        np.testing.assert_array_equal(solved[clear], (left > 0).all(axis=1)[clear])
        good = solved & clear
        np.testing.assert_allclose(flow.vm_pu[good][:, 1:], expected[good], atol=2e-6)
        assert np.isfinite(flow.v).all()
        assert np.isfinite(flow.worst_pu).all()


def test_two_buses_up_to_the_nose() -> None:
    scales = np.array([0.5, 0.99, 1 - 1e-6, 1 + 1e-6, 1.01, 2.0, 1e4])
    p_mw = scales[:, None] * NOSE_MW
    flow = solve(
        from_pandapower(feeders(1, NOSE_MW)), {"load_p_mw": p_mw, "load_q_mvar": TAN_PHI * p_mw}
    )
    lost = scales > 1.0
    np.testing.assert_array_equal(flow.outcome == Outcome.INFEASIBLE, lost)
    expected, _ = upper(p_mw[~lost], TAN_PHI * p_mw[~lost])
    np.testing.assert_allclose(flow.vm_pu[~lost, 1:], expected, atol=2e-6)
    np.testing.assert_allclose((flow.reached * scales)[lost], 1.0, rtol=3e-5)
    np.testing.assert_array_equal(flow.weakest[lost], 1)


def test_a_grid_beyond_its_nose_is_told_where_it_lies() -> None:
    """Without load, Newton's method runs into a short circuit here from a flat start."""
    net = pn.case11_iwamoto()
    nose = curve(equations(net)).nose
    assert 0.99 < nose < 1.0
    flow = solve(from_pandapower(net))
    assert flow.outcome[0] == Outcome.INFEASIBLE
    assert flow.reached[0] == pytest.approx(nose, rel=3e-5)


@st.composite
def grids(draw: st.DrawFn) -> dict[str, Any]:
    """A connected grid of 2 to 7 buses, and how much each of 24 scenarios takes of it."""
    count = draw(st.integers(2, 7))
    tree = [(draw(st.integers(0, bus - 1)), bus) for bus in range(1, count)]
    more = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    loops = draw(st.lists(more.filter(lambda ends: ends[0] != ends[1]), max_size=4))
    return {
        "count": count,
        "ends": np.array(tree + loops),
        "machine": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def small_net(count: int, ends: np.ndarray, z_ohm: np.ndarray, machine: bool) -> Any:
    """Lines between buses, the first of them the slack bus; loads at all others."""
    net = deepcopy(empty())
    pp.create_buses(net, count, VN_KV)
    pp.create_ext_grid(net, 0, vm_pu=1.03)
    pp.create_lines_from_parameters(net, *ends.T, 1.0, z_ohm.real, z_ohm.imag, 0.0, max_i_ka=1.0)
    pp.create_loads(net, np.arange(1, count), 1.0, 0.3)
    if machine:
        pp.create_gen(net, count - 1, 0.5, vm_pu=1.0)
    return net


@settings(max_examples=25)
@given(grids())
def test_solved_means_that_power_balances(case: dict[str, Any]) -> None:
    """By Kirchhoff's laws written out here; and nothing is ever without a number."""
    rng = np.random.default_rng(case["seed"])
    count, ends = case["count"], case["ends"]
    z_ohm = 10.0 ** rng.uniform(-2, 1, len(ends)) * np.exp(1j * rng.uniform(0.1, 1.5, len(ends)))
    net = deepcopy(empty())
    pp.create_buses(net, count, VN_KV)
    pp.create_ext_grid(net, 0, vm_pu=1.03)
    pp.create_lines_from_parameters(net, *ends.T, 1.0, z_ohm.real, z_ohm.imag, 0.0, max_i_ka=1.0)
    pp.create_loads(net, np.arange(1, count), 1.0, 0.3)
    if case["machine"]:
        pp.create_gen(net, count - 1, 0.5, vm_pu=1.0)
    size = 10.0 ** rng.uniform(-2, 3, (24, 1))
    p_mw = size * rng.normal(1.0, 1.0, (24, count - 1))
    q_mvar = size * rng.normal(0.3, 0.5, p_mw.shape)
    flow = solve(from_pandapower(net), {"load_p_mw": p_mw, "load_q_mvar": q_mvar})
    for values in (flow.e, flow.f, flow.worst_pu):
        assert np.isfinite(values).all()
    drop = flow.v[:, ends[:, 0]] - flow.v[:, ends[:, 1]]
    current = drop * VN_KV**2 / z_ohm
    out = np.zeros_like(flow.v)
    np.add.at(out.T, ends[:, 0], current.T)
    np.add.at(out.T, ends[:, 1], -current.T)
    left = (flow.v * out.conj())[:, 1:] + p_mw + 1j * q_mvar
    if case["machine"]:
        left[:, -1] = left[:, -1].real - 0.5 + 1j * (np.abs(flow.v[:, -1]) - 1.0)
    rounding = 1e-12 * np.abs(VN_KV**2 / z_ohm).max()
    assert np.abs(left[flow.solved]).max(initial=0.0) <= 1e-8 + rounding
    assert ((flow.reached == 1.0) == flow.solved).all()
    infeasible = flow.outcome == Outcome.INFEASIBLE
    assert ((flow.reached > 0.0) & (flow.reached < 1.0))[infeasible].all()


@pytest.mark.slow
def test_what_is_infeasible_has_no_operable_solution_elsewhere() -> None:
    """Newton's method from 40 random starts finds none that has every pivot as without load."""
    rng = np.random.default_rng(5)
    lost_in_all = 0
    for trial in range(60):
        count = int(rng.integers(3, 7))
        loops = rng.integers(0, count, (rng.integers(0, 4), 2))
        tree = [(rng.integers(0, bus), bus) for bus in range(1, count)]
        ends = np.array([*tree, *loops[loops[:, 0] != loops[:, 1]]])
        size, angle = 10.0 ** rng.uniform(-1, 1, len(ends)), rng.uniform(0.1, 1.5, len(ends))
        grid = from_pandapower(small_net(count, ends, size * np.exp(1j * angle), bool(trial % 2)))
        p_mw = 10.0 ** rng.uniform(0, 2, (200, 1)) * rng.normal(1.0, 1.0, (200, count - 1))
        q_mvar = 10.0 ** rng.uniform(0, 2, (200, 1)) * rng.normal(0.3, 0.5, p_mw.shape)
        flow = solve(grid, {"load_p_mw": p_mw, "load_q_mvar": q_mvar})
        lost = np.flatnonzero(flow.outcome == Outcome.INFEASIBLE)
        varying = {"load_p_mw": p_mw[lost], "load_q_mvar": q_mvar[lost]}
        base, shape = base_case(grid), (len(lost), count)
        lost_in_all += len(lost)
        for _ in range(40 if len(lost) else 0):
            size, angle = rng.uniform(0.5, 1.3, shape), rng.uniform(-1.0, 1.0, shape)
            start = size * np.cos(angle), size * np.sin(angle)
            problem = block_problem(grid, varying, (0, len(lost)), *start)
            found = attempt_closely(grid, replace(problem, usual=base.usual), 1e-9, 30)
            assert not (found.good(1e-9, base.sign) & (found.firm > 0)).any()
    assert lost_in_all > 1000
