"""How close surrogates come to the physics, on scenarios and actions that they never saw."""

from dataclasses import replace

import battery
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.learning.fit import FitSettings
from tvilling.sciml.surrogates import (
    Miss,
    SurrogateSettings,
    one_step_errors,
    random_actions,
    rollout_errors,
    train_surrogate,
    transitions_of,
    worst,
)
from tvilling.sciml.surrogates.calibration import interval_coverage
from tvilling.sciml.surrogates.errors import flattened
from tvilling.sciml.systems import SYSTEMS

HOURS_48 = 192


@pytest.fixture(scope="module")
def fresh(tank):
    """48 hours of scenarios and actions of other seeds: scenarios, actions, steps."""
    scenarios = trial_scenarios(tank, 200, 2, seed=1001)
    actions = random_actions(tank, 200, HOURS_48, seed=1002)
    return scenarios, actions, transitions_of(tank.system, scenarios, actions)


def test_a_step_is_within_one_percent_of_the_range(tank, surrogate, fresh):
    misses = one_step_errors(surrogate, fresh[2], tank.dt_s)
    assert set(misses) == {"state", "water_degc", "delivered_w", "heater_used_w", "loss_w"}
    assert worst(misses).rms <= 0.01, misses


def test_48_hours_are_within_three_percent_of_the_range(tank, surrogate, fresh):
    misses = rollout_errors(surrogate, tank.system, *fresh[:2])
    assert worst(misses).rms <= 0.03, misses
    assert 0 < misses["state"].greatest <= 0.1


def test_90_percent_intervals_hold_88_to_92_percent(surrogate, fresh):
    for name, share in interval_coverage(surrogate, flattened(fresh[2])).items():
        assert 0.88 <= share <= 0.92, (name, share)


def test_intervals_are_what_the_coverage_counts(surrogate, fresh):
    """`interval`, asked step by step, holds the same share."""
    some = jax.tree.map(lambda leaf: leaf[::7], flattened(fresh[2]))
    low, high = jax.jit(jax.vmap(surrogate.interval))(some.state, some.action, some.drive)
    shares = interval_coverage(surrogate, some)
    pairs = {"state": (low[0], some.new_state, high[0])}
    pairs |= {name: (low[1][name], some.output[name], high[1][name]) for name in low[1]}
    for name, (least, truth, most) in pairs.items():
        held = np.mean((least <= truth) & (truth <= most))
        assert held == pytest.approx(shares[name], abs=0.003), name
    assert 0 < np.mean(high[0] - low[0]) < 0.4  # K, a hundredth of the range


def test_shortages_are_flagged_as_the_physics_flags_them(tank, surrogate, fresh):
    found = flattened(fresh[2])
    step = jax.vmap(lambda *call: surrogate.step(*call, tank.dt_s)[1]["status"])
    status = np.asarray(jax.jit(step)(found.state, found.action, found.drive))
    short = np.asarray(found.status) == 2
    assert 0.005 < short.mean() < 0.5
    assert status[short].mean() / 2 > 0.9
    assert status[~short].mean() / 2 < 0.005


def test_trust_is_high_on_fresh_scenarios(surrogate, fresh):
    found = flattened(fresh[2])
    trust = np.asarray(jax.jit(jax.vmap(surrogate.trust))(found.state, found.action, found.drive))
    assert (trust >= 0.5).mean() > 0.98
    assert ((trust >= 0) & (trust <= 1)).all()


def test_report_tells_errors_on_scenarios_held_out(trained):
    report = trained[1]
    assert worst(report.one_step).rms <= 0.01
    assert worst(report.rollout).rms <= 0.03
    assert report.steps == 195 * 192 * 3
    assert report.dropped == 0
    assert report.stopped == "steps"
    assert report.status_share > 0.99
    assert report.history.held_out_loss[-1] < report.history.held_out_loss[0]


def test_errors_are_those_of_a_known_fault(tank, fresh):
    """A tank that loses nothing misses each step by its loss; all other channels are right."""
    tight = replace(tank.system, loss_w_per_k=jnp.zeros(()))
    misses = one_step_errors(tight, fresh[2], tank.dt_s)
    loss_w = np.asarray(fresh[2].output["loss_w"])
    visited = loss_w.max() - loss_w.min()
    rms = float(np.sqrt((loss_w**2).mean()) / visited)
    assert misses["loss_w"].rms == pytest.approx(rms)
    assert misses["loss_w"].greatest == pytest.approx(np.abs(loss_w).max() / visited)
    assert one_step_errors(tank.system, fresh[2], tank.dt_s)["state"] == Miss(0.0, 0.0)


