"""The tank against an integrator, closed forms, and its own limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from tvilling.sciml.core.system import Status
from tvilling.sciml.core.water import iapws_water
from tvilling.sciml.systems.tank import WATER_J_PER_M3K, Tank, TankConfig

HOUR_S = 3600.0


def tank(**changes: float) -> Tank:
    given = {
        "volume_m3": 2.0,
        "loss_w_per_k": 40.0,
        "heater_max_w": 50e3,
        "demand_max_w": 200e3,
        "floor_degc": 55.0,
        "ceiling_degc": 90.0,
    }
    return TankConfig(**(given | changes)).build()


def step(system, water_degc, heater_w=0.0, demand_w=0.0, ambient_degc=15.0, dt_s=HOUR_S):
    return jax.jit(Tank.step, static_argnames="dt_s")(
        system,
        jnp.asarray(float(water_degc)),
        {"heater_w": jnp.asarray(float(heater_w))},
        {"demand_w": jnp.asarray(float(demand_w)), "ambient_degc": jnp.asarray(ambient_degc)},
        dt_s=dt_s,
    )


@pytest.mark.parametrize("loss_w_per_k", [0.0, 1e-6, 40.0, 5e3])
def test_agrees_with_an_integrator(loss_w_per_k):
    """Temperature and mean loss of an hour against scipy's DOP853 at 1e-12."""
    system = tank(loss_w_per_k=loss_w_per_k, floor_degc=20.0)
    after, output = step(system, 70.0, heater_w=30e3, demand_w=25e3)

    def rates(_, y):
        loss_w = loss_w_per_k * (y[0] - 15.0)
        return [(30e3 - 25e3 - loss_w) / (2.0 * WATER_J_PER_M3K), loss_w]

    reference = solve_ivp(rates, (0, HOUR_S), [70.0, 0.0], "DOP853", rtol=1e-12, atol=1e-9).y[:, -1]
    assert float(after) == pytest.approx(reference[0], rel=1e-10)
    assert float(output["loss_w"]) * HOUR_S == pytest.approx(reference[1], rel=1e-9)


@pytest.mark.parametrize(("degc", "within"), [(20.0, 0.02), (55.0, 0.002), (95.0, 0.02)])
def test_heat_capacity_is_that_of_water(degc, within):
    water, at = iapws_water(), jnp.asarray(degc)
    capacity_j_per_m3k = float(water.density_kg_per_m3(at) * water.cp_j_per_kgk(at))
    assert capacity_j_per_m3k == pytest.approx(WATER_J_PER_M3K, rel=within)


def test_one_long_step_is_many_short_ones():
    system = tank()
    water = jnp.asarray(80.0)
    for _ in range(60):
        water, _ = step(system, water, heater_w=10e3, demand_w=20e3, dt_s=60.0)
    assert float(water) == pytest.approx(float(step(system, 80.0, 10e3, 20e3)[0]), rel=1e-12)


def test_left_alone_it_cools_to_a_share_1_over_e_in_its_time_constant():
    system = tank()
    time_constant_s = 2.0 * WATER_J_PER_M3K / 40.0
    after, output = step(system, 85.0, dt_s=time_constant_s)
    assert float(after) == pytest.approx(15.0 + 70.0 / np.e, rel=1e-12)
    assert int(output["status"]) == Status.OK


def test_draws_down_to_the_floor_and_says_what_is_missing():
    system = tank(loss_w_per_k=0.0)
    after, output = step(system, 60.0, heater_w=10e3, demand_w=100e3)
    spare_w = 2.0 * WATER_J_PER_M3K * 5.0 / HOUR_S
    assert float(after) == pytest.approx(55.0, abs=1e-9)
    assert float(output["delivered_w"]) == pytest.approx(10e3 + spare_w, rel=1e-12)
    assert int(output["status"]) == Status.UNSERVED


def test_demand_met_by_the_heater_alone_is_served_at_the_floor():
    system = tank(loss_w_per_k=0.0)
    water = jnp.asarray(55.0)
    for _ in range(50):
        water, output = step(system, water, heater_w=33333.3, demand_w=33333.3)
        assert int(output["status"]) == Status.OK
    assert float(water) == pytest.approx(55.0, abs=1e-9)


def test_heats_up_to_the_ceiling_and_no_further():
    system = tank(loss_w_per_k=0.0)
    after, output = step(system, 88.0, heater_w=50e3)
    assert float(after) == pytest.approx(90.0, abs=1e-9)
    assert float(output["heater_used_w"]) == pytest.approx(
        2.0 * WATER_J_PER_M3K * 2.0 / HOUR_S, rel=1e-12
    )
    assert int(output["status"]) == Status.OK


def test_heater_keeps_to_its_rating():
    assert float(step(tank(), 60.0, heater_w=1e6)[1]["heater_used_w"]) == 50e3


def test_losses_go_on_below_the_floor_and_nothing_is_drawn():
    after, output = step(tank(), 50.0, demand_w=5e3)
    assert float(after) < 50.0
    assert float(output["delivered_w"]) == 0.0
    assert int(output["status"]) == Status.UNSERVED


@pytest.mark.parametrize("limit", ["floor", "ceiling"])
def test_slopes_are_finite_where_a_limit_begins_to_bind(limit):
    system = tank(loss_w_per_k=0.0)

    def total(heater_w, demand_w, water_degc):
        drive = {"demand_w": demand_w, "ambient_degc": jnp.asarray(15.0)}
        after, output = system.step(water_degc, {"heater_w": heater_w}, drive, HOUR_S)
        return after + output["delivered_w"] + output["heater_used_w"]

    at = (0.0, 0.0, 55.0) if limit == "floor" else (0.0, 0.0, 90.0)
    slopes = jax.grad(total, argnums=(0, 1, 2))(*map(jnp.asarray, at))
    assert np.isfinite(slopes).all()


def test_a_bad_tank_is_told_with_all_its_faults():
    with pytest.raises(ValidationError) as caught:
        TankConfig.model_validate({"volume_m3": -1, "loss_w_per_k": 2, "colour": "red"})
    places = {error["loc"][0] for error in caught.value.errors()}
    assert places == {"volume_m3", "colour", "heater_max_w", "demand_max_w"}


def test_floor_must_stand_below_the_ceiling():
    with pytest.raises(ValidationError, match="expected below ceiling_degc, 60 °C"):
        tank(floor_degc=70.0, ceiling_degc=60.0)
