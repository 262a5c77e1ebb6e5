"""Heat networks made by hand for the tests, and what must hold in every one of them."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from tvilling.sciml.core.system import Values
from tvilling.sciml.core.water import constant_water
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatNetworkTables, Options, build

CP, DENSITY, VISCOSITY = 4186.0, 975.0, 4e-4
PLAIN_WATER = constant_water(CP, DENSITY, VISCOSITY)  # properties that a formula can follow
HOUSES = [{"heat_w": heat_w, "return_degc": 40.0} for heat_w in (60e3, 40e3, 50e3)]

steady = jax.jit(HeatNetwork.steady)
step = jax.jit(HeatNetwork.step, static_argnames="dt_s")


def open_pipe(flow_kg_per_s: float, rise_m: float = 0.0, **pipe: float) -> HeatNetworkTables:
    """One pipe from an open source to an outlet that draws `flow_kg_per_s`."""
    row = {"name": "pipe", "from_junction": "inlet", "to_junction": "outlet"}
    size = {"length_m": 800.0, "inner_diameter_m": 0.1}
    return HeatNetworkTables(
        junctions=pd.DataFrame({"name": ["inlet", "outlet"], "elevation_m": [0.0, rise_m]}),
        pipes=pd.DataFrame([row | size | pipe]),
        consumers=pd.DataFrame({"name": [], "from_junction": [], "to_junction": []}),
        sources=pd.DataFrame(
            [{"name": "source", "supply_junction": "inlet", "supply_degc": 80.0, "supply_bar": 6.0}]
        ),
        injections=pd.DataFrame(
            [{"name": "outlet", "junction": "outlet", "flow_kg_per_s": -flow_kg_per_s}]
        ),
    )


def line(consumers: Sequence[dict[str, Any]], **changed: pd.DataFrame) -> HeatNetworkTables:
    """A plant and one consumer after the other along a supply and a return pipe.

    Junctions are s0 (plant), s1, s2, … and r0, r1, r2, …; consumer k stands at sk and rk.
    """
    count = len(consumers)
    pipe = {"length_m": 120.0, "inner_diameter_m": 0.07, "loss_w_per_mk": 0.3}
    pipes = [
        {"name": f"s{k}", "from_junction": f"s{k - 1}", "to_junction": f"s{k}"} | pipe
        for k in range(1, count + 1)
    ] + [
        {"name": f"r{k}", "from_junction": f"r{k}", "to_junction": f"r{k - 1}"} | pipe
        for k in range(1, count + 1)
    ]
    rows = [
        {"name": f"c{k}", "from_junction": f"s{k}", "to_junction": f"r{k}"} | consumer
        for k, consumer in enumerate(consumers, start=1)
    ]
    names = [f"{side}{k}" for side in "sr" for k in range(count + 1)]
    tables = {
        "junctions": pd.DataFrame({"name": names}),
        "pipes": pd.DataFrame(pipes),
        "consumers": pd.DataFrame(rows),
        "sources": pd.DataFrame([source("plant", "s0", "r0", lift_bar=2.0)]),
    }
    return HeatNetworkTables(**(tables | changed))


def source(name: str, supply: str, back: str, **setting: float) -> dict[str, Any]:
    """A row of the sources."""
    ends = {"name": name, "supply_junction": supply, "return_junction": back}
    return ends | {"supply_degc": 80.0} | setting


def inputs(
    tables: HeatNetworkTables, supply_degc: float | Sequence[float] = 80.0
) -> tuple[Values, Values]:
    """Action and drive: the supply temperature, the demands of the tables, ground of 8 °C."""
    heat_w = tables.checked().consumers["heat_w"].fillna(0.0).to_numpy(float)
    sent = jnp.broadcast_to(jnp.asarray(supply_degc, float), len(tables.sources))
    return {"supply_degc": sent}, {"heat_w": jnp.asarray(heat_w), "ground_degc": jnp.array(8.0)}


def settled(
    tables: HeatNetworkTables, supply_degc: float | Sequence[float] = 80.0, **options: Any
) -> tuple[HeatNetwork, dict[str, np.ndarray]]:
    """The network in plain water, and its steady state."""
    network = build(tables, Options(**({"water": PLAIN_WATER, "cells": 1} | options)))
    output = steady(network, *inputs(tables, supply_degc))[1]
    return network, {name: np.asarray(values) for name, values in output.items()}


def of(network: HeatNetwork, output: dict[str, np.ndarray], name: str, *elements: str) -> Any:
    """Values of one output channel at the named elements."""
    (channel,) = [channel for channel in network.outputs if channel.name == name]
    (labels,) = channel.labels
    found = [float(output[name][labels.index(element)]) for element in elements]
    return found[0] if len(found) == 1 else found


def left_over_kg_per_s(
    tables: HeatNetworkTables, output: dict[str, np.ndarray]
) -> dict[str, float]:
    """What flows into each junction less what flows out of it."""
    left = dict.fromkeys(tables.junctions["name"], 0.0)
    kinds = (
        (tables.pipes, ("from_junction", "to_junction"), output["pipe_kg_per_s"]),
        (tables.consumers, ("from_junction", "to_junction"), output["consumer_kg_per_s"]),
        (tables.sources, ("return_junction", "supply_junction"), output["source_kg_per_s"]),
    )
    for table, (start, end), flows in kinds:
        for row, flow in zip(table.to_dict("records"), flows, strict=True):
            left[row[start]] -= float(flow)
            left[row[end]] += float(flow)
    return left


def assert_conserved(
    network: HeatNetwork,
    tables: HeatNetworkTables,
    output: dict[str, np.ndarray],
    supply_degc: float | Sequence[float] = 80.0,
) -> None:
    """No junction gains or loses water, and what sources put in is used or lost."""
    assert max(map(abs, left_over_kg_per_s(tables, output).values())) < 1e-9
    arrays = {name: jnp.asarray(values) for name, values in output.items()}
    net_w = float(network.net_power_w(*inputs(tables, supply_degc), arrays))
    assert abs(net_w) < 1e-6 * float(output["source_w"].sum())
