"""Figures of a backtest, from its labelled data: months, what was saved, tank, and one week."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.heat.report_figures import put_title, stack
from tvilling.apps.plant.case import ZONE
from tvilling.apps.plant.inputs.known import to_local
from tvilling.apps.plant.report.figures import (
    BAD,
    CLOCK,
    WAYS,
    draw_production,
    edges,
    legend,
    unit_colours,
    zero_line,
)
from tvilling.apps.plant.report.table import credited, hourly_cost_dkk
from tvilling.rl_control.planning.backtest import BEST, NO_TANK, PLANNED, RULE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

DAY_H, WEEK_D = 24, 7
FEW_MONTHS = 5  # with fewer, bars are no wider
POINTS = 500  # of a curve over all hours
WIDTHS = {BEST: 2.6}  # so that it is seen below another that lies on it


def saved_dkk(data: "xr.Dataset") -> "xr.DataArray":
    """What each way saves in each hour against the rule [DKK]; heat in the tank is counted."""
    net = credited(data, hourly_cost_dkk(data))
    return net.sel(way=RULE, drop=True) - net


def draw_months(data: "xr.Dataset") -> "Figure":
    """Cost of each month by way, and what planning and foresight save in it against the rule."""
    net = credited(data, hourly_cost_dkk(data))
    saved = saved_dkk(data)
    month = to_local(data["time"].values).strftime("%Y-%m").to_numpy()
    months, at = np.unique(month, return_inverse=True)
    figure, panels = stack((1.6, 1.3))
    ways = [name for name in (NO_TANK, RULE, PLANNED, BEST) if name in data["way"]]
    savers = [name for name in (PLANNED, BEST) if name in data["way"]]
    for axes, values, names in ((panels[0], net, ways), (panels[1], saved, savers)):
        width = 0.8 / len(names)
        for number, name in enumerate(names):
            total = np.bincount(at, values.sel(way=name).values, len(months)) / 1e3
            place = np.arange(len(months)) + (number - (len(names) - 1) / 2) * width
            axes.bar(place, total, width, color=WAYS[name], label=name)
        zero_line(axes)
        axes.grid(visible=False, axis="x")
        axes.set_axisbelow(True)
        legend(axes)
    panels[1].set_xticks(
        range(len(months)), [_month(text, not number) for number, text in enumerate(months)]
    )
    put_title(panels[0], "Cost by month [1000 DKK]")
    put_title(panels[1], "Saved against the rule by month [1000 DKK]")
    middle, half = (len(months) - 1) / 2, max(len(months), FEW_MONTHS) / 2 + 0.1
    for axes in panels:
        axes.set_xlim(middle - half, middle + half)
    return figure


def draw_saved(data: "xr.Dataset") -> "Figure":
    """What each way has saved against the rule since the beginning, day by day."""
    figure, (axes,) = stack((1.0,), 3.0)
    total = saved_dkk(data).cumsum("time") / 1e3
    at = np.append(np.arange(0, data.sizes["time"], DAY_H), data.sizes["time"])
    for name in (NO_TANK, BEST, PLANNED):
        if name in data["way"]:
            course = np.append(0.0, total.sel(way=name).values)
            axes.plot(edges(data)[at], course[at], color=WAYS[name], label=name,
                      linewidth=WIDTHS.get(name))  # fmt: skip
    put_title(axes, "Saved against the rule since the beginning [1000 DKK]")
    zero_line(axes)
    legend(axes)
    _dates(axes)
    return figure


def draw_heat(data: "xr.Dataset") -> "Figure":
    """Heat by unit over all hours, one bar a way."""
    ways = list(map(str, data["way"].values))
    figure, (axes,) = stack((1.0,), 0.9 + 0.36 * len(ways))
    heat = data["heat_mw"].sum("time")
    base = np.zeros(len(ways))
    for unit, colour in unit_colours(data).items():
        mwh = heat.sel(unit=unit).values
        if mwh.any():
            axes.barh(ways, mwh, 0.64, base, color=colour, edgecolor="white", linewidth=0.5,
                      label=unit)  # fmt: skip
            base = base + mwh
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_axisbelow(True)
    put_title(axes, "Heat by unit [MWh]")
    legend(axes)
    return figure


def draw_levels(data: "xr.Dataset") -> "Figure":
    """For how much of the time the tank holds how much heat."""
    figure, (axes,) = stack((1.0,), 2.7)
    share = np.linspace(0.0, 1.0, POINTS)
    for name in (RULE, BEST, PLANNED):
        if name in data["way"]:
            level = np.quantile(data["tank_mwh"].sel(way=name).values, 1.0 - share)
            axes.plot(100 * share, level, color=WAYS[name], label=name,
                      linewidth=WIDTHS.get(name))  # fmt: skip
    capacity = float(data.attrs["tank_capacity_mwh"])
    axes.axhline(capacity, color=BAD, linewidth=0.9, linestyle=(0, (5, 2)), label="full")
    axes.set_ylim(0, 1.06 * max(capacity, 1e-3))
    axes.set_xlabel("share of the time with this much or more [%]", fontsize=8, color="#5b6b79")
    put_title(axes, "Heat in the tank, hours in order [MWh]")
    legend(axes)
    return figure


def best_week(data: "xr.Dataset") -> "xr.Dataset":
    """The seven Danish days in which planning saved most against the rule.

    All hours where there are no seven whole days.
    """
    midnights = np.flatnonzero(to_local(data["time"].values).hour == 0)
    begins, ends = midnights[:-WEEK_D], midnights[WEEK_D:]
    if not ends.size:
        return data
    total = np.append(0.0, saved_dkk(data).sel(way=PLANNED).cumsum("time").values)
    at = int(np.argmax(total[ends] - total[begins]))
    week = data.isel(time=slice(begins[at], ends[at]))
    week.attrs = {name: value for name, value in data.attrs.items() if name != "tank_before_mwh"}
    if begins[at]:
        week["on_before"] = data["on"].isel(time=begins[at] - 1, drop=True)
    return week


def draw_week(week: "xr.Dataset") -> "Figure":
    """Production of the planned way over some days, with the tank under the rule and foresight."""
    return draw_production(week, PLANNED, (RULE, BEST))


def _month(text: str, is_first: bool) -> str:
    """`2021-01` as `Jan`; the year stands below the first month and every January."""
    name = str(np.datetime64(text).astype(object).strftime("%b"))
    return f"{name}\n{text[:4]}" if is_first or name == "Jan" else name


def _dates(axes: Any) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=13, tz=ZONE)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=ZONE))
    axes.set_xlabel(CLOCK, fontsize=8, color="#5b6b79")
