"""The heat network's page: map, sliders, figures, and the course of a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

from tvilling.apps.web.addresses import NETWORK
from tvilling.apps.web.loading import Loading
from tvilling.apps.web.pages.charts import Chart, Curve
from tvilling.apps.web.pages.freshness import Freshness
from tvilling.apps.web.pages.network_checks import day_checks, hour_checks
from tvilling.apps.web.pages.network_map import NetworkMap, key_html
from tvilling.apps.web.pages.network_model import (
    DayFigures,
    HourFigures,
    NetworkModel,
    day_figures,
    hour_figures,
)
from tvilling.apps.web.pages.network_twin import NetworkTwin, Run, Settings
from tvilling.apps.web.pages.tiles import Tile, framed, html, tiles
from tvilling.apps.web.pages.verdict import Checks
from tvilling.apps.web.shell import (
    BROAD,
    HALF,
    MARGIN,
    NARROW,
    beside,
    bokeh,
    clock_slider,
    paper,
    rows,
    show_page,
    slider,
    visitor_words,
)
from tvilling.apps.web.text import Labels, scaled
from tvilling.apps.web.waiting import when_loaded
from tvilling.apps.web.worker import Latest
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    import panel_material_ui as pmui

SLIDERS = ("supply_degc", "demand_percent", "outdoor_degc", "ground_degc", "hour")
POWERS = ("source_w", "heat_w")


@dataclass(frozen=True)
class Answer:
    """What the worker found for `settings`: one hour, later the day, and checks of the latter."""

    settings: Settings
    hour: Run
    day: Run | None
    checks: Checks


def network_page(loading: Loading[NetworkTwin], has_login: bool = False) -> None:
    """Give the page to the visitor who asks for it; it waits until the twin is loaded.

    `has_login` says whether visitors log in, and so can log out.
    """
    words = visitor_words()
    title = words("network_title")

    def parts(twin: NetworkTwin, document: Any) -> list[Any]:
        return NetworkView(twin, words, document).parts()

    body = when_loaded(loading, words, title, parts)
    show_page(words, NETWORK, title, [body], has_login)


class NetworkView:
    """Panes of one visitor, and the worker that keeps them in step with the sliders.

    Parameters
    ----------
    twin
        Shared with other visitors, and only read.
    document
        The visitor's, on whose loop panes are changed.
    """

    def __init__(self, twin: NetworkTwin, words: Labels, document: Any) -> None:
        self.model = NetworkModel(twin)
        self._twin, self._words = twin, words
        self._map = NetworkMap(twin, words, self._choose)
        self._tiles, self._state = html(), html()
        self._map_title, self._day_line = html(), html()
        self._consumer_title = html()
        self._consumer_chart, self._plant_chart = _charts(words)
        self._map_sheet = paper(self._map_title, bokeh(self._map.figure))
        self._day_sheets = self._sheets_of_the_day()
        self._fresh_hour = Freshness(words, self._state, [self._tiles, self._map.figure])
        charts = [self._consumer_chart.figure, self._plant_chart.figure]
        self._fresh_day = Freshness(words, self._day_line, charts)
        self._day: Run | None = None
        self._hour: Run | None = None
        self._worker: Latest[Settings, Answer] = Latest(
            self._work, self._show, self._fail, document.add_next_tick_callback
        )
        for answer in self._work(self.model.settings(), lambda: False):
            self._show(answer)
        self.model.param.watch(lambda *_: self._ask(), SLIDERS)
        self.model.param.watch(lambda *_: self._follow(), "consumer")
        self.model.param.watch(lambda *_: self._colour(), "colour_by")

    def parts(self) -> list[Any]:
        """What stands on the page."""
        results = rows(
            self._tiles,
            self._state,
            self._map_sheet,
            self._day_line,
            beside(*self._day_sheets, sizes=[HALF, HALF]),
        )
        columns = beside(self._controls(), results, sizes=[NARROW, BROAD])
        return [rows(html(self._intro()), columns, margin=(18, 0, 24, 0))]

    def _sheets_of_the_day(self) -> list[Any]:
        title = html(f"<h2>{escape(self._words('plant_course'))}</h2>")
        return [
            paper(self._consumer_title, bokeh(self._consumer_chart.figure)),
            paper(title, bokeh(self._plant_chart.figure)),
        ]

    def _controls(self) -> Any:
        words, parameters = self._words, self.model.param
        reset = pmui.Button(label=words("reset"), variant="outlined", size="small", margin=MARGIN)
        reset.on_click(lambda *_: self.model.reset())
        return paper(
            html(f"<h2>{escape(words('inputs'))}</h2>", margin=(0, 8, 4, 8)),
            slider(parameters.supply_degc, words, words("supply"), "°C", 1),
            slider(parameters.demand_percent, words, words("demand"), "%", 0),
            slider(parameters.outdoor_degc, words, words("outdoor"), "°C", 1),
            slider(parameters.ground_degc, words, words("ground"), "°C", 1),
            clock_slider(parameters.hour, words("hour")),
            reset,
            pmui.Divider(sizing_mode="stretch_width", margin=(6, 0, 10, 0)),
            pmui.Select.from_param(
                parameters.consumer, label=words("consumer"), size="small",
                sizing_mode="stretch_width", margin=MARGIN,
            ),
            pmui.RadioButtonGroup.from_param(
                parameters.colour_by,
                label=words("colour_by"),
                options={
                    words("by_temperature"): "temperature", words("by_pressure"): "pressure",
                },
                size="small", sizing_mode="stretch_width", margin=MARGIN,
            ),
        )  # fmt: skip

    def _intro(self) -> str:
        words, tables = self._words, self._twin.prepared.tables
        length_m = float(tables.pipes["length_m"].sum())
        sizing = self._twin.prepared.case.sizing
        supply = f"{sizing.supply_degc:g}/{sizing.return_degc:g} °C" if sizing else "–"
        lead = words(
            "network_lead",
            consumers=len(tables.consumers),
            length=words.quantity(length_m / 1e3, "km"),
            supply=supply,
        )
        return f"<h1>{escape(words('network_title'))}</h1><p class='quiet'>{escape(lead)}</p>"

    def _ask(self) -> None:
        self._fresh_hour.calculating()
        self._fresh_day.calculating()
        self._worker.submit(self.model.settings())

    def _work(self, settings: Settings, superseded: Any) -> Iterator[Answer]:
        hour = self._twin.at_hour(settings)
        checks = hour_checks(self._words, self._twin, settings, hour)
        yield Answer(settings, hour, None, checks)
        if not superseded():
            day = self._twin.over_day(settings)
            checks = day_checks(self._words, self._twin, settings, day)
            yield Answer(settings, hour, day, checks)

    def _show(self, answer: Answer) -> None:
        """Put an answer on the page; it is not fine before it is that of the sliders."""
        is_newest = answer.settings == self.model.settings()
        if answer.day is None:
            self._show_hour(answer.settings, answer.hour)
            if is_newest:
                self._fresh_hour.calculated(answer.checks, self._words("steady_fine"))
            return
        self._day = answer.day
        self._follow()
        self._show_plant(answer.day)
        if is_newest:
            found = day_figures(self._twin, answer.day)
            fine = self._words("day_fine", count=found.steps)
            self._fresh_day.calculated(answer.checks, fine, day_text(self._words, found))

    def _show_hour(self, settings: Settings, hour: Run) -> None:
        words, self._hour = self._words, hour
        self._tiles.object = framed(tiles(hour_tiles(words, hour_figures(self._twin, hour))))
        title = words("map", hour=clock(settings.hour))
        note = f'<p class="quiet">{escape(words("map_note"))}</p>'
        self._map_title.object = framed(f"<h2>{escape(title)}</h2>{note}{key_html(words)}")
        self._map.show(hour, self.model.colour_by)
        for chart in (self._consumer_chart, self._plant_chart):
            chart.mark(settings.hour)

    def _show_plant(self, day: Run) -> None:
        powers = {key: day[key].sum(axis=1) for key in POWERS}
        divisor, unit = scaled(max(float(values.max()) for values in powers.values()), "W")
        values = {key: power / divisor for key, power in powers.items()}
        self._plant_chart.show(self._twin.hours, values, self._words("power_axis", unit=unit))

    def _follow(self) -> None:
        """Show the chosen consumer on the map and in its chart."""
        self._map.ring(self.model.consumer)
        title = self._words("consumer_course", name=self.model.consumer)
        self._consumer_title.object = framed(f"<h2>{escape(title)}</h2>")
        if self._day is None:
            return
        at = self.model.param["consumer"].objects.index(self.model.consumer)
        keys = ("consumer_supply_degc", "consumer_return_degc")
        values = {key: self._day[key][:, at] for key in keys}
        self._consumer_chart.show(self._twin.hours, values)

    def _colour(self) -> None:
        if self._hour is not None:
            self._map.show(self._hour, self.model.colour_by)

    def _choose(self, consumer: str) -> None:
        self.model.consumer = consumer

    def _fail(self, error: Exception) -> None:
        self._fresh_hour.failed(error)
        self._fresh_day.failed(error)


def hour_tiles(words: Labels, found: HourFigures) -> list[Tile]:
    """The figures of one hour as tiles."""
    share = words.quantity(100 * found.loss_w / max(found.heat_w, 1.0), "%", 2)
    lift = words("lift", lift=words.quantity(found.lift_bar, "bar"))
    return [
        Tile(words("heat_in"), words.quantity(found.heat_w, "W"), words("at_plant"), "heat"),
        Tile(
            words("heat_loss"),
            words.quantity(found.loss_w, "W"),
            words("of_heat", share=share),
            "loss",
        ),
        Tile(words("return"), words.quantity(found.return_degc, "°C"), words("at_plant"), "return"),
        Tile(words("flow"), words.quantity(found.flow_kg_per_s, "kg/s"), words("at_plant"), "flow"),
        Tile(words("pump"), words.quantity(found.pump_w, "W"), lift, "pump"),
        Tile(
            words("coldest"),
            words.quantity(found.coldest_degc, "°C"),
            words("at_consumer", name=found.coldest),
            "coldest",
        ),
    ]


def clock(hour: float) -> str:
    """A time of day [h] as hours and minutes."""
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day_text(words: Labels, found: DayFigures) -> str:
    """The energies of a day and its peak in a sentence."""
    parts = [
        words.quantity(1e3 * found.heat_kwh, "Wh"),
        words("day_loss", energy=words.quantity(1e3 * found.loss_kwh, "Wh")),
        words("day_pump", energy=words.quantity(1e3 * found.pump_kwh, "Wh")),
        words("peak_at", power=words.quantity(found.peak_w, "W"), hour=clock(found.peak_hour)),
    ]
    return f"{words('day_energy')}: {', '.join(parts)}."


def _charts(words: Labels) -> tuple[Chart, Chart]:
    chart = partial(Chart, x_label=words("hour_of_day"), language=words.language, x_end=24.0)
    degc = [Curve("consumer_supply_degc", words("inlet"))]
    degc += [Curve("consumer_return_degc", words("outlet"))]
    power = [Curve("source_w", words("heat_in")), Curve("heat_w", words("total_demand"), True)]
    return (
        chart(degc, y_label=words("degc_axis")),
        chart(power, y_label=words("power_axis", unit="kW")),
    )
