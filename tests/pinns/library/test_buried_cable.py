"""The cable: the standard's steady state, exponential integral, balance of heat, refinement."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import exp1

from tvilling.pinns.library.buried_cable import BuriedCable, example, example_cable
from tvilling.sciml.core.errors import InputError

CABLE = example_cable()
RANDOM = np.random.default_rng(0)
S, TIME = RANDOM.uniform(0, CABLE.reach, 300), RANDOM.uniform(0, 24, 300)


def constant(current_a, **changes):
    return replace(CABLE, current_a=lambda time_h: current_a + 0.0 * jnp.asarray(time_h), **changes)


def test_it_rests_at_the_steady_state_of_the_standard():
    """IEC 60287: rise = I² R (T1 + T4), T1 = ρ/2π ln(D/d), T4 = ρ/2π ln(2 L / r)."""
    cable = constant(900.0)
    t1, t4 = 3.5 / (2 * np.pi) * np.log(66 / 30), np.log(2 / 0.033) / (2 * np.pi)
    found = cable.sampled(cable.solved(), np.zeros(4), np.array([0.0, 3.0, 12.0, 24.0]))
    conductor = found["conductor_degc"]
    np.testing.assert_allclose(conductor, conductor[0], rtol=1e-10)
    heat = 900.0**2 * 2.95e-5 * (1 + 3.93e-3 * (conductor[0] - 20.0))
    assert conductor[0] - 15.0 == pytest.approx(heat * (t1 + t4), rel=1e-12)
    np.testing.assert_allclose(found["soil_degc"] - 15.0, heat * t4, rtol=1e-9)


def test_a_step_warms_the_soil_by_the_exponential_integral():
    """Long after a step, far below the time to the outer edge, IEC 60853's line source holds.

    rise of the surface = q / (4 π λ) · E1(r² / (4 a t)), within the small times r² / a; the heat
    that the cable itself takes up is made negligible.
    """
    small = BuriedCable(
        lambda time_h: 1000.0 * jnp.where(jnp.asarray(time_h) > 0, 1.0, 0.0),
        conductor_mm2=0.1,
        conductor_m=0.0098,
        insulation_m=0.0100,
        ground_degc=20.0,
        depth_m=2.0,
    )
    time = np.array([6.0, 12.0, 24.0])
    found = small.sampled(small.solved(), np.zeros(3), time)
    heat = 1000.0**2 * 2.95e-5 * (1 + 3.93e-3 * (found["conductor_degc"] - 20.0))
    line = exp1(0.005**2 / (4 * 0.5e-6 * 3600.0 * time)) / (4 * np.pi)
    np.testing.assert_allclose((found["soil_degc"] - 20.0) / heat, line, rtol=0.02)


def test_heat_is_balanced():
    """What the current gives is stored in cable and soil, or leaves at the outer edge."""
    course = CABLE.solved()
    node, weight = np.polynomial.legendre.leggauss(60)
    s = CABLE.reach * (1 + node) / 2
    ring = weight * CABLE.reach / 2 * 2 * np.pi * (CABLE.radius_m * np.exp(s)) ** 2
    capacity = CABLE.soil_w_per_mk / (CABLE.soil_m2_per_s * 3600.0)  # Wh/(m³·K)
    inner, outer = CABLE.capacities_wh_per_mk

    def stored(time):
        soil = CABLE.sampled(course, s, np.full(60, time))["soil_degc"]
        cable = CABLE.sampled(course, np.zeros(1), np.full(1, time))
        in_cable = inner * cable["conductor_degc"] + outer * cable["soil_degc"]
        return float(capacity * ring @ soil + in_cable[0])

    for time in (3.0, 9.0, 20.0):
        rise = (stored(time + 1e-3) - stored(time - 1e-3)) / 2e-3
        edge = CABLE.reach - np.array([0.0, 1e-5])
        soil = CABLE.sampled(course, edge, np.full(2, time))
        leaves = 2 * np.pi * (soil["soil_degc"][1] - soil["soil_degc"][0]) / 1e-5
        given = float(CABLE.loss_w_per_m(time, soil["conductor_degc"][0]))
        assert rise == pytest.approx(given - leaves, rel=1e-5)


def test_the_stated_error_is_that_of_refinement():
    found, finer = (CABLE.sampled(CABLE.solved(*size), S, TIME) for size in ((), (48, 36)))
    for name, values in found.items():
        off = np.max(np.abs(values - finer[name]))
        assert off < example().reference.relative_error * np.max(values)


def test_the_day_stays_below_what_the_insulation_bears():
    top = CABLE.sampled(CABLE.solved(), np.zeros(97), np.linspace(0, 24, 97))["conductor_degc"]
    assert 45.0 < top.max() < 90.0
    assert 13.0 < np.linspace(0, 24, 97)[np.argmax(top)] < 16.0  # after the noon of the current


def test_impossible_cables_are_refused():
    with pytest.raises(InputError) as error:
        BuriedCable(lambda time_h: 500.0, conductor_m=0.1, depth_m=0.0)
    assert len(error.value.faults) == 2
