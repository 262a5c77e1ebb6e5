"""Folders from outside that hold one store: regular files within, bounded in number and size."""

import os
import stat
from pathlib import Path

from tvilling.sciml.core.errors import InputError

MAX_FILES = 200_000
MAX_DEPTH = 12


def check_folder(folder: Path, max_bytes: int, max_files: int = MAX_FILES) -> int:
    """Size of all files below `folder` [bytes], before anything opens them.

    Raises
    ------
    InputError
        There is no such folder, or it holds links, pipes, devices or sockets, more than
        `max_files` files, or more than `max_bytes`.
    """
    if not folder.is_dir():
        raise InputError(str(folder), ["no such folder"])
    total = count = 0
    waiting = [(folder, 1)]
    while waiting:
        inside, depth = waiting.pop()
        with os.scandir(inside) as found:
            entries = list(found)
        for entry in entries:
            state = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(state.st_mode) and depth < MAX_DEPTH:
                waiting.append((Path(entry.path), depth + 1))
            elif not stat.S_ISREG(state.st_mode):
                place = Path(entry.path).relative_to(folder)
                kind = "a link" if stat.S_ISLNK(state.st_mode) else "no regular file"
                raise InputError(str(folder), [f"{place} is {kind}"])
            else:
                total, count = total + state.st_size, count + 1
            if total > max_bytes or count > max_files:
                raise InputError(
                    str(folder),
                    [f"holds more than {max_files:,} files or {max_bytes / 1e6:,.0f} MB"],
                )
    return total
