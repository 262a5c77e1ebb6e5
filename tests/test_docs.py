"""Pages that say what the code does: they build, run, and name every quantity as the code does."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WITH_CODE = [
    ROOT / "README.md",
    DOCS / "control.md",
    DOCS / "power-grid-python.md",
    DOCS / "surrogates.md",
    DOCS / "twins.md",
]  # other pages have tests of their own
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//""",
    re.IGNORECASE,
)


def code_blocks(page: Path) -> list[tuple[int, str]]:
    """Line number and text of each Python block."""
    text = page.read_text(encoding="utf-8")
    return [
        (text[: match.start(1)].count("\n"), match[1])
        for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def names_table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("names_table", DOCS / "names_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    mkdocs = Path(sys.executable).with_name("mkdocs")
    result = subprocess.run(
        [mkdocs, "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    return folder


def test_built_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 5
    for page in pages:
        found = FETCHED.search(page.read_text(encoding="utf-8"))
        assert found is None, f"{page.relative_to(site)}: {found and found[0]}"


def test_a_fetched_font_would_be_found() -> None:
    assert FETCHED.search('<link rel="stylesheet" href="https://fonts.example/css?a">')
    assert FETCHED.search("src: url(//fonts.example/a.woff2)")
    assert not FETCHED.search('<a href="https://example.org">read more</a>')


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_code_on_the_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = code_blocks(page)
    assert blocks
    names: dict[str, object] = {"__name__": f"page {page.name}"}
    for line, text in blocks:
        exec(compile("\n" * line + text, str(page), "exec"), names)
    assert capsys.readouterr().out


def test_page_of_names_is_in_step_with_the_code() -> None:
    """If not: .venv/bin/python docs/names_table.py."""
    assert (DOCS / "names.md").read_text(encoding="utf-8") == names_table().page()


def test_every_name_ends_with_its_unit() -> None:
    """The longest suffix that a name ends with is the one of its unit."""
    table = names_table()
    for name, unit in table.quantities():
        ends = [suffix for suffix in table.SUFFIXES if name.endswith(f"_{suffix}")]
        said = table.SUFFIXES[max(ends, key=len)][0] if ends else None
        expected = unit if unit not in ("", "1") else None
        assert said == expected, f"{name} [{unit}]"
