import importlib.util
import re
from pathlib import Path

from typer.main import get_command

from tvilling.apps.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("run_tables", DOCS / "run_tables.py")
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)


def test_the_page_lists_the_fields_of_the_case_as_they_are():
    text = tables.PAGE.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run docs/run_tables.py"
    assert "| `return_degc` | °C | 5 to 90 | - | Return temperature of every consumer" in text
    assert "| `step_min` | min | 0.5 to 240 | 15.0 |" in text


def test_every_command_is_on_the_page():
    text = tables.PAGE.read_text(encoding="utf-8")
    for name in get_command(app).commands:
        assert re.search(rf"`tvilling {name}\b", text), name
