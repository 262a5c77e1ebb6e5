"""What every registered system must do; a new system is tested here just by being registered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Trajectory, simulate, simulate_many
from tvilling.sciml.core.system import Channel, Status, System, Values
from tvilling.sciml.systems import SYSTEMS
from tvilling.sciml.systems.example import Example

STEPS, BATCH, CHUNK = 4, 4, 2


@dataclass(frozen=True)
class Call:
    """One call of `step`: everything but the length of the step."""

    system: System[Any]
    state: Any
    action: Values
    drive: Values
    dt_s: float

    @property
    def arguments(self) -> tuple[System[Any], Any, Values, Values]:
        return self.system, self.state, self.action, self.drive

    def step(self, system: System[Any], state: Any, action: Values, drive: Values) -> Any:
        return system.step(state, action, drive, self.dt_s)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HoldAction:
    """A controller without a thought: the same action for ever."""

    action: Values

    def init(self) -> tuple[()]:
        return ()

    def __call__(self, memory: tuple[()], state: Any, forecast: Values) -> tuple[Values, tuple[()]]:
        return self.action, memory


@pytest.fixture(scope="module", params=SYSTEMS)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    yield SYSTEMS[request.param].example()
    jax.clear_caches()


@pytest.fixture(scope="module")
def call(example: Example) -> Call:
    state = example.system.init(jax.random.key(0))
    arguments = strong((example.system, state, example.action, example.drive))
    return Call(*arguments, example.dt_s)


@pytest.fixture(scope="module")
def step(call: Call) -> Callable[..., Any]:
    """The step, compiled once for all tests."""
    return jax.jit(call.step)


@pytest.fixture(scope="module")
def stepped(call: Call, step: Callable[..., Any]) -> tuple[Any, Values]:
    return step(*call.arguments)


def strong(tree: Any) -> Any:
    """`tree` without weak types, each of which would compile anew."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), tree)


