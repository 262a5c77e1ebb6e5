"""Layers of water, against closed forms and scipy's isotonic regression."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.special import erf

from tvilling.sciml.systems.heat_plant.layers import cooled, depth_for, mixed, moved

HOT, COLD = jnp.asarray(90.0), jnp.asarray(30.0)
PROFILE = jnp.asarray([80.0, 78.0, 61.0, 55.0, 42.0, 41.0])


@pytest.mark.parametrize("down", [2, -3, 6, -6, 9, 0])
def test_whole_layers_move_as_they_are(down):
    long = np.concatenate([np.full(12, HOT), PROFILE, np.full(12, COLD)])
    expected = long[12 - down : 18 - down]
    found, _ = moved(PROFILE, jnp.asarray(float(down)), HOT, COLD)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("down", [0.3, -0.3, 1.7, -2.45, 5.9, 7.2, -11.5])
def test_plug_flow_is_exact_for_any_step(down):
    """Against the means of the moved profile, sampled a thousand times a layer."""
    fine = np.repeat(np.concatenate([np.full(12, HOT), PROFILE, np.full(12, COLD)]), 1000)
    start = round(1000 * (12 - down))
    expected = fine[start : start + 6000].reshape(6, 1000).mean(axis=1)
    found, drawn = moved(PROFILE, jnp.asarray(down), HOT, COLD)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    far = round(1000 * down)
    leaving = fine[18_000 - far : 18_000] if down > 0 else fine[12_000 : 12_000 - far]
    assert float(drawn) == pytest.approx(leaving.mean(), rel=1e-12)


def test_two_steps_in_one_direction_are_one_where_layers_stay_whole():
    half, _ = moved(PROFILE, jnp.asarray(2.0), HOT, COLD)
    both, _ = moved(half, jnp.asarray(1.0), HOT, COLD)
    np.testing.assert_allclose(both, moved(PROFILE, jnp.asarray(3.0), HOT, COLD)[0])


def test_mixing_is_isotonic_regression_and_keeps_the_heat():
    random = np.random.default_rng(0)
    for count in (2, 3, 7, 30):
        for _ in range(20):
            profile = 60.0 + 20.0 * random.standard_normal(count)
            found = np.asarray(mixed(jnp.asarray(profile)))
            expected = isotonic_regression(profile, increasing=False).x
            np.testing.assert_allclose(found, expected, rtol=1e-12)
            assert found.sum() == pytest.approx(profile.sum(), rel=1e-14)
            assert np.all(np.diff(found) <= 1e-9)


def test_a_profile_in_order_is_left_alone_to_the_last_digit():
    np.testing.assert_array_equal(mixed(PROFILE), PROFILE)


def test_conduction_follows_the_error_function_at_second_order():
    """A step of temperature in a long bar; the time step shrinks with the square of the layer.

    T = mean - half · erf(x / 2 sqrt(a t)), averaged over each layer (fine quadrature).
    """

    def error(count):
        height, diffusivity, end = 1.0, 1e-2, 0.16  # spreads 0.08: the ends are far
        width = height / count
        steps = count**2 // 8
        conducted = jnp.asarray(diffusivity * (end / steps) / width**2)
        still, ambient = jnp.zeros(count), jnp.asarray(0.0)
        start = jnp.where(jnp.arange(count) < count // 2, 80.0, 40.0)
        found = jax.lax.fori_loop(
            0, steps, lambda _, layers: cooled(layers, conducted, still, ambient), start
        )
        depth = (np.arange(count * 64) + 0.5) / (count * 64) - 0.5
        exact = 60.0 - 20.0 * erf(depth / (2.0 * np.sqrt(diffusivity * end)))
        return np.abs(found - exact.reshape(count, 64).mean(axis=1)).max()

    assert np.log2(error(40) / error(80)) == pytest.approx(2.0, abs=0.1)


def test_loss_is_exponential_at_first_order():
    def error(steps):
        lost = jnp.full(3, 1.0 / steps)
        layers = jnp.full(3, 80.0)
        for _ in range(steps):
            layers = cooled(layers, jnp.asarray(0.7), lost, jnp.asarray(10.0))
        return np.abs(np.asarray(layers) - (10.0 + 70.0 * np.exp(-1.0))).max()

    assert np.log2(error(64) / error(128)) == pytest.approx(1.0, abs=0.05)


def test_conduction_keeps_the_heat_and_the_order_for_any_step():
    for conducted in (0.0, 0.4, 40.0, 1e6):
        found = cooled(PROFILE, jnp.asarray(conducted), jnp.zeros(6), jnp.asarray(0.0))
        assert float(found.sum()) == pytest.approx(float(PROFILE.sum()), rel=1e-9)
        assert np.all(np.diff(found) <= 1e-6)


@pytest.mark.parametrize("wanted", [0.0, 3.0, 47.0, 120.0, 999.0])
def test_depth_brings_the_heat_that_is_wanted_or_all_there_is(wanted):
    gains = PROFILE - COLD
    down = depth_for(jnp.asarray(wanted), gains)
    brought = float(down * (moved(PROFILE, -down, HOT, COLD)[1] - COLD))
    assert brought == pytest.approx(min(wanted, float(gains.sum())), abs=1e-9)


def test_water_that_brings_nothing_stays_where_it_is():
    profile = jnp.asarray([80.0, 60.0, 30.0, 28.0])
    assert float(depth_for(jnp.asarray(1e3), profile - 30.0)) == pytest.approx(2.0)
