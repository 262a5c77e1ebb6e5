"""Figures are fine where they are up to date, converged, possible and within limits; no other."""

import re

import numpy as np
import pytest

pytest.importorskip("panel")

from tvilling.apps.web.pages.freshness import FRESH, STALE, Freshness
from tvilling.apps.web.pages.system_model import system_model
from tvilling.apps.web.pages.system_page import SystemView, _label, _output_label, _table
from tvilling.apps.web.pages.tiles import html
from tvilling.apps.web.pages.verdict import UNTRUE, Checks, verdict
from tvilling.apps.web.text import TABLES, Labels
from tvilling.apps.web.text.terms import DANISH_TERMS
from tvilling.sciml.core.results import FLAGS
from tvilling.sciml.core.system import Status
from tvilling.sciml.systems import SYSTEMS

EN, DA = Labels("en"), Labels("da")
LONGEST_LABEL = 60


@pytest.fixture(scope="module")
def plant():
    model = system_model("heat_plant")
    return model, model.result()


def test_only_a_status_of_zero_is_fine():
    steps = np.zeros(4, int)
    assert verdict(EN, Checks(steps), "good").kind == "fine"
    assert verdict(EN, None, "good").kind == "busy"
    assert verdict(EN, Checks(steps, {"x": 2}), "good").kind == "bad"
    for flag in FLAGS:
        found = verdict(EN, Checks(np.array([0, flag, 0, flag])), "good")
        assert found.kind == ("bad" if flag & UNTRUE else "warn")
        assert "(2 of 4 steps)" in found.lines[0]
        assert "steps" not in verdict(EN, Checks(np.array(flag)), "good").lines[0]
    assert {flag for flag in FLAGS if not flag & UNTRUE} == {
        Status.UNSERVED, Status.PRESSURE, Status.DISCONNECTED,
    }  # fmt: skip


class Visitor:
    """A document whose loop runs what it is given when it is told to."""

    def __init__(self):
        self.waiting = []

    def add_next_tick_callback(self, call):
        self.waiting.append(call)


def test_figures_are_grey_from_the_move_to_its_own_answer(plant):
    import time

    _, run = plant
    visitor = Visitor()
    view = SystemView("heat_plant", run, EN, visitor)
    assert "fine" in view._state.object
    shown = view._tiles.object
    view.model.variation_percent = 40
    assert "Calculating" in view._state.object
    assert view._tiles.styles == STALE
    deadline = time.monotonic() + 60.0
    while not visitor.waiting and time.monotonic() < deadline:
        time.sleep(0.02)
    view._worker.submit = lambda settings: None
    view.model.variation_percent = 30  # before the answer to 40 is on the page
    visitor.waiting.pop()()
    assert view._tiles.object != shown
    assert "Calculating" in view._state.object
    assert view._tiles.styles == STALE
    view.model.variation_percent = 40
    view._show(type("Answer", (), {"settings": view.model.settings(), "run": run})())
    assert "Calculating" not in view._state.object
    assert view._tiles.styles == FRESH
    view._fail(ValueError("<no>"))
    assert "&lt;no&gt;" in view._state.object
    assert view._tiles.styles == STALE


def test_every_move_changes_the_page_so_that_it_counts_as_answered():
    line = html()
    one, seen = Freshness(EN, line, []), set()
    for _ in range(3):
        one.calculating()
        seen.add(line.object)
    assert len(seen) == 3


def test_a_row_of_the_table_is_about_one_thing(plant):
    """Mean times length is the energy, also where a power has several elements."""
    model, run = plant
    text = _table(EN, model.example.system.outputs, run).replace("\N{NO-BREAK SPACE}", " ")
    row = re.search(r"<td>Heat of each unit, all 5 together</td>(.*?)</tr>", text)
    assert row
    mean, *_, energy = re.findall(r"<td>(.*?)</td>", row[1])
    assert (mean, energy) == ("9.40 MW", "677 MWh")
    for channel in model.example.system.outputs:
        if channel.unit == "W":
            mean_w = float(run.total(channel.name).mean())
            assert mean_w * run.hours[-1] / 1e3 == pytest.approx(run.energy_kwh(channel.name))


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_label_is_for_a_reader_and_in_danish(name):
    assert DANISH_TERMS.keys() >= {SYSTEMS[name].description, name.replace("_", " ")}
    system = system_model(name).example.system
    for channel in (*system.actions, *system.drives, *system.outputs):
        assert channel.description in DANISH_TERMS, channel.name
        for words in (EN, DA):
            for label in (_label(words, channel), _output_label(words, channel)):
                assert len(label) <= LONGEST_LABEL, label
                assert not re.search(r";|, mean|, middel", label), label


@pytest.mark.parametrize("language", TABLES)
@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(613333.0, "var", "613 kvar"), (-2.1e6, "var", "−2.10 Mvar"), (0.51, "1", "0.51"),
     (3.37e9, "Wh", "3.37 GWh"), (1.5e9, "W", "1.50 GW"), (6e5, "VA", "600 kVA"),
     (0.0, "var", "0.00 var"), (0.99, "p.u.", "0.99 p.u.")],
)  # fmt: skip
def test_numbers_have_fitting_prefixes(language, value, unit, shown):
    text = Labels(language).quantity(value, unit).replace("\N{NO-BREAK SPACE}", " ")
    assert text == (shown.replace(".", ",", 1) if language == "da" else shown)
