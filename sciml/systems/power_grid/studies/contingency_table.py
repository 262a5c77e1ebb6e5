"""Contingencies as a planner reads them: the worst first, and what they come to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.systems.power_grid.results.violations import (
    COLUMNS,
    SLACK_PERCENT,
    SLACK_PU,
    Limits,
    unserved_buses,
)
from tvilling.sciml.systems.power_grid.solver.flow import Outcome, holds

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SAME_MW, SAME_PERCENT = 1e-6, 1e-3  # load lost and loadings that differ by less are equal


def ranked(data: "xr.Dataset") -> "pd.DataFrame":
    """A row for each contingency, in the scenario in which it is worst; the worst first.

    Contingencies without a solution come first, by the share of the scenario that has one; then
    those that lose most load, break most limits, load a branch most, and lower a voltage most.

    Parameters
    ----------
    data
        As `contingency.study` gives it.

    Returns
    -------
    Columns `contingency`, `kind`, `scenario`, `outcome`, `lost_buses`, `lost_load_mw`,
    `violations`, `new_violations`, `loading_percent`, `loading_branch`, `vm_min_pu`, `vm_min_bus`,
    `vm_max_pu`, `vm_max_bus`, `reached`, `weakest_bus`, with names for positions.
    """
    import pandas as pd

    order = _worst_first(data)
    contingencies = data.sizes["contingency"]
    _, first = np.unique(order % contingencies, return_index=True)
    scenario, at = np.divmod(order[np.sort(first)], contingencies)

    def column(name: str) -> np.ndarray:
        return np.asarray(data[name].values[scenario, at])

    def named(name: str, names: np.ndarray) -> np.ndarray:
        place = column(name)
        return np.where(place >= 0, names[place], "")

    bus = data["bus"].values
    branch = np.append(data["branch_name"].values, "")
    kinds = data["contingency_kind"].values[at]
    outcome = [Outcome(int(value)).name.lower() for value in column("outcome")]
    return pd.DataFrame(
        {
            "contingency": data["contingency"].values[at],
            "kind": kinds,
            "scenario": data["scenario"].values[scenario],
            "outcome": outcome,
            "lost_buses": column("lost_buses"),
            "lost_load_mw": column("lost_load_mw"),
            "violations": column("violations"),
            "new_violations": column("new_violations"),
            "loading_percent": column("loading_percent"),
            "loading_branch": named("loading_branch", branch),
            "vm_min_pu": column("vm_min_pu"),
            "vm_min_bus": named("vm_min_bus", bus),
            "vm_max_pu": column("vm_max_pu"),
            "vm_max_bus": named("vm_max_bus", bus),
            "reached": column("reached"),
            "weakest_bus": named("weakest_bus", bus),
        }
    )


def _worst_first(data: "xr.Dataset") -> np.ndarray:
    """Positions in (scenario, contingency), flat, the worst first."""
    flat = {name: data[name].values.ravel() for name in data if data[name].ndim == 2}
    solved = holds(flat["outcome"])
    lost = np.round(flat["lost_load_mw"] / SAME_MW)
    keys = (
        np.nan_to_num(flat["vm_min_pu"], nan=1.0),
        -np.round(np.nan_to_num(flat["loading_percent"], nan=0.0) / SAME_PERCENT),
        -flat["violations"],
        -lost,
        np.where(solved, 1.0, np.nan_to_num(flat["reached"], nan=0.0)),
        solved,
    )
    return np.lexsort(keys)


def sums(data: "xr.Dataset") -> dict[str, bool | int | float]:
    """What the study comes to.

    A grid is secure where every contingency has a solution, loses no load and breaks no limit,
    and where no load is without supply before any outage.

    Returns
    -------
    `secure`; how many contingencies there are, and how many of them, in any scenario, have
    `no_solution`, are `not_known` (neither a solution nor a nose was found), `lose_load`,
    `break_limits`, `break_new_limits`; the greatest `lost_load_mw` and `loading_percent`; the
    least `vm_min_pu`; and without outages, `base_violations` and `base_lost_load_mw`.
    """
    lost_mw = data["lost_load_mw"]

    def count(where: "xr.DataArray") -> int:
        return int(where.any("scenario").sum())

    found = {
        "contingencies": data.sizes["contingency"],
        "scenarios": data.sizes["scenario"],
        "no_solution": count(data["outcome"] == Outcome.INFEASIBLE),
        "not_known": count(data["outcome"] == Outcome.UNKNOWN),
        "lose_load": count(lost_mw > SAME_MW),
        "break_limits": count(data["violations"] > 0),
        "break_new_limits": count(data["new_violations"] > 0),
    }
    base_lost_mw = float(sum(load_mw for _, load_mw in unserved_buses(data)))
    failed = sum(found[name] for name in ("no_solution", "not_known", "lose_load", "break_limits"))
    return {
        "secure": failed == 0 and base_lost_mw <= SAME_MW,
        **found,
        "lost_load_mw": float(lost_mw.max()),
        "loading_percent": float(data["loading_percent"].max()),
        "vm_min_pu": float(data["vm_min_pu"].min()),
        "base_violations": int(data["base_violations"].sum()),
        "base_lost_load_mw": base_lost_mw,
    }


def broken_limits(data: "xr.Dataset", limits: Limits) -> "pd.DataFrame":
    """A row for each bus and branch whose limit some contingency breaks, the worst first.

    Columns are those of `violations.violations`; `when` is the contingency in which it is worst,
    `count` in how many (times scenarios) it is broken. First stand buses that have no supply
    without outages either. Buses that closed switches join have one
    row.
    """
    import pandas as pd

    always = ("without outages", data["outcome"].size)
    dark = [
        (name, "bus", "no supply", 0.0, load_mw, "MW", *always)
        for name, load_mw in unserved_buses(data)
    ]
    rows = [*dark, *_voltages(data, limits), *_loadings(data, limits)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _named(data: "xr.Dataset", number: int) -> str:
    """The contingency, and the scenario where there are several."""
    scenario, at = divmod(number, data.sizes["contingency"])
    name = str(data["contingency"].values[at])
    one = data["scenario"].values
    return name if len(one) == 1 else f"{name}, {one[scenario]}"


def _voltages(data: "xr.Dataset", limits: Limits) -> Iterator[tuple[Any, ...]]:
    found, (node, first) = [], np.unique(data["node"].values, return_index=True)
    own = first[node >= 0]  # one of the buses that closed switches join
    for words, end, limit, sign in (
        ("voltage below", "min", limits.vm_min_pu, 1.0),
        ("voltage above", "max", limits.vm_max_pu, -1.0),
    ):
        vm = data[f"bus_vm_{end}_pu"].values
        number, count = data[f"bus_vm_{end}_when"].values, data["bus_violations"].values
        beyond = sign * (limit - vm)
        for at in own[beyond[own] > SLACK_PU]:
            where = (str(data["bus"].values[at]), "bus", words, float(limit[at]), float(vm[at]))
            row = (*where, "p.u.", _named(data, int(number[at])), int(count[at]))
            found.append((beyond[at], row))
    yield from (row for _, row in sorted(found, key=lambda each: -each[0]))


def _loadings(data: "xr.Dataset", limits: Limits) -> Iterator[tuple[Any, ...]]:
    kinds, names = data["branch_kind"].values, data["branch_name"].values
    limit = np.concatenate([[], *(limits.loading_percent[kind] for kind in _order(kinds))])
    loading, number = data["branch_loading_percent"].values, data["branch_when"].values
    above = loading - limit
    for at in np.argsort(-above, kind="stable"):
        if above[at] > SLACK_PERCENT:
            where = (str(names[at]), str(kinds[at]), "loading", float(limit[at]))
            count = int(data["branch_violations"].values[at])
            yield (*where, float(loading[at]), "%", _named(data, int(number[at])), count)


def _order(kinds: np.ndarray) -> list[str]:
    """Each kind once, in the order in which they stand."""
    return list(dict.fromkeys(str(kind) for kind in kinds))
