"""The code on the page about load forecasts runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "load-forecast.md"


@pytest.mark.data
def test_code_on_the_page_runs(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    names = {"__name__": "load forecasts"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    out = capsys.readouterr().out
    assert "blend 2016-03-01T00:00" in out
    assert "ridge: " in out
