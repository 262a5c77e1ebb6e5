"""Each file of each store missing, cut, or with another bit: told, and never another value.

The stores of one array format, of NetCDF, JSON, SQLite and JSON lines are small real ones. Those of
ensembles have a file of their own (`tests/datasets/test_ensemble_damage.py`): they are made again.
"""

import shutil
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from damage import damaged_copies, files_of, flipped_in_the_middle
from store_makers import MAKERS

from tvilling.apps.shared.check_kept import check_kept
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import SUMS, UncheckedStoreWarning


@dataclass(frozen=True)
class Stored:
    """A store in `folder`, and a function that reads one like it as plain values."""

    folder: Path
    read: Callable[[Path], Any]
    values: Any


@pytest.fixture(scope="module", params=MAKERS)
def stored(request, tmp_path_factory) -> Stored:
    folder = tmp_path_factory.mktemp(request.param) / "kept"
    read = MAKERS[request.param](folder)
    return Stored(folder, read, read(folder))


def verdict(stored: Stored, folder: Path) -> str:
    """`told`, `unchecked` or `same`; anything else is an error."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            values = stored.read(folder)
        except InputError as error:
            return f"told: {error}"
    assert values == stored.values
    noted = [one for one in seen if one.category is UncheckedStoreWarning]
    return "unchecked" if noted else "same"


def test_a_bit_in_the_largest_file_is_told(stored, tmp_path):
    folder = shutil.copytree(stored.folder, tmp_path / "kept")
    files = [folder / file for file in files_of(folder) if file.suffix != ".sqlite"]
    file = max(files, key=lambda path: path.stat().st_size)
    flipped_in_the_middle(file)
    said = verdict(stored, folder)
    assert said.startswith("told"), said
    assert file.name in said or SUMS in said


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Stored:
    folder = tmp_path_factory.mktemp("home") / "kept"
    read = MAKERS["jobs"](folder)
    return Stored(folder, read, read(folder))


@pytest.mark.parametrize("text", [b"daily 06:00", b"case.yaml", b'{"cost": 1}'])
def test_a_bit_in_a_row_of_jobs_is_told(home, tmp_path, text):
    """SQLite finds no fault with it; the ledger says something else."""
    folder = shutil.copytree(home.folder, tmp_path / "kept")
    content = (folder / "jobs.sqlite").read_bytes()
    assert content.count(text) == 1
    at = content.index(text) + 6
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    (folder / "jobs.sqlite").write_bytes(changed)
    assert "the ledger says" in verdict(home, folder)


REAL_1_5, REAL_UNTIL = struct.pack(">d", 1.5), struct.pack(">d", 1767592801.5)


@pytest.mark.parametrize("value", [b"no wind", b"host:77", REAL_1_5, REAL_UNTIL])
def test_a_bit_in_what_the_ledger_does_not_hold_is_told(home, tmp_path, value):
    """Errors, leases and times: every row has its own SHA-256."""
    folder = shutil.copytree(home.folder, tmp_path / "kept")
    content = (folder / "jobs.sqlite").read_bytes()
    assert content.count(value) == 1
    at = content.index(value) + 3
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    (folder / "jobs.sqlite").write_bytes(changed)
    assert "does not agree with its own SHA-256" in verdict(home, folder)


@pytest.mark.parametrize("file", ["jobs.sqlite", "ledger.jsonl"])
def test_jobs_or_a_ledger_that_are_gone_are_told(home, tmp_path, file):
    folder = shutil.copytree(home.folder, tmp_path / "kept")
    (folder / file).unlink()
    assert f"{file} is missing" in verdict(home, folder)


@pytest.mark.slow
def test_every_file_damaged_in_turn(stored, tmp_path):
    for what, folder in damaged_copies(stored.folder, tmp_path):
        said, file = verdict(stored, folder), Path(what.rpartition(" ")[0]).name
        if file == SUMS and what.endswith(" missing"):
            assert said == "unchecked" or said.startswith("told"), what
        elif said == "same" and file == "ledger.jsonl.head":
            assert what.endswith(" missing")  # as of an earlier version: a note of `check`
        elif said != "same":
            assert said.startswith("told"), (what, said)
            assert file in said or SUMS in said, (what, said)
        else:  # of a file whose bits may mean nothing: unused pages, times in an archive
            assert file in {"policy.npz", "jobs.sqlite"}, what
            assert "flipped" in what


def test_one_command_checks_them_all(stored, tmp_path):
    if not (stored.folder / SUMS).exists():
        pytest.skip("a single file, or checked by its own test")
    assert any("as they were written" in line for line in check_kept(stored.folder))
