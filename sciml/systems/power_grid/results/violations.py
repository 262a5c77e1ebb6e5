"""Which limits a grid breaks, where, how far and how often."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import attributes, coordinates, main_variables
from tvilling.sciml.systems.power_grid.results.planner_units import sides
from tvilling.sciml.systems.power_grid.solver.flow import Flow, Outcome

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SLACK_PU, SLACK_PERCENT = 1e-6, 1e-3  # a limit met to within what single precision holds is kept
NO_SOLUTION, NOT_KNOWN = "no solution", "not known"  # quantities of whole scenarios
COLUMNS = ("element", "kind", "quantity", "limit", "worst", "unit", "when", "count")
RATED = ("line", "trafo", "trafo3w")
GAPS = 3  # that are told one by one
ASSUMED = {"least voltage": 0.9, "greatest voltage": 1.1, "loading": 100.0}


@dataclass(frozen=True)
class Limits:
    """What a grid is held to.

    Attributes
    ----------
    vm_min_pu, vm_max_pu
        Band of the voltage at every bus of the file [p.u.].
    loading_percent
        Greatest loading by table of the file `[row]` [%].
    notes
        What was assumed where the file has no limits.
    """

    vm_min_pu: np.ndarray
    vm_max_pu: np.ndarray
    loading_percent: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()


def limits_of(
    grid: PowerGrid,
    vm_min_pu: float | None = None,
    vm_max_pu: float | None = None,
    loading_percent: float | None = None,
) -> Limits:
    """The limits of the file; those given here in their place; where there are none, `ASSUMED`."""
    buses, notes = grid.buses, list[str]()
    band = []
    for side, own, given in (
        ("least voltage", buses.vm_min_pu, vm_min_pu),
        ("greatest voltage", buses.vm_max_pu, vm_max_pu),
    ):
        words = f"buses have no {side} in the file"
        band.append(_chosen(own, given, (ASSUMED[side], " p.u."), words, notes))
    loading = {}
    for kind in RATED:
        if kind in grid.groups:
            group = grid.groups[kind]
            own = group.limit_percent[: len(group.name) // sides(group)]
            words = f"{kind} rows have no greatest loading in the file"
            limit = (ASSUMED["loading"], " %")
            loading[kind] = _chosen(own, loading_percent, limit, words, notes)
    return Limits(band[0], band[1], loading, tuple(notes))


def _chosen(
    own: np.ndarray,
    given: float | None,
    assumed: tuple[float, str],
    words: str,
    notes: list[str],
) -> np.ndarray:
    """`given` for all, or else the file's `own` with what is assumed where that has a gap."""
    if given is not None:
        return np.full(len(own), given)
    value, unit = assumed
    gaps = np.isnan(own)
    if gaps.any():
        notes.append(f"{int(gaps.sum())} of {len(own)} {words}: {value:g}{unit} is assumed.")
    return np.where(gaps, value, own)


def violations(found: "Flow | xr.Dataset", limits: Limits) -> "pd.DataFrame":
    """Every limit that is broken, a row for each element and limit.

    First stand scenarios that have no solution, by the bus whose voltage gives way: `limit` is
    the whole scenario, `worst` the share of it that has a solution; then those of which it is not
    known whether they have one, `worst` the share that is known to, or NaN. Then buses without
    supply: in every scenario those whose elements no slack reaches in the file, `worst` their load
    there; in some, those that outages cut off. Then voltages by how far they are out of their band,
    and loadings by how far they are above.

    Buses that closed switches join have one voltage, and one row.

    Parameters
    ----------
    found
        A power flow, or its results as `label` or `year` give them.

    Returns
    -------
    Columns `element`, `kind` (bus, line, trafo, trafo3w, scenario), `quantity`, `limit`, `worst`,
    `unit`, `when` the worst is met, `count` of scenarios or steps in which it is broken, and
    `hours` where they are steps in time.
    """
    import pandas as pd

    data = _dataset(found) if isinstance(found, Flow) else found
    rows = [
        *_unsolved(data),
        *_without_supply(data),
        *_unsupplied(data),
        *_voltages(data, limits),
        *_loadings(data, limits),
    ]
    told = [(*row, int(broken.sum())) for *row, broken in rows]
    table = pd.DataFrame(told, columns=list(COLUMNS))
    step_h = step_hours(data)
    if step_h is not None:
        table["hours"] = [float(step_h[broken].sum()) for *_, broken in rows]
    return table


def step_hours(data: "xr.Dataset") -> np.ndarray | None:
    """Hours that each step in time stands for; None where there are no steps, or just one.

    A step lasts until the next; the last as long as the one before.
    """
    if "time" not in data.dims or data.sizes["time"] < 2:
        return None
    hours = np.diff(data["time"].values) / np.timedelta64(1, "h")
    return np.append(hours, hours[-1])


def time_notes(data: "xr.Dataset") -> tuple[str, ...]:
    """What is to be known of steps in time: gaps, powers without a course, a single step."""
    hours, time = step_hours(data), data["time"].values.astype("datetime64[m]")
    constant = (str(data.attrs["constant"]),) if data.attrs.get("constant") else ()
    if hours is None:
        return ("A single step has no length: energies and hours need at least two.", *constant)
    usual = float(np.median(hours[:-1]))
    wide = np.flatnonzero(hours[:-1] > usual * (1.0 + 1e-9))
    if not len(wide):
        return constant
    words = [str(moment).replace("T", " ") for moment in time]
    some = [f"{words[at]} to {words[at + 1]} UTC" for at in wide[:GAPS]]
    more = f" and {len(wide) - GAPS} more" if len(wide) > GAPS else ""
    return (
        f"Gaps longer than the usual step of {usual:g} h: {', '.join(some)}{more}. The powers at "
        "the beginning of a gap stand for all of it.",
        *constant,
    )


