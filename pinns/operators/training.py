"""Train an operator network on an ensemble."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.pinns.operators.layers import DTYPE
from tvilling.pinns.operators.model import Layout, OperatorNetwork, Places
from tvilling.pinns.operators.physics import Physics, physics_loss
from tvilling.pinns.operators.problem import OperatorProblem
from tvilling.pinns.operators.trained import OperatorSolution, Scaling
from tvilling.pinns.operators.trust import Familiarity
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.learning.fit import FitSettings, fit

if TYPE_CHECKING:
    import xarray as xr

SETTINGS = FitSettings(steps=3000, batch=20, learning_rate=3e-3, check_every=100)
HELD_OUT = 0.1  # share of the samples by which the best weights are chosen


@dataclass(frozen=True)
class Prepared:
    """Scaled samples `(functions, solutions)`, of which the last ones are held out."""

    data: tuple[Float[np.ndarray, "sample along"], Float[np.ndarray, "sample *grid"]]
    held_out: tuple[Float[np.ndarray, "sample along"], Float[np.ndarray, "sample *grid"]]
    places: Places
    layout: Layout
    scaling: Scaling


def train_operator(  # noqa: PLR0913
    problem: OperatorProblem,
    data: "xr.Dataset",
    network: OperatorNetwork,
    settings: FitSettings = SETTINGS,
    seed: int = 0,
    tell: Callable[[str], None] = lambda stage: None,
    *,
    physics: Physics | None = None,
    folder: Path | None = None,
) -> OperatorSolution:
    """Train `network` on the ensemble `data` by Adam; the mean squared error of scaled values.

    Parameters
    ----------
    data
        As `ensemble` gives it. A tenth of the samples, the last ones, choose the best weights.
    seed
        Of the first weights, and of the samples of each step.
    physics
        Adds the residual of the problem's equation to the loss; for networks that have values
        anywhere.
    folder
        For checkpoints to go on from.

    Raises
    ------
    InputError
        If the network or the data do not suit the problem.
    """
    ready = prepared(problem, data)
    faults = network.faults(ready.layout)
    if physics is not None and not hasattr(network, "trunk"):
        faults.append("residuals are taken of a DeepONet only, which has values anywhere")
    if faults:
        raise InputError(f"operator for {problem.name}", faults)
    grid = {name: np.asarray(values) for name, values in ready.places.items()}
    network.function_places(ready.layout, grid, grid[ready.layout.along])
    weights = network.begin(ready.layout, jax.random.key(seed))
    fitted = fit(
        _loss(problem, network, ready, physics),
        weights,
        ready.data,
        ready.held_out,
        settings,
        seed,
        folder,
        tell,
    )
    return OperatorSolution(
        problem,
        network,
        ready.layout,
        fitted.params,
        ready.scaling,
        grid[ready.layout.along],
        Familiarity.of(ready.data[0], ready.held_out[0]),
        fitted.history,
        fitted.stopped,
        seed,
    )


def prepared(problem: OperatorProblem, data: "xr.Dataset") -> Prepared:
    """Scaled arrays of an ensemble, split into those to train on and those held out."""
    dims = tuple(axis.name for axis in problem.axes)
    inputs = data[problem.varied.name].transpose("sample", problem.along.name).values
    outputs = data[problem.unknown.name].transpose("sample", *dims).values
    first = len(inputs) - max(1, round(HELD_OUT * len(inputs)))
    faults = [
        f"{name} has values that are not finite"
        for name, values in ((problem.varied.name, inputs), (problem.unknown.name, outputs))
        if not np.isfinite(values).all()
    ]
    if first < 2:
        faults.append(f"it has {len(inputs)} samples, expected at least 3")
    if faults:
        raise InputError(f"ensemble of {problem.name}", faults)
    scaling = Scaling.of(inputs[:first], outputs[:first])
    functions, solutions = scaling.function(inputs), scaling.scaled(outputs)
    return Prepared(
        (functions[:first], solutions[:first]),
        (functions[first:], solutions[first:]),
        {name: jnp.asarray(data[name].values) for name in dims},
        Layout(problem.axes, problem.along.name, inputs.shape[1]),
        scaling,
    )


def _loss(
    problem: OperatorProblem,
    network: OperatorNetwork,
    ready: Prepared,
    physics: Physics | None,
) -> Callable[[Any, tuple[Array, Array]], Array]:
    """The mean squared error of scaled values, and of the equation where it is asked for."""

    def data_loss(weights: Any, batch: tuple[Array, Array]) -> Array:
        functions, solutions = batch
        found = network.apply(ready.layout, weights, functions.astype(DTYPE), ready.places)
        return jnp.mean((found - solutions) ** 2)

    if physics is None:
        return data_loss
    residual = physics_loss(problem, network, ready.layout, ready.scaling, physics)

    def both(weights: Any, batch: tuple[Array, Array]) -> Array:
        return data_loss(weights, batch) + residual(weights, batch[0])

    return both
