"""Files read once: whoever reads one again in a stretch of work gets the bytes of the first time.

So that the digest noted of a file is that of the bytes that were worked on, whoever edits it
meanwhile.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvilling.sciml.core.errors import InputError

MAX_HELD_BYTES = 100_000_000  # of one file; of a larger one only the digest is kept

_open: list["Reads"] = []  # of this process, the innermost last


class Reads:
    """What was read so far."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._sha256: dict[str, str] = {}

    def held(self, path: Path) -> bytes | None:
        """The bytes of `path` as they were read first; None where it was not read yet."""
        return self._held.get(os.path.abspath(path))

    def hold(self, path: Path, content: bytes) -> None:
        """Take `content` for that of `path` from now on.

        Raises
        ------
        InputError
            The file is too large to be held, and has changed since it was read first.
        """
        name, sha256 = os.path.abspath(path), hashlib.sha256(content).hexdigest()
        if self._sha256.setdefault(name, sha256) != sha256:
            raise InputError(str(path), ["has changed while it was worked with"])
        if len(content) <= MAX_HELD_BYTES:
            self._held[name] = content

    def sha256(self) -> dict[str, str]:
        """SHA-256 of each file that was read, by its absolute path."""
        return dict(sorted(self._sha256.items()))


@contextmanager
def read_once() -> Iterator[Reads]:
    """Within this block each file is read once, see `Reads`; of the whole process."""
    reads = Reads()
    _open.append(reads)
    try:
        yield reads
    finally:
        _open.remove(reads)


def current_reads() -> Reads | None:
    """What is read in the innermost block that is open."""
    return _open[-1] if _open else None
