"""The policy as plain arrays: as in torch, as in the environment, and kept on disk."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.rl_control.control.objective import run_cost_dkk, with_outlook
from tvilling.rl_control.control.safety import Guard, Shield
from tvilling.rl_control.rl import sb3_adapter
from tvilling.rl_control.rl.env import Environment
from tvilling.rl_control.rl.policy import Policy, load_policy, save_policy
from tvilling.rl_control.rl.sb3_adapter import PpoSettings, VectorEnvironment, train_ppo
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.simulate import simulate

HOUR_S = 3600.0
BRIEF = PpoSettings(steps=3072, environments=16, epochs=5, batch=64, learning_rate=3e-3)


@pytest.fixture(scope="module")
def environment(tank, days) -> Environment:
    return Environment.of(tank, days, ahead=24)


@pytest.fixture(scope="module")
def model(environment):
    """A model with weights that are no longer those of the start."""
    model = sb3_adapter._model(environment, BRIEF, seed=3)
    model.learn(BRIEF.steps)
    return model


@pytest.fixture(scope="module")
def policy(model, environment) -> Policy:
    return sb3_adapter.policy_of(model, environment)


def test_the_policy_acts_as_the_model_in_torch(model, policy, environment):
    """Its deterministic action, on what it sees and on noise; torch computes in float32."""
    seen = [environment.reset(jax.random.key(i))[1] for i in range(20)]
    noise = np.random.default_rng(0).normal(size=(20, environment.observer.size)) * 3
    rows = np.concatenate([np.stack(seen), noise]).astype(np.float32)
    expected, _ = model.predict(rows, deterministic=True)
    assert np.ptp(expected) > 0.1
    found = jax.vmap(policy.unit)(jnp.asarray(rows, float))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_it_costs_in_a_run_what_it_costs_in_the_environment(tank, days, environment, policy):
    """Through `simulate` and a forecast, against the environment step by step."""
    guarded = Environment.of(tank, days, 24, Guard.of(tank, HOUR_S))
    state, seen = guarded.reset(jax.random.key(8))
    day = jax.tree.map(lambda leaf: leaf[int(state.scenario)][None], days)
    start, total, step = state.plant, 0.0, jax.jit(Environment.step)
    for _ in range(24):
        state, seen, _, _, info = step(guarded, state, policy.unit(seen))
        total += float(info["cost_dkk"])
    seen_day = with_outlook(day, 24)
    one = jax.tree.map(lambda leaf: leaf[0], seen_day)
    one = type(one)(start, one.drive, one.dt_s, one.forecast)
    run = simulate(tank.system, Shield(policy, Guard.of(tank, HOUR_S)), one)
    assert float(run_cost_dkk(tank, one, run)) == pytest.approx(total, rel=1e-9)


def test_a_policy_comes_back_from_disk(policy, tmp_path):
    path = tmp_path / "policy.npz"
    save_policy(policy, path)
    again = load_policy(path)
    assert jax.tree.structure(again) == jax.tree.structure(policy)
    for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(policy), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(InputError, match="exists"):
        save_policy(policy, path)


def test_a_file_with_pickled_objects_is_refused(tmp_path):
    path = tmp_path / "policy.npz"
    np.savez(path, about=np.array([{"form": "tvilling policy 1"}], dtype=object))
    with pytest.raises(InputError, match="about is no array of numbers or text"):
        load_policy(path)
    path.write_text("nothing of the kind")
    with pytest.raises(InputError, match="is no archive of arrays"):
        load_policy(path)


def test_a_batch_begins_anew_at_the_end_of_its_day(environment):
    batch = VectorEnvironment(environment, 4, seed=1)
    batch.reset()
    for step in range(50):
        seen, _, done, infos = batch.step(np.full((4, 1), 0.3, np.float32))
        assert done.all() == (step % 24 == 23)
        assert all(("terminal_observation" in info) == done.all() for info in infos)
        if done.all():
            last = np.stack([info["terminal_observation"] for info in infos])
            assert (last != seen).any(axis=1).all()


def test_the_same_seed_gives_the_same_policy():
    example = battery_example()
    days = trial_scenarios(example, 8, 1, seed=0, dt_s=HOUR_S)
    environment = Environment.of(example, days, 6, Guard.of(example, HOUR_S))
    settings = PpoSettings(steps=400, environments=4, epochs=1, batch=32, rollout_steps=12)
    first, same, other = (train_ppo(environment, settings, seed) for seed in (0, 0, 1))
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (np.asarray(first.weights[0]) != np.asarray(other.weights[0])).any()


def test_settings_out_of_range_are_all_told(environment):
    with pytest.raises(InputError) as error:
        train_ppo(environment, PpoSettings(steps=0, learning_rate=3.0, discount=1.5))
    assert len(error.value.faults) == 3
