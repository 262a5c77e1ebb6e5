"""The shield: nothing is flagged behind it, it moves no more than it must, and idles if it can."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from priced_battery import battery_example

from tvilling.datasets.simulated.trials import trial_scenarios
from tvilling.rl_control.control.controllers import Hold
from tvilling.rl_control.control.objective import with_outlook
from tvilling.rl_control.control.safety import SHARE, Guard, Shield, violates
from tvilling.rl_control.rl.observation import limit_action
from tvilling.sciml.core.simulate import simulate

HOUR_S = 3600.0


@pytest.mark.parametrize("name", ["tank", "battery"])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_worst_controller_does_no_harm_behind_it(name, share, tank):
    """Off all day drains the tank, and either end breaks the battery."""
    example = tank if name == "tank" else battery_example()
    days = with_outlook(trial_scenarios(example, 40, 1, seed=9, dt_s=HOUR_S), 6)
    worst = Hold(limit_action(example.system.actions, share))
    shield = Shield(worst, Guard.of(example, HOUR_S))

    def violations(controller):
        run = jax.jit(jax.vmap(lambda day: simulate(example.system, controller, day)))(days)
        found = violates(example.system, {**run.output, "status": run.status})
        return int(found.sum()), run

    bare, _ = violations(worst)
    shielded, run = violations(shield)
    harmless = name == "tank" and share == 1.0  # the ceiling cuts the heater, nothing is flagged
    assert (bare == 0) == harmless
    assert shielded == 0
    assert (np.asarray(run.action[SHARE]) > 0).any() == (not harmless)


def test_it_moves_as_little_as_it_takes(tank):
    """Just warm enough: the heater gives what keeps the water at the floor, from the balance."""
    guard = Guard.of(tank, HOUR_S)
    drive = {"demand_w": jnp.full(3, 3e5), "ambient_degc": jnp.full(3, 12.0)}
    action, share = guard(jnp.asarray(55.5), {"heater_w": jnp.asarray(0.0)}, drive)
    system = tank.system
    loss_w = float(system.loss_w_per_k) * (55.25 - 12.0)
    needed_w = 3e5 + loss_w - 0.5 * float(system.capacity_j_per_k) / HOUR_S
    step_w = 1e6 / 1024
    assert 0 < float(share) < 1
    assert needed_w - 10.0 <= float(action["heater_w"]) <= needed_w + step_w + 10.0


def test_it_leaves_a_safe_action_alone(tank):
    guard = Guard.of(tank, HOUR_S)
    drive = {"demand_w": jnp.full(3, 3e5), "ambient_degc": jnp.full(3, 12.0)}
    action, share = guard(jnp.asarray(75.0), {"heater_w": jnp.asarray(1234.0)}, drive)
    assert float(share) == 0.0
    assert float(action["heater_w"]) == 1234.0


def test_an_output_outside_its_limits_is_a_violation(tank):
    _, output = tank.system.step(jnp.asarray(70.0), tank.action, tank.drive, HOUR_S)
    assert not violates(tank.system, output)
    assert violates(tank.system, {**output, "water_degc": jnp.asarray(95.1)})
    assert violates(tank.system, {**output, "status": jnp.asarray(2)})
    assert violates(tank.system, {**output, "water_degc": jnp.asarray(jnp.nan)})
