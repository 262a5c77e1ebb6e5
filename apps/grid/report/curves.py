"""Figures of a year of power flow: sorted by size, and day by day."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.summary_stats import KINDS
from tvilling.apps.grid.units import unit_for
from tvilling.apps.heat.report_figures import COLOURS, put_title
from tvilling.sciml.systems.power_grid.results.violations import step_hours

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tvilling.sciml.systems.power_grid.results.violations import Limits

POINTS = 400  # of a sorted curve; its ends are drawn finely
LIMIT: Any = {"color": "#c0392b", "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1}
HELD_PU = 1e-6
BLUE, ORANGE, GREEN, PURPLE = COLOURS[:4]


def draw_durations(data: "xr.Dataset", limits: "Limits") -> "Figure":
    """Duration curves of voltage, loading, losses and exchange: for how long what is exceeded."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 6.4), layout="constrained")
    (volt, load), (loss, flow) = figure.subplots(2, 2)
    low, high = _voltages(data)
    for values, colour, text in ((high, ORANGE, "highest"), (low, BLUE, "lowest")):
        _sorted(volt, data, values, colour, text)
    for limit in (float(np.median(limits.vm_min_pu)), float(np.median(limits.vm_max_pu))):
        _limit(volt, limit)
    for (kind, word), colour in zip(KINDS.items(), (BLUE, ORANGE, GREEN), strict=True):
        name = f"{kind}_loading_percent"
        if name in data and data.sizes[kind]:
            _sorted(load, data, np.fmax.reduce(data[name].values, axis=1), colour, word)
    for most in {float(np.median(each)) for each in limits.loading_percent.values() if len(each)}:
        _limit(load, most)
    lost, lost_unit = _in_unit(data["losses_mw"].values)
    exchanged, exchange_unit = _in_unit(data["slack_p_mw"].values)
    _sorted(loss, data, lost, GREEN, None)
    _sorted(flow, data, exchanged, PURPLE, None)
    flow.axhline(0.0, color="#8a97a3", linewidth=0.8)
    hours = step_hours(data)
    for axes, title in (
        (volt, "Voltage, of all buses where none is held [p.u.]"),
        (load, "Greatest loading [%]"),
        (loss, f"Losses [{lost_unit}W]"),
        (flow, f"Power from external grids, negative: to them [{exchange_unit}W]"),
    ):
        put_title(axes, title)
        if axes in (volt, load):
            axes.legend(loc="best", fontsize=8, frameon=False)
        if axes in (loss, flow):
            axes.set_xlabel("steps" if hours is None else "hours", fontsize=8.5)
    return figure


