"""Labelled results of power flows: names, units, outcomes, and what they rest on."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.generators import KINDS, machines
from tvilling.sciml.systems.power_grid.results.planner_units import (
    branch_flows,
    loads,
    sides,
    va_degree,
    vm_pu,
)
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Outcome, Tolerance

if TYPE_CHECKING:
    import xarray as xr

Variables = dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]
SHOWN = ("line", "trafo", "trafo3w", "impedance")  # tables with a dimension of their own
SIDES = {"trafo": ("hv", "lv"), "line": ("from", "to"), "impedance": ("from", "to")}
QUANTITIES = (("p", "mw", "MW"), ("q", "mvar", "Mvar"), ("i", "ka", "kA"))


def label(
    flow: Flow,
    varying: Mapping[str, np.ndarray] | None = None,
    lead: Mapping[str, Any] | None = None,
    **attrs: str,
) -> "xr.Dataset":
    """All results of `flow` by `scenario` and by bus, line, transformer and machine.

    Scenarios without a solution are NaN, and `outcome` says so.

    Parameters
    ----------
    varying
        What `solve` was given.
    lead
        Name of the first dimension, and what stands along it; by default `scenario`, numbered.
    **attrs
        Further attributes.
    """
    import xarray as xr

    grid = flow.grid
    (first, along), *_ = (lead or {"scenario": np.arange(len(flow.e))}).items()
    variables = main_variables(flow, first)
    variables["va_degree"] = (
        (first, "bus"),
        va_degree(flow),
        {"units": "degree", "long_name": "voltage angle"},
    )
    for kind in SHOWN:
        if kind in grid.groups:
            variables |= _branch_variables(flow, kind, first)
    found = machines(flow, varying)
    along_wards = {}
    if "xward" in found and grid.elements["xward"].slack_weight.any():
        wards = grid.elements["xward"]
        along_wards = {"xward": unique(wards.name, wards.index)}
    for kind in [*_given(grid), *along_wards]:
        for name, values, unit in (
            ("p_mw", found[kind].p_mw, "MW"),
            ("q_mvar", found[kind].q_mvar, "Mvar"),
        ):
            text = {"units": unit, "long_name": f"given by {kind}"}
            variables[f"{kind}_{name}"] = ((first, kind), values, text)
    return xr.Dataset(
        variables,
        {first: np.asarray(along), **coordinates(grid), **along_wards},
        attributes(grid) | {"start": flow.start} | attrs,
    )


def main_variables(flow: Flow, first: str = "scenario") -> Variables:
    """Voltages, loadings, losses and outcome."""
    found = loads(flow)
    band = {"units": "1", "long_name": "voltage, of the rated one"}
    variables: Variables = {"vm_pu": ((first, "bus"), vm_pu(flow), band)}
    for kind, values in found.percent.items():
        variables[f"{kind}_loading_percent"] = ((first, kind), values, loading_attrs(kind))
    lost = {"units": "MW", "long_name": "active power lost in all branches"}
    variables["losses_mw"] = ((first,), found.losses_mw, lost)
    return variables | outcome_variables(flow, first)


def loading_attrs(kind: str) -> dict[str, Any]:
    """Attributes of the loading of `kind`."""
    return {"units": "percent", "long_name": f"current of a {kind}, of the rated one"}


def outcome_variables(flow: Flow, first: str = "scenario") -> Variables:
    """What came of each scenario, as a flag of the CF conventions (section 3.5), and how well."""
    row_of = np.full(flow.grid.n_bus + 1, -1, np.int32)
    bus = flow.grid.buses.bus
    row_of[bus[::-1]] = np.arange(len(bus), dtype=np.int32)[::-1]  # the first of those joined
    row_of[-1] = -1
    return {
        "outcome": (
            (first,),
            np.asarray(flow.outcome, np.int8),
            {
                "long_name": "what came of the power flow",
                "flag_values": np.array([int(one) for one in Outcome], np.int8),
                "flag_meanings": " ".join(one.name.lower() for one in Outcome),
            },
        ),
        "reached": (
            (first,),
            np.asarray(flow.reached),
            {
                "units": "1",
                "long_name": "share of the scenario up to which there is a solution",
                "comment": "where the outcome is unknown, up to which one is known; NaN for none",
            },
        ),
        "weakest_bus": (
            (first,),
            row_of[flow.weakest],
            {
                "long_name": "position along bus of the voltage that gives way first",
                "comment": "-1 where the scenario is solved, or where it lies inside an element",
            },
        ),
        "mismatch_pu": (
            (first,),
            np.asarray(flow.worst_pu),
            {"units": "1", "long_name": "greatest mismatch of power left, of the base power"},
        ),
    }


def coordinates(grid: PowerGrid) -> dict[str, Any]:
    """Names of buses, branches and machines, with what is known of the buses.

    `node` is equal for buses that closed switches join; -1 where there is no supply.
    """
    buses = grid.buses
    found: dict[str, Any] = {
        "bus": unique(buses.name, buses.index),
        "bus_index": ("bus", buses.index),
        "node": ("bus", buses.bus.astype(np.int32)),
        "vn_kv": ("bus", buses.vn_kv, {"units": "kV", "long_name": "rated voltage"}),
    }
    for kind in SHOWN:
        if kind in grid.groups:
            group = grid.groups[kind]
            rows = len(group.name) // sides(group)
            found[kind] = unique(group.name[:rows], group.index[:rows])
    for kind in _given(grid):
        found[kind] = unique(grid.elements[kind].name, grid.elements[kind].index)
    return found | unserved_coordinates(grid)


def _given(grid: PowerGrid) -> list[str]:
    """Tables of machines that have rows."""
    return [kind for kind in KINDS if len(grid.elements[kind].index)]


def unserved_coordinates(grid: PowerGrid) -> dict[str, Any]:
    """Elements that no slack reaches, their buses and powers; empty where there are none."""
    found = grid.unserved
    if not len(found.name):
        return {}
    powers = {
        f"unserved_{name}_mw": (
            "unserved",
            values,
            {"units": "MW", "long_name": f"{name} without supply, with the power of the file"},
        )
        for name, values in (("load", found.load_mw), ("generation", found.generation_mw))
    }
    bus = unique(grid.buses.name, grid.buses.index)[found.bus]
    return {"unserved": found.name.astype(str), "unserved_bus": ("unserved", bus), **powers}


def near(wanted: str, names: Sequence[str]) -> str:
    """Some of `names` that are like `wanted`, as the end of a sentence; empty where none is."""
    from difflib import get_close_matches

    close = get_close_matches(wanted, list(dict.fromkeys(names)), n=3, cutoff=0.5)
    return f"; near are {', '.join(close)}" if close else ""


def unique(names: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The names; those that stand twice with the row of the table behind them."""
    _, at, count = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    twice = count[at] > 1
    told = [
        f"{name} (row {row})" if double else str(name)
        for name, row, double in zip(names, index, twice, strict=True)
    ]
    return np.array(told, str)


