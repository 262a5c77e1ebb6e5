"""Checksums beside what is kept: `SHA256SUMS` holds the SHA-256 of every file of a folder.

`sha256sum -c SHA256SUMS` reads it. Its lines stand in blocks, each led by a comment that says how
many files follow (`# all: 5 files`), so that a list that was cut is seen as well. A store that is
written in parts adds a block a part; a later block takes the place of an earlier one of its name.
"""

import hashlib
import re
import sys
import warnings
from collections.abc import Collection, Iterable
from itertools import dropwhile
from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import check_file, read_text, unreadable

SUMS = "SHA256SUMS"
ALL = "all"
HEAD = re.compile(r"# ([a-z0-9 ]+): (\d+) files")
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
Sums = dict[str, str]  # SHA-256 by the name of a file, relative to the folder


class UncheckedStoreWarning(UserWarning):
    """What was read was kept without checksums, so that damage to it cannot be seen."""


def sha256_of(path: Path) -> str:
    """SHA-256 of the bytes of a regular file of any size, as 64 hexadecimal digits.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    check_file(path, sys.maxsize)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from None


def write_sums(folder: Path, left_out: Collection[str] = (), sums: Path | None = None) -> None:
    """Write `SHA256SUMS` of every file below `folder`.

    Parameters
    ----------
    left_out
        Names directly in `folder` that are no part of what is kept.
    sums
        Where to write, if not to `SHA256SUMS` in the folder itself.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = [path for path in files if path.relative_to(folder).parts[0] not in {SUMS, *left_out}]
    (sums or folder / SUMS).write_text(block(ALL, sums_of(folder, kept)), encoding="utf-8")


def sums_of(folder: Path, files: Iterable[Path]) -> Sums:
    """SHA-256 of each of `files`, by its name relative to `folder`."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def block(name: str, sums: Sums) -> str:
    """The lines of a list for `sums`, led by the comment that names and counts them."""
    lines = [f"{sha256}  {file}\n" for file, sha256 in sums.items()]
    return "".join((f"# {name}: {len(lines)} files\n", *lines))


def read_sums(sums: Path) -> tuple[dict[str, Sums], list[str]]:
    """The blocks of a list of checksums that are whole, by name, and what else is wrong with it."""
    blocks: dict[str, Sums] = {}
    faults: list[str] = []
    rest = read_text(sums).splitlines()
    while rest:
        head = HEAD.fullmatch(rest[0])
        name, count = (head[1], int(head[2])) if head else (ALL, 1)  # once written without heads
        lines, rest = rest[bool(head) :][:count], rest[bool(head) :][count:]
        found = [LINE.fullmatch(line) for line in lines]
        named = {match[2]: match[1] for match in found if match}
        if len(named) == count:
            blocks[name] = named if head else {**blocks.get(name, {}), **named}
        else:
            faults.append(f"{sums.name} is damaged: {count} files of {name} cannot be read")
            rest = [*dropwhile(lambda line: not HEAD.fullmatch(line), [*lines, *rest])]
    return blocks, faults


def differing(folder: Path, sums: Sums) -> list[str]:
    """One sentence for each file that is missing or not as it was written."""
    faults = []
    for name, sha256 in sums.items():
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing, it stands in {SUMS}")
        elif sha256_of(path) != sha256:
            faults.append(f"{name} is damaged: its SHA-256 is not the one in {SUMS}")
    return faults


def check_sums(folder: Path, sums: Path | None = None, advice: str = "") -> int:
    """Number of files in `folder` that were found as they were written.

    Warns with an `UncheckedStoreWarning`, and gives 0, where no checksums were kept.

    Parameters
    ----------
    sums
        The list, where it is not `SHA256SUMS` in the folder itself.
    advice
        What to do about damage; ends the report.

    Raises
    ------
    InputError
        Naming every file that is missing or damaged.
    """
    sums = sums or folder / SUMS
    if not folder.is_dir() or not any(folder.iterdir()):
        return 0  # nothing was kept here
    if not sums.is_file():
        told = f"{folder}: holds no {SUMS}, so that damage to its files cannot be seen"
        warnings.warn(told, UncheckedStoreWarning, stacklevel=3)
        return 0
    blocks, faults = read_sums(sums)
    for one in blocks.values():
        faults += differing(folder, one)
    if faults:
        raise InputError(str(folder), [*faults, *([advice] if advice else [])])
    return sum(len(one) for one in blocks.values())
