"""Curves over time, drawn once; new values are patched in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tvilling.apps.web.style import CURVES, GREY
from tvilling.apps.web.text import MINUS
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    from bokeh.models import (
        ColumnDataSource,
        CustomJSTickFormatter,
        DataRange1d,
        HoverTool,
        Range1d,
    )
    from bokeh.models.annotations import Legend, LegendItem, Span
    from bokeh.plotting import figure

SHORT = 22  # letters of a legend's entry of which two stand side by side
TOOLS = "pan,xwheel_zoom,box_zoom,reset,save"


@dataclass(frozen=True)
class Curve:
    """One curve: its key in the data and its name; a `band` adds KEY_low and KEY_high around it."""

    key: str
    label: str
    dashed: bool = False
    band: bool = False
    visible: bool = True


class Chart:
    """Curves that share an axis.

    Parameters
    ----------
    curves
        In the order of the legend; a click on a name hides its curve.
    x_label, y_label
        Of the axes, with units.
    language
        Decides the decimal sign.
    x_end
        Where the x axis ends, where that is fixed; a line then marks one place on it, as `mark`
        sets it.
    """

    def __init__(
        self,
        curves: Sequence[Curve],
        x_label: str,
        y_label: str,
        language: str,
        x_end: float | None = None,
    ) -> None:
        self.source = ColumnDataSource({"x": []})
        self.figure = figure(
            height=300,
            sizing_mode="stretch_width",
            tools=TOOLS,
            active_drag=None,
            active_scroll=None,
            x_axis_label=x_label,
            y_axis_label=y_label,
            background_fill_alpha=0,
            border_fill_alpha=0,
            outline_line_color=None,
        )
        self._curves = curves
        self._now = Span(location=0.0, dimension="height", line_dash="dotted", line_color=GREY)
        if x_end is not None:
            self.figure.add_layout(self._now)
            self.figure.x_range = Range1d(start=0.0, end=x_end)
        self._dress(language)
        self._draw()

    def show(self, x: np.ndarray, values: Mapping[str, np.ndarray], y_label: str = "") -> None:
        """Replace the curves' values; `values` has every key, and KEY_low, KEY_high of bands."""
        self.source.data = {"x": x, **{key: values[key] for key in self._columns()}}
        if y_label and self.figure.yaxis[0].axis_label != y_label:
            self.figure.yaxis[0].axis_label = y_label

    def mark(self, x: float) -> None:
        """Move the line that marks a place on the x axis."""
        self._now.location = x

    def _columns(self) -> list[str]:
        bands = [curve.key for curve in self._curves if curve.band]
        both = [f"{key}_{end}" for key in bands for end in ("low", "high")]
        return [*(curve.key for curve in self._curves), *both]

    def _dress(self, language: str) -> None:
        plot = self.figure
        plot.toolbar.logo = None
        plot.toolbar.autohide = True
        if isinstance(plot.x_range, DataRange1d):
            plot.x_range.range_padding = 0.01
        for axis in (plot.xaxis[0], plot.yaxis[0]):
            axis.formatter = ticks(language)
            axis.axis_label_text_font_size = "13px"
            axis.major_label_text_font_size = "12px"
            axis.axis_line_alpha = 0.4
            axis.minor_tick_line_color = None
        ticker: Any = plot.xaxis[0].ticker
        ticker.mantissas = [1, 2, 3, 6, 12]
        plot.xgrid.grid_line_color = None
        plot.ygrid.grid_line_alpha = 0.35

    def _draw(self) -> None:
        self.source.data = {name: [] for name in ("x", *self._columns())}
        items = []
        for number, curve in enumerate(self._curves):
            colour = CURVES[number % len(CURVES)]
            look: dict[str, Any] = {"source": self.source, "visible": curve.visible}
            drawn = []
            if curve.band:
                ends: Any = {"y1": f"{curve.key}_low", "y2": f"{curve.key}_high"}
                drawn.append(
                    self.figure.varea("x", **ends, fill_color=colour, fill_alpha=0.16, **look)
                )
            dash = "dashed" if curve.dashed else "solid"
            line = self.figure.line(
                "x", curve.key, line_color=colour, line_width=2, line_dash=dash, **look
            )
            self.figure.add_tools(_hover(curve, line))
            items.append(LegendItem(label=curve.label, renderers=[line, *drawn]))
        short = max((len(curve.label) for curve in self._curves), default=0) <= SHORT
        legend = Legend(
            items=items,
            click_policy="hide",
            ncols=2 if short and len(items) > 1 else 1,
            location="left",
            background_fill_alpha=0,
            border_line_color=None,
            label_text_font_size="12.5px",
            glyph_height=12,
            spacing=2,
            padding=2,
            margin=4,
        )
        self.figure.add_layout(legend, "below")
        self.figure.height = 250 + 20 * -(-len(items) // legend.ncols)


def ticks(language: str) -> Any:
    """Numbers beside an axis, to four decimals at most, with the language's decimal sign."""
    sign = "," if language == "da" else "."
    code = f"return String(+tick.toFixed(4)).replace('-', '{MINUS}').replace('.', '{sign}')"
    return CustomJSTickFormatter(code=code)


def _hover(curve: Curve, line: Any) -> HoverTool:
    return HoverTool(
        renderers=[line],
        tooltips=[(curve.label, f"@{{{curve.key}}}{{0[.]00}}")],
        mode="vline",
        attachment="horizontal",
        visible=False,
    )
