"""The law of Lorentz, against published figures, the second law and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from tvilling.sciml.core.units import ZERO_DEGC_K
from tvilling.sciml.systems.heat_plant.cop import (
    MIN_LIFT_K,
    defrost_factor,
    heat_pump_cop,
    log_mean_k,
)

PUBLISHED = {35: 10.1, 45: 8.8, 55: 7.9, 65: 7.1, 75: 6.5, 85: 6.1}


def test_the_lossless_limit_is_the_published_one():
    """Lorentz limits for a source at 0 °C and a return of 25 °C.

    From the table of COP over output temperature in Wikipedia, Coefficient of performance.
    """
    forward = np.array(list(PUBLISHED), dtype=float)
    found = heat_pump_cop(0.0, 0.0, forward, 25.0, 1.0)
    np.testing.assert_allclose(found, list(PUBLISHED.values()), atol=0.06)  # one decimal given


def test_without_a_glide_it_is_the_law_of_carnot():
    for source, sink in [(0.0, 55.0), (10.0, 35.0), (-20.0, 85.0)]:
        carnot = (sink + ZERO_DEGC_K) / (sink - source)
        assert float(heat_pump_cop(source, source, sink, sink, 1.0)) == pytest.approx(carnot)
        assert float(heat_pump_cop(source, source, sink, sink, 0.5)) == pytest.approx(carnot / 2)


def entropy_per_heat(source_in, source_out, forward, back, efficiency):
    """Entropy made for each unit of heat delivered [1/K]; water and air of constant capacity."""

    def per_joule(hot, cold):
        hot, cold = hot + ZERO_DEGC_K, cold + ZERO_DEGC_K
        return np.log(hot / cold) / (hot - cold)

    cop = float(heat_pump_cop(source_in, source_out, forward, back, efficiency))
    return per_joule(forward, back) - (1 - 1 / cop) * per_joule(source_in, source_out)


@pytest.mark.parametrize("source_in", [-15.0, 0.0, 8.0, 25.0])
@pytest.mark.parametrize(("forward", "back"), [(95.0, 45.0), (75.0, 40.0), (55.0, 25.0)])
def test_the_second_law_holds_and_an_efficiency_of_one_makes_no_entropy(source_in, forward, back):
    temperatures = source_in, source_in - 5.0, forward, back
    assert abs(entropy_per_heat(*temperatures, 1.0)) < 1e-15
    assert entropy_per_heat(*temperatures, 0.9) > 0
    assert entropy_per_heat(*temperatures, 0.5) > entropy_per_heat(*temperatures, 0.6) > 0


def test_a_real_one_is_below_carnot_between_the_outer_temperatures():
    """At half the Lorentz limit, for the temperatures of district heating."""
    source = np.linspace(-15.0, 25.0, 9)[:, None]
    forward = np.linspace(55.0, 95.0, 9)
    cop = heat_pump_cop(source, source - 5.0, forward, 40.0, 0.5)
    carnot = (forward + ZERO_DEGC_K) / (forward - source + 5.0)
    assert np.all(cop < carnot)
    assert np.all(cop > 1.5)
    assert np.all(np.diff(cop, axis=0) > 0)  # a warmer source helps
    assert np.all(np.diff(cop, axis=1) < 0)  # a warmer forward costs


def test_the_logarithmic_mean_is_the_textbook_form_and_smooth_where_temperatures_meet():
    one, other = np.meshgrid(np.linspace(-30.0, 150.0, 19), np.linspace(-31.0, 149.0, 19))
    a, b = one + ZERO_DEGC_K, other + ZERO_DEGC_K
    np.testing.assert_allclose(log_mean_k(one, other), (a - b) / np.log(a / b), rtol=1e-13)
    assert float(log_mean_k(40.0, 40.0)) == pytest.approx(40.0 + ZERO_DEGC_K, rel=1e-15)
    slope = jax.grad(log_mean_k, argnums=(0, 1))(40.0, 40.0)
    np.testing.assert_allclose(slope, [0.5, 0.5], rtol=1e-14)


@pytest.mark.parametrize(
    "at",
    [
        (5.0, 0.0, 80.0, 40.0, 0.5),
        (5.0, 5.0, 60.0, 60.0, 0.5),
        (30.0, 25.0, 40.0, 30.0, 0.5),  # below the least lift
        (80.0, 75.0, 60.0, 40.0, 0.5),  # a source hotter than the water
    ],
)
def test_gradients_are_those_of_finite_differences_everywhere(at):
    point = np.array(at)
    gradient = jax.jacfwd(lambda x: heat_pump_cop(*x))(jnp.asarray(point))
    difference = approx_fprime(point, lambda x: float(heat_pump_cop(*x)), 1e-6)
    np.testing.assert_allclose(gradient, difference, rtol=1e-4, atol=1e-5)


def test_a_small_lift_is_bounded_and_joined_without_a_kink():
    def cop(lift):
        return heat_pump_cop(40.0 - lift, 40.0 - lift, 40.0, 40.0, 1.0)

    sink_k = 40.0 + ZERO_DEGC_K
    assert float(cop(MIN_LIFT_K)) == pytest.approx(sink_k / MIN_LIFT_K)
    slopes = [float(jax.grad(cop)(MIN_LIFT_K + d)) for d in (-1e-9, 1e-9)]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)
    for lift in (5.0, 0.0, -30.0, -1000.0):
        assert sink_k / MIN_LIFT_K < float(cop(lift)) <= 2 * sink_k / MIN_LIFT_K


def test_frost_costs_its_share_in_cold_air_only():
    cold, edge, warm = np.asarray(defrost_factor(np.array([-10.0, 2.0, 10.0]), 0.2))
    assert cold == pytest.approx(0.8, abs=1e-6)
    assert edge == pytest.approx(0.9)
    assert warm == pytest.approx(1.0, abs=1e-6)
