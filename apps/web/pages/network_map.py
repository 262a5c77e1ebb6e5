"""The supply network on a map of its coordinates: drawn once, its colours patched."""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from tvilling.apps.heat.report_map import on_supply_side, pipe_line, places
from tvilling.apps.web.pages.charts import ticks
from tvilling.apps.web.pages.network_twin import NetworkTwin, Run
from tvilling.apps.web.style import CHOSEN, CONSUMER, GREY, PLANT, STILL
from tvilling.apps.web.text import Labels
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    from bokeh.models import (
        ColumnDataSource,
        HoverTool,
        LinearColorMapper,
        TapTool,
    )
    from bokeh.models.annotations import ColorBar, ScaleBar
    from bokeh.models.annotations.dimensional import MetricLength
    from bokeh.palettes import Plasma256, Viridis256
    from bokeh.plotting import figure

STILL_KG_PER_S = 1e-4
WIDTH_PX_PER_M, THINNEST_PX = 32.0, 2.0
PALETTES = {"temperature": Plasma256[35:238], "pressure": Viridis256[45:245]}
TITLES = {"temperature": "water_degc", "pressure": "gauge_bar"}
MIN_RANGE = {"temperature": 2.0, "pressure": 0.2}  # a narrower scale would show rounding


class NetworkMap:
    """A figure of the pipes and consumers of a network.

    Parameters
    ----------
    twin
        Whose network it is.
    words
        Of the visitor's language.
    choose
        Called with the name of the consumer that was clicked.
    """

    def __init__(self, twin: NetworkTwin, words: Labels, choose: Callable[[str], None]) -> None:
        self._twin, self._words, self._choose = twin, words, choose
        tables = twin.prepared.tables
        self._place = places(tables)
        self._pipes = on_supply_side(twin.prepared)
        chosen = tables.pipes[self._pipes]
        junctions = {name: at for at, name in enumerate(twin.network.layout.junction_names)}
        ends = ("from_junction", "to_junction")
        self._ends = np.array([[junctions[name] for name in chosen[end]] for end in ends])
        self._mapper = LinearColorMapper(palette=PALETTES["temperature"], nan_color=STILL)
        self._bar = self._color_bar()
        self.source = self._pipe_source(chosen)
        self._consumers = self._consumer_source()
        self._ring = ColumnDataSource({"x": [], "y": []})
        self.figure = self._figure()
        self._draw()

    def show(self, run: Run, colour_by: str) -> None:
        """Colour the pipes by the mean of their two ends in `run`; still water is grey."""
        words = self._words
        degc = run["junction_degc"][self._ends].mean(axis=0)
        bar = run["junction_bar"][self._ends].mean(axis=0)
        flow = np.abs(run["pipe_kg_per_s"][self._pipes])
        value = np.where(flow > STILL_KG_PER_S, bar if colour_by == "pressure" else degc, np.nan)
        self._scale(value, colour_by)
        self.source.data.update(
            value=value,
            degc=[words.quantity(one, "°C") for one in degc],
            bar=[words.quantity(one, "bar") for one in bar],
            flow=[words.quantity(one, "kg/s") for one in flow],
        )
        self._consumers.data.update(
            degc=[words.quantity(one, "°C") for one in run["consumer_supply_degc"]],
            heat=[words.quantity(one, "W") for one in run["delivered_w"]],
        )

    def ring(self, consumer: str) -> None:
        """Mark the consumer that is followed."""
        at = list(self._consumers.data["name"]).index(consumer)
        self._ring.data = {key: [self._consumers.data[key][at]] for key in ("x", "y")}

    def _scale(self, value: np.ndarray, colour_by: str) -> None:
        low, high = np.nanmin(value), np.nanmax(value)
        middle, half = (low + high) / 2, max(high - low, MIN_RANGE[colour_by]) / 2
        title = self._words(TITLES[colour_by])
        if self._bar.title != title:
            self._bar.title = title
            self._mapper.palette = PALETTES[colour_by]
        self._mapper.update(low=float(middle - half), high=float(middle + half))

    def _pipe_source(self, pipes: Any) -> ColumnDataSource:
        tables = self._twin.prepared.tables
        columns = (pipes[name] for name in ("name", "from_junction", "to_junction"))
        lines = [pipe_line(tables, self._place, *row) for row in zip(*columns, strict=True)]
        diameter = pipes["inner_diameter_m"].to_numpy()
        empty: list[Any] = [np.nan] * len(lines)
        return ColumnDataSource(
            {
                "xs": [line[:, 0] for line in lines],
                "ys": [line[:, 1] for line in lines],
                "name": list(pipes["name"]),
                "width": THINNEST_PX + WIDTH_PX_PER_M * diameter,
                "inner": [self._words.quantity(1e3 * one, "mm") for one in diameter],
                "length": [self._words.quantity(one, "m") for one in pipes["length_m"]],
                **{name: empty for name in ("value", "degc", "bar", "flow")},
            }
        )

    def _consumer_source(self) -> ColumnDataSource:
        consumers = self._twin.prepared.tables.consumers
        spots = np.array([self._place[name] for name in consumers["from_junction"]])
        empty = [""] * len(spots)
        return ColumnDataSource(
            {
                "x": spots[:, 0],
                "y": spots[:, 1],
                "name": list(consumers["name"]),
                "degc": empty,
                "heat": empty,
            }
        )

    def _figure(self) -> Any:
        plot: Any = figure(
            height=430,
            sizing_mode="stretch_width",
            tools="pan,wheel_zoom,reset,save",
            active_drag=None,
            active_scroll=None,
            match_aspect=True,
            background_fill_alpha=0,
            border_fill_alpha=0,
            outline_line_color=None,
        )
        plot.axis.visible = False
        plot.grid.visible = False
        plot.toolbar.logo = None
        plot.toolbar.autohide = True
        for edge in (plot.x_range, plot.y_range):
            edge.range_padding = 0.06
        return plot

    def _draw(self) -> None:
        plot, sources = self.figure, self._twin.prepared.tables.sources
        colour = {"field": "value", "transform": self._mapper}
        pipes = plot.multi_line(
            "xs", "ys", source=self.source, line_width="width", line_color=colour, line_cap="round"
        )
        look = {"fill_color": "white", "line_color": CONSUMER, "line_width": 1.5}
        dots = plot.scatter("x", "y", source=self._consumers, size=9, **look)
        dots.nonselection_glyph = dots.selection_glyph = None
        red = {"fill_color": None, "line_color": CHOSEN, "line_width": 3}
        plot.scatter("x", "y", source=self._ring, size=19, **red)
        spots = np.array([self._place[name] for name in sources["supply_junction"]])
        square = {"marker": "square", "fill_color": PLANT, "line_color": "white"}
        plot.scatter(spots[:, 0], spots[:, 1], size=19, **square)
        self._tools(pipes, dots)
        plot.add_layout(self._bar, "below")
        plot.add_layout(_scale_bar(plot))

    def _tools(self, pipes: Any, dots: Any) -> None:
        words = self._words
        of_pipe = [
            ("", "@name"),
            (words("by_temperature"), "@degc"),
            (words("by_pressure"), "@bar"),
            (words("flow"), "@flow"),
            ("Ø", "@inner"),
            ("L", "@length"),
        ]
        of_consumer = [("", "@name"), (words("inlet"), "@degc"), (words("delivered"), "@heat")]
        below: Any = {"attachment": "below", "line_policy": "interp", "limit": 1}
        self.figure.add_tools(
            HoverTool(renderers=[pipes], tooltips=of_pipe, visible=False, **below),
            HoverTool(renderers=[dots], tooltips=of_consumer, visible=False, attachment="above"),
            TapTool(renderers=[dots], visible=False),
        )
        self._consumers.selected.on_change("indices", self._clicked)

    def _clicked(self, attr: str, old: list[int], new: list[int]) -> None:
        if new:
            self._choose(self._consumers.data["name"][new[0]])

    def _color_bar(self) -> ColorBar:
        return ColorBar(
            color_mapper=self._mapper,
            formatter=ticks(self._words.language),
            orientation="horizontal",
            height=10,
            width="auto",
            label_standoff=8,
            title_text_font_size="12.5px",
            title_text_font_style="normal",
            major_label_text_font_size="12px",
            background_fill_alpha=0,
            bar_line_color=None,
            major_tick_line_color=None,
        )


def key_html(words: Labels) -> str:
    """What the marks of the map mean, as HTML that wraps where there is little room."""
    marks = {
        "plant": f"width: 13px; height: 13px; background: {PLANT}",
        "consumers": f"width: 11px; height: 11px; border-radius: 50%; background: #fff; "
        f"border: 1.5px solid {CONSUMER}",
        "chosen": f"width: 15px; height: 15px; border-radius: 50%; border: 3px solid {CHOSEN}",
        "no_flow": f"width: 18px; height: 4px; background: {STILL}",
    }
    parts = [
        f'<span><i style="{look}"></i>{escape(words(key))}</span>' for key, look in marks.items()
    ]
    return f'<div class="keys">{"".join(parts)}</div>'


def _scale_bar(plot: Any) -> ScaleBar:
    return ScaleBar(
        range=plot.x_range,
        unit="m",
        dimensional=MetricLength(include=["m", "km"]),
        location="bottom_right",
        background_fill_alpha=0,
        bar_line_color=GREY,
        bar_line_width=2,
        label_text_color=GREY,
        label_text_font_size="12.5px",
        border_line_color=None,
        bar_length=0.18,
        title="",
    )
