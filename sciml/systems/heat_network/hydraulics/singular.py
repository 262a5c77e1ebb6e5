"""Networks whose flows or temperatures nothing determines, named before they are built."""

import numpy as np
import pandas as pd

from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables
from tvilling.sciml.systems.heat_network.topology.connectivity import NAMES_SHOWN, branches, parts

Edge = tuple[str, str, str, str]  # kind, name and both ends


def resistance_faults(tables: HeatNetworkTables) -> list[str]:
    """Loops without any resistance: their flow could be anything.

    Pipes without length, valves and exchangers without `zeta` and pumps with a constant lift
    resist no flow, and neither do sources of a stated lift or, between them, of a held pressure.
    """
    above: dict[str, tuple[str, Edge]] = {}
    faults = []
    for edge in _frictionless(tables):
        start, end = _path(above, edge[2]), _path(above, edge[3])
        if start[-1][0] == end[-1][0]:
            shared = {name for name, _ in start} & {name for name, _ in end}
            loop = [one for name, one in [*start, *end] if name not in shared and one]
            faults.append(_loop_fault([edge, *loop]))
        else:
            _hang(above, start, end[0][0], edge)
    return faults


def temperature_faults(tables: HeatNetworkTables) -> list[str]:
    """What `unknown_temperatures` says, where the temperature plays a part."""
    loses = (tables.pipes["loss_w_per_mk"] > 0).any() or (tables.exchangers["heat_w"] != 0).any()
    heats = (tables.consumers["heat_w"] > 0).any()
    return unknown_temperatures(tables) if loses or heats else []


def unknown_temperatures(tables: HeatNetworkTables) -> list[str]:
    """Parts in which water enters by injections alone, so that nothing states its temperature.

    Known from the tables alone where one open source takes in what the injections leave over.
    """
    position = {name: at for at, name in enumerate(tables.junctions["name"])}
    rows, consumers, sources = branches(tables), tables.consumers, tables.sources
    start = np.append(rows["start"].to_numpy(int), _at(position, consumers["from_junction"]))
    end = np.append(rows["end"].to_numpy(int), _at(position, consumers["to_junction"]))
    part = parts(len(position), start, end)
    opened = (sources["return_junction"] == "").to_numpy()
    feeds = part[_at(position, sources["supply_junction"])]
    flow = tables.injections["flow_kg_per_s"].to_numpy(float)
    places = part[_at(position, tables.injections["junction"])]
    faults = []
    for at in np.unique(places[flow > 0]):
        here = feeds == at
        if here.sum() == 1 and opened[here].all() and flow[places == at].sum() >= 0:
            names = list(tables.injections["name"][(places == at) & (flow > 0)])
            (source,) = sources["name"][here]
            faults.append(
                f"injections: {_listed(names)} bring in all the water of their part, since source "
                f"{source} only takes water out; nothing states its temperature"
            )
    return faults


def _at(position: dict[str, int], names: "pd.Series[str]") -> np.ndarray:
    return np.array([position[name] for name in names], dtype=int)


def _frictionless(tables: HeatNetworkTables) -> list[Edge]:
    """Everything that resists no flow."""
    pipes, valves = tables.pipes, tables.valves[tables.valves["is_open"].astype(bool)]
    pumps, closed = tables.pumps, tables.sources["return_junction"] != ""
    kinds = (
        ("pipes", pipes[(pipes["length_m"] == 0) & (pipes["zeta"] == 0)]),
        ("valves", valves[valves["zeta"] == 0]),
        ("exchangers", tables.exchangers[tables.exchangers["zeta"] == 0]),
        ("pumps", pumps[(pumps["lift1_bar_h_per_m3"] == 0) & (pumps["lift2_bar_h2_per_m6"] == 0)]),
    )
    edges = [
        (kind, row["name"], row["from_junction"], row["to_junction"])
        for kind, table in kinds
        for row in table.to_dict("records")
    ]
    lifted = tables.sources[closed & tables.sources["lift_bar"].notna()]
    edges += [
        ("sources", row["name"], row["return_junction"], row["supply_junction"])
        for row in lifted.to_dict("records")
    ]
    return edges


def _path(above: dict[str, tuple[str, Edge]], junction: str) -> list[tuple[str, Edge | None]]:
    """Junctions from `junction` to its root, each with the edge that leads on."""
    path: list[tuple[str, Edge | None]] = []
    while junction in above:
        following, edge = above[junction]
        path.append((junction, edge))
        junction = following
    return [*path, (junction, None)]


def _hang(
    above: dict[str, tuple[str, Edge]],
    path: list[tuple[str, Edge | None]],
    root: str,
    edge: Edge,
) -> None:
    """Turn the tree of `path` round so that its first junction hangs below `root` by `edge`."""
    following, by = root, edge
    for name, own in path:
        above[name] = (following, by)
        if own is None:
            return
        following, by = name, own


def _loop_fault(loop: list[Edge]) -> str:
    kinds = sorted({kind for kind, *_ in loop})
    names = [name for _, name, *_ in loop]
    return (
        f"{' and '.join(kinds)}: {_listed(names)} close a loop without resistance, whose flow "
        "nothing determines; give one of them a zeta above 0"
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(names[:NAMES_SHOWN])}{more}"
