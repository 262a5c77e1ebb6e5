"""The page of a registered system, made from its channels alone."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np

from tvilling.apps.web.addresses import system_address
from tvilling.apps.web.loading import Loading
from tvilling.apps.web.pages.charts import Chart, Curve
from tvilling.apps.web.pages.freshness import Freshness
from tvilling.apps.web.pages.home import shown_name
from tvilling.apps.web.pages.system_model import SystemModel, SystemRun, system_model
from tvilling.apps.web.pages.tiles import Tile, framed, html, table, tiles
from tvilling.apps.web.pages.verdict import Checks, limit_findings
from tvilling.apps.web.shell import (
    BROAD,
    HALF,
    MARGIN,
    NARROW,
    WHOLE,
    beside,
    bokeh,
    paper,
    rows,
    show_page,
    slider,
    visitor_words,
)
from tvilling.apps.web.text import Labels, scaled
from tvilling.apps.web.waiting import when_loaded
from tvilling.apps.web.worker import Latest
from tvilling.sciml.core.system import Channel
from tvilling.sciml.io.extras import needs_extra
from tvilling.sciml.systems import SYSTEMS

with needs_extra("apps"):
    import panel_material_ui as pmui

MAX_TILES = 4
ADDED = ("W", "var", "VA")  # elements of these have a sum; of other quantities, a mean
AXES = {
    "degc_axis": ("°C",),
    "power_axis": ("W", "kW", "MW", "GW"),
    "reactive_axis": ("var", "kvar", "Mvar"),
    "pressure_axis": ("bar",),
    "voltage_axis": ("p.u.",),
    "percent_axis": ("%",),
    "share_axis": ("1", ""),
    "irradiance_axis": ("W/m²",),
    "angle_axis": ("°",),
    "flow_axis": ("kg/s",),
}
Settings = dict[str, float]


@dataclass(frozen=True)
class Answer:
    """The run that the worker made for `settings`."""

    settings: Settings
    run: SystemRun


def system_page(name: str, loading: Loading[SystemRun], has_login: bool = False) -> None:
    """Give the page of the system `name` to the visitor who asks for it.

    `loading` makes the run that the sliders start from, and so compiles it; `has_login` says
    whether visitors log in, and so can log out.
    """
    words = visitor_words()
    title = shown_name(words, name)
    loading.start()

    def parts(run: SystemRun, document: Any) -> list[Any]:
        return SystemView(name, run, words, document).parts()

    body = when_loaded(loading, words, title, parts)
    show_page(words, system_address(name), title, [body], has_login)


def load_system(name: str) -> Loading[SystemRun]:
    """The run that the sliders of the system `name` start from, not yet begun."""

    def make(tell: Callable[[str], None]) -> SystemRun:
        tell("system")
        return system_model(name).result()

    return Loading(make)


class SystemView:
    """Panes of one visitor, and the worker that keeps them in step with the sliders.

    Parameters
    ----------
    run
        The run that the sliders start from.
    document
        The visitor's, on whose loop panes are changed.
    """

    def __init__(self, name: str, run: SystemRun, words: Labels, document: Any) -> None:
        self.model = system_model(name)
        self._name, self._words = name, words
        self._outputs = self.model.example.system.outputs
        self._tiles, self._state, self._table = html(), html(), html()
        self._charts = _charts(self.model, run, words)
        self._sheets = [paper(bokeh(chart.figure)) for chart in self._charts.values()]
        figures = [self._tiles, self._table, *(chart.figure for chart in self._charts.values())]
        self._freshness = Freshness(words, self._state, figures)
        self._worker: Latest[Settings, Answer] = Latest(
            self._work, self._show, self._fail, document.add_next_tick_callback
        )
        self._show(Answer(self.model.settings(), run))
        self.model.param.watch(lambda *_: self._ask(), list(self.model.settings()))

    def parts(self) -> list[Any]:
        """What stands on the page."""
        words = self._words
        description = words.term(SYSTEMS[self._name].description)
        heading = (
            f"<h1>{escape(shown_name(words, self._name))}</h1>"
            f'<p class="quiet">{escape(description)}</p>'
        )
        sizes = [HALF if len(self._sheets) > 1 else WHOLE] * len(self._sheets)
        note = f'<p class="quiet">{escape(words("band_note"))}</p>'
        figures = html(f"<h2>{escape(words('figures'))}</h2>", margin=(0, 0, 6, 0))
        results = rows(
            self._tiles,
            self._state,
            beside(*self._sheets, sizes=sizes),
            html(note),
            paper(figures, self._table),
        )
        columns = beside(self._controls(), results, sizes=[NARROW, BROAD])
        return [rows(html(heading), columns, margin=(18, 0, 24, 0))]

    def _controls(self) -> Any:
        words, parameters, system = self._words, self.model.param, self.model.example.system

        def sliders(title: str, channels: tuple[Channel, ...]) -> list[Any]:
            head = html(f"<h3>{escape(words(title))}</h3>", margin=(4, 8, 2, 8))
            return [head, *(self._slider(channel) for channel in channels)] if channels else []

        days = slider(parameters.days, words, words("days"), words("days_unit"), 0)
        swing = slider(parameters.variation_percent, words, words("variation"), "%", 0)
        days.step, swing.step = 1, 5
        reset = pmui.Button(label=words("reset"), variant="outlined", size="small", margin=MARGIN)
        reset.on_click(lambda *_: self.model.reset())
        return paper(
            html(f"<h2>{escape(words('inputs'))}</h2>", margin=(0, 8, 6, 8)),
            *sliders("actions", system.actions),
            *sliders("drives", system.drives),
            html(f"<h3>{escape(words('trial'))}</h3>", margin=(4, 8, 2, 8)),
            days,
            swing,
            html(f'<p class="quiet">{escape(words("variation_note"))}</p>', margin=(0, 8, 10, 8)),
            reset,
        )

    def _slider(self, channel: Channel) -> Any:
        """A slider in the channel's unit; its text scales watts and shows the needed decimals."""
        span = self.model.spans[channel.name]
        label = _label(self._words, channel)
        divisor, unit = scaled(span.value or max(abs(span.low), abs(span.high)), channel.unit)
        digits = max(0, -math.floor(math.log10(span.step / divisor) + 1e-9))
        parameter = self.model.param[channel.name]
        return slider(parameter, self._words, label, unit, digits, divisor)

    def _ask(self) -> None:
        self._freshness.calculating()
        self._worker.submit(self.model.settings())

    def _work(self, settings: Settings, superseded: Callable[[], bool]) -> Iterator[Answer]:
        yield Answer(settings, self.model.result(settings))

    def _show(self, answer: Answer) -> None:
        """Put a run on the page; it is not fine before it is that of the sliders."""
        words, run = self._words, answer.run
        for unit, chart in self._charts.items():
            names = [name for name in run.data if run.data[name].attrs.get("units") == unit]
            values, shown_unit = _curves(run, names, unit)
            chart.show(run.hours, values, _axis(words, shown_unit))
        self._tiles.object = framed(tiles(_tiles(words, self.model, run)))
        self._table.object = framed(_table(words, self._outputs, run))
        if answer.settings == self.model.settings():
            fine = words("steps_fine", count=len(run.hours))
            self._freshness.calculated(run_checks(words, self.model, run), fine)

    def _fail(self, error: Exception) -> None:
        self._freshness.failed(error)


