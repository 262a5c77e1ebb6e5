"""A record that can only grow: JSON lines, each of which holds the SHA-256 of the line before.

A line is `{"line": n, "previous": …, "written": …, "facts": {…}, "sha256": …}`: `previous` is the
SHA-256 of all bytes of the line before without its line end (64 zeros for the first), `sha256` that
of the line itself as it stands before `, "sha256"` is added to it. What the facts are is up to
whoever appends.

The chain shows any change that does not recompute every later line, and the head in the file beside
it that lines are missing at the end. Neither can show that all of it was written anew: for that,
keep the `head` of a verdict elsewhere and hand it to `verify`.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import check_file, read_bytes
from tvilling.sciml.io.storage import storing
from tvilling.sciml.io.strict_json import parse_json
from tvilling.twins.ledger_head import head_file, note_head, noted_head
from tvilling.twins.lock import locked

FIRST = "0" * 64
HEAD = b'{"line": '
TAIL = b', "sha256": "'
CHUNK_BYTES = 1 << 16
MAX_LEDGER_BYTES = 1_000_000_000
MAX_LINES = 10**12
MAX_TOLD = 100  # missing lines that are told one by one


@dataclass(frozen=True)
class Verdict:
    """What a check of a ledger found.

    Attributes
    ----------
    lines
        Number of lines, torn ones among them.
    faults
        One sentence a fault, with the number of the line; empty where the chain holds.
    torn
        Numbers of lines that a kill cut off while they were written. They hold no facts; the
        chain goes on over them.
    head
        SHA-256 of the last line, 64 zeros of an empty ledger.
    headless
        Name of the file beside it that should note its head and is not there; else empty.
    """

    lines: int
    faults: tuple[str, ...]
    torn: tuple[int, ...]
    head: str
    headless: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was changed, removed or put elsewhere."""
        return not self.faults

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence a torn line, and one where no head is noted."""
        torn = (
            f"line {number} was cut off while it was written; the chain goes on"
            for number in self.torn
        )
        unsure = f"there is no {self.headless}, so that lines cut off at its end cannot be seen"
        return (*torn, *([unsure] if self.headless else []))


@dataclass(frozen=True)
class Ledger:
    """A ledger in the file `path`; several processes may append to it.

    Works where `fcntl` does (Linux, macOS), on a local file system.
    """

    path: Path

    def append(self, facts: Mapping[str, Any]) -> str:
        """Add one line, on disk when this returns, and give its SHA-256.

        A torn line at the end, left by a kill, is closed and stays; the new line follows it. Where
        the disk fills up in the middle of a line, nothing of it stays.

        Raises
        ------
        StorageError
            If it cannot be written: the disk is full, or the folder read-only.
        InputError
            If the facts are not plain JSON: text, finite numbers, true, false, null, lists and
            dictionaries with text as keys.
        """
        text = _json(facts)
        with storing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = not self.path.exists()
            if not new:
                check_file(self.path, MAX_LEDGER_BYTES)
            with self.path.open("a+b", buffering=0) as file, locked(file):
                number, previous, whole = _end(file)
                line = _line(number + 1, previous, text)
                held = new or self._holds_head(previous, file)
                _write_whole(file, (b"" if whole else b"\n") + line + b"\n")
                if held:
                    note_head(self.path, _sha256(line))
            if new:
                _sync_folder(self.path.parent)
        return _sha256(line)

    def _holds_head(self, last: str, file: FileIO) -> bool:
        """Whether the line that was noted as the last is there; else the note stays to say so."""
        noted = noted_head(self.path)
        if noted in (None, last):
            return True
        file.seek(0)
        return noted in {_sha256(line) for line in file.read(MAX_LEDGER_BYTES).split(b"\n")}

    def read(self) -> Iterator[dict[str, Any]]:
        """Every line that is whole, in order; unchecked, see `verify`."""
        if self.path.exists():
            for line in read_bytes(self.path, MAX_LEDGER_BYTES).split(b"\n"):
                found = _parsed(line)
                if found is not None:
                    yield found


def verify(path: Path, head: str | None = None) -> Verdict:
    """Check every line of the ledger in `path`, and that it holds the last line that was noted.

    That is the one in the file beside it, and `head` if given.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not path.exists():
        raise InputError(str(path), ["no such ledger"])
    lines = read_bytes(path, MAX_LEDGER_BYTES).split(b"\n")
    closed = not lines[-1]
    lines = lines[:-1] if closed else lines
    digests = [_sha256(line) for line in lines]
    torn, faults = _walk(lines, digests)
    if torn and torn[-1] == len(lines) and (closed or not _is_begun(lines[-1])):
        faults.append(f"line {torn.pop()}: cut short or changed, no line after it tells which")
    if head is not None and head != FIRST and head not in digests:
        faults.append("the line that was last when it was noted is gone or changed")
    noted = noted_head(path)
    if noted is not None and noted not in digests:
        faults.append(f"the last line that {head_file(path).name} notes is gone or changed")
    last = digests[-1] if digests else FIRST
    return Verdict(
        len(lines),
        tuple(faults),
        tuple(torn),
        last,
        "" if noted is not None else head_file(path).name,
    )


