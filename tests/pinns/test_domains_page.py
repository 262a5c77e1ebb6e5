"""The code on the page about domains runs, and comes as close as the page says."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "pinn-domains.md").read_text(encoding="utf-8")


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinn-domains.md", "exec"), scope)
    told = capsys.readouterr().out.split()
    assert told[:3] == ["relative", "L2", "error"]
    assert float(told[3]) < 1.2e-2
