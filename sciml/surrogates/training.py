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

from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Status
from tvilling.sciml.learning.fit import Fitted, fit
from tvilling.sciml.learning.fit_checkpoint import fingerprint
from tvilling.sciml.surrogates.calibration import (
    calibrated,
    interval_coverage,
    thinned,
    uncalibrated,
)
from tvilling.sciml.surrogates.errors import Miss, one_step_errors, rollout_errors
from tvilling.sciml.surrogates.model import Surrogate
from tvilling.sciml.surrogates.network import Ensemble, random_ensemble
from tvilling.sciml.surrogates.parts import check, split_and_run, vectors
from tvilling.sciml.surrogates.settings import SurrogateSettings
from tvilling.sciml.surrogates.sound import reasons_text
from tvilling.sciml.surrogates.transitions import Transitions
from tvilling.sciml.surrogates.vectors import Scaling, scaling_of
from tvilling.sciml.systems.example import Example

CHECKED = 4096  # held-out samples at a check
FLAG_WEIGHT = 0.1
DRAWN = 0.8  # share of the samples that each member is trained on


@dataclass(frozen=True)
class SurrogateReport:
    """How a training went; errors are those on held-out scenarios, by output and for `state`.

    Attributes
    ----------
    steps, dropped
        Steps of the physics trained on, and those left out.
    left_out
        Why steps were left out, and how many: `not finite`, or the name of an output outside its
        channel.
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
    left_out: dict[str, int]
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

    __repr__ = short_repr


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
        A batch, every array led by the scenario, as
        `tvilling.datasets.simulated.trials.trial_scenarios` makes it; at least 10. Its length of
        step is the one that is learnt.
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
        floating-point numbers, or too few scenarios; or where most steps of the physics are not
        finite or outside the channels of its outputs.
    """
    settings = settings or SurrogateSettings()
    began = time.perf_counter(), time.process_time()
    check(example.system, scenarios, settings)
    tell("simulating what to learn from")
    training, held_out, calibration = split_and_run(example, scenarios, settings, seed)
    parts = (training, held_out, calibration)
    left_out = _summed([part.left_out for part in parts])
    if left_out:
        told = reasons_text(example.system, left_out)
        tell(f"{sum(part.dropped for part in parts):,} steps of the physics left out: {told}")
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
        dropped=sum(part.dropped for part in parts),
        left_out=left_out,
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


def _summed(counts: list[dict[str, int]]) -> dict[str, int]:
    """Counts of several parts together."""
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}


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