def _dataset(flow: Flow) -> "xr.Dataset":
    import xarray as xr

    along = {"scenario": np.arange(len(flow.e)), **coordinates(flow.grid)}
    return xr.Dataset(main_variables(flow), along, attributes(flow.grid))


def _when(data: "xr.Dataset", at: int) -> Any:
    first = data["outcome"].dims[0]
    return data[first].values[at]


def _unsolved(data: "xr.Dataset") -> Iterator[tuple[Any, ...]]:
    for outcome, words in ((Outcome.INFEASIBLE, NO_SOLUTION), (Outcome.UNKNOWN, NOT_KNOWN)):
        yield from _lost(data, np.flatnonzero(data["outcome"].values == outcome), words)


def _lost(data: "xr.Dataset", lost: np.ndarray, words: str) -> Iterator[tuple[Any, ...]]:
    """The scenarios `lost` by the bus whose voltage gives way first, the least share first."""
    weakest = data["weakest_bus"].values[lost]
    reached = np.nan_to_num(data["reached"].values[lost], nan=-1.0)
    groups = []
    for bus in np.unique(weakest):
        own = np.flatnonzero(weakest == bus)
        least = own[reached[own].argmin()]
        name = str(data["bus"].values[bus]) if bus >= 0 else "inside an element"
        name = "the grid" if words == NOT_KNOWN else name
        when = _when(data, int(lost[least]))
        broken = np.isin(np.arange(data["outcome"].size), lost[own])
        share = float(data["reached"].values[lost[least]])
        groups.append((name, "scenario", words, 1.0, share, "1", when, broken))
    yield from sorted(groups, key=lambda row: np.nan_to_num(row[4], nan=-1.0))


def _without_supply(data: "xr.Dataset") -> Iterator[tuple[Any, ...]]:
    every = np.ones(data["outcome"].size, bool)
    for name, load_mw in unserved_buses(data):
        yield name, "bus", "no supply", 0.0, load_mw, "MW", _when(data, 0), every


def unserved_buses(data: "xr.Dataset") -> Iterator[tuple[str, float]]:
    """Buses with elements that no slack reaches: bus and elements, and their load [MW]."""
    if "unserved" not in data.coords:
        return
    bus, element = data["unserved_bus"].values, data["unserved"].values
    for one in dict.fromkeys(bus.tolist()):
        own = bus == one
        load_mw = float(data["unserved_load_mw"].values[own].sum())
        yield f"{one} ({', '.join(map(str, element[own]))})", load_mw


def _unsupplied(data: "xr.Dataset") -> Iterator[tuple[Any, ...]]:
    """Buses that lose their supply in some scenarios; those without any stand in the file so."""
    some = np.flatnonzero(data["outcome"].values == Outcome.UNSUPPLIED)
    if not len(some):
        return
    for members, name in _buses(data):
        hit = some[np.isnan(data["vm_pu"].values[some, members[0]])]
        if len(hit):
            broken = np.isin(np.arange(data["outcome"].size), hit)
            yield name, "bus", "no supply", 0.0, np.nan, "1", _when(data, int(hit[0])), broken


def _buses(data: "xr.Dataset") -> Iterator[tuple[np.ndarray, str]]:
    """Buses that closed switches join, the first of them in the file first, and their name."""
    node = data["node"].values
    order = np.argsort(node, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(node[order])) + 1):
        if node[members[0]] >= 0:
            more = f" (and {len(members) - 1} joined to it)" if len(members) > 1 else ""
            yield members, str(data["bus"].values[members[0]]) + more


def _voltages(data: "xr.Dataset", limits: Limits) -> Iterator[tuple[Any, ...]]:
    vm, rows = data["vm_pu"].values, []
    for members, name in _buses(data):
        own = vm[:, members[0]]
        low, high = limits.vm_min_pu[members].max(), limits.vm_max_pu[members].min()
        for word, limit, excess in (
            ("voltage below", low, low - SLACK_PU - own),
            ("voltage above", high, own - high - SLACK_PU),
        ):
            broken = excess > 0
            if broken.any():
                at = int(np.nanargmax(excess))
                when, worst = _when(data, at), float(own[at])
                rows.append((name, "bus", word, float(limit), worst, "p.u.", when, broken))
    yield from sorted(rows, key=lambda row: -abs(row[4] - row[3]))


def _loadings(data: "xr.Dataset", limits: Limits) -> Iterator[tuple[Any, ...]]:
    rows = []
    for kind, limit in limits.loading_percent.items():
        if f"{kind}_loading_percent" not in data:
            continue
        loading = data[f"{kind}_loading_percent"].values
        above = loading > limit + SLACK_PERCENT
        for at in np.flatnonzero(above.any(axis=0)):
            worst = int(np.nanargmax(loading[:, at]))
            name, value = str(data[kind].values[at]), float(loading[worst, at])
            when = _when(data, worst)
            rows.append((name, kind, "loading", float(limit[at]), value, "%", when, above[:, at]))
    yield from sorted(rows, key=lambda row: row[3] - row[4])
