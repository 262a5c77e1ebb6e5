"""The page on the heat plant: its code runs, and its tables are those of the code."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "heat-plant.md").read_text(encoding="utf-8")
spec = importlib.util.spec_from_file_location("heat_plant_tables", DOCS / "heat_plant_tables.py")
assert spec is not None
assert spec.loader is not None
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    exec(compile(block, "heat-plant.md", "exec"), {})
    out = capsys.readouterr().out
    assert "'heat pump'" in out
    assert out.endswith(" DKK, 0.0 MWh unserved\n")


def test_tables_of_the_page_are_those_of_the_code() -> None:
    assert tables.filled(TEXT) == TEXT, "run docs/heat_plant_tables.py"
    assert TEXT.count("<!-- end -->") == 2
    assert "| transmission | 5.3 | øre/kWh | 2020-01-01 to 2020-12-31 |" in TEXT
