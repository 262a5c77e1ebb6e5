"""The code on the page about unknown parameters runs, and finds the truth it hides."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "pinn-inverse.md").read_text(encoding="utf-8")


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinn-inverse.md", "exec"), scope)
    recommend, noise, again, rod, source = capsys.readouterr().out.splitlines()
    assert _holds(recommend, 0.15)
    assert "The fit has settled" in recommend
    assert 0.3 < float(noise.split()[1]) < 0.7  # half a kelvin, 23 numbers behind it
    assert _holds(again, 0.18)
    assert _holds(rod, 0.25, by=2.0)
    assert source == "['conduction', 'smoothness'] {'smoothness': 8000.0}"


def _holds(told: str, truth: float, by: float = 1.0) -> bool:
    """Whether the interval that is told holds `truth`, or one that is wider."""
    low, high = (float(x) for x in re.search(r"\(([\d.]+) to ([\d.]+)\)", told).groups())
    middle, half = (low + high) / 2, by * (high - low) / 2
    return abs(truth - middle) <= half