def attributes(grid: PowerGrid) -> dict[str, Any]:
    """What a result rests on."""
    return {
        "Conventions": "CF-1.11",
        "tvilling_version": version("tvilling"),
        "source": grid.source,
        "notes": "\n".join(grid.notes),
        "base_mva": grid.base_mva,
        "tolerance_pu": Tolerance().of(grid),
    }


def _branch_variables(flow: Flow, kind: str, first: str) -> Variables:
    """Power and current at every end of the branches of `kind`."""
    found = branch_flows(flow, kind)
    rows = len(flow.grid.groups[kind].branch) // (3 if kind == "trafo3w" else 1)
    if kind == "trafo3w":  # the first of the three branches begins at its terminal
        places = {"hv": ("from", 0), "mv": ("to", 1), "lv": ("to", 2)}
    else:
        places = {side: (end, 0) for side, end in zip(SIDES[kind], ("from", "to"), strict=True)}
    variables: Variables = {}
    for side, (end, third) in places.items():
        for quantity, suffix, unit in QUANTITIES:
            values = getattr(found, f"{quantity}_{end}_{suffix}")
            variables[f"{kind}_{quantity}_{side}_{suffix}"] = (
                (first, kind),
                values[:, third * rows : (third + 1) * rows],
                {"units": unit, "long_name": f"into a {kind} at its {side} end"},
            )
    lost = found.pl_mw.reshape(len(found.pl_mw), -1, rows).sum(axis=1)
    attrs = {"units": "MW", "long_name": f"active power lost in a {kind}"}
    variables[f"{kind}_pl_mw"] = ((first, kind), lost, attrs)
    return variables
