"""The code on the page about networks as systems runs, and finds what it says."""

import math
import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "pinn-surrogates.md").read_text(encoding="utf-8")


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinn-surrogates.md", "exec"), scope)
    inside, outside, fouling, off, least, near, far = capsys.readouterr().out.splitlines()
    units, ratio = 60.0 / (1 / 3.0 + 0.2) / 60.0, 60.0 / 90.0
    left = math.exp(-units * (1 - ratio))
    out_degc = 90.0 - 45.0 * (1 - left) / (1 - ratio * left)  # Incropera et al., table 11.3
    assert inside.startswith(f"hot water leaves at {out_degc:.1f} °C")
    assert float(inside.split()[-1]) > 0.5
    assert float(outside.split()[-1]) < 0.1
    mean, sd = (float(text) for text in re.findall(r"\d+\.\d+", fouling)[:2])
    assert abs(mean - 0.3) < 3 * sd
    assert off.endswith("True")
    assert float(least.split()[-1]) > 0.5
    assert near == "load 0.9: answered by physics: False"
    assert far == "load 1.6: answered by physics: True"
