"""Ensembles of a heat network, ours and pandapipes' transient mode on the same input."""

import importlib.metadata
import logging
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from tvilling.benchmarks.measurement import Measurement
from tvilling.benchmarks.timing import take_turns, without_compile_cache
from tvilling.datasets.simulated.pandapipes_writer import to_pandapipes
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Play, Trajectory, simulate_many
from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import ZERO_DEGC_K
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatNetworkTables, Options, build

if TYPE_CHECKING:
    from pandapipes import pandapipesNet

DT_S, STEPS = 900.0, 96
GROUND_DEGC = 8.0
PEER_STEPS = 6
WARM_STEPS = 2
FOLLOW_DRIVE = Play(("supply_degc",))  # the scenario carries it as a drive of the same name


def day_scenarios(network: HeatNetwork, demand_w: Array, count: int, seed: int = 0) -> Scenario:
    """`count` days: demands swing by 30 % and differ by 30 %, supply temperatures by a kelvin.

    Each starts from the steady state of the mean demand.
    """
    rng = np.random.default_rng(seed)
    swing = 1 + 0.3 * np.sin(2 * np.pi * np.arange(STEPS) / STEPS)
    factor = rng.uniform(0.7, 1.3, (count, 1, len(demand_w)))
    supply = 75 + 3 * np.sin(2 * np.pi * np.arange(STEPS) / STEPS) + rng.normal(0, 1, (count, 1))
    drive = {
        "heat_w": jnp.asarray(swing[None, :, None] * factor * np.asarray(demand_w)),
        "supply_degc": jnp.asarray(supply)[..., None],
        "ground_degc": jnp.full((count, STEPS), GROUND_DEGC),
    }
    start, _ = jax.jit(type(network).steady)(
        network,
        {"supply_degc": jnp.array([75.0])},
        {"heat_w": jnp.asarray(demand_w), "ground_degc": jnp.array(GROUND_DEGC)},
    )
    state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), start)
    return Scenario(state, drive, DT_S)


def keep_plant(trajectory: Trajectory) -> Values:
    """What an ensemble is usually reduced to: the plant, the coldest consumer, the status."""
    output = trajectory.output
    return {
        "source_w": output["source_w"],
        "source_return_degc": output["source_return_degc"],
        "source_kg_per_s": output["source_kg_per_s"],
        "coldest_degc": output["consumer_supply_degc"].min(axis=-1),
        "least_dp_bar": output["consumer_dp_bar"].min(axis=-1),
        "status": trajectory.status,
    }


def compiled_ensemble(
    network: HeatNetwork, scenarios: Scenario, chunk: int
) -> tuple[Callable[[], Values], float]:
    """A call that runs the ensemble, and the seconds its compilation took without any cache."""
    run = jax.jit(lambda net, batch: simulate_many(net, FOLLOW_DRIVE, batch, keep_plant, chunk))
    with without_compile_cache():
        started = time.perf_counter()
        program = run.lower(network, scenarios).compile()
        compile_s = time.perf_counter() - started
    return lambda: program(network, scenarios), compile_s


class TransientPeer:
    """pandapipes' transient mode, one step a call, on the first scenario of an ensemble."""

    name = "pandapipes"

    def __init__(self, tables: HeatNetworkTables, scenarios: Scenario, sections: int) -> None:
        self.version = importlib.metadata.version("pandapipes")
        self.net: pandapipesNet = to_pandapipes(tables, GROUND_DEGC, sections)
        self.heat_w = np.asarray(scenarios.drive["heat_w"][0])
        self.supply_degc = float(scenarios.drive["supply_degc"][0, 0, 0])
        self.at = 0
        self.net.circ_pump_pressure["t_flow_k"] = self.supply_degc + ZERO_DEGC_K

    def step(self) -> None:
        """Solve the next step; the peer ignores a changed supply temperature, so it is held."""
        import pandapipes as pp

        self.net.heat_consumer["qext_w"] = self.heat_w[self.at % STEPS]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
            try:
                pp.pipeflow(
                    self.net,
                    mode="bidirectional",
                    transient=True,
                    dt=DT_S,
                    simulation_time_step=self.at,
                    iter=100,
                )
            finally:
                logging.disable(logging.NOTSET)
        self.at += 1


def measure_ensemble(
    name: str, tables: HeatNetworkTables, cells: int, count: int = 100, chunk: int = 50
) -> Measurement:
    """Time `count` days of `tables` and as many single steps of the peer, taking turns.

    The peer's time is its median step times the number of steps and scenarios: it has no batch.
    """
    network = build(tables, Options(cells=cells))
    demand_w = tables.checked().consumers["heat_w"].to_numpy(float)
    scenarios = day_scenarios(network, demand_w, count)
    run, compile_s = compiled_ensemble(network, scenarios, chunk)
    peer = TransientPeer(tables, scenarios, cells)
    for _ in range(WARM_STEPS):
        peer.step()
    timing = take_turns({"ours": run, "peer": peer.step}, PEER_STEPS)
    steps = count * STEPS
    ours_s, peer_s = timing["ours"].median_s, timing["peer"].median_s * steps
    return Measurement(
        name=name,
        ours=ours_s,
        peer=peer_s,
        unit="s",
        ratio=peer_s / ours_s,
        peer_name=peer.name,
        peer_version=peer.version,
        extra={
            "scenarios": count,
            "steps": STEPS,
            "consumers": len(demand_w),
            "cells": cells,
            "compile_s": compile_s,
            "us_per_scenario_step": ours_s / steps * 1e6,
            "share_of_steps_with_status": float(np.mean(np.asarray(run()["status"]) != 0)),
            "ours_min_s": timing["ours"].min_s,
            "ours_cpu_s": float(np.median(timing["ours"].cpu_s)),
            "peer_step_median_s": timing["peer"].median_s,
            "peer_step_min_s": timing["peer"].min_s,
            "peer_note": f"median of {PEER_STEPS} single steps times {steps}",
        },
    )