@pytest.mark.slow
def test_a_battery_is_learnt_as_well():
    """One scalar state, one action of either sign, and limits at both ends."""
    example = battery.example()
    settings = SurrogateSettings(width=32, fit=FitSettings(steps=2500, learning_rate=8e-3))
    found, report = train_surrogate(example, trial_scenarios(example, 120, 2, seed=0), settings)
    scenarios = trial_scenarios(example, 20, 2, seed=7)
    actions = random_actions(example, 20, HOURS_48, seed=8)
    steps = transitions_of(example.system, scenarios, actions)
    assert worst(one_step_errors(found, steps, example.dt_s)).rms <= 0.01
    assert worst(rollout_errors(found, example.system, scenarios, actions)).rms <= 0.03
    assert report.status_share == 1.0  # no step of it can fail
    assert found.flags == ()


def test_what_cannot_be_trained_is_refused_with_every_fault(tank):
    scenarios = trial_scenarios(tank, 3, 1, seed=0)
    del scenarios.drive["ambient_degc"]
    settings = SurrogateSettings(width=0, activation="step")
    with pytest.raises(InputError) as refused:
        train_surrogate(tank, scenarios, settings)
    for words in ("width is 0", "'step'", "scenarios are 3", "ambient_degc is missing"):
        assert words in str(refused.value)


def test_random_actions_visit_both_limits_and_keep_to_them(tank):
    heater_w = np.asarray(random_actions(tank, 40, 500, seed=3)["heater_w"])
    assert heater_w.min() == 0.0
    assert heater_w.max() == 1e6
    halves = heater_w[::2], heater_w[1::2]  # switching, smooth
    changed = [np.mean(np.diff(half, axis=1) != 0) for half in halves]
    assert changed[0] < 0.5 < changed[1]
    narrow = np.asarray(random_actions(tank, 40, 500, seed=3, reach=0.1)["heater_w"])
    assert 3.6e5 <= narrow.min() < narrow.max() <= 4.6e5


@pytest.mark.parametrize("broken", ["some", "all"])
def test_steps_that_are_not_finite_are_left_out(broken, tank):
    """One scenario starts from water that is not a number, or all do."""
    scenarios = trial_scenarios(tank, 12, 1, seed=0)
    where = slice(None) if broken == "all" else 3
    scenarios = replace(scenarios, state=scenarios.state.at[where].set(jnp.nan))
    settings = SurrogateSettings(width=4, layers=1, passes=1, fit=FitSettings(steps=20))
    if broken == "all":
        with pytest.raises(InputError, match="no step of the physics was finite"):
            train_surrogate(tank, scenarios, settings)
        return
    found, report = train_surrogate(tank, scenarios, settings)
    assert report.dropped == 96
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


@pytest.mark.slow
def test_a_looped_heat_network_is_learnt_as_well():
    """A state of three arrays, and outputs by junction, pipe and consumer; runs stay stable.

    `consumer_return_degc` is left out: the tolerance of the solver, 10 mK, is all its range.
    """
    example = SYSTEMS["heat_network"].example()
    settings = SurrogateSettings(
        width=96,
        layers=2,
        activation="silu",
        passes=1,
        action_reach=0.12,
        fit=FitSettings(steps=5000, batch=256, learning_rate=3e-3),
    )
    found, _ = train_surrogate(example, trial_scenarios(example, 150, 2, seed=0), settings)
    scenarios = trial_scenarios(example, 40, 2, seed=7)
    actions = random_actions(example, 40, HOURS_48, seed=8, reach=0.12)
    steps = transitions_of(example.system, scenarios, actions)
    one_step = one_step_errors(found, steps, example.dt_s)
    rollout = rollout_errors(found, example.system, scenarios, actions)
    del one_step["consumer_return_degc"], rollout["consumer_return_degc"]
    assert worst(one_step).rms <= 0.01
    assert worst(rollout).rms <= 0.03
