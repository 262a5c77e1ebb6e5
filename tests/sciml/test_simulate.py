"""Running a system: controllers with memory, batches in chunks, and reduction inside the map."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.sciml.core.scenario import Scenario, perfect_forecast
from tvilling.sciml.core.simulate import Controller, simulate, simulate_many
from tvilling.sciml.systems import SYSTEMS

DT_S, STEPS = 900.0, 96


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Thermostat:
    """On below `low_degc`, off above `high_degc`, and as it was in between; counts its starts."""

    low_degc: jax.Array
    high_degc: jax.Array
    power_w: jax.Array

    def init(self):
        return jnp.asarray(False), jnp.asarray(0)

    def __call__(self, memory, state, forecast):
        was_on, starts = memory
        is_on = (state < self.low_degc) | (was_on & (state < self.high_degc))
        starts = starts + (is_on & ~was_on)
        return {"heater_w": jnp.where(is_on, self.power_w, 0.0)}, (is_on, starts)


THERMOSTAT = Thermostat(jnp.asarray(60.0), jnp.asarray(80.0), jnp.asarray(8e5))


def day(batch=None):
    lead = () if batch is None else (batch,)
    demand_w = np.random.default_rng(0).uniform(1e5, 4e5, (*lead, STEPS))
    ambient_degc = np.full((*lead, STEPS), 12.0)
    drive = {"demand_w": jnp.asarray(demand_w), "ambient_degc": jnp.asarray(ambient_degc)}
    return Scenario(jnp.full(lead, 65.0), drive, DT_S)


def test_memory_reaches_the_next_step():
    """Hysteresis needs memory: between its limits the heater is sometimes on and sometimes off."""
    assert isinstance(THERMOSTAT, Controller)
    run = jax.jit(simulate)(SYSTEMS["tank"].example().system, THERMOSTAT, day())
    on = np.asarray(run.action["heater_w"]) > 0
    before = np.concatenate([[65.0], run.state[:-1]])
    between = (before > 60.0) & (before < 80.0)
    assert on[before < 60.0].all()
    assert not on[before > 80.0].any()
    assert {True, False} == set(on[between])


def test_time_leads_and_status_is_taken_out_of_the_outputs():
    run = jax.jit(simulate)(SYSTEMS["tank"].example().system, THERMOSTAT, day())
    assert run.status.shape == (STEPS,)
    assert set(run.output) == {"water_degc", "delivered_w", "heater_used_w", "loss_w"}
    np.testing.assert_array_equal(run.output["water_degc"], run.state)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_chunks_do_not_change_the_answer(chunk):
    system, scenarios = SYSTEMS["tank"].example().system, day(batch=7)
    many = jax.jit(simulate_many, static_argnames=("keep", "chunk"))
    whole = jax.jit(jax.vmap(simulate, in_axes=(None, None, 0)))(system, THERMOSTAT, scenarios)
    lowest = many(system, THERMOSTAT, scenarios, keep=lambda run: run.state.min(), chunk=chunk)
    np.testing.assert_allclose(lowest, whole.state.min(axis=1), rtol=1e-12)


def test_one_failing_scenario_leaves_the_others_alone():
    system, scenarios = SYSTEMS["tank"].example().system, day(batch=3)
    demand_w = scenarios.drive["demand_w"].at[1, 40].set(2e7)
    failing = Scenario(scenarios.state, scenarios.drive | {"demand_w": demand_w}, DT_S)
    run = jax.jit(simulate_many)(system, THERMOSTAT, failing)
    good = jax.jit(simulate_many)(system, THERMOSTAT, scenarios)
    assert run.status[1, 40] != 0
    np.testing.assert_array_equal(run.status[jnp.array([0, 2])], 0)
    np.testing.assert_array_equal(run.state[0], good.state[0])


def test_slope_of_a_day_with_respect_to_the_plant():
    """Final temperature over the loss coefficient, by central difference."""
    system, scenario = SYSTEMS["tank"].example().system, day()
    hold = Thermostat(jnp.asarray(200.0), jnp.asarray(300.0), jnp.asarray(2.6e5))

    @jax.jit
    def final_degc(loss_w_per_k):
        changed = jax.tree.unflatten(
            jax.tree.structure(system), [system.capacity_j_per_k, loss_w_per_k]
        )
        return simulate(changed, hold, scenario).state[-1]

    at, move = jnp.asarray(60.0), 0.1
    difference = (final_degc(at + move) - final_degc(at - move)) / (2 * move)
    assert float(jax.grad(final_degc)(at)) == pytest.approx(float(difference), rel=1e-7)


def test_a_forecast_shows_what_is_ahead_and_repeats_the_last_value():
    drive = {"demand_w": jnp.arange(4.0)}
    seen = perfect_forecast(drive, 3)["demand_w"]
    np.testing.assert_array_equal(seen, [[0, 1, 2], [1, 2, 3], [2, 3, 3], [3, 3, 3]])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatWhatIsExpectedNext:
    """The power that the forecast gives for the step after this one."""

    def init(self):
        return ()

    def __call__(self, memory, state, forecast):
        return {"heater_w": forecast["demand_w"][1]}, memory


def test_a_controller_sees_the_forecast_and_the_system_the_drive():
    tank = SYSTEMS["tank"].example().system
    drive = {"demand_w": jnp.asarray([1e5, 2e5, 3e5]), "ambient_degc": jnp.full(3, 12.0)}
    told = {"demand_w": jnp.asarray([[0.0, 4e5], [0.0, 5e5], [0.0, 6e5]])}
    run = simulate(tank, HeatWhatIsExpectedNext(), Scenario(jnp.asarray(70.0), drive, DT_S, told))
    np.testing.assert_array_equal(run.action["heater_w"], [4e5, 5e5, 6e5])
    np.testing.assert_array_equal(run.output["delivered_w"], drive["demand_w"])
