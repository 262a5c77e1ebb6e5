import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvilling.rl_control.control.controllers import HeatingCurve, Hold
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.systems.tank import example

CURVE = HeatingCurve(
    cold_degc=jnp.asarray(-12.0),
    warm_degc=jnp.asarray(15.0),
    supply_cold_degc=jnp.asarray([85.0, 80.0]),
    supply_warm_degc=jnp.asarray([65.0, 62.0]),
)
OUTDOOR = [-30.0, -12.0, -6.0, 0.0, 3.3, 15.0, 25.0]


@pytest.mark.parametrize("outdoor", OUTDOOR)
def test_the_curve_is_the_line_between_its_ends(outdoor):
    expected = [np.interp(outdoor, [-12.0, 15.0], ends) for ends in ([85.0, 65.0], [80.0, 62.0])]
    np.testing.assert_allclose(CURVE.supply_degc(jnp.asarray(outdoor)), expected, rtol=1e-12)


@given(st.floats(-60, 60), st.floats(0, 30))
def test_colder_weather_never_lowers_the_supply(outdoor, colder):
    cold = CURVE.supply_degc(jnp.asarray(outdoor - colder))
    assert (cold >= CURVE.supply_degc(jnp.asarray(outdoor)) - 1e-12).all()


def test_the_curve_acts_through_the_forecast_and_keeps_the_other_actions():
    curve = jax.tree.map(lambda leaf: leaf, CURVE)  # a pytree rebuilds itself
    curve = HeatingCurve(**{**vars(curve), "others": {"lift_bar": jnp.asarray([2.0])}})
    action, memory = jax.jit(lambda curve, degc: curve((), None, {"outdoor_degc": degc}))(
        curve, jnp.asarray([15.0, -12.0])
    )
    assert memory == ()
    np.testing.assert_allclose(action["supply_degc"], [65.0, 62.0])
    np.testing.assert_allclose(action["lift_bar"], [2.0])


def test_the_slope_of_the_curve_can_be_learned():
    """Gradient with respect to an end of the curve: the share of the way to that end."""

    def supply(end):
        curve = HeatingCurve(**{**vars(CURVE), "supply_cold_degc": end})
        return curve.supply_degc(jnp.asarray(1.5))[0]

    gradient = jax.grad(supply)(CURVE.supply_cold_degc)
    np.testing.assert_allclose(gradient, [0.5, 0.0], atol=1e-12)


def test_hold_heats_a_tank_at_the_same_power_at_every_step():
    tank = example()
    drive = {name: jnp.full(4, value) for name, value in tank.drive.items()}
    run = simulate(tank.system, Hold(tank.action), Scenario(jnp.asarray(60.0), drive, 900.0))
    np.testing.assert_array_equal(run.action["heater_w"], np.full(4, 4e5))
    # 400 kW less 250 kW drawn and about 2.9 kW lost, for an hour, into 50 m3 of water
    rise = (4e5 - 2.5e5 - 60.0 * 48.2) * 3600 / float(tank.system.capacity_j_per_k)
    np.testing.assert_allclose(run.output["water_degc"][-1] - 60.0, rise, rtol=2e-3)
