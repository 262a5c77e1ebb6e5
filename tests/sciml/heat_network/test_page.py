"""The page on the heat network: its code runs, and its figures are those of the code."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "heat-network.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    exec(compile(block, "heat-network.md", "exec"), {})
    assert capsys.readouterr().out.endswith(" W 0\n")


@pytest.mark.data
@pytest.mark.slow
def test_figures_of_the_page_are_those_of_the_code() -> None:
    """To 1 %, or one in the last digit; if not, run docs/heat_network_figures.py."""
    spec = importlib.util.spec_from_file_location("figures", DOCS / "heat_network_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = TEXT.split(module.START)[1].split(module.END)[0].strip()
    found = module.figures()
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", found)
    values = [np.array(NUMBER.findall(text), float) for text in (shown, found)]
    np.testing.assert_allclose(*values, rtol=0.01, atol=0.0101)
