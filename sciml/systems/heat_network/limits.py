"""Limits that a labelled run of a heat network keeps, so that its failures name who misses them."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.sciml.core.limits import Limit
from tvilling.sciml.core.system import Status
from tvilling.sciml.core.units import ATMOSPHERE_PA, PA_PER_BAR
from tvilling.sciml.core.water import saturation_pa
from tvilling.sciml.systems.heat_network.physical import (
    BOILING_MARGIN_PA,
    COOLING_MARGIN_J_PER_KG,
    FREEZING_DEGC,
    MARGIN_K,
    UNWARMED_KG_PER_S,
)
from tvilling.sciml.systems.heat_network.report import MIN_PA, UNSERVED_SHARE
from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

if TYPE_CHECKING:
    import xarray as xr

MARGIN_BAR = 1e-5  # of a differential pressure
NAMES_SHOWN = 3


def limits(data: "xr.Dataset", tables: HeatNetworkTables) -> dict[Status, tuple[Limit, ...]]:
    """What each flag of the labelled run `data` of the network `tables` is about, by element."""
    import xarray as xr

    consumers, heat_w = tables.consumers, data["heat_w"]
    least_dp = xr.DataArray(consumers["min_dp_bar"].to_numpy(float), dims="consumer")
    stated = np.where(consumers["flow_kg_per_s"].notna(), consumers["return_degc"], -np.inf)
    back = xr.DataArray(np.nan_to_num(stated, nan=-np.inf), dims="consumer")
    boiling = data["junction_degc"].copy(
        data=(np.asarray(saturation_pa(data["junction_degc"].values)) - ATMOSPHERE_PA) / PA_PER_BAR
    )
    ice = "water below freezing at"
    return {
        Status.UNSERVED: (Limit("delivered_w", heat_w, margin=UNSERVED_SHARE * heat_w),),
        Status.PRESSURE: (
            Limit("consumer_dp_bar", least_dp, margin=MARGIN_BAR),
            Limit("junction_bar", MIN_PA / PA_PER_BAR),
        ),
        Status.UNPHYSICAL: (
            Limit("junction_bar", -ATMOSPHERE_PA / PA_PER_BAR, says="pressure below vacuum at"),
            Limit(
                "junction_bar",
                boiling.where(data["junction_bar"] >= -ATMOSPHERE_PA / PA_PER_BAR, -np.inf),
                margin=BOILING_MARGIN_PA / PA_PER_BAR,
                says="water above its boiling point at",
            ),
            Limit("junction_degc", FREEZING_DEGC, margin=MARGIN_K, says=ice),
            Limit("consumer_return_degc", FREEZING_DEGC, margin=MARGIN_K, says=ice),
            *_still_exchangers(data, tables),
        ),
        Status.INFEASIBLE: (
            Limit(
                "consumer_supply_degc",
                back,
                margin=COOLING_MARGIN_J_PER_KG / 4200.0,
                says="colder than the return that is stated of",
            ),
        ),
        Status.NOT_CONVERGED: (_backwards(tables),),
        Status.UNBALANCED: (Limit("imbalance_w", 0.0, 0.0, says="heat that is missing,"),),
        Status.UNDETERMINED: _unwarmed(data, tables),
    }


def _backwards(tables: HeatNetworkTables) -> Limit:
    """Closed sources through which water runs backwards, and why it can."""
    sources = tables.sources
    pushing = sources[(sources["return_junction"] != "") & (sources["flow_kg_per_s"] > 0)]
    sent = [
        f"{row['name']} sends {row['flow_kg_per_s']:g} kg/s"
        for row in pushing.to_dict("records")[:NAMES_SHOWN]
    ]
    why = f"{', '.join(sent)} and the consumers draw less" if sent else ""
    import xarray as xr

    low = xr.DataArray(np.where(sources["return_junction"] != "", 0.0, -np.inf), dims="source")
    says = "water runs backwards through"
    return Limit("source_kg_per_s", low, margin=1e-6, says=says, because=why)


def _still_exchangers(data: "xr.Dataset", tables: HeatNetworkTables) -> tuple[Limit, ...]:
    """Exchangers take all the heat that the tables state, or some of them stand still."""
    heat_w = float(tables.exchangers["heat_w"].sum())
    if not len(tables.exchangers):
        return ()
    names = ", ".join(tables.exchangers["name"][:NAMES_SHOWN])
    margin = 1e-9 * float(tables.exchangers["heat_w"].abs().sum())
    says = f"heat into still water at an exchanger ({names}),"
    return (Limit("exchanger_w", heat_w, heat_w, margin, says),)


def _unwarmed(data: "xr.Dataset", tables: HeatNetworkTables) -> tuple[Limit, ...]:
    """Junctions of the injections; which of them nothing else feeds only the flows decide."""
    import xarray as xr

    inward = tables.injections[tables.injections["flow_kg_per_s"] > UNWARMED_KG_PER_S]
    names = list(inward["junction"])
    if not names:
        return ()
    feeds = _inflow(data, tables)
    if not bool((feeds.sel(junction=names) <= UNWARMED_KG_PER_S).any()):
        return ()
    marked = xr.where(feeds.junction.isin(names) & (feeds <= UNWARMED_KG_PER_S), np.inf, -np.inf)
    says = "an injection brings in water of no stated temperature at"
    return (Limit("junction_degc", marked, says=says),)


def _inflow(data: "xr.Dataset", tables: HeatNetworkTables) -> "xr.DataArray":
    """What pipes, consumers and sources bring to each junction [kg/s]."""
    total = data["junction_degc"] * 0.0
    kinds = (
        ("pipes", "pipe_kg_per_s", "pipe", "from_junction", "to_junction"),
        ("consumers", "consumer_kg_per_s", "consumer", None, "to_junction"),
        ("sources", "source_kg_per_s", "source", "return_junction", "supply_junction"),
    )
    for kind, name, dim, start, end in kinds:
        for row in getattr(tables, kind).to_dict("records"):
            flow = data[name].sel({dim: row["name"]}, drop=True)
            total.loc[{"junction": row[end]}] += flow.clip(min=0.0)
            if start and row[start]:
                total.loc[{"junction": row[start]}] += (-flow).clip(min=0.0)
    return total
