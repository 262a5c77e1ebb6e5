"""What hangs together in a heat network: parts without a source, loops, paths."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

BRANCHES = ("pipes", "valves", "pumps", "exchangers")
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Connectivity:
    """What `connectivity` found.

    Attributes
    ----------
    faults
        Junctions and consumers that no opening of a valve can connect to a source.
    notes
        Junctions and consumers that closed valves cut off.
    """

    faults: tuple[str, ...]
    notes: tuple[str, ...]


def branches(tables: HeatNetworkTables, closed_valves: bool = False) -> pd.DataFrame:
    """Every element through which water passes freely, one row each.

    Columns `kind`, `name`, `start`, `end` (junctions by their position) and `length_m` [m].
    Consumers and sources are not among them; closed valves only on request.
    """
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    parts = []
    for kind in BRANCHES:
        table = getattr(tables, kind)
        if kind == "valves" and not closed_valves and len(table):
            table = table[table["is_open"].astype(bool)]
        if not len(table):
            continue
        parts.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "name": table["name"].to_numpy(),
                    "start": table["from_junction"].map(position).to_numpy(),
                    "end": table["to_junction"].map(position).to_numpy(),
                    "length_m": table["length_m"].to_numpy() if kind == "pipes" else 0.0,
                }
            )
        )
    columns = ["kind", "name", "start", "end", "length_m"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def parts(count: int, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Number of the connected part of each of `count` junctions."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(start)), (start, end)), shape=(count, count))
    return connected_components(edges, directed=False)[1]


def loop_count(tables: HeatNetworkTables) -> int:
    """Independent loops of pipes, open valves, pumps and exchangers.

    Edges less junctions plus connected parts; supply and return count each for itself, and
    consumers and sources close none.
    """
    rows = branches(tables)
    part = parts(len(tables.junctions), rows["start"].to_numpy(int), rows["end"].to_numpy(int))
    return len(rows) - len(tables.junctions) + len(np.unique(part))


def connectivity(tables: HeatNetworkTables) -> Connectivity:
    """Junctions and consumers of checked tables that have no path to a source, by name."""
    faults = _cut_off(tables, closed_valves=True)
    notes = [f"with the valves as set, {line}" for line in _cut_off(tables, False)]
    return Connectivity(tuple(faults), () if faults else tuple(notes))


def exchanged_consumers(tables: HeatNetworkTables) -> list[str]:
    """Consumers that draw from a part that only leads back, and return to one that is fed."""
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    rows = branches(tables, closed_valves=True)
    free = parts(len(position), rows["start"].to_numpy(int), rows["end"].to_numpy(int))
    fed = free[[position[name] for name in tables.sources["supply_junction"]]]
    drained = free[[position[name] for name in tables.sources["return_junction"] if name]]
    begin = free[tables.consumers["from_junction"].map(position).to_numpy(int)]
    finish = free[tables.consumers["to_junction"].map(position).to_numpy(int)]
    turned = np.isin(begin, drained) & np.isin(finish, fed) & ~np.isin(begin, fed)
    return list(tables.consumers["name"][turned & ~np.isin(finish, drained)])


def _cut_off(tables: HeatNetworkTables, closed_valves: bool) -> list[str]:
    """Lines that name what has no path to a source."""
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    consumers, sources = tables.consumers, tables.sources
    rows = branches(tables, closed_valves)
    start, end = rows["start"].to_numpy(int), rows["end"].to_numpy(int)
    free = parts(len(position), start, end)
    feeds = [position[name] for name in sources["supply_junction"]]
    exits = [position[name] for name in sources["return_junction"] if name]
    begin = consumers["from_junction"].map(position).to_numpy(int)
    finish = consumers["to_junction"].map(position).to_numpy(int)
    through = parts(len(position), np.append(start, begin), np.append(end, finish))
    alone = ~np.isin(through, through[feeds + exits])
    lines = _named("junction", tables.junctions["name"].to_numpy()[alone], "no path to a source")
    if len(exits) < len(feeds) or not len(consumers):
        return lines
    names = consumers["name"].to_numpy()
    fed, drained = np.isin(free[begin], free[feeds]), np.isin(free[finish], free[exits])
    turned = np.isin(names, exchanged_consumers(tables))
    lines += _named("consumer", names[turned], "supply and return exchanged")
    lines += _named("consumer", names[~fed & ~turned], "no path from a source on the supply side")
    lines += _named("consumer", names[~drained & ~turned], "no path to a source on the return side")
    return lines


def _named(kind: str, names: np.ndarray, what: str) -> list[str]:
    if not len(names):
        return []
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    verb = f"{kind} {names[0]} has" if len(names) == 1 else f"{len(names)} {kind}s have"
    listed = "" if len(names) == 1 else f": {', '.join(names[:NAMES_SHOWN])}{more}"
    return [f"{verb} {what}{listed}"]