def _walk(lines: list[bytes], digests: list[str]) -> tuple[list[int], list[str]]:
    """Numbers of torn lines, and faults, of the lines in their order."""
    torn: list[int] = []
    faults: list[str] = []
    everywhere = {_number(line) for line in lines}
    number, previous = 0, FIRST  # of the line before; no SHA-256 where that line is at fault
    for at, line in enumerate(lines):
        follower = lines[at + 1] if at + 1 < len(lines) else None
        found = _parsed(line)
        if found is None:
            number += 1
            if _was_torn(line, digests[at], follower):
                torn.append(number)
                previous = digests[at]
            else:
                faults.append(f"line {number}: changed, it does not agree with its own SHA-256")
                previous = ""
            continue
        told = _misplaced(found["line"], number, everywhere)
        if not told and previous and found["previous"] != previous:
            told = [f"line {number}: changed or replaced, line {number + 1} holds another SHA-256"]
        faults += told
        number, previous = found["line"], digests[at]
    return torn, faults


def _misplaced(number: int, before: int, everywhere: set[int | None]) -> list[str]:
    """What is wrong with line `number` standing after line `before`."""
    if number <= before:
        return [f"line {number}: moved or repeated, it stands after line {before}"]
    gaps = range(before + 1, number)
    if len(gaps) > MAX_TOLD:
        return [f"lines {gaps[0]} to {gaps[-1]}: removed"]
    return [
        f"line {gap}: moved, it does not stand before line {number}"
        if gap in everywhere
        else f"line {gap}: removed"
        for gap in gaps
    ]


def _was_torn(line: bytes, digest: str, follower: bytes | None) -> bool:
    """Whether `line` is the rest of a line cut short: nothing follows, or a line that knows it."""
    if TAIL in line and line.endswith(b"}"):
        return False  # it was written to its end
    if follower is None:
        return True
    found = _parsed(follower)
    return _is_begun(line) and found is not None and found["previous"] == digest


def _is_begun(line: bytes) -> bool:
    """Whether a ledger began `line`."""
    return line.startswith(HEAD[: len(line)])


def _json(facts: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(facts), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError("ledger", [f"the facts are not plain JSON ({error})"]) from error


def _line(number: int, previous: str, facts: str) -> bytes:
    written = datetime.now(UTC).isoformat(timespec="milliseconds")
    body = f'{{"line": {number}, "previous": "{previous}", "written": "{written}", "facts": {facts}'
    encoded = body.encode()
    return encoded + TAIL + _sha256(encoded).encode() + b'"}'


def _is_whole(line: bytes) -> bool:
    """Whether `line` agrees with its own SHA-256."""
    body, tail, digest = line.rpartition(TAIL)
    return bool(tail) and digest == _sha256(body).encode() + b'"}'


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The record of a line, or None if it is not whole or none at all."""
    if not _is_whole(line):
        return None
    try:
        found = parse_json(line.decode(), "ledger")
    except ValueError:  # an InputError is one, as is text that is not UTF-8
        return None
    if not isinstance(found, dict) or type(found.get("line")) is not int:
        return None
    texts = all(isinstance(found.get(key), str) for key in ("previous", "written"))
    fits = texts and isinstance(found.get("facts"), dict) and 0 < found["line"] < MAX_LINES
    return found if fits else None


def _number(line: bytes) -> int | None:
    found = _parsed(line)
    return None if found is None else int(found["line"])


def _write_whole(file: FileIO, data: bytes) -> None:
    """Append `data`, on disk when this returns; nothing of it stays where that fails."""
    size = file.seek(0, os.SEEK_END)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError:
        file.truncate(size)
        raise


def _end(file: FileIO) -> tuple[int, str, bool]:
    """Number and SHA-256 of the last line, and whether the file ends with a line end."""
    lines, whole = _last_lines(file)
    if not lines:
        return 0, FIRST, True
    for back, line in enumerate(reversed(lines)):
        number = _number(line)
        if number is not None:
            return number + back, _sha256(lines[-1]), whole
    return len(lines), _sha256(lines[-1]), whole


def _last_lines(file: FileIO) -> tuple[list[bytes], bool]:
    """The last lines of `file`, back to one that is whole or to the beginning."""
    at = file.seek(0, os.SEEK_END)
    held = b""
    while at > 0:
        step = min(CHUNK_BYTES, at)
        at -= step
        file.seek(at)
        held = file.read(step) + held
        lines = held.split(b"\n")
        complete = lines if at == 0 else lines[1:]
        if any(_number(line) is not None for line in complete):
            break
    if not held:
        return [], True
    whole = held.endswith(b"\n")
    return (complete[:-1] if whole else complete), whole


def _sync_folder(folder: Path) -> None:
    """A new file is on disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
