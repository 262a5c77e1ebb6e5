"""The exchanger: its closed form against the textbook, a solver, and the balance of heat."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from tvilling.pinns.library.heat_exchanger import HeatExchanger, example
from tvilling.sciml.core.errors import InputError

ONE = HeatExchanger()


def test_the_oil_cooler_of_the_textbook():
    """Incropera et al., 6th ed., example 11.1: oil from 100 to 60 °C, water from 30 to 40.2 °C.

    Oil 0.1 kg/s of 2131 J/(kg·K), water 0.2 kg/s of 4178 J/(kg·K), U = 38.1 W/(m²·K) over
    65.9 m of a tube of 25 mm; 8524 W.
    """
    cooler = HeatExchanger(
        hot_in_degc=100.0,
        cold_in_degc=30.0,
        hot_kw_per_k=0.2131,
        cold_kw_per_k=0.8356,
        clean_kw_per_m2k=0.0381,
        area_m2=np.pi * 0.025 * 65.9,
    )
    ends = cooler.exact_degc(np.array([0.0, cooler.length_m]), 0.0)
    assert ends["hot_degc"][1] == pytest.approx(60.0, abs=0.1)
    assert ends["cold_degc"][0] == pytest.approx(40.2, abs=0.1)
    assert 0.2131 * (100.0 - ends["hot_degc"][1]) == pytest.approx(8.524, rel=2e-3)


@pytest.mark.parametrize("fouling", [0.0, 0.176, 0.5])
def test_a_solver_of_boundary_values_finds_the_same(fouling):
    per_m = float(ONE.conductance_kw_per_k(fouling)) / ONE.length_m

    def slope(x, both):
        passed = per_m * (both[0] - both[1])
        return np.stack([-passed / ONE.hot_kw_per_k, -passed / ONE.cold_kw_per_k])

    x = np.linspace(0, ONE.length_m, 20)
    found = solve_bvp(
        slope,
        lambda low, high: np.array([low[0] - 90.0, high[1] - 45.0]),
        x,
        np.tile([[80.0], [60.0]], 20),
        tol=1e-10,
        max_nodes=10_000,
    )
    exact = ONE.exact_degc(x, fouling)
    np.testing.assert_allclose(found.sol(x)[0], exact["hot_degc"], atol=1e-7)
    np.testing.assert_allclose(found.sol(x)[1], exact["cold_degc"], atol=1e-7)


@pytest.mark.parametrize("cold", [60.0, 60.0 * (1 + 1e-7), 30.0])
def test_heat_is_balanced_and_balanced_flows_are_the_limit(cold):
    one = replace(ONE, cold_kw_per_k=cold)
    ends = one.exact_degc(np.array([0.0, 6.0]), 0.1)
    given = 60.0 * (ends["hot_degc"][0] - ends["hot_degc"][1])
    assert given == pytest.approx(cold * (ends["cold_degc"][0] - ends["cold_degc"][1]), rel=1e-6)
    assert ends["cold_degc"][1] == pytest.approx(45.0, abs=1e-5)
    if cold != 30.0:
        units = float(one.conductance_kw_per_k(0.1)) / 60.0
        assert given == pytest.approx(60.0 * 45.0 * units / (1 + units), rel=1e-6)


def test_fouling_costs_heat():
    outlet = example().reference.function(
        {"x_m": np.full(3, 6.0), "fouling_m2k_per_kw": np.array([0.0, 0.2, 0.5])}
    )["hot_degc"]
    assert np.all(np.diff(outlet) > 1.0)


def test_impossible_exchangers_are_refused():
    with pytest.raises(InputError) as error:
        HeatExchanger(hot_in_degc=40.0, area_m2=0.0)
    assert len(error.value.faults) == 2
