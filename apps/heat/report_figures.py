"""Time series of a run as figures."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tvilling.sciml.core.system import Status

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1f6f8b", "#d9822b", "#5b8c5a", "#8e5ea2", "#b03a48", "#6b7280")
OUTDOOR, DEMAND = "#8a97a3", "#22303c"
STYLE: Any = {
    "text.parse_math": False,  # a $ in a name is a $
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#aab4bd",
    "axes.labelcolor": "#22303c",
    "axes.grid": True,
    "grid.color": "#e6eaee",
    "grid.linewidth": 0.8,
    "xtick.color": "#4b5966",
    "ytick.color": "#4b5966",
    "lines.linewidth": 1.3,
    "svg.fonttype": "path",
    "svg.hashsalt": "tvilling",
}


def to_svg(figure: "Figure") -> str:
    """`figure` as an SVG element, without the head of a file; the same figure, the same text."""
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with _plain_pens():
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


@contextmanager
def _plain_pens() -> Iterator[None]:
    """Draw with matplotlib's own graphics contexts.

    Importing pandapipes 0.16 replaces them for every renderer by ones whose cap style is a bare
    string, on which the SVG renderer fails.
    """
    from matplotlib.backend_bases import GraphicsContextBase, RendererBase

    found = RendererBase.__dict__["new_gc"]
    RendererBase.new_gc = lambda self: GraphicsContextBase()  # type: ignore[method-assign]
    try:
        yield
    finally:
        RendererBase.new_gc = found  # type: ignore[method-assign]


def most_loaded(data: "xr.Dataset") -> Any:
    """Time of the greatest demand of all consumers together."""
    return data["heat_w"].sum("consumer").idxmax("time").values


def worst_served(run: "xr.Dataset") -> str | None:
    """The consumer that misses most heat, or else the one whose inlet gets coldest.

    None where the network has no consumers.
    """
    if not run.sizes["consumer"]:
        return None
    unserved = (run["status"] & int(Status.UNSERVED)) != 0
    short_w = (run["heat_w"] - run["delivered_w"]).clip(min=0.0).where(unserved, 0.0)
    missed = short_w.sum("time")
    if float(missed.max()) > 0:
        return str(missed.idxmax("consumer").values)
    return str(run["consumer_supply_degc"].min("time").idxmin("consumer").values)


def draw_plant(data: "xr.Dataset") -> "Figure":
    """Weather, temperatures, heat, flow and pump power at the plants, by controller."""
    figure, panels = stack((1.0, 1.1, 0.9, 1.3, 1.0, 1.0))
    panels[0].plot(data["time"], data["outdoor_degc"], color=OUTDOOR)
    demand = data["heat_w"].sum("consumer") / 1e6
    panels[3].plot(data["time"], demand, color=DEMAND, linewidth=0.9, linestyle=":",
                   label="demand of all consumers")  # fmt: skip
    for name, colour in _controllers(data):
        run = data.sel(controller=name)
        flow = run["source_kg_per_s"]
        through = flow.sum("source")
        series = (
            (run["supply_degc"] * flow).sum("source") / through,
            (run["source_return_degc"] * flow).sum("source") / through,
            run["source_w"].sum("source") / 1e6,
            through,
            run["pump_w"].sum("source") / 1e3,
        )
        for axes, values in zip(panels[1:], series, strict=True):
            axes.plot(run["time"], values, color=colour)
    titles = (
        "Outdoor temperature [°C]",
        "Supply temperature [°C]",
        "Return temperature [°C]",
        "Heat put in [MW]",
        "Flow from the plant [kg/s]",
        "Pump power, electric [kW]",
    )
    for axes, title in zip(panels, titles, strict=True):
        put_title(axes, title)
    panels[3].legend(loc="upper right", fontsize=8, frameon=False)
    _legend(figure, data)
    _dates(panels[-1])
    return figure


def draw_consumer(data: "xr.Dataset", consumer: str) -> "Figure":
    """Temperature, heat and differential pressure at one consumer, by controller."""
    figure, panels = stack((1.3, 1.3, 1.0))
    part = data.sel(consumer=consumer)
    for name, colour in _controllers(data):
        run = part.sel(controller=name)
        panels[0].plot(run["time"], run["consumer_supply_degc"], color=colour)
        panels[1].plot(run["time"], run["delivered_w"] / 1e3, color=colour)
        panels[2].plot(run["time"], run["consumer_dp_bar"], color=colour)
    panels[1].plot(part["time"], part["heat_w"] / 1e3, color=DEMAND, linestyle=":", linewidth=0.9,
                   label="demand")  # fmt: skip
    put_title(panels[0], "Inlet temperature [°C]")
    put_title(panels[1], "Heat delivered [kW]")
    put_title(panels[2], "Differential pressure [bar]")
    panels[1].legend(loc="upper right", fontsize=8, frameon=False)
    _legend(figure, data)
    _dates(panels[-1])
    return figure


def draw_losses(data: "xr.Dataset") -> "Figure":
    """Heat lost to the ground over time, by controller."""
    figure, panels = stack((1.0,), 2.3)
    for name, colour in _controllers(data):
        run = data.sel(controller=name)
        panels[0].plot(run["time"], run["loss_w"] / 1e3, color=colour)
    put_title(panels[0], "Heat loss of all pipes [kW]")
    _legend(figure, data)
    _dates(panels[-1])
    return figure


def stack(heights: tuple[float, ...], height: float | None = None) -> "tuple[Figure, list[Axes]]":
    """Panels above each other with one time axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, height or 1.45 * sum(heights) + 0.7), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, list(panels[:, 0])


def _controllers(data: "xr.Dataset") -> list[tuple[str, str]]:
    names = [str(name) for name in data["controller"].values]
    return list(zip(names, COLOURS, strict=False))


def put_title(axes: "Axes", text: str) -> None:
    """Say above a panel, at its left, what it shows."""
    axes.set_title(text, loc="left", fontsize=9.5, color="#22303c", pad=4)
    axes.margins(x=0)


def _legend(figure: "Figure", data: "xr.Dataset") -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=colour, label=name.replace("_", " "))
        for name, colour in _controllers(data)
    ]
    figure.legend(handles=lines, loc="outside upper right", ncols=len(lines), frameon=False)


def _dates(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
