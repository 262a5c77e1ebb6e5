"""Water hammer: Joukowsky, the wave equation, the method of characteristics and its order."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns.library.water_hammer import REACHES, WaterHammer, example
from tvilling.sciml.core.errors import InputError

PIPE = WaterHammer()
SMOOTH = replace(PIPE, friction=0.0)
RANDOM = np.random.default_rng(0)
X, TIME = RANDOM.uniform(0, 600, 400), RANDOM.uniform(0, 2.5, 400)


def test_a_fast_closure_raises_the_head_as_joukowsky_says():
    """1200 m/s · 1.019 m/s / g = 124.6 m, at the valve from the closure to 2 L / a."""
    head, flow = SMOOTH.exact(600.0, 1.0)
    assert float(head) - 200.0 == pytest.approx(1200 * 0.2 / (np.pi * 0.0625) / 9.80665, rel=1e-12)
    assert float(flow) == pytest.approx(0.0, abs=1e-15)


def test_the_waves_meet_the_equations_and_the_conditions():
    slopes = [
        jax.vmap(jax.grad(lambda x, t, i=i: SMOOTH.exact(x, t)[i], axis))(X, TIME)
        for i in (0, 1)
        for axis in (0, 1)
    ]
    area = np.pi * 0.0625
    elastic = 1200.0**2 / (9.80665 * area) * slopes[2]
    np.testing.assert_allclose(slopes[1] + elastic, 0.0, atol=1e-9)
    np.testing.assert_allclose(slopes[3] + 9.80665 * area * slopes[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(SMOOTH.exact(0.0, TIME)[0], 200.0, rtol=1e-14)
    flow = SMOOTH.exact(600.0, TIME)[1]
    np.testing.assert_allclose(flow, SMOOTH.valve_m3_per_s(TIME), atol=1e-14)
    np.testing.assert_allclose(SMOOTH.exact(X, 0.0), [[200.0] * 400, [0.2] * 400], rtol=1e-14)


def test_without_friction_the_characteristics_are_exact():
    heads, flows = SMOOTH.characteristics(40)
    time, x = np.meshgrid(np.linspace(0, 2.5, len(heads)), np.linspace(0, 600, 41), indexing="ij")
    head, flow = SMOOTH.exact(jnp.asarray(x), jnp.asarray(time))
    np.testing.assert_allclose(heads, head, atol=1e-10)
    np.testing.assert_allclose(flows, flow, atol=1e-13)


def test_with_friction_they_are_of_second_order():
    grids = [PIPE.characteristics(reaches) for reaches in (40, 80, 160)]
    for one, two, three in zip(*grids, strict=True):
        first = np.sqrt(np.mean((one - two[::2, ::2]) ** 2))
        second = np.sqrt(np.mean((two - three[::2, ::2]) ** 2))
        assert np.log2(first / second) == pytest.approx(2.0, abs=0.05)


def test_the_stated_error_is_that_of_refinement_and_of_the_interpolation():
    stated = example().reference.relative_error
    coarse, fine = PIPE.extrapolated(REACHES // 2), PIPE.extrapolated(REACHES)
    for one, two in zip(coarse, fine, strict=True):
        assert np.max(np.abs(one - two[::2, ::2])) < stated * np.max(np.abs(two))
    nearly = replace(PIPE, friction=1e-12)
    at = {"x_m": X, "time_s": TIME}
    found = nearly.problem().reference.function(at)
    exact = SMOOTH.problem().reference.function(at)
    for name, values in exact.items():
        assert np.max(np.abs(found[name] - values)) < stated * np.max(np.abs(values))


def test_steady_flow_loses_head_by_darcy_and_weisbach():
    """f L / D · V² / 2g over the pipe, and nothing changes before the wave arrives."""
    heads, flows = PIPE.characteristics(50)
    speed = 0.2 / (np.pi * 0.0625)
    lost = 0.018 * 600 / 0.5 * speed**2 / (2 * 9.80665)
    assert heads[0, 0] - heads[0, -1] == pytest.approx(lost, rel=1e-12)
    np.testing.assert_allclose(heads[:20, 20], heads[0, 20], rtol=1e-13)
    np.testing.assert_allclose(flows[:20, 20], 0.2, rtol=1e-13)


def test_impossible_pipes_are_refused():
    with pytest.raises(InputError, match="2 fault"):
        WaterHammer(length_m=0.0, inner_m=-1.0)
    with pytest.raises(InputError, match="friction is -1"):
        WaterHammer(friction=-1.0)
    with pytest.raises(InputError, match=r"horizon_s is 2\.50123"):
        WaterHammer(horizon_s=2.50123)
