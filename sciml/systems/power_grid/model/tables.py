"""The tables of a pandapower network behind the arrays of a grid: elements, branches, buses."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.geometry import geo_points
from tvilling.sciml.systems.power_grid.model.grid import BranchGroup, Buses, Elements
from tvilling.sciml.systems.power_grid.model.unsupported import TABLES

VARYING = ("load", "sgen", "storage", "gen", "ext_grid")
DC_ENDS = ("to", "from")  # in the order in which pandapower makes their machines
ROOT3 = np.sqrt(3.0)
WIDE_MVAR = 1e9
SIDES = ("hv", "mv", "lv")


def elements_of(net: Any, bus_of: Any) -> dict[str, Elements]:
    """Every table whose power may vary, and the machines at the ends of DC lines.

    `bus_of` gives the grid's bus for rows of the bus table.
    """
    found = {}
    for kind in VARYING:
        table = net[kind]
        active = np.asarray(net["_is_elements"][kind], bool)
        sign = -1.0 if kind in ("load", "storage") else 1.0
        scaling = table["scaling"].to_numpy(float) if "scaling" in table else 1.0
        found[kind] = Elements(
            kind=kind,
            index=table.index.to_numpy(),
            name=_names(table, kind),
            bus=np.where(active, bus_of(table["bus"]), -1),
            sign=np.broadcast_to(sign * scaling, len(table)).astype(float),
            p_mw=_column(table, "p_mw"),
            q_mvar=_column(table, "q_mvar"),
            **_reactive_range(table, kind),
            slack_share=np.zeros(len(table)),
            slack_weight=_column(table, "slack_weight"),
        )
    found |= _slack_shares(net, found)
    return found | _dc_lines(net, found["gen"]) | {"xward": _extended_wards(net, bus_of)}


def _extended_wards(net: Any, bus_of: Any) -> Elements:
    """Extended wards, which may take part in a distributed slack with their power at the bus."""
    table, nothing = net.xward, np.zeros(len(net.xward))
    return Elements(
        kind="xward",
        index=table.index.to_numpy(),
        name=_names(table, "xward"),
        bus=np.where(np.asarray(net["_is_elements"]["xward"], bool), bus_of(table["bus"]), -1),
        sign=np.full(len(table), -1.0),
        p_mw=_column(table, "ps_mw"),
        q_mvar=_column(table, "qs_mvar"),
        q_min_mvar=nothing,
        q_max_mvar=nothing,
        slack_share=nothing,
        slack_weight=_column(table, "slack_weight"),
    )


def _dc_lines(net: Any, machines: Elements) -> dict[str, Elements]:
    """Generators of the file, and apart the two by which pandapower models each DC line."""
    own = len(machines.index) - 2 * len(net.dcline)
    values = {each.name: getattr(machines, each.name) for each in fields(Elements)}
    first = {name: one if name == "kind" else one[:own] for name, one in values.items()}
    rest = {name: one if name == "kind" else one[own:] for name, one in values.items()}
    rest["kind"] = "dcline"
    rest["index"] = np.repeat(net.dcline.index.to_numpy(), 2)
    names = [f"{name}, {end} end" for name in _names(net.dcline, "dcline") for end in DC_ENDS]
    rest["name"] = np.array(names, object)
    return {"gen": Elements(**first), "dcline": Elements(**rest)}


def _reactive_range(table: Any, kind: str) -> dict[str, np.ndarray]:
    """As pandapower has it for sharing: none for external grids, wide where nothing is given.

    Infinite limits count as wide, since a share of infinity is not a number.
    """
    wide = 0.0 if kind == "ext_grid" else WIDE_MVAR
    return {
        f"q_{side}_mvar": np.clip(_column(table, f"{side}_q_mvar", end), -wide, wide)
        for side, end in (("min", -wide), ("max", wide))
    }


def slack_weight(elements: Mapping[str, Elements], n: int) -> np.ndarray:
    """Weight of each bus in a distributed slack, by the tables' `slack_weight`."""
    weight = np.zeros(n)
    for kind in ("ext_grid", "gen", "xward"):
        one = elements[kind]
        on = np.flatnonzero(one.bus >= 0)
        np.add.at(weight, one.bus[on], one.slack_weight[on])
    return weight


def _slack_shares(net: Any, found: Mapping[str, Elements]) -> dict[str, Elements]:
    """External grids and slack generators with their share at their bus.

    By `slack_weight`, and equal where a bus has none.
    """
    acting = {kind: found[kind].bus >= 0 for kind in ("ext_grid", "gen")}
    own_slack = acting["gen"] & _column(net.gen, "slack").astype(bool)
    acting["gen"] &= own_slack
    bus = np.concatenate([found[kind].bus[acts] for kind, acts in acting.items()])
    weight = [_column(net[kind], "slack_weight")[acts] for kind, acts in acting.items()]
    top = int(bus.max(initial=-1)) + 1
    sums = np.bincount(bus, np.concatenate(weight), top)
    counts = np.bincount(bus, minlength=top)
    shared = {}
    for (kind, acts), own in zip(acting.items(), weight, strict=True):
        at = found[kind].bus[acts]
        share = np.zeros(len(acts))
        share[acts] = np.where(
            sums[at] > 0, own / np.where(sums[at] > 0, sums[at], 1.0), 1 / counts[at]
        )
        shared[kind] = replace(found[kind], slack_share=share)
    return shared