def run_checks(words: Labels, model: SystemModel, run: SystemRun) -> Checks:
    """What decides whether a run is fine, its example's limits included."""
    findings = limit_findings(words, run.data, model.example.limits)
    return Checks(run.data["status"].values, run.not_numbers(), findings)


def _label(words: Labels, channel: Channel) -> str:
    """A channel's name for a reader, and of how many elements it is the mean."""
    name = words.term(channel.description or channel.name)
    count = math.prod(channel.shape)
    return words("mean_of", name=name, count=count) if count > 1 else name


def _charts(model: SystemModel, run: SystemRun, words: Labels) -> dict[str, Chart]:
    """One chart a unit, in the order of the outputs; inputs are dashed."""
    system = model.example.system
    inputs = (*system.actions, *system.drives)
    curves: dict[str, list[Curve]] = {}
    for channel in (*system.outputs, *inputs):
        given = channel in inputs
        label = _label(words, channel)
        found = run.data[channel.name]
        curves.setdefault(channel.unit, []).append(
            Curve(
                channel.name,
                words("set_here", name=label) if channel in system.actions else label,
                dashed=given,
                band=math.prod(channel.shape) > 1,
                visible=given or bool((np.abs(found.values) > 0).any()),
            )
        )
    make = partial(Chart, x_label=words("time_h"), language=words.language)
    return {unit: make(some, y_label=_axis(words, unit)) for unit, some in curves.items()}


