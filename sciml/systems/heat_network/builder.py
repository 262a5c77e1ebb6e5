"""From the tables of a network to the system that simulates it."""

from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.units import PA_PER_BAR
from tvilling.sciml.core.water import Water, iapws_water
from tvilling.sciml.systems.heat_network.hydraulics.flow_state import FIXED_ROUNDS
from tvilling.sciml.systems.heat_network.hydraulics.friction import FRICTION_LAWS
from tvilling.sciml.systems.heat_network.hydraulics.held_pressure import (
    DEFAULT_SUPPLY_BAR,
    holds_pressure,
    is_pumped,
)
from tvilling.sciml.systems.heat_network.hydraulics.singular import (
    resistance_faults,
    temperature_faults,
)
from tvilling.sciml.systems.heat_network.network import HeatNetwork
from tvilling.sciml.systems.heat_network.parameters import BranchData, ConsumerData, SourceData
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import BRANCHES, exchanged_consumers
from tvilling.sciml.systems.heat_network.topology.graph import (
    EXCHANGER,
    NONE,
    PIPE,
    PUMP,
    Graph,
    mark_bypasses,
)
from tvilling.sciml.systems.heat_network.topology.layout import Layout
from tvilling.sciml.systems.heat_network.topology.spanning_trees import Topology, lay_out

M3_PER_H_PER_KG_PER_S = 3.6  # for water of 1000 kg/m³, in which pump curves are stated
FALLBACK_RETURN_DEGC = 40.0
MAX_OVER_DESIGN, MIN_DESIGN_K = 5.0, 10.0
SMALLEST_VALVE_KG_PER_S = 0.25  # about kvs 1.6 m³/h at 0.3 bar
PUMP_CONTROLS = ("fixed", "worst_consumer")


@dataclass(frozen=True)
class Options:
    """How a network is modelled, beyond what its tables say.

    Attributes
    ----------
    cells
        Cells along every pipe: more sharpen fronts and cost time in proportion.
    rounds
        Most rounds a step between the consumers' flows and their supply temperatures; it stops
        as soon as they agree.
    friction
        "colebrook" with a laminar branch, or "nikuradse" as pandapipes has it by default.
    pump_control
        "fixed": the lift of the tables; "worst_consumer": what the worst-placed consumer needs.
    pump_efficiency
        Of all source pumps, electricity to water.
    water
        Another heat carrier or another source of properties; None is IAPWS-IF97.
    """

    cells: int = 2
    rounds: int = 30
    friction: Literal["colebrook", "nikuradse"] = "colebrook"
    pump_control: Literal["fixed", "worst_consumer"] = "fixed"
    pump_efficiency: float = 0.65
    water: Water | None = None

    def __post_init__(self) -> None:
        ranges = {
            "cells": (self.cells, 1, 1000),
            "rounds": (self.rounds, FIXED_ROUNDS, 1000),
            "pump_efficiency": (self.pump_efficiency, 0.01, 1.0),
        }
        faults = [
            f"{name} is {value}, expected {low} to {high}"
            for name, (value, low, high) in ranges.items()
            if not low <= value <= high
        ]
        words = {
            "friction": (self.friction, tuple(FRICTION_LAWS)),
            "pump_control": (self.pump_control, PUMP_CONTROLS),
        }
        faults += [
            f"{name} is {word!r}, expected one of {', '.join(known)}"
            for name, (word, known) in words.items()
            if word not in known
        ]
        if faults:
            raise InputError("options of the heat network", faults)


def build(tables: HeatNetworkTables, options: Options = Options()) -> HeatNetwork:
    """The system that `tables` describe.

    Raises
    ------
    InputError
        Where the tables have faults, or describe what the system cannot hold.
    """
    tables = tables.checked()
    exchanged = exchanged_consumers(tables)
    if exchanged:
        raise InputError(
            tables.source,
            [f"consumer {name} has supply and return exchanged" for name in exchanged],
        )
    singular = [*resistance_faults(tables), *temperature_faults(tables)]
    if singular:
        raise InputError(tables.source, singular)
    number = {name: at for at, name in enumerate(tables.junctions["name"])}
    branches = _branches(tables, number)
    graph = _graph(tables, branches, number)
    top = lay_out(graph)
    layout = _layout(tables, branches, number, top)
    faults = _faults(tables, layout, options)
    if faults:
        raise InputError(tables.source, faults)
    elevation = tables.junctions["elevation_m"].to_numpy(float)[top.junction]
    return HeatNetwork(
        branch=_branch_data(branches, top),
        consumer=_consumer_data(tables),
        source=_source_data(tables.sources, options),
        water=options.water or iapws_water(),
        rise_m=jnp.asarray(elevation[top.downstream] - elevation[top.upstream]),
        source_rise_m=jnp.asarray(_source_rise_m(layout, elevation)),
        nominal_degc=jnp.asarray(_nominal_degc(tables, top)),
        injection_kg_per_s=_array(tables.injections["flow_kg_per_s"]),
        layout=layout,
        cells=options.cells,
        rounds=options.rounds,
        friction=options.friction,
        follow_worst=options.pump_control == "worst_consumer",
    )


