"""Which sources hold the pressure of a network.

An open source always holds its own: water comes and goes through it as the pressures have it. A
closed source sends out just what it takes back, so it can hold a level only where nothing else
does; of several in a part without an open source one is taken.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import branches, parts

DEFAULT_SUPPLY_BAR = 6.0


def is_pumped(sources: pd.DataFrame) -> "pd.Series":
    """Closed sources whose flow follows from a lift."""
    return (sources["return_junction"] != "") & sources["flow_kg_per_s"].isna()


def holds_pressure(tables: HeatNetworkTables) -> Bool[np.ndarray, " source"]:
    """Sources whose `supply_bar` is held, of checked tables.

    In a part without an open source it is the first closed one that states a `supply_bar`, or the
    first one if none does.
    """
    sources, part = tables.sources, _parts(tables)
    opened = (sources["return_junction"] == "").to_numpy()
    stated = sources["supply_bar"].notna().to_numpy()
    at = part[_position(tables, sources["supply_junction"])]
    held = opened.copy()
    for source in [*np.flatnonzero(~opened & stated), *np.flatnonzero(~opened & ~stated)]:
        if at[source] not in at[held]:
            held[source] = True
    return held


def unheld_notes(tables: HeatNetworkTables) -> list[str]:
    """One line for each source that states a pressure which another one decides."""
    sources, part = tables.sources, _parts(tables)
    held = holds_pressure(tables)
    at = part[_position(tables, sources["supply_junction"])]
    lines = []
    for source in np.flatnonzero(~held & sources["supply_bar"].notna().to_numpy()):
        row = sources.iloc[source]
        holders = ", ".join(sources["name"][held & (at == at[source])])
        lines.append(
            f"source {row['name']}: its pressure of {row['supply_bar']:g} bar is not held; it "
            f"sends out what it takes back, and {holders} holds the pressure"
        )
    return lines


def _parts(tables: HeatNetworkTables) -> np.ndarray:
    """Connected part of each junction; sources with a lift connect too."""
    rows, pumped = branches(tables), tables.sources[is_pumped(tables.sources)]
    ends = [
        np.append(rows[side].to_numpy(int), _position(tables, pumped[junction]))
        for side, junction in (("start", "supply_junction"), ("end", "return_junction"))
    ]
    return parts(len(tables.junctions), *ends)


def _position(tables: HeatNetworkTables, names: "pd.Series") -> np.ndarray:
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    return names.map(position).to_numpy(int)
