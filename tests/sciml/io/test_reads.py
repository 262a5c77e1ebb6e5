"""A file that is edited while it is worked with."""

import hashlib
from pathlib import Path

import pytest

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io import reads as once
from tvilling.sciml.io.files import read_bytes, read_text
from tvilling.sciml.io.reads import read_once


def test_a_file_is_the_same_however_often_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_bytes(b"one")
    with read_once() as reads:
        assert read_bytes(path) == b"one"
        path.write_bytes(b"other")
        assert read_text(tmp_path / "." / "meters.csv") == "one"
        path.unlink()
        assert read_bytes(path) == b"one"
        assert reads.sha256() == {str(path): hashlib.sha256(b"one").hexdigest()}
        with pytest.raises(InputError, match="expected at most 2e-06 MB"):
            read_bytes(path, 2)
    with pytest.raises(InputError, match="no such file"):
        read_bytes(path)


def test_a_file_that_is_not_there_yet_is_looked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    with read_once() as reads:
        with pytest.raises(InputError, match="no such file"):
            read_bytes(path)
        path.write_bytes(b"in")
        assert read_bytes(path) == b"in"
        assert list(reads.sha256()) == [str(path)]


def test_a_large_file_that_changes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "MAX_HELD_BYTES", 2)
    path = tmp_path / "record.csv"
    path.write_bytes(b"long")
    with read_once():
        assert read_bytes(path) == read_bytes(path) == b"long"
        path.write_bytes(b"longer")
        with pytest.raises(InputError, match="has changed while it was worked with"):
            read_bytes(path)
