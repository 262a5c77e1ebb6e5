"""The page on production plans says what the code does."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tvilling.apps.plant.report.table import as_facts, ways_table

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def tables(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("production_tables")


def test_the_page_lists_the_fields_of_the_case_as_they_are(tables):
    text = tables.PAGE.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run docs/production_tables.py"
    assert "| `horizon_h` | - | 12 to 168 | 72 |" in text
    assert "| `return_degc` | °C | 5 to 80 | 42.0 |" in text


def test_the_page_lists_every_figure_of_a_summary(tables, plan_set):
    listed = tables.figures()
    for way in as_facts(ways_table(plan_set)).values():
        assert all(f"| `{name}` |" in listed for name in way)


def test_the_ways_of_the_code_are_on_the_page(tables, ran, plan_set):
    text = tables.PAGE.read_text(encoding="utf-8")
    for way in {*ran.data["way"].values, *plan_set["way"].values}:
        assert f"| `{way}`" in text
