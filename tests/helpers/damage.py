"""Damage to the files of a store, one at a time."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

HEAD_BYTES = 1000


def missing(file: Path) -> None:
    """Remove it."""
    file.unlink()


def truncated(file: Path) -> None:
    """Keep the first half."""
    with file.open("rb+") as opened:
        opened.truncate(file.stat().st_size // 2)


def flipped_in_the_middle(file: Path) -> None:
    """Another bit in the middle."""
    _flip(file, file.stat().st_size // 2)


def flipped_at_the_beginning(file: Path) -> None:
    """Another bit within the first kilobyte."""
    _flip(file, min(file.stat().st_size, HEAD_BYTES) // 3)


DAMAGES: tuple[Callable[[Path], None], ...] = (
    missing,
    truncated,
    flipped_in_the_middle,
    flipped_at_the_beginning,
)


def files_of(store: Path) -> list[Path]:
    """Files of a store, relative to it, but for empty ones, which hold nothing to lose."""
    files = (path for path in sorted(store.rglob("*")) if path.is_file())
    return [path.relative_to(store) for path in files if path.stat().st_size]


def damaged_copies(store: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """What was done, and a copy of `store` in which it was done to one file; each in turn."""
    for file in files_of(store):
        for damage in DAMAGES:
            copy = work / store.name
            shutil.copytree(store, copy)
            damage(copy / file)
            yield f"{file} {damage.__name__}", copy
            shutil.rmtree(copy)


def _flip(file: Path, at: int) -> None:
    with file.open("rb+") as opened:
        opened.seek(at)
        (byte,) = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte ^ 1]))
