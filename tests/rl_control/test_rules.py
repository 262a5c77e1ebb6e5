"""Rules: hysteresis and ranks of prices, against what they should do hour by hour."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.rl_control.control.controllers import Hold, Plan, PriceRule, Thermostat
from tvilling.rl_control.control.objective import (
    CREDIT,
    run_cost_dkk,
    with_outlook,
    with_prices,
)
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate

ON, OFF = {"heater_w": jnp.asarray(1e6)}, {"heater_w": jnp.asarray(0.0)}


def test_the_thermostat_switches_with_hysteresis():
    rule = Thermostat(jnp.asarray(60.0), jnp.asarray(80.0), ON, OFF)
    memory, heard = rule.init(), []
    for degc in (70.0, 59.0, 70.0, 79.0, 80.0, 70.0, 60.5, 59.9):
        action, memory = rule(memory, jnp.asarray(degc), {})
        heard.append(bool(action["heater_w"] > 0))
    assert heard == [False, True, True, True, False, False, False, True]


def rule_at(price, buy_share, sell_share):
    power = {
        name: {"power_w": jnp.asarray(p)}
        for name, p in (("buy", 1.0), ("idle", 0.0), ("sell", -1.0))
    }
    rule = PriceRule(**power, buy_share=jnp.asarray(buy_share), sell_share=jnp.asarray(sell_share))
    return float(rule((), None, {"price_dkk_per_kwh": jnp.asarray(price)})[0]["power_w"])


@pytest.mark.parametrize("scale", [1.0, 0.01, 100.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_price_rule_acts_by_rank(seed, scale):
    """Ten different prices, the first ranked by a sort: buys in the three lowest."""
    price = np.random.default_rng(seed).permutation(10) * scale - 3 * scale
    rank = int(np.argsort(np.argsort(price))[0])
    expected = 1.0 if rank < 3 else -1.0 if rank >= 8 else 0.0
    assert rule_at(price, 0.3, 0.2) == expected


def test_at_one_price_all_day_the_rule_buys():
    assert rule_at(np.full(24, 0.7), 0.1, 0.1) == 1.0


def test_a_plan_is_followed_step_by_step(tank, days):
    watts = jnp.linspace(0.0, 8e5, 24)
    day = jax.tree.map(lambda leaf: leaf[0], days)
    run = simulate(tank.system, Plan({"heater_w": watts}), day)
    np.testing.assert_array_equal(run.action["heater_w"], watts)


def test_the_outlook_is_what_comes_and_the_mean_beyond_the_end(days):
    seen = with_outlook(days, 5).forecast
    price = np.asarray(days.drive[PRICE])
    assert seen[PRICE].shape == (12, 24, 5)
    np.testing.assert_array_equal(seen[PRICE][:, 3], price[:, 3:8])
    np.testing.assert_array_equal(seen[PRICE][:, 23, 0], price[:, 23])
    mean = price.mean(axis=1)
    np.testing.assert_allclose(seen[PRICE][:, 23, 1:], np.tile(mean[:, None], 4), rtol=1e-12)
    np.testing.assert_allclose(seen[CREDIT][:, 0, 0], mean, rtol=1e-12)
    demand = np.asarray(days.drive["demand_w"])
    np.testing.assert_array_equal(seen["demand_w"][:, 21], demand[:, [21, 22, 23, 23, 23]])


def test_what_is_left_in_store_is_worth_the_mean_price():
    """A battery without leak, charged at one power all day, pays the mean and is credited it."""
    from dataclasses import replace

    example = battery_example()
    battery = replace(example.system, leak_per_s=jnp.asarray(0.0))
    example = replace(example, system=battery)
    day = jax.tree.map(lambda leaf: leaf[0], trial_scenarios(example, 1, 1, 0, dt_s=3600.0))
    for power_w in (100.0, -80.0):
        run = simulate(battery, Hold({"power_w": jnp.asarray(power_w)}), day)
        assert float(run_cost_dkk(example, day, run)) == pytest.approx(0.0, abs=1e-9)


def test_other_prices_must_fit_the_days(days):
    price = np.random.default_rng(0).uniform(0, 1, (12, 24))
    np.testing.assert_array_equal(with_prices(days, price).drive[PRICE], price)
    with pytest.raises(InputError, match="hours for"):
        with_prices(days, price[:, :12])
