"""A physics that explodes, or answers that are no numbers, are never hidden in a small error."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cstr import cstr_example
from heat_pump import pump_example

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.core.system import Status, ok_status
from tvilling.sciml.learning.fit import FitSettings
from tvilling.sciml.surrogates import (
    Guarded,
    SurrogateSettings,
    one_step_errors,
    random_actions,
    rollout_errors,
    train_surrogate,
    transitions_of,
)
from tvilling.sciml.surrogates.of_physics import OfPhysics

BRIEF = SurrogateSettings(
    width=8, layers=1, passes=1, calibration_share=0.2, fit=FitSettings(steps=40)
)
DT_S, STEPS = 30.0, 100


def few_steps(scenarios: Scenario) -> Scenario:
    drive = {name: values[:, :STEPS] for name, values in scenarios.drive.items()}
    return replace(scenarios, drive=drive)


@pytest.fixture(scope="module")
def coarse():
    """Steps of 3 s within: too long for an ignited reactor, which explodes."""
    return cstr_example(substeps=10)


@pytest.fixture(scope="module")
def fine():
    return cstr_example()


@pytest.fixture(scope="module")
def scenarios(fine):
    return few_steps(trial_scenarios(fine, 12, 1, seed=1, dt_s=DT_S))


@dataclass(frozen=True)
class Stuck(OfPhysics):
    """Answers the same whatever it is asked: half of the range off at the steady state."""

    physics: object
    reactor_k: float = 480.0

    def step(self, state, action, drive, dt_s):
        output = {"reactor_k": jnp.asarray(self.reactor_k), "reactor_mol_per_m3": state[0]}
        return state, output | {"status": ok_status()}


jax.tree_util.register_dataclass(Stuck, [], ["physics", "reactor_k"])


def test_the_reactor_explodes_where_its_step_is_too_long(coarse, fine, scenarios):
    """The premise: of the coarse one numbers overflow, the fine one stays in its channels."""
    actions = random_actions(fine, 12, STEPS, seed=0)
    exploded = transitions_of(coarse.system, scenarios, actions).output["reactor_k"]
    assert not np.isfinite(exploded).all()
    assert np.nanmax(np.abs(np.asarray(exploded))) > 1e3
    kept = np.asarray(transitions_of(fine.system, scenarios, actions).output["reactor_k"])
    assert 250 < kept.min() < kept.max() < 600


def test_training_on_a_physics_that_explodes_is_refused(coarse, scenarios):
    with pytest.raises(InputError, match=r"are not sound \(.*not finite") as refused:
        train_surrogate(coarse, scenarios, BRIEF)
    assert "expected less than half" in str(refused.value)


def test_steps_outside_a_channel_are_left_out_and_counted(fine, scenarios):
    """A reactor that no reading could be below 315 K in; the rest of it is learnt from."""
    narrow = replace(fine, system=replace(fine.system, low_k=315.0))
    heard = []
    surrogate, report = train_surrogate(narrow, scenarios, BRIEF, tell=heard.append)
    actions = random_actions(narrow, 12, STEPS, seed=0)
    seen = np.asarray(transitions_of(narrow.system, scenarios, actions).output["reactor_k"])
    assert 0.0 < (seen < 315.0).mean() < 0.4
    assert report.dropped == report.left_out["reactor_k"] > 10
    assert any("with reactor_k outside 315 to 600 K" in line for line in heard)
    assert 100 < report.steps < 9 * STEPS
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(surrogate))


def test_errors_are_measured_where_the_physics_is_sound(coarse, fine, scenarios):
    """Against an exploded physics, an answer that is far off still reads as far off."""
    actions = random_actions(fine, 12, STEPS, seed=0)
    honest = rollout_errors(Stuck(fine.system), fine.system, scenarios, actions)["reactor_k"]
    exploded = rollout_errors(Stuck(coarse.system), coarse.system, scenarios, actions)
    assert honest.rms > 0.3
    assert exploded["reactor_k"].rms > 0.3
    assert exploded["reactor_k"].greatest < 1e3
    one = one_step_errors(
        Stuck(coarse.system), transitions_of(coarse.system, scenarios, actions), DT_S
    )
    assert one["reactor_k"].rms > 0.3


def test_an_answer_that_is_no_number_is_infinitely_far_off(fine, scenarios):
    actions = random_actions(fine, 12, STEPS, seed=0)
    misses = rollout_errors(Stuck(fine.system, np.nan), fine.system, scenarios, actions)
    assert np.isinf(misses["reactor_k"].rms)


def test_what_never_changes_is_measured_by_its_size(fine, scenarios):
    """Every run starts alike and goes one step: the range is zero, the error is not."""
    drive = {
        name: jnp.broadcast_to(values[:1, :1], values[:, :1].shape)
        for name, values in scenarios.drive.items()
    }
    alike = Scenario(jnp.broadcast_to(jnp.array([900.0, 320.0]), (12, 2)), drive, DT_S)
    actions = {"coolant_k": jnp.full((12, 1), 300.0)}
    truth = transitions_of(fine.system, alike, actions).output["reactor_k"]
    misses = rollout_errors(Stuck(fine.system), fine.system, alike, actions)
    expected = abs(480.0 - float(truth[0, 0])) / float(truth[0, 0])
    assert misses["reactor_k"].rms == pytest.approx(expected, rel=1e-6)
    assert expected > 0.4


def test_nothing_sound_to_compare_with_is_told(fine, scenarios):
    hot = replace(scenarios, state=scenarios.state.at[:, 1].set(jnp.nan))
    with pytest.raises(InputError, match="no step of the physics is finite and sound"):
        rollout_errors(fine.system, fine.system, hot, random_actions(fine, 12, STEPS, seed=0))


def test_a_system_without_a_state_is_learnt():
    """Outputs alone are reported, and a run is a row of single steps."""
    pump = pump_example()
    days = trial_scenarios(pump, 12, 1, seed=0, dt_s=3600.0)
    settings = replace(BRIEF, width=16, fit=FitSettings(steps=300, learning_rate=1e-2))
    surrogate, report = train_surrogate(pump, days, settings)
    assert set(report.one_step) == set(report.coverage) == {"power_w"}
    assert report.one_step["power_w"].rms < 0.05
    run = simulate(surrogate, Load(), days.at(0))
    physics = simulate(pump.system, Load(), days.at(0))
    found, expected = (np.asarray(one.output["power_w"]) for one in (run, physics))
    np.testing.assert_allclose(found, expected, atol=0.1 * np.ptp(expected))


class Load:
    """Half of the load."""

    def init(self):
        return ()

    def __call__(self, memory, state, forecast):
        return {"load": jnp.asarray(0.5)}, memory


@pytest.mark.parametrize("guard", [False, True])
def test_inputs_that_are_no_numbers_are_flagged(guard, tank, rough):
    system = Guarded(rough, tank.system) if guard else rough
    step = jax.jit(lambda state, action, drive: system.step(state, action, drive, tank.dt_s)[1])
    state = jnp.asarray(70.0)
    bad = [(jnp.asarray(jnp.nan), tank.action, tank.drive)]
    bad += [(state, {"heater_w": jnp.asarray(jnp.nan)}, tank.drive)]
    bad += [(state, tank.action, {**tank.drive, "demand_w": jnp.asarray(jnp.inf)})]
    for inputs in bad:
        assert Status(int(step(*inputs)["status"])) & Status.NOT_FINITE


def test_an_answer_that_had_to_be_cut_by_far_is_flagged(tank, rough):
    """A bias of the net of a hundred widths: the output is at its limit, and the status says so."""
    offset = rough.scaling.offset.at[1].add(100 * 105.0)  # the first output, water_degc
    wild = replace(rough, scaling=replace(rough.scaling, offset=offset))
    output = wild.step(jnp.asarray(70.0), tank.action, tank.drive, tank.dt_s)[1]
    assert float(output["water_degc"]) == 95.0
    assert Status(int(output["status"])) & Status.UNPHYSICAL
