"""The code on the page of graph networks runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "graph-networks.md"


@pytest.mark.slow
def test_code_on_the_page_runs(capsys):
    pytest.importorskip("torch_geometric")
    text = PAGE.read_text(encoding="utf-8")
    names = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert "inside: True" in lines[-2]
    assert float(names["error_k"]) < 0.5
    assert float(lines[-1]) < 1e-10
