"""A pandapower network as a `PowerGrid`, through pandapower's own conversion.

Every element is therefore modelled as pandapower does: switches, taps, three-winding transformers,
wards, equivalents. What pandapower solves with further unknowns of its own (FACTS, HVDC
converters, lines whose resistance follows their temperature) is refused by name.
"""

import warnings
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import numpy as np

from tvilling.sciml.errors import InputError
from tvilling.sciml.systems.power_grid.branches import Branches
from tvilling.sciml.systems.power_grid.grid import BranchGroup, Buses, Elements, PowerGrid
from tvilling.sciml.systems.power_grid.refused import MODEL, TABLES, refused_elements, unsound
from tvilling.sciml.systems.power_grid.unserved import unserved_of

# pypower's columns (pandapower/pypower/idx_bus.py, idx_brch.py, idx_gen.py)
BUS_TYPE, PD, QD, GS, BS, VM, VA, BASE_KV = 1, 2, 3, 4, 5, 7, 8, 9
CID_P, CZD_P, CID_Q, CZD_Q = 13, 14, 16, 17
F_BUS, T_BUS, BR_R, BR_X, BR_B, TAP, SHIFT, STATUS = 0, 1, 2, 3, 4, 8, 9, 10
R_ASYM, X_ASYM, BR_G, G_ASYM, B_ASYM = 21, 22, 23, 24, 25
GEN_BUS, PG, QMAX, QMIN, VG, GEN_STATUS = 0, 1, 3, 4, 5, 7
VARYING = ("load", "sgen", "storage", "gen", "ext_grid")
DC_ENDS = ("to", "from")  # in the order in which pandapower makes their machines
ROOT3 = np.sqrt(3.0)
WIDE_MVAR = 1e9


def from_pandapower(
    net: Any, source: str = "pandapower network", notes: tuple[str, ...] = (), **options: Any
) -> PowerGrid:
    """The grid of a pandapower network; `net` is left as it is.

    Parameters
    ----------
    source, notes
        Where the network came from, and what its reader repaired.
    **options
        As `pandapower.runpp` takes them, where they say how to model (`trafo_model`,
        `calculate_voltage_angles`, `switch_rx_ratio`, `trafo3w_losses` …).

    Raises
    ------
    InputError
        With every element that cannot be modelled, option that is not known, and bus or branch
        without a number that it needs.
    """
    theirs = net.get("user_pf_options", {})
    options = {name: value for name, value in theirs.items() if name in MODEL} | options
    faults = refused_elements(net, options)
    if faults:
        raise InputError(source, faults)
    notes += tuple(
        f"{name} of the file's own options is left to whoever solves it"
        for name in ("enforce_q_lims", "distributed_slack")
        if theirs.get(name)
    )
    given, net = net, deepcopy(net)
    ppci = _convert(net, options, source)
    lookup = net["_pd2ppc_lookups"]
    bus, gen, branch = ppci["bus"].real, ppci["gen"].real, ppci["branch"]
    n = len(bus)
    bus_of = _bus_of(net, lookup, n)
    base = float(ppci["baseMVA"])
    on = gen[:, GEN_STATUS] > 0
    gen_bus = gen[on, GEN_BUS].astype(int)
    slack, held = _kinds(ppci)
    vm = np.ones(n)
    vm[gen_bus] = gen[on, VG]
    p_gen = np.zeros(n)
    np.add.at(p_gen, gen_bus, gen[on, PG])
    q_min, q_max = np.zeros(n), np.zeros(n)
    np.add.at(q_min, gen_bus, gen[on, QMIN])
    np.add.at(q_max, gen_bus, gen[on, QMAX])
    depends = np.flatnonzero((bus[:, [CID_P, CZD_P, CID_Q, CZD_Q]] != 0).any(axis=1))
    elements = _elements(net, bus_of)
    flat = np.where(vm == 1.0, bus[:, VM], vm) * np.exp(1j * np.radians(bus[:, VA]))
    grid = PowerGrid(
        source=source,
        base_mva=base,
        vn_kv=bus[:, BASE_KV],
        from_bus=branch[:, F_BUS].real.astype(int),
        to_bus=branch[:, T_BUS].real.astype(int),
        branches=_branches(branch),
        shunt_g=bus[:, GS] / base,
        shunt_b=bus[:, BS] / base,
        p_pu=(p_gen - bus[:, PD]) / base,
        q_pu=-bus[:, QD] / base,
        slack=slack,
        slack_va_rad=np.radians(bus[slack, VA]),
        held=held,
        vm_pu=vm,
        q_min_pu=q_min[held] / base,
        q_max_pu=q_max[held] / base,
        slack_weight=_slack_weight(net, elements, n),
        depends=depends,
        depends_share=bus[depends][:, [CID_P, CZD_P, CID_Q, CZD_Q]],
        depends_p_pu=-bus[depends, PD] / base,
        depends_q_pu=-bus[depends, QD] / base,
        elements=elements,
        groups=_groups(net, ppci["internal"]["branch_is"], lookup["branch"]),
        buses=_buses(net, bus_of),
        start=flat,
        notes=notes,
        unserved=unserved_of(given, bus_of(given.bus.index)),
    )
    faults = unsound(grid)
    if faults:
        raise InputError(source, faults)
    return grid