def _axis(words: Labels, unit: str) -> str:
    """Title of an axis, from its unit."""
    key = next((key for key, units in AXES.items() if unit in units), "unit_axis")
    return words(key, unit=unit)


def _curves(run: SystemRun, names: list[Any], unit: str) -> tuple[dict[str, np.ndarray], str]:
    """Mean of each variable over its elements, lowest and highest, in a unit that fits them."""
    values: dict[str, np.ndarray] = {}
    for name in names:
        found = run.data[name]
        dims = [dim for dim in found.dims if dim != "time"]
        values[name] = found.mean(dims).values
        if dims:
            values[f"{name}_low"] = found.min(dims).values
            values[f"{name}_high"] = found.max(dims).values
    divisor, unit = scaled(max(float(np.nanmax(np.abs(one))) for one in values.values()), unit)
    return {name: one / divisor for name, one in values.items()}, unit


def _tiles(words: Labels, model: SystemModel, run: SystemRun) -> list[Tile]:
    """Energy and peak of the greatest powers, the power bought first; then ranges of the rest."""
    example = model.example
    powers = [channel for channel in example.system.outputs if channel.unit == "W"]
    powers.sort(key=lambda one: (one.name != example.bought, -abs(run.energy_kwh(one.name))))
    found = [
        Tile(
            words("energy_of", name=_output_label(words, channel)),
            words.quantity(1e3 * run.energy_kwh(channel.name), "Wh"),
            words("peak", power=words.quantity(run.peak_w(channel.name), "W")),
            channel.name,
        )
        for channel in powers[: MAX_TILES - 1]
    ]
    others = [channel for channel in example.system.outputs if channel.unit != "W"]
    for channel in others[: MAX_TILES - len(found)]:
        values = run.data[channel.name].values
        low, high = float(values.min()), float(values.max())
        found.append(
            Tile(
                _output_label(words, channel),
                words.quantity(float(values.mean()), channel.unit),
                words(
                    "from_to",
                    low=words.quantity(low, channel.unit),
                    high=words.quantity(high, channel.unit),
                ),
                channel.name,
            )
        )
    return found


def _table(words: Labels, channels: tuple[Channel, ...], run: SystemRun) -> str:
    """Mean, lowest and highest of every output, and the energy of every power.

    The row of a power is that of its elements together, so that its mean times the length of the
    run is its energy; the row of another quantity spans its elements.
    """
    headings = [words(key) for key in ("channel", "mean", "lowest", "highest", "energy")]
    rows = []
    for channel in channels:
        values = run.total(channel.name) if channel.unit in ADDED else run.data[channel.name]
        some = (values.mean(), values.min(), values.max())
        cells = [words.quantity(float(value), channel.unit) for value in some]
        energy = ""
        if channel.unit == "W":
            energy = words.quantity(1e3 * run.energy_kwh(channel.name), "Wh")
        rows.append([_output_label(words, channel), *cells, energy])
    return table(headings, rows)


def _output_label(words: Labels, channel: Channel) -> str:
    """What a row or a tile is about: powers of several elements are added."""
    name, count = words.term(channel.description or channel.name), math.prod(channel.shape)
    if count == 1:
        return name
    return words("sum_of" if channel.unit in ADDED else "mean_of", name=name, count=count)
