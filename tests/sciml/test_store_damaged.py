"""A damaged store of arrays is told in one message, and nothing else is logged."""

import logging
from pathlib import Path

import numpy as np
import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.array_store import load_arrays, save_arrays


def test_a_damaged_manifest_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_arrays(tmp_path / "arrays", {"a": np.arange(3.0)})
    (tmp_path / "arrays" / "manifest.ocdbt").write_bytes(b"x" * 500)
    monkeypatch.setattr(logging.getLogger("absl"), "propagate", True)
    caplog.set_level(logging.DEBUG, "absl")
    caplog.clear()
    with pytest.raises(InputError, match="no arrays can be read here"):
        load_arrays(tmp_path / "arrays")
    assert [record for record in caplog.records if record.name == "absl"] == []
