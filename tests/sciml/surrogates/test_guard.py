"""Trust far from the training data, and a guard that asks the physics there."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.sciml.core.system import Status
from tvilling.sciml.surrogates import Guarded, random_actions, run_played


@pytest.fixture(scope="module")
def guarded(tank, surrogate):
    return Guarded(surrogate, tank.system)


def outside(tank):
    """Calls far outside the box: a demand fifty times as large, water near freezing, a hot room."""
    state = jnp.asarray(75.0)
    room = tank.drive["ambient_degc"]
    demand_w = tank.drive["demand_w"]
    return {
        "demand": (state, tank.action, {"demand_w": jnp.asarray(2e7), "ambient_degc": room}),
        "water": (jnp.asarray(2.0), tank.action, tank.drive),
        "room": (state, tank.action, {"demand_w": demand_w, "ambient_degc": jnp.asarray(44.0)}),
    }


@pytest.mark.parametrize("name", ["demand", "water", "room"])
def test_far_outside_trust_is_low_and_the_physics_answers(name, tank, surrogate, guarded):
    call = outside(tank)[name]
    assert float(surrogate.trust(*call)) < 0.1
    state, output = jax.jit(guarded.step, static_argnums=3)(*call, tank.dt_s)
    right_state, right_output = tank.system.step(*call, tank.dt_s)
    assert float(output["by_physics"]) == 1.0
    assert float(output["trust"]) < 0.1
    np.testing.assert_allclose(state, right_state, rtol=1e-12)
    for channel, value in right_output.items():
        np.testing.assert_allclose(output[channel], value, rtol=1e-12, err_msg=channel)


def test_within_the_box_the_surrogate_answers(tank, surrogate, guarded):
    call = (jnp.asarray(75.0), tank.action, tank.drive)
    state, output = guarded.step(*call, tank.dt_s)
    learnt_state, learnt = surrogate.step(*call, tank.dt_s)
    assert float(output["by_physics"]) == 0.0
    assert float(output["trust"]) > 0.5
    assert float(state) == float(learnt_state)
    assert float(output["loss_w"]) == float(learnt["loss_w"])


def test_trust_falls_as_an_input_leaves_the_box(tank, surrogate):
    half = float(surrogate.scaling.half[2])
    edge = float(surrogate.scaling.middle[2]) + half
    trust = [
        float(
            surrogate.trust(
                jnp.asarray(75.0), tank.action, tank.drive | {"demand_w": jnp.asarray(edge + d)}
            )
        )
        for d in (0.1 * half, 0.2 * half, 0.5 * half)
    ]
    assert np.exp(-1) >= trust[0] > trust[1] > trust[2]
    assert trust[2] <= np.exp(-5)


def test_trust_is_lower_where_the_error_is_larger(tank, surrogate):
    """Among steps inside the box: the spread of the ensemble tells of its error."""
    scenarios = trial_scenarios(tank, 60, 1, seed=5)
    run = run_played(tank.system, scenarios, random_actions(tank, 60, 96, seed=6))
    states, action, drive = (
        jax.tree.map(lambda leaf: leaf[:, 1:].reshape(-1), tree)
        for tree in (run.state, run.action, scenarios.drive)
    )
    before = run.state[:, :-1].reshape(-1)
    (after, _), trust = jax.jit(jax.vmap(surrogate.answer))(before, action, drive)
    error = np.abs(after - states)
    low = np.asarray(trust) < 0.9
    assert 0 < low.mean() < 0.1
    assert error[low].mean() > 3 * error[~low].mean()


def test_an_input_that_is_not_a_number_is_left_to_the_physics(tank, surrogate, guarded):
    drive = tank.drive | {"ambient_degc": jnp.asarray(jnp.nan)}
    assert float(surrogate.trust(jnp.asarray(75.0), tank.action, drive)) == 0.0
    output = guarded.step(jnp.asarray(75.0), tank.action, drive, tank.dt_s)[1]
    assert float(output["by_physics"]) == 1.0


def test_another_step_is_refused_by_the_surrogate_and_taken_by_the_guard(tank, surrogate, guarded):
    call = (jnp.asarray(75.0), tank.action, tank.drive)
    with pytest.raises(ValueError, match=r"dt_s is 600 s, expected 900 s"):
        jax.jit(surrogate.step, static_argnums=3)(*call, 600.0)
    state, output = guarded.step(*call, 600.0)
    assert float(output["by_physics"]) == 1.0
    assert float(state) == pytest.approx(float(tank.system.step(*call, 600.0)[0]))


def test_a_run_that_leaves_the_box_is_marked_where_it_does(tank, guarded):
    """A demand beyond training for six hours of a day: the physics answers then."""
    scenarios = trial_scenarios(tank, 3, 1, seed=11)
    hours = slice(40, 64)
    demand_w = scenarios.drive["demand_w"].at[1, hours].set(2e6)
    scenarios = replace(scenarios, drive=scenarios.drive | {"demand_w": demand_w})
    actions = random_actions(tank, 3, 96, seed=12)
    run = run_played(guarded, scenarios, actions, 2)
    by_physics = np.asarray(run.output["by_physics"])
    assert by_physics[1, hours].all()
    assert by_physics[0].mean() < 0.1
    assert by_physics[2].mean() < 0.1
    right = run_played(tank.system, scenarios, actions)
    short = np.asarray(right.status[1, hours]) == Status.UNSERVED
    assert short.any()
    assert (np.asarray(run.status[1, hours])[short] == Status.UNSERVED).mean() > 0.9
    np.testing.assert_allclose(run.state, right.state, atol=1.5)


def test_in_a_run_only_the_one_that_answers_is_computed(tank, surrogate):
    """Outside a batch the guard is a branch in the compiled code, not a choice of two results."""
    call = (jnp.asarray(75.0), tank.action, tank.drive)
    step = Guarded(surrogate, tank.system).step
    alone = str(jax.make_jaxpr(lambda *c: step(*c, tank.dt_s))(*call))
    assert " cond[" in alone
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), call)
    together = jax.make_jaxpr(jax.vmap(lambda *c: step(*c, tank.dt_s)))(*batch)
    assert " cond[" not in str(together)