def _branches(tables: HeatNetworkTables, number: dict[str, int]) -> pd.DataFrame:
    """Every branch in one table: pipes first, then what else water flows through."""
    rows = []
    for kind in BRANCHES:
        table = getattr(tables, kind)
        if kind == "valves":
            table = table[table["is_open"].astype(bool)]
        rows.append(table.assign(table=kind, kind=EXCHANGER if kind == "exchangers" else PIPE))
    pumped = tables.sources[is_pumped(tables.sources)]
    rows.append(
        pd.DataFrame(
            {
                "name": pumped["name"],
                "from_junction": pumped["supply_junction"],
                "to_junction": pumped["return_junction"],
                "table": "sources",
                "kind": PUMP,
            }
        )
    )
    full = pd.concat([part for part in rows if len(part)], ignore_index=True)
    full["start"] = full["from_junction"].map(number).astype(int)
    full["end"] = full["to_junction"].map(number).astype(int)
    return full


def _graph(tables: HeatNetworkTables, branches: pd.DataFrame, number: dict[str, int]) -> Graph:
    sources, consumers = tables.sources, tables.consumers
    closed = sources["return_junction"] != ""
    flow = tables.injections["flow_kg_per_s"]

    def at(names: pd.Series) -> np.ndarray:
        return names.map(number).to_numpy(int)

    graph = Graph(
        junctions=len(tables.junctions),
        kind=branches["kind"].to_numpy(int),
        start=branches["start"].to_numpy(int),
        end=branches["end"].to_numpy(int),
        anchors=at(sources["supply_junction"][holds_pressure(tables)]),
        feeds=np.concatenate(
            [at(sources["supply_junction"]), at(tables.injections["junction"][flow > 0])]
        ),
        exits=at(sources["return_junction"][closed]),
        returns=at(consumers["to_junction"]),
        outlets=at(tables.injections["junction"][flow < 0]),
    )
    return mark_bypasses(graph, at(consumers["from_junction"]))


def _layout(
    tables: HeatNetworkTables, branches: pd.DataFrame, number: dict[str, int], top: Topology
) -> Layout:
    junction = np.empty(top.junctions, int)
    junction[top.junction] = np.arange(top.junctions)
    place = top.branch_number(len(branches))
    is_pipe = (branches["table"] == "pipes").to_numpy()
    is_pump = (branches["kind"] == PUMP).to_numpy()
    pump_of = dict(zip(branches["name"][is_pump], place[is_pump], strict=True))

    def at(names: pd.Series) -> np.ndarray:
        return np.array([junction[number[name]] if name else NONE for name in names], int)

    start, end = at(tables.consumers["from_junction"]), at(tables.consumers["to_junction"])
    roots = np.flatnonzero(top.parent == np.arange(top.junctions))
    supply = at(tables.sources["supply_junction"])
    return Layout(
        topology=top,
        junction_names=tuple(tables.junctions["name"]),
        pipe_names=tuple(tables.pipes["name"]),
        consumer_names=tuple(tables.consumers["name"]),
        source_names=tuple(tables.sources["name"]),
        junction_place=junction,
        pipe_place=place[is_pipe],
        pipe_sign=top.sign[place[is_pipe]],
        consumer_from=start,
        consumer_to=end,
        consumer_served=~np.isin(start, top.cut_off),
        source_supply=supply,
        source_return=at(tables.sources["return_junction"]),
        source_pump=np.array([pump_of.get(name, NONE) for name in tables.sources["name"]], int),
        injection_at=at(tables.injections["junction"]),
        is_root=np.isin(supply, roots),
        follows_inlet=bool(tables.consumers[["ua_w_per_k", "cooling_k"]].notna().any(axis=None)),
    )


def _faults(tables: HeatNetworkTables, layout: Layout, options: Options) -> list[str]:
    """What the tables describe and the system cannot hold."""
    top, faults = layout.topology, []
    for name, start, end in zip(
        layout.consumer_names, layout.consumer_from, layout.consumer_to, strict=True
    ):
        if start >= top.supply and start not in top.cut_off:
            faults.append(f"consumers: {name} draws from the return side, which is not modelled")
        elif end < top.supply and end not in top.cut_off:
            faults.append(f"consumers: {name} returns to the supply side, which is not modelled")
    one = len(layout.source_names) == 1 and layout.closed.all() and not len(top.link)
    if options.pump_control == "worst_consumer" and not one:
        faults.append(
            "pump_control worst_consumer needs one source and no pipe from supply to return"
        )
    for name, pump, closed in zip(
        layout.source_names, layout.source_pump, layout.closed, strict=True
    ):
        free = len(top.link) or (layout.source_pump >= 0).any() or (~layout.closed).any()
        if closed and pump == NONE and not free:
            faults.append(
                f"sources: {name} has flow_kg_per_s, but the consumers already set the flow; "
                "give lift_bar instead"
            )
    return faults


