"""The network drawn on a map of its coordinates."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    from tvilling.apps.heat.network_case import Prepared
    from tvilling.sciml.systems.heat_network.tables import HeatNetworkTables

EARTH_M_PER_DEG = 6_371_000.0 * np.pi / 180.0
INK, ACCENT = "#22303c", "#c0392b"
STILL, STILL_KG_PER_S = "#c5ccd3", 1e-4  # pipes whose water stands still
WIDTH_PT_PER_M = 25.0  # width of a line over the diameter of its pipe


def has_map(tables: "HeatNetworkTables") -> bool:
    """Whether enough junctions have coordinates to draw a map."""
    return bool(tables.junctions[["x", "y"]].notna().all(axis=1).mean() > 0.5)


def draw_maps(prepared: "Prepared", run: "xr.Dataset", at: Any, consumer: str | None) -> "Figure":
    """Supply temperature and gauge pressure of the supply side at the time `at`.

    `run` is the labelled run of one controller; `consumer`, where one is given, is marked. The
    panels stand below each other where the network is wide, else beside each other.
    """
    from matplotlib.figure import Figure

    width, height = np.nanmax(np.array(list(places(prepared.tables).values())), axis=0)
    wide = width > 1.3 * height
    tall = np.clip((9.6 if wide else 4.8) * height / max(width, 1.0), 2.0, 8.0) + 0.4
    figure = Figure(figsize=(11.0, 2 * tall if wide else tall), layout="constrained")
    first, second = figure.subplots(*((2, 1) if wide else (1, 2)))
    now = run.sel(time=at)
    _panel(first, prepared, now, consumer, ("junction_degc", "plasma", "Water temperature [°C]"))
    _panel(second, prepared, now, consumer, ("junction_bar", "viridis", "Gauge pressure [bar]"))
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), frameon=False)
    return figure


def _panel(
    axes: "Axes",
    prepared: "Prepared",
    now: "xr.Dataset",
    consumer: str | None,
    look: tuple[str, str, str],
) -> None:
    """Supply pipes coloured by the mean of their two ends; grey where the water stands still."""
    tables, place = prepared.tables, places(prepared.tables)
    variable, colours, title = look
    pipes = tables.pipes[on_supply_side(prepared)]
    lines = [pipe_line(tables, place, *row) for row in zip(*_columns(pipes), strict=True)]
    known = np.array([not np.isnan(line).any() for line in lines])
    moving = np.abs(now["pipe_kg_per_s"].to_series().reindex(pipes["name"])) > STILL_KG_PER_S
    by_name = now[variable].to_series()
    ends = [by_name.reindex(pipes[end]).to_numpy() for end in ("from_junction", "to_junction")]
    widths = 1.0 + WIDTH_PT_PER_M * pipes["inner_diameter_m"].to_numpy()
    flows, stands = known & moving.to_numpy(), known & ~moving.to_numpy()
    if stands.any():
        _add_lines(axes, lines, stands, widths, color=STILL, label="no flow")
    drawn = _add_lines(axes, lines, flows, widths, array=np.mean(ends, axis=0), cmap=colours)
    _mark(axes, prepared, place, consumer)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.margins(0.04)
    axes.set_axis_off()
    bar = axes.figure.colorbar(drawn, ax=axes, orientation="vertical", shrink=0.8, pad=0.01)
    bar.set_label(title, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    _scale_bar(axes, place)


def _add_lines(
    axes: "Axes", lines: list[np.ndarray], chosen: np.ndarray, widths: np.ndarray, **look: Any
) -> "LineCollection":
    """Add the chosen lines; an `array` in `look` colours each."""
    from matplotlib.collections import LineCollection

    if "array" in look:
        look["array"] = look["array"][chosen]
    drawn = LineCollection(
        [lines[at] for at in np.flatnonzero(chosen)],
        linewidths=widths[chosen],
        capstyle="round",
        **look,
    )
    axes.add_collection(drawn)
    return drawn


def _columns(pipes: Any) -> tuple[Any, ...]:
    return tuple(pipes[name] for name in ("name", "from_junction", "to_junction"))


def places(tables: "HeatNetworkTables") -> dict[str, np.ndarray]:
    """Metres east and north of a corner, by junction."""
    table = tables.junctions
    return dict(zip(table["name"], _metres(tables, table[["x", "y"]].to_numpy(float)), strict=True))


def _metres(tables: "HeatNetworkTables", points: np.ndarray) -> np.ndarray:
    """Points as metres from the south-western corner; degrees are recognised by their range."""
    all_points = tables.junctions[["x", "y"]].to_numpy(float)
    corner, far = np.nanmin(all_points, axis=0), np.nanmax(all_points, axis=0)
    if np.abs([corner[0], far[0]]).max() > 180 or np.abs([corner[1], far[1]]).max() > 90:
        return points - corner
    east = np.cos(np.radians((corner[1] + far[1]) / 2))
    return (points - corner) * EARTH_M_PER_DEG * np.array([east, 1.0])


def pipe_line(
    tables: "HeatNetworkTables",
    place: dict[str, np.ndarray],
    name: str,
    start: str,
    end: str,
) -> np.ndarray:
    """Points of the pipe `name` in metres: its route where it has one, else its two ends."""
    if name in tables.routes:
        return _metres(tables, np.array(tables.routes[name], float))
    return np.array([place[start], place[end]])


def on_supply_side(prepared: "Prepared") -> np.ndarray:
    """Pipes whose both ends lie on the supply side."""
    layout = prepared.network.layout
    supply = layout.junction_place < layout.topology.supply
    side = dict(zip(layout.junction_names, supply, strict=True))
    pipes = prepared.tables.pipes
    on = pipes["from_junction"].map(side) & pipes["to_junction"].map(side)
    return on.to_numpy(bool)


def _mark(
    axes: "Axes", prepared: "Prepared", place: dict[str, np.ndarray], consumer: str | None
) -> None:
    """Consumers, sources, and the one consumer that the report follows."""
    consumers, sources = prepared.tables.consumers, prepared.tables.sources
    plant = np.array([place[name] for name in sources["supply_junction"]])
    axes.scatter(plant[:, 0], plant[:, 1], s=90, marker="s", color=INK, zorder=4, label="plant")
    if consumer is None:
        return
    look: dict[str, Any] = {"color": "white", "edgecolor": INK, "linewidth": 0.8}
    spots = np.array([place[name] for name in consumers["from_junction"]])
    axes.scatter(spots[:, 0], spots[:, 1], s=13, zorder=3, label="consumer", **look)
    worst = spots[list(consumers["name"]).index(consumer)]
    ring: dict[str, Any] = {"facecolor": "none", "edgecolor": ACCENT, "linewidth": 1.8}
    axes.scatter(worst[0], worst[1], s=110, zorder=5, label=f"worst served: {consumer}", **ring)


def _scale_bar(axes: "Axes", place: dict[str, np.ndarray]) -> None:
    """A length of a round number of metres below the lower corner, and where north is."""
    width, height = np.nanmax(np.array(list(place.values())), axis=0)
    if not width > 0:
        return
    exponent = 10.0 ** np.floor(np.log10(width / 4))
    length = max(step for step in (1, 2, 5) if step * exponent <= width / 4) * exponent
    below = -0.07 * max(height, 0.2 * width)
    axes.plot([0, length], [below] * 2, color=INK, linewidth=2, solid_capstyle="butt")
    axes.annotate(f"{length:,.0f} m", (length, below), (5, 0), textcoords="offset points",
                  va="center", fontsize=8, color=INK)  # fmt: skip
    axes.annotate("N", (0.985, 0.99), (0.985, 0.84), xycoords="axes fraction", ha="center",
                  va="top", fontsize=9, color=INK,
                  arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0})  # fmt: skip
