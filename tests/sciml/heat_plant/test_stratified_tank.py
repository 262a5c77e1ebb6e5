"""The layered tank: balance, limits, and how far it is from a reservoir of heat."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from tvilling.sciml.systems.heat_plant.stratified_tank import (
    J_PER_MWH,
    WATER_J_PER_KGK,
    StratifiedTankConfig,
    linear_tank,
    tank_holding,
)

HOUR_S = 3600.0
FORWARD, RETURN, AMBIENT = 80.0, 40.0, 8.0
DRIVE = {
    "forward_degc": jnp.asarray(FORWARD),
    "return_degc": jnp.asarray(RETURN),
    "ambient_degc": jnp.asarray(AMBIENT),
}
CONFIG = tank_holding(60.0, 12.0, FORWARD, RETURN)
TANK = CONFIG.build()
STEP = jax.jit(lambda state, action, drive: TANK.step(state, action, drive, HOUR_S))
EXCHANGE = jax.jit(lambda state, wanted: TANK.exchange(state, wanted, DRIVE, HOUR_S))


def half_full():
    return jnp.where(jnp.arange(TANK.layers) < TANK.layers // 2, FORWARD, RETURN)


def test_the_balance_closes_to_rounding_whatever_enters():
    random = np.random.default_rng(0)
    state = half_full()
    for _ in range(200):
        drive = {
            "forward_degc": jnp.asarray(random.uniform(50.0, 110.0)),
            "return_degc": jnp.asarray(random.uniform(20.0, 60.0)),
            "ambient_degc": jnp.asarray(random.uniform(-20.0, 30.0)),
        }
        action = {"tank_kg_per_s": jnp.asarray(random.uniform(-90.0, 90.0))}
        new, output = STEP(state, action, drive)
        net = float(TANK.net_power_w(action, drive, output)) * HOUR_S
        change = float(TANK.stored_j(new)) - float(TANK.stored_j(state))
        assert abs(change - net) < 1e-12 * float(TANK.stored_j(new))
        assert np.all(np.diff(new) < 1e-9)  # never colder above than below
        state = new


def test_flow_is_cut_to_its_limit():
    much, most = (
        STEP(half_full(), {"tank_kg_per_s": jnp.asarray(flow)}, DRIVE)[1]
        for flow in (1e4, CONFIG.charge_kg_per_s)
    )
    assert float(much["tank_w"]) == float(most["tank_w"])
    assert float(most["tank_w"]) == pytest.approx(12e6, rel=1e-12)  # 12 MW at 40 K


def test_heat_of_a_flow_is_its_textbook_product():
    _, output = STEP(half_full(), {"tank_kg_per_s": jnp.asarray(-25.0)}, DRIVE)
    assert float(output["tank_w"]) == pytest.approx(-25.0 * WATER_J_PER_KGK * 40.0, rel=1e-12)
    assert float(output["drawn_degc"]) == pytest.approx(FORWARD)


def test_a_tank_at_rest_cools_by_its_loss_coefficient():
    """C dT/dt = -U (T - T_a), a week; conduction keeps the layers within 2 K of each other."""
    state, hours = jnp.full(TANK.layers, 75.0), 168
    for _ in range(hours):
        state, _ = STEP(state, {"tank_kg_per_s": jnp.asarray(0.0)}, DRIVE)
    rate = float(TANK.loss_w_per_k.sum() / TANK.capacity_j_per_k)
    expected = AMBIENT + (75.0 - AMBIENT) * np.exp(-rate * hours * HOUR_S)
    assert float(state.mean()) == pytest.approx(expected, abs=0.01)
    assert 0.5 < 75.0 - expected < 2.0  # a test of something
    assert float(state.max() - state.min()) < 2.0


def test_heat_that_is_wanted_is_given_within_water_and_flow():
    for wanted, given in ((7e6, 7e6), (-9.5e6, -9.5e6), (30e6, 12e6), (-30e6, -12e6), (0.0, 0.0)):
        assert float(EXCHANGE(half_full(), jnp.asarray(wanted))[1]["tank_w"]) == pytest.approx(
            given, rel=1e-9, abs=1.0
        )
    cold, hot = (jnp.full(TANK.layers, degc) for degc in (RETURN, FORWARD))
    assert float(EXCHANGE(cold, jnp.asarray(-5e6))[1]["tank_w"]) == 0.0
    assert float(EXCHANGE(hot, jnp.asarray(5e6))[1]["tank_w"]) == 0.0


def follow(wanted_mw, content_mwh):
    """Content and exchange of reservoir and layers, and water drawn, `[time, 5]`."""
    linear = linear_tank(CONFIG, FORWARD, RETURN, AMBIENT)
    hot = jnp.clip(content_mwh / 60.0 * TANK.layers - jnp.arange(TANK.layers), 0.0, 1.0)
    state, level, rows = RETURN + (FORWARD - RETURN) * hot, content_mwh, []
    for wanted in wanted_mw:
        kept = (1.0 - linear.loss_share_per_h) * level - linear.loss_mw
        into = min(max(wanted, -linear.discharge_mw, -kept), linear.charge_mw, 60.0 - kept)
        level = kept + into
        state, output = EXCHANGE(state, jnp.asarray(wanted * 1e6))
        stored = float(TANK.stored_j(state) - TANK.capacity_j_per_k * RETURN) / J_PER_MWH
        drawn = float(output["drawn_degc"])
        rows.append((level, stored, into, float(output["tank_w"]) / 1e6, drawn))
    return np.array(rows)


def test_over_an_ordinary_day_the_reservoir_is_the_layered_tank_to_2_kwh():
    """Charged at night and at noon, drawn from at breakfast and supper; never full or empty."""
    wanted = [7.3] * 3 + [0.0] * 3 + [-11.1] * 3 + [1.2] * 3 + [4.4] * 6 + [-6.7] * 4 + [0.0, 2.9]
    found = follow(wanted, 25.0)
    assert 10.0 < found[:, 0].min() < 20.0
    assert 40.0 < found[:, 0].max() < 55.0
    np.testing.assert_allclose(found[:, 1], found[:, 0], atol=0.002)
    np.testing.assert_allclose(found[:, 3], wanted, atol=1e-9)


def test_filled_and_emptied_it_gives_the_heat_of_the_reservoir_but_the_last_of_it_colder():
    """To 0.1 %; what the reservoir does not know is that the last of it is below 75 °C."""
    found = follow([9.7] * 7 + [0.0] * 5 + [-9.7] * 7, 0.0)
    reservoir, layered = -found[-7:, 2].sum(), -found[-7:, 3].sum()
    assert reservoir == pytest.approx(60.0, abs=0.2)
    assert layered == pytest.approx(reservoir, rel=1e-3)
    hot = found[-7:, 4] > 75.0
    assert -found[-7:, 3][hot].sum() / layered > 0.9
    assert found[-1, 4] < 75.0


def test_the_linear_tank_has_the_capacity_and_loss_of_its_water():
    linear = linear_tank(CONFIG, FORWARD, RETURN, AMBIENT)
    assert linear.capacity_mwh == pytest.approx(60.0)
    assert linear.charge_mw == linear.discharge_mw == pytest.approx(12.0)
    radius = np.sqrt(CONFIG.section_m2 / np.pi)
    area = 2 * np.pi * radius * CONFIG.height_m + 2 * CONFIG.section_m2  # of a cylinder
    full_w = 0.12 * area * (FORWARD - AMBIENT)
    loss = linear.loss_share_per_h * 60.0 + linear.loss_mw
    assert loss == pytest.approx(full_w / 1e6, rel=1e-9)
    cooler = linear_tank(CONFIG, 70.0, RETURN)
    assert cooler.capacity_mwh == pytest.approx(45.0)


def test_a_faulty_tank_is_refused_with_every_fault():
    with pytest.raises(ValidationError) as caught:
        StratifiedTankConfig(
            volume_m3=-1.0, height_m=10.0, layers=1, charge_kg_per_s=1.0, discharge_kg_per_s=1.0
        )
    assert {error["loc"][0] for error in caught.value.errors()} == {"volume_m3", "layers"}