def _source_rise_m(layout: Layout, elevation: np.ndarray) -> np.ndarray:
    """Height of each source's supply above its return [m]; zero for an open one."""
    back = np.maximum(layout.source_return, 0)
    return np.where(layout.closed, elevation[layout.source_supply] - elevation[back], 0.0)


def _array(values: pd.Series) -> jnp.ndarray:
    return jnp.asarray(values.to_numpy(float))


def _branch_data(branches: pd.DataFrame, top: Topology) -> BranchData:
    real = top.branch != NONE
    given = np.where(real, top.branch, 0)

    def values(name: str, missing: float = 0.0) -> np.ndarray:
        if name not in branches:
            return np.full(len(top.branch), missing)
        column = branches[name].astype(float).fillna(missing).to_numpy()[given]
        return np.where(real, column, missing)

    lift = [
        values("lift0_bar"),
        values("lift1_bar_h_per_m3") * M3_PER_H_PER_KG_PER_S,
        values("lift2_bar_h2_per_m6") * M3_PER_H_PER_KG_PER_S**2,
    ]
    lift[0], lift[2] = lift[0] * top.sign, lift[2] * top.sign
    return BranchData(
        length_m=jnp.asarray(values("length_m")),
        diameter_m=jnp.asarray(values("inner_diameter_m", missing=1.0)),
        roughness_m=jnp.asarray(values("roughness_m", missing=1e-4)),
        zeta=jnp.asarray(values("zeta")),
        loss_w_per_mk=jnp.asarray(values("loss_w_per_mk")),
        wall_j_per_mk=jnp.asarray(values("wall_j_per_mk")),
        ground_degc=jnp.asarray(values("ground_degc", missing=np.nan)),
        heat_w=jnp.asarray(values("heat_w")),
        lift_pa=jnp.asarray(np.stack(lift) * PA_PER_BAR),
    )


def _consumer_data(tables: HeatNetworkTables) -> ConsumerData:
    table = tables.consumers
    same = (
        "return_degc", "cooling_k", "flow_kg_per_s", "bypass_kg_per_s", "min_flow_kg_per_s",
        "ua_w_per_k", "secondary_supply_degc", "secondary_return_degc",
    )  # fmt: skip
    return ConsumerData(
        **{name: _array(table[name]) for name in same},
        max_flow_kg_per_s=_array(_most_flow(tables)),
        min_dp_pa=_array(table["min_dp_bar"]) * PA_PER_BAR,
    )


def _most_flow(tables: HeatNetworkTables) -> pd.Series:
    """Greatest flow of each consumer [kg/s]; where the table leaves it open, that of a valve
    chosen for `heat_w` with room to spare, and no smaller than valves of houses are; one whose
    flow is prescribed has no limit.
    """
    table, supply = tables.consumers, float(tables.sources["supply_degc"].max())
    cooling = (supply - table["return_degc"]).fillna(table["cooling_k"]).fillna(MIN_DESIGN_K)
    chosen = table["heat_w"] / (4200.0 * cooling.clip(lower=MIN_DESIGN_K))
    room = (MAX_OVER_DESIGN * chosen).clip(lower=SMALLEST_VALVE_KG_PER_S)
    room = room.where((chosen > 0) & table["flow_kg_per_s"].isna(), np.inf)
    return table["max_flow_kg_per_s"].where(np.isfinite(table["max_flow_kg_per_s"]), room)


def _source_data(table: pd.DataFrame, options: Options) -> SourceData:
    return SourceData(
        supply_pa=_array(table["supply_bar"].fillna(DEFAULT_SUPPLY_BAR)) * PA_PER_BAR,
        lift_pa=_array(table["lift_bar"]) * PA_PER_BAR,
        flow_kg_per_s=_array(table["flow_kg_per_s"]),
        pump_efficiency=jnp.full(len(table), options.pump_efficiency),
    )


def _nominal_degc(tables: HeatNetworkTables, top: Topology) -> np.ndarray:
    """Temperature at which the content of each branch is counted: that of its side."""
    supply = float(tables.sources["supply_degc"].mean())
    consumers = tables.consumers
    back = consumers["return_degc"].fillna(supply - consumers["cooling_k"])
    back = back.fillna(consumers["secondary_return_degc"] + 3.0).fillna(FALLBACK_RETURN_DEGC)
    on_return = np.maximum(top.upstream, top.downstream) >= top.supply
    return np.where(on_return, float(back.mean()) if len(back) else supply, supply)
