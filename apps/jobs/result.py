"""The folder of a run's result: it appears whole under the name of the run's key, and only once.

`run.json` in it holds the facts; `SHA256SUMS` the SHA-256 of every file, as `sha256sum -c` reads
it. The SHA-256 of that file stands in the ledger.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tvilling.apps.shared.run_folder import UNFINISHED
from tvilling.sciml.io.checksums import SUMS, check_sums, sha256_of, write_sums

FACTS = "run.json"


@contextmanager
def beside(final: Path, attempt: int) -> Iterator[Path]:
    """An empty folder beside `final`, gone at the end unless it was published."""
    folder = final.with_name(f"{UNFINISHED}{final.name}-{attempt}-{uuid4().hex[:8]}")
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, final: Path, facts: dict[str, Any], replaces: str = "") -> bool:
    """Give `folder` its final name, on disk to the last byte; False where the name is taken.

    A result whose SHA-256 is `replaces` gives way to it, and stays as `.replaced-…` beside it.

    Raises
    ------
    ValueError
        If the facts are not plain JSON.
    """
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")
    write_sums(folder)
    for path in (*folder.rglob("*"), folder):
        _sync(path)
    if replaces and is_published(final):
        held, sha256 = read_result(final)
        if sha256 == replaces:
            final.rename(replaced(final, held["attempt"]))
    try:
        folder.rename(final)  # fails where a folder of that name holds anything
    except OSError:
        if is_published(final):
            return False
        raise
    _sync(final.parent)
    return True


def is_published(final: Path) -> bool:
    """Whether there is a result."""
    return (final / SUMS).is_file()


def replaced(final: Path, attempt: int) -> Path:
    """Where the result of `attempt` stands after a better one took its place."""
    return final.with_name(f".replaced-{final.name}-{attempt}")


def set_aside(final: Path) -> None:
    """Take a damaged result from its place; it stays as `.damaged-…` beside it."""
    final.rename(final.with_name(f".damaged-{final.name}-{uuid4().hex[:8]}"))


def read_result(final: Path) -> tuple[dict[str, Any], str]:
    """Facts of a result, and its SHA-256 for the ledger.

    Raises
    ------
    InputError
        If a file of it is missing or damaged.
    """
    check_sums(final)
    facts: dict[str, Any] = json.loads((final / FACTS).read_text(encoding="utf-8"))
    return facts, sha256_of(final / SUMS)


def sweep(final: Path, attempt: int | None = None) -> None:
    """Remove what an attempt that was killed, or any of them, left beside `final`."""
    for left in final.parent.glob(f"{UNFINISHED}{final.name}-{attempt or '*'}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
