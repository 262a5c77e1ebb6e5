"""The grid drawn: lines by their loading, buses by their voltage, broken limits marked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.report.layout import Layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

INK, ACCENT, OFF = "#22303c", "#c0392b", "#c5ccd3"
LOADING = ("#b9c6cf", "#6f9fb3", "#e3b23c", "#d9702b", "#a61e35")
VOLTAGE = ("#2c5f9e", "#9fc0dd", "#f4f1ea", "#f0b27a", "#b5541c")
MANY = 4000  # branches above which the drawing is an image inside the figure


@dataclass(frozen=True)
class Picture:
    """What is shown.

    Attributes
    ----------
    layout
        Where everything stands.
    loading
        By table, loading of every row [%]; NaN where it has none.
    vm_pu
        Voltage of every row of the bus table [p.u.].
    off
        By table, rows that are out of service or open at a switch.
    broken
        By table (`bus`, `line`, …), rows whose limit is broken.
    sources
        Rows of buses that feed the grid.
    marks
        Words for single buses: what they are, and the row.
    """

    layout: Layout
    loading: Mapping[str, np.ndarray]
    vm_pu: np.ndarray
    off: Mapping[str, np.ndarray]
    broken: Mapping[str, np.ndarray]
    sources: np.ndarray
    marks: Mapping[str, int] = field(default_factory=dict)


def draw_grid(picture: Picture) -> "Figure":
    """The grid with scales for loading and voltage."""
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure

    known = picture.layout.place[~np.isnan(picture.layout.place).any(axis=1)]
    width, height = np.maximum(np.ptp(known, axis=0), 1e-9)
    tall = float(np.clip(9.4 * height / width, 3.0, 7.8)) + 0.8
    figure = Figure(figsize=(11.0, tall), layout="constrained")
    axes = figure.subplots()
    percent = LinearSegmentedColormap.from_list("loading", LOADING)
    volts = LinearSegmentedColormap.from_list("voltage", VOLTAGE)
    half = max(0.02, float(np.nanmax(np.abs(picture.vm_pu - 1.0), initial=0.0)))
    lines = _draw_branches(axes, picture, percent, Normalize(0.0, 100.0))
    dots = _draw_buses(axes, picture, volts, Normalize(1.0 - half, 1.0 + half))
    _mark(axes, picture)
    axes.set_aspect("equal" if picture.layout.to_scale else "auto")
    axes.autoscale_view()
    axes.margins(0.03)
    axes.set_axis_off()
    for drawn, text, extend in (
        (lines, "Loading [%]", "max"),
        (dots, "Voltage [p.u.]", "neither"),
    ):
        if drawn is not None:
            bar = figure.colorbar(
                drawn, ax=axes, shrink=0.6, pad=0.01, aspect=25, extend=extend, panchor=False
            )
            bar.set_label(text, fontsize=9)
            bar.ax.tick_params(labelsize=8)
            bar.outline.set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        columns = min(len(labels), 4)
        figure.legend(handles, labels, loc="outside upper left", ncols=columns, frameon=False)
    return figure


def _draw_branches(
    axes: "Axes", picture: Picture, colours: "Colormap", norm: "Normalize"
) -> "LineCollection | None":
    """Branches of every table; those switched off dashed below, broken ones above a red band."""
    paths: list[np.ndarray] = []
    values: list[np.ndarray] = []
    off: list[np.ndarray] = []
    broken: list[np.ndarray] = []
    for kind, each in picture.layout.paths.items():
        count = len(each)
        paths += each
        values.append(picture.loading.get(kind, np.full(count, np.nan)))
        for chosen, into in ((picture.off, off), (picture.broken, broken)):
            flags = np.zeros(count, bool)
            flags[chosen.get(kind, np.array([], int))] = True
            into.append(flags)
    if not paths:
        return None
    known = np.array([not np.isnan(path).any() for path in paths])
    value, dark = np.concatenate(values), np.concatenate(off)
    marked = np.concatenate(broken) & known & ~dark
    plain = known & ~dark & np.isnan(value)
    loaded = known & ~dark & ~np.isnan(value)
    wide = float(np.clip(60.0 / np.sqrt(len(paths)), 0.5, 2.6))
    flat = len(paths) > MANY
    look: Any = {"capstyle": "round", "rasterized": flat}
    if (known & dark).any():
        text = "open or out of service"
        dashes: Any = {"color": OFF, "linewidths": 0.7 * wide, "linestyles": (0, (3, 2))}
        _add(axes, paths, known & dark, label=text, rasterized=flat, **dashes)
    if plain.any():
        _add(axes, paths, plain, color=OFF, linewidths=wide, **look)
    if marked.any():
        text = "loaded above its limit"
        _add(axes, paths, marked, color=ACCENT, linewidths=3.2 * wide, alpha=0.35, label=text,
             **look)  # fmt: skip
    return _add(axes, paths, loaded, array=value[loaded], cmap=colours, norm=norm,
                linewidths=wide, zorder=2, **look)  # fmt: skip


def _add(
    axes: "Axes", paths: list[np.ndarray], chosen: np.ndarray, **look: Any
) -> "LineCollection":
    from matplotlib.collections import LineCollection

    drawn = LineCollection([paths[at] for at in np.flatnonzero(chosen)], **look)
    axes.add_collection(drawn)
    return drawn


def _draw_buses(axes: "Axes", picture: Picture, colours: "Colormap", norm: "Normalize") -> Any:
    """Buses by voltage, those without supply hollow, those out of their band in a red ring."""
    place, vm = picture.layout.place, picture.vm_pu
    size = float(np.clip(2500.0 / max(len(place), 1), 1.5, 26.0))
    flat = len(place) > MANY
    edge = 0.5 if size > 5 else 0.0
    live = ~np.isnan(vm)
    if (~live).any():
        dark: Any = {"facecolor": "white", "edgecolor": OFF, "linewidth": 0.8}
        axes.scatter(
            place[~live, 0], place[~live, 1], s=size, zorder=3, label="without supply", **dark
        )
    drawn = axes.scatter(
        place[live, 0],
        place[live, 1],
        s=size,
        c=vm[live],
        cmap=colours,
        norm=norm,
        edgecolor=INK,
        linewidth=edge,
        zorder=3,
        rasterized=flat,
    )
    rows = picture.broken.get("bus", np.array([], int))
    if len(rows):
        ring: Any = {"facecolor": "none", "edgecolor": ACCENT, "linewidth": 1.4}
        axes.scatter(
            place[rows, 0],
            place[rows, 1],
            s=4 * size,
            zorder=4,
            label="voltage outside its band",
            **ring,
        )
    return drawn


def _mark(axes: "Axes", picture: Picture) -> None:
    """Feeding buses, and the buses that are named."""
    place = picture.layout.place
    look: Any = {"facecolor": "white", "edgecolor": INK, "linewidth": 1.4}
    axes.scatter(
        place[picture.sources, 0],
        place[picture.sources, 1],
        s=75,
        marker="s",
        zorder=5,
        label="external grid or slack",
        **look,
    )
    for (text, row), marker in zip(picture.marks.items(), ("v", "^"), strict=False):
        axes.scatter(
            place[row, 0], place[row, 1], s=70, marker=marker, zorder=6, color=INK, label=text
        )
