"""The data of a training: scenarios shared out in three parts, and the steps of each."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.system import System, Values
from tvilling.sciml.surrogates.errors import flattened
from tvilling.sciml.surrogates.settings import SurrogateSettings
from tvilling.sciml.surrogates.sound import (
    MAX_UNSOUND,
    NOT_FINITE,
    reasons,
    reasons_text,
    sound,
    unsound,
)
from tvilling.sciml.surrogates.transitions import (
    Transitions,
    random_actions,
    repeated,
    transitions_of,
)
from tvilling.sciml.surrogates.vectors import inputs_of, targets_of
from tvilling.sciml.systems.example import Example

FEWEST_SCENARIOS = 10
CALIBRATION_PASSES = 4  # times as many sequences of actions as in training


@dataclass(frozen=True)
class Part:
    """Some of the scenarios, the actions they were run under, and the steps that gave."""

    scenarios: Scenario
    actions: Values
    found: Transitions  # one axis of samples, all sound
    left_out: dict[str, int]  # steps by reason
    dropped: int


def check(system: System, scenarios: Scenario, settings: SurrogateSettings) -> None:
    """Refuse, with an `InputError`, what cannot be trained on."""
    faults = settings.faults()
    count = scenario_count(scenarios)
    if count < FEWEST_SCENARIOS:
        faults.append(f"scenarios are {count}, expected {FEWEST_SCENARIOS} or more")
    state = jax.eval_shape(system.init, jax.random.key(0))
    faults += [
        f"state{jax.tree_util.keystr(path)} is {leaf.dtype}, expected floating-point numbers"
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
        if not jnp.issubdtype(leaf.dtype, jnp.floating)
    ]
    faults += [
        f"drive {channel.name} is missing from the scenarios"
        for channel in system.drives
        if channel.name not in scenarios.drive
    ]
    if faults:
        raise InputError(f"surrogate of {type(system).__name__}", faults)


def scenario_count(scenarios: Scenario) -> int:
    """Number of scenarios in a batch."""
    return int(jax.tree.leaves((scenarios.drive, scenarios.state))[0].shape[0])


def split_and_run(
    example: Example, scenarios: Scenario, settings: SurrogateSettings, seed: int
) -> tuple[Part, Part, Part]:
    """Steps for training, for the report and for calibration, from different scenarios."""
    random = np.random.default_rng([seed, 2])
    order = random.permutation(scenario_count(scenarios))
    held_out = max(1, round(settings.held_out_share * len(order)))
    calibration = max(2, round(settings.calibration_share * len(order)))
    chosen = np.split(order, [len(order) - held_out - calibration, len(order) - calibration])

    def made(index: np.ndarray, offset: int, passes: int = settings.passes) -> Part:
        some = jax.tree.map(lambda leaf: jnp.asarray(leaf)[index], scenarios)
        some = repeated(example.system, some, passes, 3 * seed + offset)
        steps = next(iter(some.drive.values())).shape[1]
        actions = random_actions(
            example, scenario_count(some), steps, 3 * seed + offset, settings.action_reach
        )
        found = flattened(transitions_of(example.system, some, actions))
        masks = unsound(example.system, found, found.output, 1)
        good = sound(masks)
        _check_sound(example.system, masks, good)
        kept = jax.tree.map(lambda leaf: leaf[good], found)
        return Part(some, actions, kept, reasons(masks), int((~good).sum()))

    # steps of one scenario are alike: intervals gain by every other run of it
    more = CALIBRATION_PASSES * settings.passes
    return made(chosen[0], 0), made(chosen[1], 1), made(chosen[2], 2, more)


def _check_sound(system: System, masks: dict[str, np.ndarray], good: np.ndarray) -> None:
    """Refuse a physics that fails in most of its steps."""
    faults = []
    if masks[NOT_FINITE].all():
        faults.append("no step of the physics was finite")
    elif (~good).mean() > MAX_UNSOUND:
        told = reasons_text(system, reasons(masks))
        faults.append(
            f"of {good.size:,} steps of the physics {(~good).sum():,} are not sound ({told}), "
            "expected less than half; see to its step length, or narrow action_reach"
        )
    if faults:
        raise InputError(f"surrogate of {type(system).__name__}", faults)


def vectors(
    system: System, found: Transitions
) -> tuple[Float[Array, "sample input"], Float[Array, "sample target"]]:
    """Inputs `[sample, input]` and targets `[sample, target]` of steps led by one axis."""

    @jax.jit
    @jax.vmap
    def both(step: Transitions) -> tuple[Array, Array]:
        return (
            inputs_of(system, step.state, step.action, step.drive),
            targets_of(system, step.state, step.new_state, step.output),
        )

    inputs, targets = both(found)
    return inputs, targets
