"""A forecast that scenarios carry is what controllers and observations are told, right or wrong."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import PRICE, trial_scenarios
from tvilling.rl_control.control.controllers import PriceRule
from tvilling.rl_control.control.evaluate import BOUND, compare
from tvilling.rl_control.control.objective import CREDIT, with_outlook, with_prices
from tvilling.rl_control.control.safety import Guard, Shield
from tvilling.rl_control.rl.env import Environment
from tvilling.rl_control.rl.gym_env import GymEnvironment
from tvilling.rl_control.rl.policy import Policy
from tvilling.rl_control.rl.sb3_adapter import VectorEnvironment
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate

HOUR_S, AHEAD = 3600.0, 6
BUY, IDLE, SELL = ({"power_w": jnp.asarray(power_w)} for power_w in (100.0, 0.0, -100.0))


@pytest.fixture(scope="module")
def battery():
    return battery_example()


@pytest.fixture(scope="module")
def right(battery):
    return trial_scenarios(battery, 3, 1, seed=3, dt_s=HOUR_S)


@pytest.fixture(scope="module")
def wrong(right):
    """Every price to come is foretold with the opposite sign."""
    price = with_outlook(right, AHEAD).forecast[PRICE]
    return replace(right, forecast={PRICE: price.at[:, :, 1:].multiply(-1.0)})


def rule():
    return PriceRule(BUY, IDLE, SELL, jnp.asarray(0.3), jnp.asarray(0.3))


def test_controllers_are_compared_on_the_forecast_given(battery, right, wrong):
    """Each price seems the dearest, so the rule sells at every step; the bound knows better."""
    compared = compare(battery, {"rule": rule()}, wrong, AHEAD)
    bought = compared["bought_kwh"].sel(controller="rule")
    np.testing.assert_allclose(bought, -24 * 0.1, rtol=1e-9)
    perfect = compare(battery, {"rule": rule()}, right, AHEAD)
    assert (bought != perfect["bought_kwh"].sel(controller="rule")).all()
    for name in ("cost_dkk", "bought_kwh"):
        np.testing.assert_allclose(
            compared[name].sel(controller=BOUND), perfect[name].sel(controller=BOUND), rtol=1e-9
        )
    assert compared.attrs["forecasts"] == PRICE
    assert perfect.attrs["forecasts"] == ""


def test_an_environment_shows_the_forecast_and_bills_what_comes(battery, right, wrong):
    key, action = jax.random.key(2), jnp.asarray([0.1])
    step = jax.jit(Environment.step)
    seen, costs = [], []
    for scenarios in (right, wrong):
        environment = Environment.of(battery, scenarios, AHEAD)
        state, first = environment.reset(key)
        state, then, _, _, info = step(environment, state, action)
        seen.append((first, then))
        costs.append(float(info["cost_dkk"]))
    assert costs[0] == costs[1]
    for perfect, given in zip(*seen, strict=True):
        assert (np.asarray(perfect[1:AHEAD]) != np.asarray(given[1:AHEAD])).any()
    prices = np.asarray(wrong.forecast[PRICE][int(state.scenario), 1])
    assert np.corrcoef(prices, np.asarray(seen[1][1][1 : 1 + AHEAD]))[0, 1] == pytest.approx(1.0)


def test_gymnasium_and_stable_baselines_show_it_as_well(battery, wrong):
    environment = Environment.of(battery, wrong, AHEAD)
    expected, _ = environment.reset(jax.random.key(0), 1)[1], None
    seen, told = GymEnvironment(environment).reset(seed=0, options={"scenario": 1})
    np.testing.assert_allclose(seen, expected, rtol=1e-6)
    assert told == {"scenario": 1}
    vector = VectorEnvironment(environment, 2)
    rows = vector.reset()
    known = np.stack([np.asarray(environment.reset(jax.random.key(0), i)[1]) for i in range(3)])
    for row in rows:
        assert np.isclose(known, row, rtol=1e-5).all(axis=1).any()


def test_options_that_are_not_known_are_refused(battery, right):
    gym = GymEnvironment(Environment.of(battery, right, AHEAD))
    with pytest.raises(InputError, match="option 'start' is not known"):
        gym.reset(options={"start": 1})
    for wanted in (3, -1, True, 0.5):
        with pytest.raises(InputError, match="expected 0 to 2"):
            gym.reset(options={"scenario": wanted})
    with pytest.raises(NotImplementedError, match="no options"):
        VectorEnvironment(gym.environment, 2).set_options({"scenario": 1})


def test_an_episode_starts_in_the_state_of_its_scenario(battery, right):
    for number, energy in enumerate(np.asarray(right.state)):
        state, _ = Environment.of(battery, right).reset(jax.random.key(0), number)
        assert float(state.plant) == energy
    drawn = Environment.of(battery, right, starts="drawn")
    starts = {float(drawn.reset(jax.random.key(k), 0)[0].plant) for k in range(5)}
    assert len(starts) == 5
    with pytest.raises(InputError, match="state of the scenarios has the shape"):
        Environment.of(battery, replace(right, state=right.state[:2]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda price: price[:, :, :3], "reaches 3 steps, expected 6 or more"),
        (lambda price: price[:, :7], "has the shape"),
        (lambda price: price.at[0, 0, 1].set(jnp.nan), "not a finite number"),
    ],
)
def test_a_forecast_that_does_not_fit_is_refused(battery, right, wrong, change, message):
    broken = replace(right, forecast={PRICE: change(wrong.forecast[PRICE])})
    with pytest.raises(InputError, match=message):
        Environment.of(battery, broken, AHEAD)
    with pytest.raises(InputError, match=message):
        with_outlook(broken, AHEAD)


def test_what_no_observation_would_show_is_refused(battery, right, wrong):
    other = {**wrong.forecast, "wind_m_per_s": wrong.forecast[PRICE]}
    with pytest.raises(InputError, match="forecast wind_m_per_s is of no drive"):
        Environment.of(battery, replace(right, forecast=other), AHEAD)


def test_a_drive_that_the_system_does_not_know_is_observed(battery, right):
    wind = jnp.asarray(np.random.default_rng(0).normal(5.0, 1.0, (3, 24)))
    windy = replace(right, drive={**right.drive, "wind_m_per_s": wind})
    shown = Environment.of(battery, windy, AHEAD).reset(jax.random.key(0), 2)[1]
    assert len(shown) == Environment.of(battery, right, AHEAD).observer.size + AHEAD
    ahead = np.asarray(shown[-2 - AHEAD : -2])
    np.testing.assert_allclose(ahead, (wind[2, :AHEAD] - wind.mean()) / wind.std(), rtol=1e-9)


def test_prices_are_not_changed_under_a_forecast_of_them(right, wrong):
    with pytest.raises(InputError, match="is of the prices before"):
        with_prices(wrong, np.zeros((3, 24)))
    kept = replace(right, forecast={"wind": wrong.forecast[PRICE]})
    assert set(with_prices(kept, np.zeros((3, 24))).forecast) == {"wind"}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sums:
    """Acts on the sum of all prices that it is told of, and on the credit."""

    def init(self):
        return ()

    def __call__(self, memory, state, forecast):
        return {"power_w": forecast[PRICE].sum() + forecast[CREDIT][0]}, memory


def test_a_forecast_of_some_drives_leaves_the_others_seen(battery, right):
    """In a plain run, what has no forecast is seen for the step itself."""
    day = right.at(0)
    day = replace(day, forecast={CREDIT: jnp.ones((24, 2))})
    run = simulate(battery.system, Sums(), day)
    np.testing.assert_allclose(run.action["power_w"], np.asarray(day.drive[PRICE]) + 1.0)


def test_shields_and_policies_of_other_steps_are_refused(battery, right):
    """A guard of quarters of an hour, or one that looks beyond what it is told."""
    quarters, far = Guard.of(battery, 900.0), Guard.of(battery, HOUR_S, steps=9)
    observer = Environment.of(battery, right, ahead=8).observer
    policy = Policy(observer, (), (), battery.system.actions)
    for guard, message in (
        (quarters, "steps of 900 s, expected 3600 s"),
        (far, "tries 9 steps, expected at most 6"),
    ):
        with pytest.raises(InputError, match=message):
            Environment.of(battery, right, AHEAD, guard)
        with pytest.raises(InputError, match=f"shielded: the guard.*{message}"):
            compare(battery, {"shielded": Shield(rule(), guard)}, right, AHEAD)
    with pytest.raises(InputError, match="looks 8 steps ahead, expected at most 6"):
        compare(battery, {"learned": policy}, right, AHEAD)
