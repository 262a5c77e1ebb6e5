"""The page that adds a battery, done word by word in a copy of the packages.

The first Python block becomes a file, the second a line of the registry; everything else on the
page then runs, with no other file changed.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tvilling.benchmarks.app_browser import browser, chromium, served_app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "add-a-system.md"
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]["package-dir"]
REGISTRY = "SYSTEMS: dict[str, SystemEntry] = {\n"
FILE, LINE, *REST = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to import from, with the battery in it."""
    site = tmp_path_factory.mktemp("site")
    for name, folder in PACKAGES.items():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, site.joinpath(*name.split(".")), ignore=ignore)
    systems = site / "tvilling" / "sciml" / "systems"
    (systems / "battery.py").write_text(FILE, encoding="utf-8")
    registry = systems / "registry.py"
    text = registry.read_text(encoding="utf-8")
    assert REGISTRY in text
    registry.write_text(text.replace(REGISTRY, REGISTRY + LINE), encoding="utf-8")
    return site


def first_of_all(site: Path) -> dict[str, str]:
    """Import from `site`, also where the working folder holds a `tvilling` of its own."""
    return {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}


def python(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | first_of_all(site) | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_battery_passes_the_contract_of_every_system(site: Path) -> None:
    result = python(site, "-m", "pytest", "tests/contract", "-k", "battery", "-p", "no:xdist")
    assert result.returncode == 0, result.stdout
    passed = re.search(r"(\d+) passed", result.stdout)
    assert passed is not None
    assert int(passed[1]) >= 12


def test_everything_on_the_page_runs(site: Path, tmp_path: Path) -> None:
    """Simulation, surrogate, environment with its bound, twin; one program, warnings are errors."""
    script = tmp_path / "page.py"
    script.write_text("\n".join(REST), encoding="utf-8")
    result = python(site, "-W", "error", script)
    assert result.returncode == 0, result.stderr
    found = re.search(r"efficiency (\d\.\d+) ± (\d\.\d+), true (\d\.\d+)", result.stdout)
    assert found is not None, result.stdout
    mean, sd, true = (float(text) for text in found.groups())
    assert mean == pytest.approx(true, abs=4 * max(sd, 5e-4))
    assert "answered by physics: True" in result.stdout
    saved = re.search(r"^price rule\s+\S+\s+(\S+)\s+(\S+)\s+0$", result.stdout, re.MULTILINE)
    assert saved is not None, result.stdout
    assert 0 < float(saved[2]) <= 100


@pytest.mark.skipif(chromium() is None, reason="no chromium on this machine")
def test_the_battery_has_a_card_and_a_page(site: Path) -> None:
    from playwright.sync_api import expect

    with served_app(environment=first_of_all(site)) as address, browser() as opened:
        page = opened.new_context(locale="en-GB").new_page()
        page.goto(f"{address}/")
        expect(page.get_by_text("Battery behind a meter").first).to_be_visible(timeout=60_000)
        page.goto(f"{address}/system/battery")
        for channel in ("Charging power", "Discharging power", "Load of the site"):
            expect(page.get_by_text(channel).first).to_be_visible(timeout=60_000)