def assert_trees_close(actual: Any, expected: Any, rtol: float = 1e-10) -> None:
    """Leaves agree, relative to the largest number of each leaf."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for (path, got), want in zip(
        jax.tree_util.tree_leaves_with_path(actual), jax.tree.leaves(expected), strict=True
    ):
        want = np.asarray(want)
        finite = np.abs(want[np.isfinite(want)])
        atol = rtol * finite.max(initial=0.0)
        name = jax.tree_util.keystr(path)
        np.testing.assert_allclose(np.asarray(got), want, rtol=rtol, atol=atol, err_msg=name)


def spread(values: Any, count: int, seed: int) -> Any:
    """`values` stacked `count` times, each up to 2 % away from the original."""
    generator = np.random.default_rng(seed)

    def one(leaf: Any) -> jax.Array:
        leaf = jnp.asarray(leaf)
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return jnp.broadcast_to(leaf, (count, *leaf.shape))
        return leaf * jnp.asarray(generator.uniform(0.98, 1.02, (count, *leaf.shape)))

    return jax.tree.map(one, values)


def pick(tree: Any, *index: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)


def test_everything_is_in_double_precision(call: Call, stepped: tuple[Any, Values]) -> None:
    leaves = jax.tree.leaves((call.arguments, stepped))
    kinds = {leaf.dtype for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact)}
    assert kinds <= {np.dtype(np.float64)}


def test_is_a_system_whose_channels_are_distinct_and_documented(call: Call) -> None:
    assert isinstance(call.system, System)
    channels = (*call.system.actions, *call.system.drives, *call.system.outputs)
    names = [channel.name for channel in channels]
    assert len(set(names)) == len(names)
    for channel in channels:
        assert channel.low < channel.high, channel.name
        assert channel.description, channel.name
        assert len(channel.dims) == len(channel.labels), channel.name


def test_channels_are_known_while_compiling(call: Call) -> None:
    def count(system: System[Any]) -> int:
        return sum(np.isfinite(c.high) for c in (*system.actions, *system.drives, *system.outputs))

    assert jax.jit(count)(call.system) == count(call.system)


def assert_fits(channels: tuple[Channel, ...], values: Values) -> None:
    assert set(values) == {channel.name for channel in channels}
    for channel in channels:
        value = np.asarray(values[channel.name])
        assert value.shape == channel.shape, channel.name
        assert np.isfinite(value).all(), channel.name
        assert (value >= channel.low).all(), f"{channel.name} {value.min()} < {channel.low}"
        assert (value <= channel.high).all(), f"{channel.name} {value.max()} > {channel.high}"


def test_inputs_and_outputs_keep_to_their_channels(call: Call, stepped: tuple[Any, Values]) -> None:
    output = dict(stepped[1])
    status = output.pop("status")
    assert jnp.issubdtype(status.dtype, jnp.integer)
    assert status.shape == ()
    assert_fits(call.system.actions, call.action)
    assert_fits(call.system.drives, call.drive)
    assert_fits(call.system.outputs, output)


def test_state_keeps_its_structure(call: Call, stepped: tuple[Any, Values]) -> None:
    before, after = (
        jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state)
        for state in (call.state, stepped[0])
    )
    assert before == after


def test_status_is_ok_on_the_example(stepped: tuple[Any, Values]) -> None:
    assert Status(int(stepped[1]["status"])) == Status.OK


def test_status_is_set_where_the_step_fails(
    example: Example, call: Call, step: Callable[..., Any]
) -> None:
    if example.failing is None:
        pytest.skip("no step of this system can fail")
    action, drive = strong(example.failing)
    state, output = step(call.system, call.state, action, drive)
    assert Status(int(output["status"])) != Status.OK
    for leaf in jax.tree.leaves((state, output)):
        assert np.isfinite(leaf).all()


def test_jit_agrees_with_eager(call: Call, stepped: tuple[Any, Values]) -> None:
    assert_trees_close(stepped, call.step(*call.arguments))


def test_vmap_agrees_with_a_loop(call: Call, step: Callable[..., Any]) -> None:
    states, actions, drives = spread((call.state, call.action, call.drive), BATCH, seed=1)
    batched = jax.jit(jax.vmap(call.step, in_axes=(None, 0, 0, 0)))
    together = batched(call.system, states, actions, drives)
    for i in range(BATCH):
        one = step(call.system, pick(states, i), pick(actions, i), pick(drives, i))
        assert_trees_close(pick(together, i), one)


def test_energy_balance_closes(call: Call, stepped: tuple[Any, Values]) -> None:
    """The change of stored energy is the net power, to 1e-9 of what passes through."""
    state, output = stepped
    before_j = float(call.system.stored_j(call.state))
    after_j = float(call.system.stored_j(state))
    net_j = float(call.system.net_power_w(call.action, call.drive, output)) * call.dt_s
    watts = [channel.name for channel in call.system.outputs if channel.unit == "W"]
    through_j = call.dt_s * sum(float(jnp.abs(output[name]).sum()) for name in watts)
    rounding_j = 8 * np.finfo(float).eps * max(abs(before_j), abs(after_j))
    assert through_j > 0
    assert abs(after_j - before_j - net_j) <= 1e-9 * through_j + rounding_j


def test_gradients_are_finite_and_equal_finite_differences(
    call: Call, stepped: tuple[Any, Values]
) -> None:
    """Slope along one random direction in each float leaf of system, state, action and drive.

    Against central differences of two steps, extrapolated (Richardson).
    """
    leaves, tree = jax.tree_util.tree_flatten_with_path(call.arguments)
    floats = [i for i, (_, leaf) in enumerate(leaves) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    start = [leaf for _, leaf in leaves]
    weigh = weights(stepped)

    @jax.jit
    @jax.value_and_grad
    def total(values: list[jax.Array]) -> jax.Array:
        filled = list(start)
        for i, value in zip(floats, values, strict=True):
            filled[i] = value
        return weigh(call.step(*jax.tree.unflatten(tree, filled)))

    at = [start[i] for i in floats]
    gradient = total(at)[1]
    generator = np.random.default_rng(2)
    for k, i in enumerate(floats):
        name = jax.tree_util.keystr(leaves[i][0])
        assert np.isfinite(gradient[k]).all(), name
        size = jnp.where(jnp.isfinite(at[k]), jnp.abs(at[k]), 0.0)
        move = 1e-4 * size * generator.normal(size=at[k].shape)

        def central(step: float, k: int = k, move: jax.Array = move) -> float:
            ahead, behind = ([*at[:k], at[k] + s * move, *at[k + 1 :]] for s in (step, -step))
            return float(total(ahead)[0] - total(behind)[0]) / (2e-4 * step)

        difference = (4 * central(0.5) - central(1.0)) / 3  # fourth order
        slope = float((gradient[k] * move).sum()) / 1e-4
        assert slope == pytest.approx(difference, rel=1e-5, abs=1e-8), name


def weights(stepped: tuple[Any, Values]) -> Any:
    """A function that adds up what a step gives, every float leaf in its own size."""
    generator = np.random.default_rng(3)
    given = [
        jnp.asarray(generator.normal(size=leaf.shape) / max(float(jnp.abs(leaf).max()), 1e-9))
        / np.sqrt(leaf.size)
        if leaf.size and jnp.issubdtype(leaf.dtype, jnp.floating)
        else None
        for leaf in jax.tree.leaves(stepped)
    ]

    def weigh(result: tuple[Any, Values]) -> jax.Array:
        pairs = zip(given, jax.tree.leaves(result), strict=True)
        return sum((w * leaf).sum() for w, leaf in pairs if w is not None)

    return weigh


@pytest.fixture(scope="module")
def scenarios(call: Call) -> Scenario:
    drives = spread(spread(call.drive, STEPS, seed=4), BATCH, seed=5)
    return Scenario(spread(call.state, BATCH, seed=6), drives, call.dt_s)


@pytest.fixture(scope="module")
def run(call: Call) -> Callable[..., Trajectory]:
    """`simulate`, compiled once for all tests of a system."""
    return jax.jit(simulate)


def test_simulate_agrees_with_a_loop(
    call: Call,
    step: Callable[..., Any],
    run: Callable[..., Trajectory],
    scenarios: Scenario,
) -> None:
    scenario = pick(scenarios, 0)
    trajectory = run(call.system, HoldAction(call.action), scenario)
    state = scenario.state
    for t in range(STEPS):
        state, output = step(call.system, state, call.action, pick(scenario.drive, t))
        assert_trees_close(pick(trajectory.state, t), state)
        assert_trees_close(pick(trajectory.output, t) | {"status": trajectory.status[t]}, output)
    assert_trees_close(pick(trajectory.action, STEPS - 1), call.action)


def test_simulate_many_agrees_with_simulate(
    call: Call, run: Callable[..., Trajectory], scenarios: Scenario
) -> None:
    controller = HoldAction(call.action)
    many = jax.jit(simulate_many, static_argnames="chunk")
    together = many(call.system, controller, scenarios, chunk=CHUNK)
    for i in range(BATCH):
        assert_trees_close(pick(together, i), run(call.system, controller, pick(scenarios, i)))
