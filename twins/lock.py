"""One process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def locked(file: BinaryIO) -> Iterator[None]:
    """Alone with `file` among all that lock it; a process that ends lets go of it.

    Works where `fcntl` does (Linux, macOS), on a local file system.
    """
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
