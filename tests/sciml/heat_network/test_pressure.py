"""Pressure: Hagen-Poiseuille, Colebrook, height, and what a status says about it."""

import jax.numpy as jnp
import numpy as np
import pytest
from heat_networks import DENSITY, VISCOSITY, line, of, open_pipe, settled
from scipy.optimize import brentq

from tvilling.sciml.core.system import Status
from tvilling.sciml.systems.heat_network.hydraulics.friction import blended, colebrook

PA_PER_BAR = 1e5
GRAVITY_M_PER_S2 = 9.80665
HEAT = {"heat_w": 30e3, "return_degc": 40.0}


def test_laminar_drop_is_that_of_hagen_and_poiseuille() -> None:
    diameter_m, length_m = 0.1, 800.0
    flow = 1500 * VISCOSITY * np.pi * diameter_m / 4  # Re = 1500
    network, output = settled(open_pipe(flow, length_m=length_m, inner_diameter_m=diameter_m))
    inlet, outlet = of(network, output, "junction_bar", "inlet", "outlet")
    expected = 128 * VISCOSITY * length_m * flow / DENSITY / (np.pi * diameter_m**4)
    assert inlet == pytest.approx(6.0)
    assert (inlet - outlet) * PA_PER_BAR == pytest.approx(expected, rel=1e-8)


def test_turbulent_factor_solves_colebrook() -> None:
    for reynolds in np.geomspace(4e3, 1e7, 9):
        for roughness in (1e-6, 1e-4, 1e-3, 1e-2):
            left, right = 2.51 / reynolds, roughness / 3.71

            def miss(f: float, left: float = left, right: float = right) -> float:
                return 1 / np.sqrt(f) + 2 * np.log10(right + left / np.sqrt(f))

            expected = brentq(miss, 1e-3, 1.0, xtol=1e-12)
            factor = float(colebrook(jnp.array(reynolds), jnp.array(roughness)))
            assert factor == pytest.approx(expected, rel=1e-5), (reynolds, roughness)


def test_factor_runs_smoothly_from_laminar_to_turbulent() -> None:
    reynolds = np.linspace(500, 8000, 4001)
    factor = np.asarray(blended(jnp.asarray(reynolds), jnp.full(4001, 1e-3)))
    laminar = reynolds <= 2300
    np.testing.assert_allclose(factor[laminar], 64 / reynolds[laminar], rtol=1e-12)
    turbulent = np.asarray(colebrook(jnp.asarray(reynolds), jnp.full(4001, 1e-3)))
    np.testing.assert_allclose(factor[reynolds >= 4000], turbulent[reynolds >= 4000], rtol=1e-12)
    slope = np.diff(factor) / np.diff(reynolds)
    assert np.abs(np.diff(slope)[reynolds[1:-1] > 2200]).max() < 1e-6  # a kink shows 3e-5


@pytest.mark.parametrize("rise_m", [-30.0, 45.0])
def test_still_water_weighs_on_what_is_below(rise_m: float) -> None:
    network, output = settled(open_pipe(0.0, rise_m=rise_m))
    inlet, outlet = of(network, output, "junction_bar", "inlet", "outlet")
    weight = DENSITY * GRAVITY_M_PER_S2 * rise_m
    assert (inlet - outlet) * PA_PER_BAR == pytest.approx(weight, rel=1e-9)


def test_height_cancels_between_supply_and_return() -> None:
    flat = line([HEAT])
    hill = line([HEAT], junctions=flat.junctions.assign(elevation_m=[0.0, 40.0, 0.0, 40.0]))
    (network, on_flat), (_, on_hill) = settled(flat), settled(hill)
    lower, upper = (of(network, run, "junction_bar", "s1") for run in (on_hill, on_flat))
    assert (upper - lower) * PA_PER_BAR == pytest.approx(DENSITY * GRAVITY_M_PER_S2 * 40, rel=1e-8)
    np.testing.assert_allclose(on_hill["consumer_dp_bar"], on_flat["consumer_dp_bar"], rtol=1e-9)


def test_status_tells_a_consumer_without_enough_pressure() -> None:
    spare = settled(line([HEAT]))[1]["consumer_dp_bar"][0]
    assert Status(int(settled(line([HEAT]))[1]["status"])) == Status.OK
    for need, expected in ((spare - 0.01, Status.OK), (spare + 0.01, Status.PRESSURE)):
        output = settled(line([HEAT | {"min_dp_bar": float(need)}]))[1]
        assert Status(int(output["status"])) == expected


def test_pump_that_follows_the_worst_consumer_gives_it_just_what_it_needs() -> None:
    tables = line([HEAT | {"min_dp_bar": 0.5}, HEAT | {"min_dp_bar": 0.7}])
    network, output = settled(tables, pump_control="worst_consumer")
    spare = output["consumer_dp_bar"] - [0.5, 0.7]
    assert spare.min() == pytest.approx(0.0, abs=1e-9)
    assert output["status"] == Status.OK
    across = np.diff(of(network, output, "junction_bar", "r0", "s0"))[0]
    assert float(output["source_lift_bar"][0]) == pytest.approx(across, rel=1e-9)
