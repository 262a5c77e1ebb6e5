"""What every registered system says of values that are not finite, not physical or not balanced."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.rl_control.control.controllers import Hold
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import simulate
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems import SYSTEMS
from tvilling.sciml.systems.example import Example


@pytest.fixture(scope="module", params=SYSTEMS)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    yield SYSTEMS[request.param].example()
    jax.clear_caches()


@pytest.fixture(scope="module")
def run(example: Example) -> Any:
    """The flags of one step through `simulate`, which every command uses; compiled once."""

    @jax.jit
    def flags(state: Any, action: Any, drive: Any) -> jax.Array:
        scenario = Scenario(state, {k: v[None] for k, v in drive.items()}, example.dt_s)
        return simulate(example.system, Hold(action), scenario).status[0]

    return lambda *inputs: Status(
        int(flags(*jax.tree.map(lambda x: jnp.asarray(x, float), inputs)))
    )


def inputs_of(example: Example) -> list[Any]:
    price = {"price_dkk_per_kwh": jnp.asarray(1.0)}
    return [
        example.system.init(jax.random.key(0)),
        dict(example.action),
        {**example.drive, **price},
    ]


def test_sound_inputs_have_no_flag(example: Example, run: Any) -> None:
    """A NaN in a drive that the system does not know is none of its business."""
    inputs = inputs_of(example)
    assert run(*inputs) == Status.OK
    inputs[2]["price_dkk_per_kwh"] = jnp.nan
    assert run(*inputs) == Status.OK


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_input_that_is_not_finite_is_flagged(example: Example, run: Any, value: float) -> None:
    channels = [(1, c) for c in example.system.actions] + [(2, c) for c in example.system.drives]
    for where, channel in channels:
        inputs = inputs_of(example)
        inputs[where][channel.name] = jnp.full(channel.shape, value)
        assert run(*inputs) != Status.OK, channel.name
    leaves, tree = jax.tree.flatten(inputs_of(example)[0])
    for number, leaf in enumerate(leaves):
        broken = [*leaves]
        broken[number] = jnp.full(jnp.shape(leaf), value)
        inputs = [jax.tree.unflatten(tree, broken), *inputs_of(example)[1:]]
        assert run(*inputs) != Status.OK, number


@pytest.mark.parametrize("degc", [-5.0, 140.0])
def test_water_that_freezes_or_boils_is_flagged(example: Example, run: Any, degc: float) -> None:
    """Also where the step itself has no trouble with it."""
    if type(example.system).__name__ not in ("Tank", "StratifiedTank", "HeatPlantSystem"):
        pytest.skip("its state is not the temperature of a tank")
    inputs = inputs_of(example)
    inputs[0] = jnp.full_like(inputs[0], degc)
    assert run(*inputs) & Status.UNPHYSICAL


def test_energy_that_is_lost_or_found_is_flagged(example: Example) -> None:
    """A system whose account of what enters is wrong by 2 % says so."""
    system = example.system
    if type(system).__name__ not in ("Tank", "StratifiedTank", "HeatPlantSystem"):
        pytest.skip("it has its own account")

    class Leaking(type(system)):  # type: ignore[misc]
        def net_power_w(self, action: Any, drive: Any, output: Any) -> Any:
            watts = [c.name for c in self.outputs if c.unit == "W"]
            through_w = sum(jnp.abs(output[name]).sum() for name in watts)
            return super().net_power_w(action, drive, output) + 0.02 * through_w

    leaking = object.__new__(Leaking)
    leaking.__dict__.update(vars(system))
    state, action, drive = inputs_of(example)
    output = Leaking.step(leaking, state, action, drive, example.dt_s)[1]
    assert Status(int(output["status"])) & Status.UNBALANCED
    assert Status(int(system.step(state, action, drive, example.dt_s)[1]["status"])) == Status.OK
