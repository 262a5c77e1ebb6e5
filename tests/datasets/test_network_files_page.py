"""The page on network files says what the code does: its tables, its code and its figures."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "network-files.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "network_files_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_in_step_with_the_code(tables: ModuleType) -> None:
    assert tables.page() == TEXT, "run docs/network_files_tables.py"


def test_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    scope: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "network-files.md", "exec"), scope)
    assert len(blocks) == 2
    assert "pipe_K1073_K1074" in capsys.readouterr().out


def test_every_table_that_is_read_from_pandapipes_is_on_the_page() -> None:
    from tvilling.datasets.readers.heat.pandapipes import UNSUPPORTED
    from tvilling.datasets.readers.heat.pandapipes_reading import NEEDED

    for table in {*NEEDED, *UNSUPPORTED} - {"press_control"}:
        assert f"`{table}`" in TEXT
