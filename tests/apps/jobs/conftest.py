import os
from collections.abc import Callable
from pathlib import Path

import job_kinds
import pytest

from tvilling.apps.jobs.store import Store


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of its own for each test, which processes that it starts find as well."""
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(Path(job_kinds.__file__).parent), prepend=os.pathsep)
    return Store.at_home()


@pytest.fixture
def case(tmp_path: Path) -> Callable[..., Path]:
    """Writes a case of a kind in `job_kinds`."""

    def write(kind: str, wait_s: float = 0.0) -> Path:
        path = tmp_path / "case.yaml"
        path.write_text(f"kind: {kind}\nwait_s: {wait_s}\n")
        return path

    return write


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """The times for which work was begun, one for each beginning."""

    def read() -> list[str]:
        path = tmp_path / "calls"
        return path.read_text().split() if path.exists() else []

    return read
