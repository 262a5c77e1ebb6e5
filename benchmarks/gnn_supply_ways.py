"""Ways to the steady supply temperatures of a tree, for benchmarks of the learned one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import xarray as xr
    from jaxtyping import Array

    from tvilling.gnn.samples import Samples
    from tvilling.gnn.supply import SupplyTree
    from tvilling.sciml.systems.heat_network import HeatNetwork

CONSUMERS, CHUNK = 50, 64
MIN_COOLING_K = 1.0


def plant(
    seen: int, judged: int, consumers: int = CONSUMERS, seed: int = 0
) -> "tuple[HeatNetwork, xr.Dataset, xr.Dataset]":
    """A street tree, scenarios to learn from, and others to judge by."""
    from tvilling.datasets.simulated.steady_heat import steady_heat
    from tvilling.datasets.simulated.street_tree import street_tree
    from tvilling.sciml.systems.heat_network import Options, build

    tables = street_tree(consumers, seed)
    network = build(tables, Options(cells=1))
    design_w = tables.consumers["heat_w"].to_numpy(float)
    return (
        network,
        steady_heat(network, design_w, seen, 1),
        steady_heat(network, design_w, judged, 2),
    )


def formula(
    network: "HeatNetwork", tree: "SupplyTree", asked: "Samples", rounds: int
) -> "Callable[[], Array]":
    """The plain formula: flow from demand and cooling, exponential cooling along the pipes.

    In its first round consumers see the source's temperature, in further ones what the round
    before gave them: substitution, which converges here since pipes lose little of the heat.
    """
    import jax
    import jax.numpy as jnp

    from tvilling.gnn.supply import temperatures

    pipes = network.as_network().edge
    rows = tree.pipe[tree.below]
    loss_w_per_k = (pipes["length_m"] * pipes["loss_w_per_mk"])[rows]

    def one(drives: "tuple[Array, Array, Array]") -> "Array":
        heat_w, supply_degc, ground_degc = drives
        degc = jnp.full(len(tree.names), supply_degc)
        for _ in range(rounds):
            cooling_k = degc[tree.consumer] - network.consumer.return_degc
            capacity = tree.carried(heat_w / jnp.maximum(cooling_k, MIN_COOLING_K))[tree.below]
            degc = temperatures(tree, loss_w_per_k / capacity, supply_degc, ground_degc)
        return degc

    run = jax.jit(lambda drives: jax.lax.map(one, drives, batch_size=CHUNK))
    return lambda: run(asked.drives)


def solver(network: "HeatNetwork", tree: "SupplyTree", asked: "Samples") -> "Callable[[], Array]":
    """The physics' own steady state: also flows, pressures and the return side."""
    import jax

    def one(drives: "tuple[Array, Array, Array]") -> "Array":
        heat_w, supply_degc, ground_degc = drives
        drive = {"heat_w": heat_w, "ground_degc": ground_degc}
        output = network.steady({"supply_degc": supply_degc[None]}, drive)[1]
        return output["junction_degc"][tree.place]

    run = jax.jit(lambda drives: jax.lax.map(one, drives, batch_size=CHUNK))
    return lambda: run(asked.drives)


def linear(known: "Samples", asked: "Samples") -> "np.ndarray":
    """Linear regression of each junction on total demand, supply and ground temperature."""
    import numpy as np

    def terms(of: "Samples") -> "np.ndarray":
        total = np.asarray(of.heat_w).sum(axis=1)
        return np.column_stack([np.ones(len(total)), total, of.supply_degc, of.ground_degc])

    weights = np.linalg.lstsq(terms(known), np.asarray(known.junction_degc), rcond=None)[0]
    return np.asarray(terms(asked) @ weights)
