"""The code on the page about networks that solve equations runs, and finds what it says."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "pinns.md").read_text(encoding="utf-8")


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinns.md", "exec"), scope)
    stopped, values, reference = capsys.readouterr().out.splitlines()
    assert stopped == "steps 0.1500 1/h"  # the rate behind the readings
    assert values == "[70.   33.21 18.25] °C"  # 8 + 62 exp(-0.15 t)
    assert reference.endswith("°C")
