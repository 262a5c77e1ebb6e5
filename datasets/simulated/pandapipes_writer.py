"""Hand a heat network on to pandapipes: to compare, or to use what that program can do."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.units import ZERO_DEGC_K
from tvilling.sciml.systems.heat_network.hydraulics.held_pressure import (
    DEFAULT_SUPPLY_BAR,
    holds_pressure,
)
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

if TYPE_CHECKING:
    from pandapipes import pandapipesNet


def to_pandapipes(
    tables: HeatNetworkTables, ground_degc: float = 8.0, sections: int = 1
) -> "pandapipesNet":
    """A pandapipes net with the elements of `tables`.

    Junctions, pipes, open valves, consumers and sources are handed on; names are kept. The heat
    capacity of pipe walls is left out, because pandapipes has none.

    Parameters
    ----------
    tables
        Any network without boosters, bypasses or substations.
    ground_degc
        Ground temperature of pipes that do not state their own [°C].
    sections
        Sections of every pipe.

    Raises
    ------
    InputError
        Where an element has no counterpart.
    """
    import pandapipes as pp

    tables = tables.checked()
    _refuse(tables)
    net = pp.create_empty_network(fluid="water")
    at = {
        row.name: pp.create_junction(
            net,
            pn_bar=5.0,
            tfluid_k=ZERO_DEGC_K + 60.0,
            height_m=row.elevation_m,
            name=row.name,
        )
        for row in tables.junctions.itertuples(index=False)
    }
    for row in tables.pipes.itertuples(index=False):
        own = ground_degc if math.isnan(row.ground_degc) else row.ground_degc
        pp.create_pipe_from_parameters(
            net,
            at[row.from_junction],
            at[row.to_junction],
            length_km=row.length_m / 1000,
            inner_diameter_mm=row.inner_diameter_m * 1000,
            k_mm=row.roughness_m * 1000,
            loss_coefficient=row.zeta,
            sections=sections,
            u_w_per_m2k=row.loss_w_per_mk / (np.pi * row.inner_diameter_m),
            text_k=own + ZERO_DEGC_K,
            name=row.name,
        )
    for row in tables.valves[tables.valves["is_open"].astype(bool)].itertuples(index=False):
        pp.create_valve(
            net,
            at[row.from_junction],
            at[row.to_junction],
            et="ju",
            inner_diameter_mm=row.inner_diameter_m * 1000,
            opened=True,
            loss_coefficient=row.zeta,
            name=row.name,
        )
    _add_ends(net, tables, at)
    return net


def _refuse(tables: HeatNetworkTables) -> None:
    faults = [
        f"{kind}: {', '.join(table['name'])} cannot be handed to pandapipes"
        for kind in ("pumps", "exchangers", "injections")
        if len(table := getattr(tables, kind))
    ]
    odd = (
        (tables.consumers["bypass_kg_per_s"] > 0)
        | (tables.consumers["min_flow_kg_per_s"] > 0)
        | tables.consumers["ua_w_per_k"].notna()
    )
    faults += [
        f"consumers: {name} has a bypass, a least flow or a substation"
        for name in tables.consumers["name"][odd]
    ]
    if faults:
        raise InputError(tables.source, faults)


def _add_ends(net: "pandapipesNet", tables: HeatNetworkTables, at: dict[str, int]) -> None:
    """Consumers and sources."""
    import pandapipes as pp

    def given(value: float) -> float | None:
        return None if pd.isna(value) else float(value)

    for row in tables.consumers.itertuples(index=False):
        back = given(row.return_degc)
        pp.create_heat_consumer(
            net,
            at[row.from_junction],
            at[row.to_junction],
            qext_w=given(row.heat_w),
            controlled_mdot_kg_per_s=given(row.flow_kg_per_s),
            deltat_k=given(row.cooling_k),
            treturn_k=None if back is None else back + ZERO_DEGC_K,
            name=row.name,
        )
    stated = tables.sources["supply_bar"].fillna(DEFAULT_SUPPLY_BAR)
    bar = [given(one) for one in stated.where(holds_pressure(tables))]
    for row, held_bar in zip(tables.sources.itertuples(index=False), bar, strict=True):
        supply_k = row.supply_degc + ZERO_DEGC_K
        if not row.return_junction:
            pp.create_ext_grid(net, at[row.supply_junction], held_bar, supply_k, name=row.name)
        elif pd.isna(row.lift_bar):
            pp.create_circ_pump_const_mass_flow(
                net,
                at[row.return_junction],
                at[row.supply_junction],
                p_flow_bar=held_bar,
                mdot_flow_kg_per_s=row.flow_kg_per_s,
                t_flow_k=supply_k,
                name=row.name,
            )
        else:
            pp.create_circ_pump_const_pressure(
                net,
                at[row.return_junction],
                at[row.supply_junction],
                p_flow_bar=held_bar,
                plift_bar=row.lift_bar,
                t_flow_k=supply_k,
                name=row.name,
            )
