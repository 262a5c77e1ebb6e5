"""The tank: its spectral reference against refinement, the closed form, and the heat balance."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erfc

from tvilling.pinns.library.stratified_tank import example, example_tank, front
from tvilling.sciml.core.errors import InputError

TANK = example_tank()
RANDOM = np.random.default_rng(0)
Z, TIME = RANDOM.uniform(0, 2, 300), RANDOM.uniform(0, 7200, 300)


def test_the_stated_error_is_that_of_refinement():
    stated = example().reference.relative_error
    found = TANK.sampled(TANK.solved(), Z, TIME)
    finer = TANK.sampled(TANK.solved(90, 45), Z, TIME)
    assert np.max(np.abs(found / finer - 1)) < stated


def test_it_follows_ogata_and_banks_until_the_front_meets_the_bottom():
    steady = replace(TANK, inlet_degc=lambda time: 70.0 + 0.0 * jnp.asarray(time, float))
    time = 0.25 * TIME  # the front is then at 0.7 m
    found = steady.sampled(steady.solved(), Z, time)
    np.testing.assert_allclose(found, steady.unbounded_degc(Z, time + 1800.0), atol=1e-6)


def test_the_front_is_that_of_the_textbook():
    """Ogata and Banks: ½ (erfc((z - w t) / 2√(a t)) + exp(w z / a) erfc((z + w t) / 2√(a t)))."""
    z, time, w, a = 0.4, 1800.0, 2e-4, 3e-6
    root = 2 * np.sqrt(a * time)
    expected = 0.5 * (erfc((z - w * time) / root) + np.exp(w * z / a) * erfc((z + w * time) / root))
    assert float(front(z, time, w, a, 0.0)) == pytest.approx(expected, rel=1e-13)
    assert float(front(0.0, time, w, a, 1e-6)) == pytest.approx(1.0, rel=1e-14)


def test_long_charging_leaves_the_steady_profile():
    """With loss: exp((w - sqrt(w² + 4 k a)) z / (2 a))."""
    w, a, k = 2e-4, 3e-6, 1e-5
    steady = np.exp((w - np.sqrt(w**2 + 4 * k * a)) * 0.5 / (2 * a))
    assert float(front(0.5, 1e6, w, a, k)) == pytest.approx(steady, rel=1e-12)


def test_heat_is_balanced():
    """d/dt of the content is what enters less what leaves and what is lost."""
    from numpy.polynomial.legendre import leggauss

    z, weight = leggauss(80)
    z, weight = 1.0 + z, weight  # 0 to 2 m
    times, step = np.linspace(500, 7000, 9), 5.0
    course = TANK.solved()

    def over_height(time):
        return weight @ TANK.sampled(course, z, np.full(80, time))

    w, a = TANK.speed_m_per_s, TANK.diffusivity_m2_per_s
    for time in times:
        rise = (over_height(time + step) - over_height(time - step)) / (2 * step)
        top, below, end = TANK.sampled(course, np.array([0.0, 1e-4, 2.0]), np.full(3, time))
        into = w * (top - end) - a * (below - top) / 1e-4
        lost = TANK.decay_per_s * (over_height(time) - 2 * TANK.room_degc)
        assert rise == pytest.approx(into - lost, rel=1e-4)


def test_a_tank_with_too_thin_a_front_is_refused():
    with pytest.raises(InputError, match="diffusivity is 663"):
        replace(TANK, diffusivity_m2_per_s=6e-7)
    with pytest.raises(InputError, match="2 fault"):
        replace(TANK, height_m=-1.0, charged_s=0.0)
