"""Why something cannot be written: a full disk, a read-only folder, a limit; told by its cause."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvilling.sciml.core.errors import InputError

CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EFBIG: "the file would be larger than this process may write",
    errno.ENOTDIR: "a part of its path is a file",
    errno.EEXIST: "a part of its path is a file",
    errno.EIO: "the disk reports an error",
}
TRIED_BYTES = 1 << 16


class StorageError(InputError):
    """Something that cannot be written, or not be read as long as nothing can be written."""


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """What the system or SQLite refuse within this block, as a `StorageError` of `path`.

    Raises
    ------
    StorageError
        With the cause. Errors that have another cause stay as they are.
    """
    try:
        yield
    except (OSError, RuntimeError, sqlite3.Error) as error:
        cause = cause_of(error, path)
        if cause is None:
            raise
        raise StorageError(str(path), [f"cannot be written to: {cause}"]) from error


def cause_of(error: Exception, path: Path) -> str | None:
    """Why `error` came of writing to `path`; None where storage is not the cause.

    Libraries do not always tell what the system said. Then the folder is tried.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number in CAUSES:
        return CAUSES[number]
    if number is not None:
        return None
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return CAUSES[errno.ENOSPC]
    return _refusal(path)


def _refusal(path: Path) -> str | None:
    """What the folder of `path` refuses now; None where it can be written to."""
    folder = path if path.is_dir() else path.parent
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not os.access(path, os.W_OK):
            return CAUSES[errno.EACCES]
    except OSError as error:
        return CAUSES.get(error.errno or 0)
    return None