def _voltages(data: "xr.Dataset") -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest voltage of every step, of all buses where it is not held.

    A machine's bus has one voltage the whole time, which would hide the others.
    """
    vm = data["vm_pu"].values
    moves = np.fmax.reduce(vm, axis=0) - np.fmin.reduce(vm, axis=0) > HELD_PU
    free = vm[:, moves] if moves.any() else vm
    return np.fmin.reduce(free, axis=1), np.fmax.reduce(free, axis=1)


def _sorted(axes: "Axes", data: "xr.Dataset", values: np.ndarray, colour: str, text: Any) -> None:
    """The values from the greatest down, over the hours for which each is exceeded."""
    order = np.argsort(-values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    if not len(order):
        return
    known, lasts = values[order], step_hours(data)
    hours = np.arange(len(order)) if lasts is None else np.cumsum(lasts[order]) - lasts[order]
    # closer together towards both ends, where extremes stand
    share = (1.0 - np.cos(np.linspace(0.0, np.pi, POINTS))) / 2.0
    at = np.unique(np.round(share * (len(known) - 1)).astype(int))
    axes.plot(hours[at], known[at], color=colour, label=text)


def _limit(axes: "Axes", value: float) -> None:
    """A limit, where it lies near what is drawn."""
    low, high = axes.get_ylim()
    room = high - low
    if low - 0.6 * room <= value <= high + 0.6 * room:
        axes.axhline(value, **LIMIT)


def draw_days(data: "xr.Dataset", limits: "Limits") -> "Figure":
    """Band of every day: voltages, loading, losses, exchange."""
    from tvilling.apps.heat.report_figures import stack

    figure, panels = stack((1.2, 1.2, 0.9, 1.1))
    days, first = _days(data)
    low, high = _voltages(data)
    panels[0].fill_between(days, _by(np.fmin, low, first), _by(np.fmax, high, first), step="post",
                           color=BLUE, alpha=0.35, linewidth=0)  # fmt: skip
    for limit in (float(np.median(limits.vm_min_pu)), float(np.median(limits.vm_max_pu))):
        _limit(panels[0], limit)
    for (kind, word), colour in zip(KINDS.items(), (BLUE, ORANGE, GREEN), strict=True):
        name = f"{kind}_loading_percent"
        if name in data and data.sizes[kind]:
            worst = _by(np.fmax, np.fmax.reduce(data[name].values, axis=1), first)
            panels[1].step(days, worst, where="post", color=colour, linewidth=1.0, label=word)
    panels[1].legend(
        loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, fontsize=8, frameon=False
    )
    hours = step_hours(data)
    lost = np.nan_to_num(data["losses_mw"].values) * (1.0 if hours is None else hours)
    daily, lost_unit = _in_unit(_by(np.add, lost, first))
    panels[2].step(days, daily, where="post", color=GREEN, linewidth=1.0)
    flow, exchange_unit = _in_unit(data["slack_p_mw"].values)
    panels[3].fill_between(days, _by(np.fmin, flow, first), _by(np.fmax, flow, first), step="post",
                           color=PURPLE, alpha=0.35, linewidth=0)  # fmt: skip
    panels[3].axhline(0.0, color="#8a97a3", linewidth=0.8)
    for axes, title in zip(
        panels,
        (
            "Voltage, from the lowest to the highest bus where none is held [p.u.]",
            "Greatest loading of the day [%]",
            f"Losses of the day [{lost_unit}Wh]",
            f"Power from external grids, negative: to them [{exchange_unit}W]",
        ),
        strict=True,
    ):
        put_title(axes, title)
    _dates(panels[-1])
    return figure


def _in_unit(values: np.ndarray) -> tuple[np.ndarray, str]:
    """Values [MW or MWh] in the unit that fits the greatest, and its prefix."""
    unit = unit_for(values)
    return values * unit.per_mega, unit.prefix


def _days(data: "xr.Dataset") -> tuple[np.ndarray, np.ndarray]:
    """The days, and the number of the first step of each."""
    days = data["time"].values.astype("datetime64[D]")
    found, first = np.unique(days, return_index=True)
    return found, first


def _by(how: Any, values: np.ndarray, first: np.ndarray) -> np.ndarray:
    return np.asarray(how.reduceat(values, first))


def _dates(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def draw_profile(
    distance_km: np.ndarray, vm_pu: np.ndarray, ends: np.ndarray, limits: "Limits"
) -> "Figure":
    """Voltage of every bus over its distance along lines from the feeding bus.

    Parameters
    ----------
    distance_km, vm_pu
        By row of the bus table.
    ends
        Rows of buses that are connected `[branch, 2]`.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.2), layout="constrained")
    axes = figure.subplots()
    points = np.column_stack([distance_km, vm_pu])
    known = ~np.isnan(points).any(axis=1)
    shown = ends[known[ends].all(axis=1)]
    axes.add_collection(LineCollection(points[shown], color=BLUE, linewidths=1.0, alpha=0.7))
    axes.scatter(points[known, 0], points[known, 1], s=9, color=BLUE, linewidth=0, zorder=3)
    axes.autoscale_view()
    for limit in (float(np.median(limits.vm_min_pu)), float(np.median(limits.vm_max_pu))):
        _limit(axes, limit)
    axes.set_xlabel("distance along lines from the feeding bus [km]", fontsize=8.5)
    put_title(axes, "Voltage [p.u.]")
    axes.margins(x=0.01)
    return figure
