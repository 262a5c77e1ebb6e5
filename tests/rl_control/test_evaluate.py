"""The comparison on a battery, the price rule's tuning, and what is refused."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example
from scipy.stats import t as student

from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.rl_control.control.controllers import Hold, PriceRule
from tvilling.rl_control.control.evaluate import BOUND, compare, half_width, table, tuned_price_rule
from tvilling.rl_control.control.objective import with_outlook
from tvilling.rl_control.control.safety import Guard, Shield
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate

HOUR_S = 3600.0
BUY, IDLE, SELL = ({"power_w": jnp.asarray(power_w)} for power_w in (5e3, 0.0, -5e3))


@pytest.fixture(scope="module")
def battery():
    return battery_example()


@pytest.fixture(scope="module")
def week(battery):
    return trial_scenarios(battery, 7, 1, seed=3, dt_s=HOUR_S)


def test_a_battery_is_compared_like_anything_else(battery, week):
    """Sitting still costs the leak alone; the price rule earns, the plan earns most."""
    guard = Guard.of(battery, HOUR_S)
    rule = Shield(PriceRule(BUY, IDLE, SELL, jnp.asarray(0.15), jnp.asarray(0.15)), guard)
    compared = compare(battery, {"idle": Hold(IDLE), "price rule": rule}, week)
    kept = np.exp(-0.02)  # of the energy, over a day
    lost_kwh = (1 - kept) * np.asarray(week.state) / 3.6e6
    expected = lost_kwh * np.asarray(week.drive[PRICE]).mean(axis=1)
    np.testing.assert_allclose(compared["cost_dkk"].sel(controller="idle"), expected, rtol=1e-6)
    lines = table(compared)
    assert 20.0 < lines.loc["price rule", "share_percent"] < 100.0
    assert (lines["violations"] == 0).all()
    assert lines.index[-1] == BOUND
    assert all("units" in variable.attrs for variable in compared.data_vars.values())


def test_figures_are_by_the_day_however_long_a_run_is(battery):
    """A battery that leaks nothing and holds 100 W buys 2.4 kWh a day."""
    example = replace(battery, system=replace(battery.system, leak_per_s=jnp.asarray(0.0)))
    days = trial_scenarios(example, 2, 2, seed=3, dt_s=HOUR_S)
    days = replace(days, state=jnp.full(2, 1e6))
    hold = Hold({"power_w": jnp.asarray(100.0)})
    compared = compare(example, {"hold": hold}, days, ahead=3)
    np.testing.assert_allclose(compared["bought_kwh"].sel(controller="hold"), 2.4, rtol=1e-12)


def test_the_tuned_rule_is_the_cheapest_of_those_tried(battery, week):
    """Against each share run on its own, paid step by step."""
    guard = Guard.of(battery, HOUR_S)
    best = tuned_price_rule(battery, (BUY, IDLE, SELL), week, guard)
    seen, price = with_outlook(week, 24), np.asarray(week.drive[PRICE])

    def cost(share):
        rule = PriceRule(BUY, IDLE, SELL, jnp.asarray(share), jnp.asarray(share))
        shield = Shield(rule, guard)
        runs = jax.jit(jax.vmap(lambda day: simulate(battery.system, shield, day)))(seen)
        paid = (price * np.asarray(runs.output["bought_w"])).sum(axis=1) / 1e3
        left_kwh = (np.asarray(runs.state)[:, -1] - np.asarray(week.state)) / 3.6e6
        return (paid - price.mean(axis=1) * left_kwh).mean()

    shares = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5]
    assert cost(float(best.buy_share)) <= min(cost(share) for share in shares) + 1e-9


def test_the_interval_covers_as_often_as_it_says():
    """Of 4000 means of eight normal numbers, 95 % within their interval; noise of that is 0.3 %."""
    rows = np.random.default_rng(0).normal(3.0, 2.0, (4000, 8))
    halves = np.array([half_width(row) for row in rows])
    inside = np.abs(rows.mean(axis=1) - 3.0) <= halves
    assert inside.mean() == pytest.approx(0.95, abs=0.012)
    assert half_width(rows[0]) == pytest.approx(
        student.ppf(0.975, 7) * rows[0].std(ddof=1) / np.sqrt(8)
    )
    assert np.isnan(half_width(rows[0, :1]))


def test_days_that_cannot_be_run_are_named(tank, days):
    demand = days.drive["demand_w"].at[4].set(1.5e6)
    hopeless = replace(days, drive={**days.drive, "demand_w": demand})
    with pytest.raises(InputError, match="scenario 4: infeasible"):
        compare(tank, {"off": Hold({"heater_w": jnp.asarray(0.0)})}, hopeless)
