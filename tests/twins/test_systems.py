"""Every registered system can be followed, without a word of code about it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.systems import SYSTEMS
from tvilling.twins.assimilation.belief import Outcome
from tvilling.twins.assimilation.prior import Prior
from tvilling.twins.naming import float_leaves
from tvilling.twins.twin import Twin

STEPS = 12
SLOW_TO_COMPILE = ("heat_network", "heat_plant")
SYSTEMS_AHEAD = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW_TO_COMPILE else name
    for name in SYSTEMS
]


def scale(state: Any) -> Any:
    """1 % of the size of every float, and no less than a thousandth."""
    return jax.tree.map(
        lambda leaf: (
            0.01 * jnp.abs(leaf) + 1e-3 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf
        ),
        state,
    )


@pytest.mark.filterwarnings("ignore::tvilling.twins.notes.TooFewMembersWarning")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(one, marks=[pytest.mark.slow] if one == "heat_network" else [])
        for one in SYSTEMS
    ],
)
def test_readings_bring_a_twin_nearer_to_a_plant_that_started_elsewhere(name: str) -> None:
    """All outputs are read with 1 % noise, some missing; a twin without readings is beside it.

    Over all steps together: in the end a plant has forgotten where it started, and so has a twin
    without readings.
    """
    example = SYSTEMS[name].example()
    system = example.system
    state = system.init(jax.random.key(0))
    step = jax.jit(type(system).step, static_argnums=4)
    plant = jax.tree.map(
        lambda leaf, size: leaf + 3 * size if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf,
        state,
        scale(state),
    )
    prior = Prior(state, jax.tree.map(lambda size: 3 * size, scale(state)), scale(state))
    twin = Twin.start(system, "2026-01-12", example.dt_s, members=60, prior=prior)
    alone = twin
    random = np.random.default_rng(0)
    nearer, far = [], []

    def distance(one: Twin) -> float:
        found, truth = one.estimate(), float_leaves(plant)
        gaps = [(found[key].mean - truth[key]) / scale(truth[key]) for key in truth]
        return float(np.mean(np.concatenate([np.ravel(gap) for gap in gaps]) ** 2)) if gaps else 0.0

    for _ in range(STEPS):
        plant, output = step(system, plant, example.action, example.drive, example.dt_s)
        readings, errors = {}, {}
        for channel in system.outputs:
            value = np.asarray(output[channel.name])
            errors[channel.name] = 0.01 * np.abs(value) + 1e-6 * (channel.high - channel.low)
            noisy = value + errors[channel.name] * random.standard_normal(value.shape)
            readings[channel.name] = np.where(random.random(value.shape) < 0.1, np.nan, noisy)
        twin = twin.assimilate(example.action, example.drive, readings, errors)
        nothing = {key: np.full(np.shape(value), np.nan) for key, value in readings.items()}
        alone = alone.assimilate(example.action, example.drive, nothing, errors)
        assert Outcome.LOST not in twin.status
        nearer.append(distance(twin))
        far.append(distance(alone))
    assert twin.time - np.datetime64("2026-01-12") == np.timedelta64(
        round(STEPS * example.dt_s * 1e9), "ns"
    )
    if not float_leaves(plant):
        pytest.skip("a steady system has no state to find")
    assert np.mean(nearer) < np.mean(far)


@pytest.mark.filterwarnings("ignore::tvilling.twins.notes.TooFewMembersWarning")
@pytest.mark.parametrize("name", SYSTEMS_AHEAD)
def test_what_is_expected_of_any_system_is_labelled(name: str) -> None:
    example = SYSTEMS[name].example()
    twin = Twin.start(example.system, "2026-01-12", example.dt_s, members=10)
    drive = {
        key: jnp.broadcast_to(value, (3, *jnp.shape(value))) for key, value in example.drive.items()
    }
    data = twin.forecast(Hold(example.action), Scenario((), drive, example.dt_s))
    for channel in (*example.system.outputs, *example.system.actions):
        assert data[channel.name].attrs["units"] == channel.unit
        assert data[channel.name].dims == ("statistic", "time", *channel.dims)
        assert data[channel.name].shape == (4, 3, *channel.shape)
        assert np.isfinite(data[channel.name]).all()
    np.testing.assert_array_equal(data["members_used"], 10)
