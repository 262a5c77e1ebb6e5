"""The code on the page about operators runs, and finds what it says."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[3] / "docs" / "pinn-operators.md").read_text(encoding="utf-8")


def test_code_of_the_page_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it keeps an operator
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        exec(compile(block, "pinn-operators.md", "exec"), scope)
    errors, sizes, grids, kept, trust = capsys.readouterr().out.splitlines()
    found = re.fullmatch(r"operator (0\.\d\d), linear regression (0\.\d\d)", errors)
    assert found is not None
    assert float(found[1]) < float(found[2]) / 2
    assert sizes == "{'sample': 3, 'time_s': 33} °C"
    assert (grids, kept, trust) == ("flat", "steps True", "unlike the training")
