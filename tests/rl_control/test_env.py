"""The pure environment: its rewards are the cost, it maps, and Gymnasium accepts it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.rl_control.control.controllers import Plan
from tvilling.rl_control.control.objective import run_cost_dkk
from tvilling.rl_control.control.safety import Guard
from tvilling.rl_control.rl.env import Environment
from tvilling.rl_control.rl.gym_env import GymEnvironment
from tvilling.rl_control.rl.observation import to_action
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate

HOUR_S = 3600.0


@pytest.fixture(scope="module", params=["tank", "battery"])
def example(request, tank):
    return tank if request.param == "tank" else battery_example()


@pytest.fixture(scope="module")
def scenarios(example):
    return trial_scenarios(example, 5, 1, seed=3, dt_s=HOUR_S)


def episode(environment, key, actions):
    state, seen = environment.reset(key)
    begin, rows = state, [seen]
    rewards, dones, infos = [], [], []
    step = jax.jit(Environment.step)
    for action in actions:
        state, seen, reward, done, info = step(environment, state, action)
        rows.append(seen)
        rewards.append(float(reward))
        dones.append(bool(done))
        infos.append(info)
    return begin, rows, rewards, dones, infos


def test_the_rewards_of_an_episode_are_its_cost(example, scenarios):
    """Against the same actions run by `simulate`, priced as every other controller is."""
    environment = Environment.of(example, scenarios)
    actions = jnp.asarray(np.random.default_rng(1).uniform(-0.2, 0.3, (24, 1)))
    begin, _, rewards, dones, infos = episode(environment, jax.random.key(4), actions)
    day = jax.tree.map(lambda leaf: leaf[int(begin.scenario)], scenarios)
    day = replace(day, state=begin.plant)
    plan = jax.vmap(lambda row: to_action(example.system.actions, row))(actions)
    run = simulate(example.system, Plan(plan), day)
    cost = float(run_cost_dkk(example, day, run))
    assert sum(float(info["cost_dkk"]) for info in infos) == pytest.approx(cost, rel=1e-9)
    flagged = int((run.status != 0).sum())
    assert flagged == sum(bool(info["violation"]) for info in infos)
    expected = -cost / float(environment.scale_dkk[begin.scenario]) - environment.penalty * flagged
    assert sum(rewards) == pytest.approx(expected, rel=1e-9)
    assert dones == [False] * 23 + [True]


def test_an_observation_shows_state_prices_and_drives(tank, days):
    environment = Environment.of(tank, days, ahead=24)
    state, seen = environment.reset(jax.random.key(0))
    assert seen.shape == (1 + 24 + 4 + 2 * 24 + 2,)
    price = np.asarray(days.drive["price_dkk_per_kwh"][int(state.scenario)])
    share = (float(state.plant) - 75.0) / 20.0
    assert float(seen[0]) == pytest.approx(share, abs=0.02)  # the range of starts is drawn
    shown = np.asarray(seen[1:25])
    assert np.corrcoef(shown, price)[0, 1] == pytest.approx(1.0, abs=1e-9)
    assert (shown > 0).tolist() == (price > price.mean()).tolist()
    assert float(seen[25]) == pytest.approx(np.mean(price < price[0]))
    assert np.abs(np.asarray(seen)).max() <= 10.0


def test_twice_the_prices_leave_the_outlook_as_it_is(tank, days):
    one = Environment.of(tank, days)
    other = replace(
        one, drive={**one.drive, "price_dkk_per_kwh": 2 * one.drive["price_dkk_per_kwh"],
                    "credit_dkk_per_kwh": 2 * one.drive["credit_dkk_per_kwh"]},
    )  # fmt: skip
    seen = [np.asarray(env.reset(jax.random.key(1))[1][:27]) for env in (one, other)]
    np.testing.assert_allclose(seen[0], seen[1], rtol=5e-3)  # the spread has a floor


def test_a_batch_of_environments_equals_a_loop(example, scenarios):
    environment = Environment.of(example, scenarios, ahead=6)
    keys = jax.random.split(jax.random.key(5), 4)
    states, _ = jax.vmap(environment.reset)(keys)
    actions = jnp.linspace(-1.0, 1.0, 4)[:, None]
    together = jax.jit(jax.vmap(environment.step))(states, actions)
    for i in range(4):
        alone = environment.step(environment.reset(keys[i])[0], actions[i])
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            np.testing.assert_allclose(a, b[i], rtol=1e-9, atol=1e-12)


def test_both_checkers_accept_it(example, scenarios):
    from gymnasium.utils.env_checker import check_env
    from stable_baselines3.common.env_checker import check_env as sb3_check_env

    guarded = Environment.of(example, scenarios, 6, Guard.of(example, HOUR_S))
    check_env(GymEnvironment(guarded), skip_render_check=True)
    sb3_check_env(GymEnvironment(guarded))


def test_what_has_no_price_is_refused(tank, days):
    bare = replace(days, drive={k: v for k, v in days.drive.items() if not k.startswith("price")})
    with pytest.raises(InputError, match="price_dkk_per_kwh"):
        Environment.of(tank, bare)
    with pytest.raises(InputError, match="bought"):
        Environment.of(replace(tank, bought="heat"), days)
    with pytest.raises(InputError, match="expected 1 or more"):
        Environment.of(tank, days, ahead=0)