def _convert(net: Any, options: Mapping[str, Any], source: str) -> Any:
    """Pandapower's matrices of all elements and of those in service, before any power flow."""
    from pandapower.auxiliary import _add_auxiliary_elements, _init_runpp_options
    from pandapower.pd2ppc import _pd2ppc
    from pandapower.pf.run_dc_pf import _run_dc_pf
    from pandapower.results import init_results

    chosen: dict[str, Any] = {
        "algorithm": "nr",
        "calculate_voltage_angles": True,
        "init": "dc",
        "max_iteration": 10,
        "tolerance_mva": 1e-8,
        "trafo_model": "t",
        "trafo_loading": "current",
        "enforce_q_lims": False,
        "check_connectivity": True,
        "voltage_depend_loads": True,
        "numba": False,  # compiling for one conversion takes longer than it saves
    }
    chosen |= options
    passed = {**net.get("user_pf_options", {}), **chosen}  # so that nothing overrules it
    _init_runpp_options(net, **chosen, passed_parameters=passed)
    _add_auxiliary_elements(net)
    init_results(net)
    empty = np.array([], dtype=np.int64)
    net["_pd2ppc_lookups"] = {
        key: empty for key in ("bus", "bus_dc", "ext_grid", "gen", "branch", "branch_dc")
    }
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "tap_dependency_table is missing in net")
            _, ppci = _pd2ppc(net)
    except UserWarning as error:  # pandapower raises it where there is no slack
        raise InputError(source, [str(error)]) from None
    power = ppci["bus"][:, [PD, QD]].copy(), ppci["gen"][:, PG].copy()
    angle = ppci["bus"][:, VA].copy()
    with suppress(FloatingPointError):  # branches without reactance, of which it knows nothing
        ppci = _run_dc_pf(ppci, None)  # for the angles to start with
    if not np.isfinite(ppci["bus"][:, VA]).all():
        ppci["bus"][:, VA] = angle
    ppci["bus"][:, [PD, QD]], ppci["gen"][:, PG] = power
    return ppci


def _kinds(ppci: Any) -> tuple[np.ndarray, np.ndarray]:
    from pandapower.pypower.bustypes import bustypes

    slack, held, _ = bustypes(ppci["bus"], ppci["gen"])
    return np.sort(slack).astype(int), np.sort(held).astype(int)


def _bus_of(net: Any, lookup: Any, n: int) -> Any:
    """Bus of the grid for rows of the bus table; -1 where it is out of service."""
    table = lookup["bus"]

    def find(rows: Any) -> np.ndarray:
        found = table[np.asarray(rows, int)]
        return np.where((found >= 0) & (found < n), found, -1)

    return find


def _branches(branch: Any) -> Branches:
    real: Any = branch.real
    tap = real[:, TAP]
    r, x, g, b = (real[:, column] for column in (BR_R, BR_X, BR_G, BR_B))
    return Branches(
        r=r,
        x=x,
        g=g,
        b=b,
        r_asym=real[:, R_ASYM],
        x_asym=real[:, X_ASYM],
        g_asym=real[:, G_ASYM],
        b_asym=real[:, B_ASYM],
        ratio=tap + (tap == 0),
        shift_rad=np.radians(real[:, SHIFT]),
    )


def _elements(net: Any, bus_of: Any) -> dict[str, Elements]:
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
        )
    found |= _slack_shares(net, found)
    return found | _dc_lines(net, found["gen"])


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
    """As pandapower has it for sharing: none for external grids, wide where nothing is given."""
    wide = 0.0 if kind == "ext_grid" else WIDE_MVAR
    return {
        "q_min_mvar": _column(table, "min_q_mvar", -wide) if wide else np.zeros(len(table)),
        "q_max_mvar": _column(table, "max_q_mvar", wide) if wide else np.zeros(len(table)),
    }


def _slack_weight(net: Any, elements: Mapping[str, Elements], n: int) -> np.ndarray:
    """Share of each bus in what distributed slack makes up, by the tables' `slack_weight`."""
    weight = np.zeros(n)
    for kind in ("ext_grid", "gen"):
        on = np.flatnonzero(elements[kind].bus >= 0)  # rows of DC lines come after the file's own
        np.add.at(weight, elements[kind].bus[on], _column(net[kind], "slack_weight")[on])
    return weight / weight.sum() if weight.any() else weight


def _slack_shares(net: Any, found: Mapping[str, Elements]) -> dict[str, Elements]:
    """External grids and slack generators with their share at their bus.

    By `slack_weight`, and equal where a bus has none. At other buses generators with a weight
    share what a distributed slack puts there.
    """
    acting = {kind: found[kind].bus >= 0 for kind in ("ext_grid", "gen")}
    own_slack = acting["gen"] & _column(net.gen, "slack").astype(bool)
    held = [found["ext_grid"].bus[acting["ext_grid"]], found["gen"].bus[own_slack]]
    elsewhere = ~np.isin(found["gen"].bus, np.concatenate(held))
    acting["gen"] &= own_slack | (elsewhere & (_column(net.gen, "slack_weight") > 0))
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


def _groups(net: Any, active: np.ndarray, spans: Any) -> dict[str, BranchGroup]:
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
        )
    return found


def _impedance_switches(net: Any) -> Any:
    switch = net.switch
    chosen = (switch["et"] == "b") & switch["closed"].astype(bool) & (switch["z_ohm"] > 0)
    return switch.index[chosen]


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
            for side in ("hv", "mv", "lv")
        )
        return np.concatenate([hv, endless, endless]), np.concatenate([endless, mv, lv])
    return endless, endless


def _buses(net: Any, bus_of: Any) -> Buses:
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
    import json

    points = np.full((len(table), 2), np.nan)
    for at, text in enumerate(table.get("geo", [])):
        if isinstance(text, str) and text.startswith("{"):
            place = json.loads(text).get("coordinates", [])
            if len(place) >= 2:
                points[at] = place[:2]
    return points[:, 0], points[:, 1]
