"""Rewards and penalties are of one size at any tariff, and systems of every kind have episodes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heat_pump import HEAT_W, pump_example
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.rl_control.control.controllers import Hold
from tvilling.rl_control.control.evaluate import BOUND, compare, table
from tvilling.rl_control.rl.env import Environment
from tvilling.rl_control.rl.gym_env import GymEnvironment
from tvilling.rl_control.rl.reward_scale import step_kwh
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.system import Channel, Status

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def pump():
    return pump_example()


@pytest.fixture(scope="module")
def days(pump):
    return trial_scenarios(pump, 4, 1, seed=1, dt_s=HOUR_S)


def at_price(days, price):
    given = jnp.broadcast_to(jnp.asarray(price, float), days.drive[PRICE].shape)
    return replace(days, drive={**days.drive, PRICE: given})


@pytest.mark.parametrize("price", [0.5, 1e-4, 30.0, -0.2, 0.0])
def test_a_flat_tariff_gives_rewards_of_the_size_of_the_penalty(tank, price):
    """Heating at full power costs a few units, whatever a kilowatt-hour costs; free heat none."""
    flat = at_price(trial_scenarios(tank, 4, 1, seed=1, dt_s=HOUR_S), price)
    environment = Environment.of(tank, flat, ahead=4)
    state, seen = environment.reset(jax.random.key(0), 0)
    rewards = []
    for action in (-1.0, 1.0):
        _, seen, reward, _, info = environment.step(state, jnp.asarray([action]))
        assert not bool(info["violation"])
        assert np.isfinite(seen).all()
        rewards.append(abs(float(reward)))
    assert max(rewards) < 5 * environment.penalty
    assert max(rewards) > 0.1 * environment.penalty if price else max(rewards) == 0.0


def test_the_scale_grows_with_the_prices(pump, days):
    """Ten times the prices, ten times the scale, so the rewards stay."""
    price = days.drive[PRICE]
    one, ten = (Environment.of(pump, at_price(days, k * price)).scale_dkk for k in (1.0, 10.0))
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-9)


def test_limits_that_are_far_away_do_not_set_the_scale(pump, days):
    """At no load all of the demand is bought; a channel of 1e12 W says nothing of that."""
    far = (Channel("power_w", "W", -1e12, 1e12),)

    class Far(type(pump.system)):
        outputs = far

    jax.tree_util.register_dataclass(Far, ["heat_w"], ["fails_above"])
    most_kwh = step_kwh(replace(pump, system=Far(jnp.asarray(HEAT_W))), days)
    assert most_kwh == pytest.approx(step_kwh(pump, days))
    assert most_kwh <= float(days.drive["demand_w"].max()) / 1e3


def test_a_system_without_a_state_has_episodes(pump, days):
    """The rewards of an episode are its cost, as of any other."""
    environment = Environment.of(pump, days, ahead=3)
    assert environment.observer.size == 0 + 3 * 2 + 6
    state, _ = environment.reset(jax.random.key(0), 2)
    step, total = jax.jit(Environment.step), 0.0
    for k in range(24):
        state, _, reward, done, _ = step(environment, state, jnp.asarray([0.0]))
        total += float(reward)
        assert bool(done) == (k == 23)
    day = days.at(2)
    power_w = np.asarray(day.drive["demand_w"]) - HEAT_W * 0.5 * (1 - 1.25 / 3)
    cost = (np.asarray(day.drive[PRICE]) * power_w / 1e3).sum()
    assert total == pytest.approx(-cost / float(environment.scale_dkk[2]), rel=1e-9)


def test_what_has_no_linear_form_is_compared_without_a_bound(pump, days):
    compared = compare(pump, {"half": Hold(pump.action)}, days, ahead=3)
    assert "not affine" in compared.attrs["no_bound"]
    assert np.isnan(compared["cost_dkk"].sel(controller=BOUND)).all()
    lines = table(compared)
    assert lines.loc["half", "cost_dkk"] > 0
    assert lines.loc["half", "violations"] == 0
    assert np.isnan(lines.loc["half", "share_percent"])
    assert lines.loc[BOUND].isna().all()


def test_a_rule_that_costs_nothing_has_no_percentage():
    """At a price of zero every cost is zero, and nothing is divided by it."""
    battery = battery_example()
    free = at_price(trial_scenarios(battery, 2, 1, seed=0, dt_s=HOUR_S), 0.0)
    lines = table(compare(battery, {"idle": Hold({"power_w": jnp.asarray(0.0)})}, free, ahead=2))
    assert lines.loc["idle", "cost_dkk"] == 0.0
    assert np.isnan(lines.loc["idle", "saved_percent"])


def test_a_step_that_is_no_number_ends_the_episode_and_says_why(days):
    """The machine trips above 90 % of its load, and its power is NaN with a status of 0."""
    trips = pump_example(fails_above=0.9)
    environment = Environment.of(trips, days, ahead=3)
    state, _ = environment.reset(jax.random.key(0), 0)
    state, seen, reward, done, info = environment.step(state, jnp.asarray([1.0]))
    assert bool(done)
    assert int(info["status"]) == int(Status.NOT_FINITE)
    assert float(reward) == -environment.penalty * 24
    assert np.isfinite(seen).all()
    gym = GymEnvironment(environment)
    gym.reset(seed=0)
    _, reward, terminated, _, facts = gym.step(np.ones(1, np.float32))
    assert terminated
    assert facts["reason"] == "a value was not a finite number"
    compared = compare(trips, {"full": Hold({"load": jnp.asarray(1.0)})}, days, ahead=3)
    assert (compared["status"].sel(controller="full") == int(Status.NOT_FINITE)).all()
    assert np.isnan(table(compared).loc["full", "cost_dkk"])


def test_an_action_that_is_no_number_is_told(pump, days):
    environment = Environment.of(pump, days, ahead=3)
    state, _ = environment.reset(jax.random.key(0), 0)
    _, seen, reward, done, info = environment.step(state, jnp.asarray([jnp.nan]))
    assert bool(done)
    assert int(info["status"]) & int(Status.NOT_FINITE)
    assert np.isfinite([*np.asarray(seen), float(reward)]).all()


def test_what_the_scenarios_lack_is_told_at_once(pump, days):
    bare = replace(days, drive={PRICE: days.drive[PRICE]})
    with pytest.raises(InputError, match="drive demand_w is missing"):
        Environment.of(pump, bare)
    wide = replace(days, drive={**days.drive, "demand_w": jnp.zeros((4, 24, 2))})
    with pytest.raises(InputError, match=r"shape \(4, 24, 2\), expected \(4, 24\)"):
        compare(pump, {"half": Hold(pump.action)}, wide)
    with pytest.raises(InputError, match="0 controllers"):
        compare(pump, {}, days)
