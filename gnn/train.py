"""Train a graph network on the steady supply temperatures of one heat network."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from tvilling.gnn.graph import Graph, Scaling
from tvilling.gnn.learned import Box, LearnedSupply, Readout
from tvilling.gnn.model import GraphNetwork, ModelSettings, split
from tvilling.gnn.samples import Samples, from_scenarios, parted
from tvilling.gnn.supply import SupplyTree, supply_graphs, supply_tree, transfer_units
from tvilling.sciml.learning.conformal import absolute_scores, conformal_quantile
from tvilling.sciml.learning.fit import FitSettings, Fitted, fit
from tvilling.sciml.systems.heat_network import HeatNetwork

if TYPE_CHECKING:
    import xarray as xr

MIN_UNITS = 1e-9  # where the logarithm of transfer units ends
MIN_DROP_K = 0.05
CHUNK = 64
MODEL = ModelSettings(hidden=24, layers=2)
COURSE = FitSettings(steps=2000, batch=32, learning_rate=3e-3, check_every=100)


@dataclass(frozen=True)
class SupplySettings:
    """How a `LearnedSupply` is made.

    Attributes
    ----------
    model, fit
        Size of the graph network, and the course of its training.
    readout
        "pipes": the network speaks of each pipe and temperatures follow along the tree;
        "junctions": it speaks of each junction, and nothing ties one to the next.
    coverage
        Share of answers whose error the interval is to hold.
    """

    model: ModelSettings = MODEL
    fit: FitSettings = COURSE
    readout: Readout = "pipes"
    coverage: float = 0.9


def train_supply(
    network: HeatNetwork,
    scenarios: "xr.Dataset",
    settings: SupplySettings = SupplySettings(),
    seed: int = 0,
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> tuple[LearnedSupply, Fitted]:
    """Learn the temperatures of all supply junctions from solved scenarios.

    The loss is the mean square error [K²] over scenarios and junctions. Of the scenarios five
    eighths are trained on, one eighth chooses the weights, and a quarter calibrates the interval
    of each junction by split conformal prediction.

    Parameters
    ----------
    network
        A tree below one source, see `tvilling.gnn.supply.supply_tree`.
    scenarios
        As `tvilling.datasets.simulated.steady_heat.steady_heat` gives them for `network`.
    seed
        Of the first weights and of the samples drawn at each step.
    folder, tell
        As in `tvilling.sciml.learning.fit.fit`.

    Returns
    -------
    LearnedSupply, Fitted
        The answerer, and how its training went.

    Raises
    ------
    InputError
        The network is no tree, or the scenarios do not fit it.
    """
    tree = supply_tree(network)
    train, held_out, calibration = parted(from_scenarios(network, tree, scenarios))
    graphs_of = jax.jit(supply_graphs, static_argnums=1)
    graphs = [graphs_of(network, tree, *part.drives) for part in (train, held_out)]
    start = _untrained(network, tree, train, graphs[0], settings, seed)
    data, kept = zip(map(start.scaling, graphs), (train, held_out), strict=True)

    def loss(weights: nnx.State, some: tuple[Graph, Samples]) -> Array:
        graph, asked = some
        now = replace(start, weights=weights)
        degc = now.from_graphs(graph, asked.supply_degc, asked.ground_degc)
        return jnp.mean((degc - asked.junction_degc) ** 2)

    fitted = fit(loss, start.weights, data, kept, settings.fit, seed, folder, tell)
    learned = replace(start, weights=fitted.params)
    per_drop = _calibrated(learned, calibration, settings.coverage)
    return replace(learned, per_drop=per_drop), fitted


def answered(learned: LearnedSupply, asked: Samples) -> Float[Array, "scenario junction"]:
    """Temperatures of very many scenarios, in chunks that fit the processor's cache."""

    def one(drives: tuple[Array, Array, Array]) -> Array:
        return learned.junction_degc(*(values[None] for values in drives))[0]

    return jax.lax.map(one, asked.drives, batch_size=CHUNK)


def _untrained(
    network: HeatNetwork,
    tree: SupplyTree,
    train: Samples,
    graphs: Graph,
    settings: SupplySettings,
    seed: int,
) -> LearnedSupply:
    """Scaling, box and first weights; no interval yet."""
    features = len(graphs.node_features), len(graphs.edge_features)
    answers = (1, 0) if settings.readout == "junctions" else (0, 1)
    model = GraphNetwork(features, answers, settings.model, nnx.Rngs(seed))
    structure, weights = split(model)
    heat_w, supply_degc, ground_degc = train.drives
    box = Box(
        low=(heat_w.min(axis=0), supply_degc.min(), ground_degc.min()),
        high=(heat_w.max(axis=0), supply_degc.max(), ground_degc.max()),
    )
    return LearnedSupply(
        network=network,
        weights=weights,
        scaling=Scaling.of(graphs),
        log_units=_log_units(tree, train, settings.readout),
        per_drop=jnp.full(len(tree.names), jnp.inf),
        least_k=jnp.array(MIN_DROP_K),
        box=box,
        tree=tree,
        structure=structure,
        readout=settings.readout,
    )


def _log_units(tree: SupplyTree, train: Samples, readout: Readout) -> tuple[Array, Array]:
    """Mean and spread of the logarithm of what the network is to say."""
    if readout == "junctions":
        others = np.delete(np.arange(len(tree.names)), tree.source)
        warmth = (train.junction_degc - train.ground_degc[:, None])[:, others]
        units = -jnp.log(warmth / (train.supply_degc - train.ground_degc)[:, None])
    else:
        units = jax.vmap(transfer_units, in_axes=(None, 0, 0, 0))(
            tree, train.junction_degc, train.supply_degc, train.ground_degc
        )
    logs = jnp.log(jnp.maximum(units, MIN_UNITS))
    return logs.mean(), logs.std()


def _calibrated(
    learned: LearnedSupply, calibration: Samples, coverage: float
) -> Float[Array, " junction"]:
    """Half widths that hold the error of `coverage` of the answers, over the fall they say.

    Every junction has its own; see `tvilling.sciml.learning.conformal`.
    """
    degc = jax.jit(answered)(learned, calibration)
    scale = learned.interval_scale(degc, calibration.supply_degc)
    scores = absolute_scores(calibration.junction_degc, degc, scale)
    return conformal_quantile(scores, coverage)