def _column(table: Any, name: str, missing: float = 0.0) -> np.ndarray:
    values = table[name].to_numpy(float) if name in table else np.full(len(table), np.nan)
    return np.nan_to_num(values, nan=missing)


def _names(table: Any, kind: str) -> np.ndarray:
    given = table["name"] if "name" in table else [None] * len(table)
    return np.array(
        [
            str(name) if isinstance(name, str) and name.strip() else f"{kind} {index}"
            for index, name in zip(table.index, given, strict=True)
        ],
        object,
    )


def groups_of(net: Any, active: np.ndarray, spans: Any) -> dict[str, BranchGroup]:
    """The branches of each table.

    Parameters
    ----------
    active
        Which rows of pandapower's branch matrix are in service.
    spans
        First and last row there, by table.
    """
    number = np.full(len(active), -1)
    number[active] = np.arange(active.sum())
    found = {}
    for kind, (first, last) in spans.items():
        if kind not in net or kind in TABLES:
            continue
        table = net[kind]
        if kind == "switch":
            table = table.loc[_impedance_switches(net)]
        sides = 3 if kind == "trafo3w" else 1
        rated = _rated(kind, table)
        found[kind] = BranchGroup(
            kind=kind,
            index=np.tile(table.index.to_numpy(), sides),
            name=np.tile(_names(table, kind), sides),
            branch=number[first:last],
            rated_ka_from=rated[0],
            rated_ka_to=rated[1],
            limit_percent=np.tile(_column(table, "max_loading_percent", np.nan), sides),
            rated_mva=_rated_mva(kind, table)
            if net["_options"]["trafo_loading"] == "power"
            else None,
        )
    return found


def _impedance_switches(net: Any) -> Any:
    """Switches that are branches, as pandapower chose them: between two buses in service."""
    return net.switch.index[np.asarray(net["_impedance_bb_switches"], dtype=bool)]


def _rated(kind: str, table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rated current of either end [kA], as pandapower's loading by current has it."""
    count = len(table)
    endless = np.full(count, np.inf)
    if kind == "line":
        rated = (table["max_i_ka"] * table["df"] * table["parallel"]).to_numpy(float)
        rated = np.where(rated > 0, rated, np.inf)
        return rated, rated
    if kind == "trafo":
        power = (table["sn_mva"] * table["parallel"] * table["df"]).to_numpy(float)
        return tuple(
            power / (ROOT3 * table[f"vn_{side}_kv"].to_numpy(float)) for side in ("hv", "lv")
        )
    if kind == "trafo3w":
        hv, mv, lv = (
            table[f"sn_{side}_mva"].to_numpy(float)
            / (ROOT3 * table[f"vn_{side}_kv"].to_numpy(float))
            for side in SIDES
        )
        return np.concatenate([hv, endless, endless]), np.concatenate([endless, mv, lv])
    return endless, endless


def _rated_mva(kind: str, table: Any) -> np.ndarray | None:
    """Rated power of every branch of transformers [MVA], by which pandapower's `power` loads."""
    if kind == "trafo":
        return (table["sn_mva"] * table["parallel"] * table["df"]).to_numpy(float)
    if kind == "trafo3w":
        return np.concatenate([table[f"sn_{side}_mva"].to_numpy(float) for side in SIDES])
    return None


def buses_of(net: Any, bus_of: Any) -> Buses:
    """The bus table; `bus_of` gives the grid's bus for its rows."""
    table = net.bus
    x, y = _places(table)
    limit = {
        side: table[side].to_numpy(float) if side in table else np.full(len(table), np.nan)
        for side in ("min_vm_pu", "max_vm_pu")
    }
    return Buses(
        index=table.index.to_numpy(),
        name=_names(table, "bus"),
        bus=bus_of(table.index),
        vn_kv=table["vn_kv"].to_numpy(float),
        vm_min_pu=limit["min_vm_pu"],
        vm_max_pu=limit["max_vm_pu"],
        x=x,
        y=y,
    )


def _places(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from the GeoJSON points in column `geo`."""
    points = np.full((len(table), 2), np.nan)
    for at, cell in enumerate(table.get("geo", [])):
        points[at] = next(iter(geo_points(cell)), np.nan)
    return points[:, 0], points[:, 1]
