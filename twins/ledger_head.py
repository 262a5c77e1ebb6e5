"""The last line of a ledger, noted beside it, so that lines cut off at the end are missed.

It holds the SHA-256 of that line and a line end, and is written in place after each line: a kill
between the two leaves the head of the line before, which is in the ledger as well.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from tvilling.sciml.io.files import read_bytes

DIGEST = re.compile(rb"[0-9a-f]{64}\n")
MAX_HEAD_BYTES = 1000


def head_file(ledger: Path) -> Path:
    """Where the head of a ledger is noted."""
    return ledger.with_name(f"{ledger.name}.head")


def note_head(ledger: Path, digest: str) -> None:
    """Note the SHA-256 of the last line; where nothing can be written, the one before stays."""
    with suppress(OSError):
        handle = os.open(head_file(ledger), os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(handle, digest.encode() + b"\n")
        finally:
            os.close(handle)


def noted_head(ledger: Path) -> str | None:
    """What was noted; None without such a file, and empty where it holds something else."""
    path = head_file(ledger)
    if not path.exists():
        return None
    content = read_bytes(path, MAX_HEAD_BYTES)
    return content.decode().strip() if DIGEST.fullmatch(content) else ""
