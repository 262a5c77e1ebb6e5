"""Hosting capacities against closed forms, bisection and pandapower."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pandapower_peer import quiet
from scipy.stats import binomtest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.convert import from_pandapower
from tvilling.sciml.systems.power_grid.results.planner_units import loads, vm_pu
from tvilling.sciml.systems.power_grid.results.violations import limits_of
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve
from tvilling.sciml.systems.power_grid.studies.hosting import (
    TECHNOLOGIES,
    Technology,
    hosting,
    places_of,
)
from tvilling.sciml.systems.power_grid.studies.hosting_table import (
    capacities,
    probability,
    ranks,
)
from tvilling.sciml.systems.power_grid.studies.nearest_limit import WORDS

with quiet():
    import pandapower
    import pandapower.networks

GRIDS = (
    pandapower.networks.create_cigre_network_mv,
    pandapower.networks.create_kerber_landnetz_freileitung_1,
)


def one_line(r_ohm: float, x_ohm: float, vm_min_pu: float = 0.9, vm_max_pu: float = 1.1) -> Any:
    """A bus at the end of one line of 20 kV, with a load of nothing."""
    net = pandapower.create_empty_network()
    a, b = (
        pandapower.create_bus(net, 20.0, min_vm_pu=vm_min_pu, max_vm_pu=vm_max_pu, name=name)
        for name in ("station", "end")
    )
    pandapower.create_ext_grid(net, a)
    pandapower.create_line_from_parameters(
        net, a, b, 1.0, r_ohm_per_km=r_ohm, x_ohm_per_km=x_ohm, c_nf_per_km=0.0, max_i_ka=0.2,
        name="feeder",
    )  # fmt: skip
    pandapower.create_load(net, b, 0.0)
    return net


def by_bisection(net: Any, technology: Technology, row: int, varying: Any) -> np.ndarray:
    """The greatest size by halving an interval 30 times, with a full power flow each time."""
    bus = net.bus.index[row]
    pandapower.create_sgen(net, bus, 0.0)
    grid = from_pandapower(net)
    net.sgen = net.sgen.iloc[:-1]
    limits, count = limits_of(grid), len(varying["load_p_mw"])
    low, high = np.zeros(count), np.full(count, 100.0)
    for _ in range(30):
        size = (low + high) / 2
        columns = {
            "sgen_p_mw": technology.sign * size,
            "sgen_q_mvar": technology.mvar_per_mw * size,
        }
        for name, values in columns.items():
            nominal = getattr(grid.elements["sgen"], name.removeprefix("sgen_"))
            columns[name] = np.concatenate(
                [np.repeat(nominal[None, :-1], count, axis=0), values[:, None]], axis=1
            )
        flow = solve(grid, {**varying, **columns})
        vm = vm_pu(flow)
        kept = flow.solved & ~((vm < limits.vm_min_pu) | (vm > limits.vm_max_pu)).any(axis=1)
        for kind, percent in loads(flow).percent.items():
            kept &= ~(percent > limits.loading_percent[kind]).any(axis=1)
        low, high = np.where(kept, size, low), np.where(kept, high, size)
    return low


@pytest.mark.parametrize("technology", ["pv", "heat_pump"])
@pytest.mark.parametrize("make", GRIDS)
def test_capacity_is_that_of_bisection(make: Callable[[], Any], technology: str) -> None:
    net = make()
    grid = from_pandapower(net)
    share = np.linspace(0.1, 0.9, 6)[:, None]
    varying = {"load_p_mw": share * net.load["p_mw"].to_numpy()}
    places = places_of(grid)
    data = hosting(grid, TECHNOLOGIES[technology], places, varying=varying)
    for at in (0, len(places) // 2, len(places) - 1):
        expected = by_bisection(net, TECHNOLOGIES[technology], places[at], varying)
        np.testing.assert_allclose(data["size_mw"][at], expected, rtol=2e-3, atol=2e-6)


def test_pandapower_keeps_the_limits_just_below_the_capacity_and_not_above() -> None:
    net = pandapower.networks.create_kerber_landnetz_freileitung_1()
    grid = from_pandapower(net)
    places = places_of(grid)
    data = hosting(grid, TECHNOLOGIES["pv"], places)
    sizes, kinds = data["size_mw"].values[:, 0], data["limit"].values[:, 0]
    assert {WORDS[kind] for kind in kinds} == {"voltage above", "loading"}
    sgen = pandapower.create_sgen(net, 0, 0.0)
    for row, size, kind in zip(places, sizes, kinds, strict=True):
        net.sgen.loc[sgen, "bus"] = net.bus.index[row]
        for factor in (0.995, 1.005):
            net.sgen.loc[sgen, "p_mw"] = factor * size
            with quiet():
                pandapower.runpp(net, calculate_voltage_angles=True)
            found = {
                "voltage above": net.res_bus["vm_pu"].max() > 1.1,
                "loading": max(
                    net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max()
                ) > 100,
            }  # fmt: skip
            assert any(found.values()) == (factor > 1)
            assert found[WORDS[kind]] == (factor > 1)


@pytest.mark.parametrize("limit_pu", [1.02, 1.05])
def test_rise_of_voltage_has_its_closed_form(limit_pu: float) -> None:
    """1 = (L - R P / L)² + (X P / L)², P in p.u. on 400 Ω a MW."""
    net = one_line(10.0, 4.0, vm_max_pu=limit_pu)
    net.line["max_i_ka"] = 10.0
    r, x = 10.0 / 400.0, 4.0 / 400.0
    expected = min(np.roots([(r**2 + x**2) / limit_pu**2, -2 * r, limit_pu**2 - 1]))
    data = hosting(from_pandapower(net), TECHNOLOGIES["pv"], np.array([1]))
    assert data["size_mw"].item() == pytest.approx(expected, rel=1e-3)
    assert WORDS[data["limit"].item()] == "voltage above"
    assert data["limit_at"].item() == 1


def test_where_voltages_may_fall_the_nose_is_the_limit() -> None:
    """V² / 2X without reactive power: 10 MW over 20 Ω at 20 kV."""
    net = one_line(0.0, 20.0, vm_min_pu=0.1)
    net.line["max_i_ka"] = 10.0
    data = hosting(from_pandapower(net), Technology("load", -1.0, 1.0), np.array([1]))
    assert data["size_mw"].item() == pytest.approx(10.0, rel=1e-3)
    assert WORDS[data["limit"].item()] == "no solution"


def test_current_that_turns_round_is_limited_on_the_far_side() -> None:
    """A load of 3 MW is covered first; then 0.2 kA flow back: about √3 · 20 kV · 0.2 kA + 3 MW."""
    net = one_line(0.01, 0.01)
    net.load["p_mw"] = 3.0
    data = hosting(from_pandapower(net), TECHNOLOGIES["pv"], np.array([1]))
    assert data["size_mw"].item() == pytest.approx(np.sqrt(3) * 20 * 0.2 + 3.0, rel=1e-3)
    assert data["branch_name"].values[data["limit_at"].item()] == "feeder"


def test_a_limit_that_is_broken_already_leaves_nothing() -> None:
    net = one_line(10.0, 4.0)
    net.load["p_mw"] = 7.0
    loads_mw = np.array([[7.0], [0.0], [0.0]])
    data = hosting(
        from_pandapower(net), TECHNOLOGIES["pv"], np.array([1]), varying={"load_p_mw": loads_mw}
    )
    assert data["size_mw"].values[0, 0] == 0.0
    assert WORDS[data["limit"].values[0, 0]] in ("voltage below", "loading")
    table = capacities(data, alpha=0.4)
    assert table["violated"].item() == pytest.approx(1 / 3)
    assert table["capacity_mw"].item() == pytest.approx(data["size_mw"].values[0, 1])
    assert capacities(data, alpha=0.3)["capacity_mw"].item() == 0.0


def test_intervals_hold_the_true_capacity_as_often_as_they_say() -> None:
    """The α-quantile of uniform capacities is α."""
    rank, low, high = ranks(200, 0.05)
    drawn = np.sort(np.random.default_rng(3).uniform(size=(4000, 200)), axis=1)
    held = (drawn[:, low] <= 0.05) & (drawn[:, high] >= 0.05)
    assert rank == 10
    assert 0.95 <= held.mean() < 0.985
    assert ranks(20, 0.05)[1] == -1


def test_probability_of_a_violation_is_told_with_the_exact_interval() -> None:
    net = one_line(10.0, 4.0)
    varying = {"load_p_mw": np.linspace(0.0, 2.0, 30)[:, None]}
    data = hosting(from_pandapower(net), TECHNOLOGIES["pv"], np.array([1]), varying=varying)
    sizes = np.linspace(0.0, 1.2 * float(data["size_mw"].max()), 15)
    share, low, high = probability(data, sizes)
    assert (np.diff(share[0]) >= 0).all()
    assert (share[0, 0], share[0, -1]) == (0.0, 1.0)
    for at, size in enumerate(sizes):
        exact = binomtest(int((data["size_mw"].values < size).sum()), 30).proportion_ci()
        np.testing.assert_allclose([low[0, at], high[0, at]], [exact.low, exact.high], atol=1e-12)


def test_unknown_and_given_buses_are_refused() -> None:
    grid = from_pandapower(one_line(1.0, 1.0))
    with pytest.raises(InputError) as caught:
        places_of(grid, ["nowhere", "station", "ends"])
    assert caught.value.faults == (
        "nowhere is no bus",
        "station is a bus whose voltage is given: it takes any power",
        "ends is no bus; near are end",
    )


def test_a_bus_is_found_by_the_name_that_tables_print_or_by_its_index() -> None:
    net = one_line(1.0, 1.0)
    net.bus["name"] = "twin"
    net.bus.index = [7, 9]
    for kind in ("ext_grid", "load"):
        net[kind]["bus"] += 7 if kind == "ext_grid" else 8
    for end, bus in (("from", 7), ("to", 9)):
        net.line[f"{end}_bus"] = bus
    grid = from_pandapower(net)
    assert places_of(grid, ["twin (row 9)", "9", "twin (row 9)"]).tolist() == [1]
    with pytest.raises(InputError, match=r"twin: 2 buses are called so; name one of them, twin "
                       r"\(row 7\) or twin \(row 9\)"):  # fmt: skip
        places_of(grid, ["twin"])
