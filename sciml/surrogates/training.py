"""Train a surrogate of any system from its example and a batch of scenarios."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jaxtyping import Array

from tvilling.sciml.errors import InputError
from tvilling.sciml.fit import Fitted, fit
from tvilling.sciml.fit_checkpoint import fingerprint
from tvilling.sciml.scenario import Scenario
from tvilling.sciml.surrogates.calibration import (
    calibrated,
    interval_coverage,
    thinned,
    uncalibrated,
)
from tvilling.sciml.surrogates.errors import Miss, flattened, one_step_errors, rollout_errors
from tvilling.sciml.surrogates.model import Surrogate
from tvilling.sciml.surrogates.network import Ensemble, random_ensemble
from tvilling.sciml.surrogates.settings import SurrogateSettings
from tvilling.sciml.surrogates.transitions import (
    Transitions,
    random_actions,
    repeated,
    transitions_of,
)
from tvilling.sciml.surrogates.vectors import Scaling, inputs_of, scaling_of, targets_of
from tvilling.sciml.system import Status, System, Values
from tvilling.sciml.systems.example import Example

CHECKED = 4096  # held-out samples at a check
FLAG_WEIGHT = 0.1
DRAWN = 0.8  # share of the samples that each member is trained on
FEWEST_SCENARIOS = 10
CALIBRATION_PASSES = 4  # times as many sequences of actions as in training


@dataclass(frozen=True)
class SurrogateReport:
    """How a training went; errors are those on held-out scenarios, by output and for `state`.

    Attributes
    ----------
    steps, dropped
        Steps of the physics trained on, and those left out since they were not finite.
    one_step, rollout
        Errors of single steps, and of runs as long as the scenarios.
    coverage
        Share of the held-out answers that lie in their 90 % interval.
    status_share
        Share of held-out steps whose status is right.
    history, stopped
        Losses by step, and why the training ended.
    seed, data_sha256
        What the training was drawn from, and a checksum of the scenarios.
    wall_s, cpu_s
        Time of everything, simulation and compilation included [s].
    """

    steps: int
    dropped: int
    one_step: dict[str, Miss]
    rollout: dict[str, Miss]
    coverage: dict[str, float]
    status_share: float
    history: xr.Dataset
    stopped: str
    seed: int
    data_sha256: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class _Part:
    """Some of the scenarios, the actions they were run under, and the steps that gave."""

    scenarios: Scenario
    actions: Values
    found: Transitions  # one axis of samples, all finite
    dropped: int


def train_surrogate(
    example: Example,
    scenarios: Scenario,
    settings: SurrogateSettings | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda stage: None,
    folder: Path | None = None,
) -> tuple[Surrogate, SurrogateReport]:
    """Learn the step of `example.system` from runs of `scenarios` under random actions.

    Parameters
    ----------
    example
        The system, and an action to vary around.
    scenarios
        A batch, every array led by the scenario, as `tvilling.datasets.trials.trial_scenarios`
        makes it; at least 10. Its length of step is the one that is learnt.
    settings
        Size of the nets and length of the training.
    seed
        Draws actions, states, first parameters and samples.
    tell
        Called with each stage and with the losses at every check.
    folder
        For checkpoints, from which a killed training goes on exactly; none without it.

    Returns
    -------
    tuple[Surrogate, SurrogateReport]
        The surrogate, and its errors on scenarios that it was not trained on.

    Raises
    ------
    InputError
        Naming every setting out of range, actions without limits, a state that is not made of
        floating-point numbers, or too few scenarios.
    """
    settings = settings or SurrogateSettings()
    began = time.perf_counter(), time.process_time()
    check(example.system, scenarios, settings)
    tell("simulating what to learn from")
    training, held_out, calibration = _parts(example, scenarios, settings, seed)
    tell(f"training on {len(training.found.status):,} steps")
    learnt, fitted = _learnt(
        training.found, held_out.found, example, settings, (seed, folder, tell)
    )
    tell("calibrating and comparing")
    surrogate = calibrated(
        learnt(fitted.params, scenarios.dt_s), calibration.found, settings.calibration_samples
    )
    took = (time.perf_counter() - began[0], time.process_time() - began[1])
    return surrogate, SurrogateReport(
        steps=len(training.found.status),
        dropped=training.dropped + held_out.dropped + calibration.dropped,
        one_step=one_step_errors(surrogate, held_out.found, scenarios.dt_s),
        rollout=rollout_errors(surrogate, example.system, held_out.scenarios, held_out.actions),
        coverage=interval_coverage(surrogate, held_out.found),
        status_share=_status_share(surrogate, held_out.found),
        history=fitted.history,
        stopped=fitted.stopped,
        seed=seed,
        data_sha256=fingerprint(scenarios.dt_s, scenarios.state, scenarios.drive),
        wall_s=took[0],
        cpu_s=took[1],
    )


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


def _parts(
    example: Example, scenarios: Scenario, settings: SurrogateSettings, seed: int
) -> tuple[_Part, _Part, _Part]:
    """Steps for training, for the report and for calibration, from different scenarios."""
    random = np.random.default_rng([seed, 2])
    order = random.permutation(scenario_count(scenarios))
    held_out = max(1, round(settings.held_out_share * len(order)))
    calibration = max(2, round(settings.calibration_share * len(order)))
    chosen = np.split(order, [len(order) - held_out - calibration, len(order) - calibration])

    def made(index: np.ndarray, offset: int, passes: int = settings.passes) -> _Part:
        some = jax.tree.map(lambda leaf: jnp.asarray(leaf)[index], scenarios)
        some = repeated(example.system, some, passes, 3 * seed + offset)
        steps = next(iter(some.drive.values())).shape[1]
        actions = random_actions(
            example, scenario_count(some), steps, 3 * seed + offset, settings.action_reach
        )
        found = flattened(transitions_of(example.system, some, actions))
        finite = np.asarray(_finite(found))
        kept = jax.tree.map(lambda leaf: leaf[finite], found)
        return _Part(some, actions, kept, int((~finite).sum()))

    # steps of one scenario are alike: intervals gain by every other run of it
    more = CALIBRATION_PASSES * settings.passes
    return made(chosen[0], 0), made(chosen[1], 1), made(chosen[2], 2, more)


def _finite(found: Transitions) -> Array:
    """Whether all numbers of a sample are finite."""
    good = [
        jnp.isfinite(leaf).reshape(leaf.shape[0], -1).all(axis=1) for leaf in jax.tree.leaves(found)
    ]
    return jnp.stack(good).all(axis=0)


def _learnt(
    training: Transitions,
    held_out: Transitions,
    example: Example,
    settings: SurrogateSettings,
    how: tuple[int, Path | None, Callable[[str], None]],
) -> tuple[Callable[[Ensemble, float], Surrogate], Fitted]:
    """What makes a surrogate of parameters, and the parameters found."""
    seed, folder, tell = how
    inputs, targets = vectors(example.system, training)
    scaling = scaling_of(np.asarray(inputs), np.asarray(targets))
    status = np.asarray(training.status)
    shares = {int(flag): np.mean((status & flag) > 0) for flag in Status if flag}
    flags = tuple(flag for flag, share in shares.items() if 0 < share < 1)
    always = sum(flag for flag, share in shares.items() if share == 1)
    keys = jax.random.split(jax.random.key(seed), 2)
    drawn = jax.random.bernoulli(keys[0], DRAWN, (len(status), settings.members))
    data = _samples(scaling, flags, (inputs, targets, training.status), drawn)
    few = thinned(held_out, CHECKED)
    everyone = jnp.ones((few.status.shape[0], settings.members), bool)
    checked = _samples(scaling, flags, (*vectors(example.system, few), few.status), everyone)
    sizes = (
        inputs.shape[1],
        *[settings.width] * settings.layers,
        targets.shape[1] + len(flags),
    )
    first = random_ensemble(keys[1], sizes, settings.members, settings.activation)
    fitted = fit(_loss, first, data, checked, settings.fit, seed, folder, tell)

    def surrogate(network: Ensemble, dt_s: float) -> Surrogate:
        calibration = uncalibrated(targets.shape[1])
        return Surrogate(example.system, network, scaling, calibration, dt_s, flags, always)

    return surrogate, fitted


def vectors(system: System, found: Transitions) -> tuple[Array, Array]:
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


def _samples(
    scaling: Scaling, flags: tuple[int, ...], steps: tuple[Array, Array, Array], drawn: Array
) -> dict[str, Array]:
    """What the loss is told: inputs and remainders in their units, flags, and who may see them."""
    inputs, targets, status = steps
    scaled = scaling.inputs(inputs)
    raised = (status[:, None] & jnp.asarray(flags, status.dtype)) > 0
    return {
        "inputs": scaled,
        "rest": (targets - scaling.linear(scaled)) / scaling.rest,
        "raised": raised.astype(float),
        "drawn": drawn.astype(float),
    }


def _loss(network: Ensemble, batch: dict[str, Array]) -> Array:
    """Mean squared error in units of the remainder, and cross-entropy of the flags."""
    given = network(batch["inputs"])
    count = batch["rest"].shape[1]
    seen = batch["drawn"].T / jnp.maximum(batch["drawn"].sum(), 1.0)
    missed = jnp.mean((given[..., :count] - batch["rest"]) ** 2, axis=-1)
    wrong = optax.sigmoid_binary_cross_entropy(
        given[..., count:], jnp.broadcast_to(batch["raised"], given[..., count:].shape)
    )
    return jnp.sum(seen * (missed + FLAG_WEIGHT * wrong.sum(axis=-1)))


def _status_share(surrogate: Surrogate, found: Transitions) -> float:
    """Share of the samples whose status the surrogate gets right."""

    @jax.jit
    def right(surrogate: Surrogate, found: Transitions) -> Any:
        def one(step: Transitions) -> Array:
            given = surrogate.step(step.state, step.action, step.drive, surrogate.dt_s)
            return given[1]["status"] == step.status

        return jax.lax.map(one, found, batch_size=CHECKED).astype(float).mean()

    return float(right(surrogate, found))
