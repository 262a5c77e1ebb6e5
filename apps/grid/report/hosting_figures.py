"""Figures of hosting capacity: risk over size, capacity by bus, and the grid with both."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.units import unit_for
from tvilling.apps.heat.report_figures import COLOURS, put_title
from tvilling.sciml.systems.power_grid.studies.hosting_table import probability

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from tvilling.apps.grid.report.layout import Layout

POINTS = 300  # of a curve
BARS = 50  # buses with a bar of their own
BLUE, ORANGE, GREEN = COLOURS[:3]
RED = "#c0392b"
GREY, PALE = "#8a97a3", "#c5ccd3"


def draw_risk(data: "xr.Dataset", table: "pd.DataFrame", alpha: float) -> "Figure":
    """Probability of a broken limit over size, at the buses with least, middle, most capacity."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.6), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(table["capacity_mw"].to_numpy(), kind="stable")
    some = list(dict.fromkeys(order[[0, len(order) // 2, -1]].tolist()))
    chosen = data.isel(place=some)
    sizes = np.linspace(0.0, 1.02 * float(np.quantile(chosen["size_mw"].values, 0.999)), POINTS)
    share, low, high = probability(chosen, sizes)
    unit = unit_for(sizes)
    drawn = sizes * unit.per_mega
    for at, (place, colour) in enumerate(zip(some, (ORANGE, BLUE, GREEN), strict=False)):
        axes.fill_between(drawn, low[at], high[at], color=colour, alpha=0.15, linewidth=0)
        axes.plot(drawn, share[at], color=colour, label=str(table["bus"].iloc[place]))
    axes.axhline(alpha, color=RED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel(f"size [{unit.prefix}W]", fontsize=8.5)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    put_title(axes, "Probability that a limit is broken")
    return figure


def draw_capacities(table: "pd.DataFrame") -> "Figure":
    """Capacity of the buses that have least, with the interval that the scenarios leave."""
    from matplotlib.figure import Figure

    rows = table.sort_values("capacity_mw", kind="stable").head(BARS)
    unit = unit_for(rows["capacity_mw"].to_numpy())
    columns = ["capacity_mw", "low_mw", "high_mw"]
    rows = rows.assign(**{name: rows[name] * unit.per_mega for name in columns})
    figure = Figure(figsize=(11.0, 4.2), layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(rows))
    colours = {"voltage above": ORANGE, "voltage below": BLUE, "loading": GREEN}
    for limit, own in rows.groupby("limit", sort=False):
        place = at[(rows["limit"] == limit).to_numpy()]
        colour = colours.get(str(limit), GREY)
        axes.bar(place, own["capacity_mw"], color=colour, label=str(limit), width=0.75)
    low = (rows["capacity_mw"] - rows["low_mw"]).to_numpy()
    high = np.where(np.isinf(rows["high_mw"]), 0.0, rows["high_mw"] - rows["capacity_mw"])
    look: Any = {"fmt": "none", "ecolor": "#22303c", "elinewidth": 0.8, "capsize": 2}
    axes.errorbar(at, rows["capacity_mw"], yerr=np.stack([low, high]), **look)
    axes.set_xticks(at, rows["bus"], rotation=90, fontsize=7)
    axes.legend(loc="upper left", fontsize=8, frameon=False, title="limit that binds")
    put_title(axes, f"Capacity [{unit.prefix}W]")
    axes.set_axisbelow(True)
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.01)
    return figure


def draw_places(layout: "Layout", rows: np.ndarray, capacity_mw: np.ndarray) -> "Figure":
    """The grid with the capacity of every place."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
    from matplotlib.figure import Figure

    known = layout.place[~np.isnan(layout.place).any(axis=1)]
    width, height = np.maximum(np.ptp(known, axis=0), 1e-9)
    tall = float(np.clip(9.4 * height / width, 3.0, 7.8)) + 0.4
    figure = Figure(figsize=(11.0, tall), layout="constrained")
    axes = figure.subplots()
    paths = [path for each in layout.paths.values() for path in each if not np.isnan(path).any()]
    flat = len(paths) > 4000
    axes.add_collection(LineCollection(paths, color=PALE, linewidths=1.0, rasterized=flat))
    size = float(np.clip(4000.0 / max(len(layout.place), 1), 4.0, 60.0))
    colours = LinearSegmentedColormap.from_list("capacity", (RED, "#e3b23c", "#2e7d5b"))
    unit = unit_for(capacity_mw)
    capacity = capacity_mw * unit.per_mega
    least, most = float(capacity.min()), float(capacity.max())
    norm = LogNorm(least, most) if 0.0 < 3.0 * least < most else Normalize(least, most)
    drawn = axes.scatter(
        layout.place[rows, 0],
        layout.place[rows, 1],
        s=size,
        c=capacity,
        cmap=colours,
        norm=norm,
        zorder=3,
        rasterized=flat,
    )
    axes.autoscale_view()
    axes.margins(0.03)
    axes.set_aspect("equal" if layout.to_scale else "auto", adjustable="datalim")
    axes.set_axis_off()
    bar = figure.colorbar(drawn, ax=axes, shrink=0.6, pad=0.01, aspect=25)
    bar.set_label(f"Capacity [{unit.prefix}W]", fontsize=9)
    bar.ax.tick_params(which="both", labelsize=8)
    for formatter in (bar.ax.yaxis.set_major_formatter, bar.ax.yaxis.set_minor_formatter):
        formatter("{x:g}")
    bar.outline.set_visible(False)
    return figure
