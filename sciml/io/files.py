"""Files as users hand them over: regular, of bearable size, read once.

The kind of a file is looked at before it is opened: a pipe or a device never ends, and opening one
can wait for ever. It is looked at again once it is open, so that a file exchanged in between is
refused as well.
"""

import os
import stat
from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.reads import current_reads

MAX_FILE_BYTES = 500_000_000
SAVE_TEXT = "save it as plain text in UTF-8"
ADVICE = {".yaml": SAVE_TEXT, ".yml": SAVE_TEXT}
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_file(path: Path, max_bytes: int = MAX_FILE_BYTES) -> int:
    """Size of the regular file `path` [bytes], before anything opens it.

    Raises
    ------
    InputError
        There is no such file, it is a folder, a pipe, a device or a socket, or it is larger than
        `max_bytes`.
    """
    try:
        state = os.stat(path)
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:  # a NUL in the name
        raise InputError(str(path), ["is no name of a file"]) from None
    return _size(path, state, max_bytes)


def read_bytes(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The content of a regular file of at most `max_bytes`; `check_file` says what is refused.

    Within `read_once` it is that of the first time.

    Raises
    ------
    InputError
        As `check_file`, or the file cannot be read.
    """
    reads = current_reads()
    held = None if reads is None else reads.held(path)
    if held is not None:
        if len(held) > max_bytes:
            raise _too_large(path, len(held), max_bytes)
        return held
    check_file(path, max_bytes)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            _size(path, os.fstat(handle), max_bytes)
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > max_bytes:
        raise _too_large(path, len(content), max_bytes)
    if reads is not None:
        reads.hold(path, content)
    return content


def read_text(path: Path, max_bytes: int = MAX_FILE_BYTES) -> str:
    """Text of a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    InputError
        The file is missing, not a regular file, empty, larger than `max_bytes` [bytes], not UTF-8,
        or holds a NUL, which no text does.
    """
    content = read_bytes(path, max_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        advice = ADVICE.get(Path(path).suffix.lower(), "save it as CSV UTF-8 or JSON")
        line = content[: fault.start].count(b"\n") + 1
        raise InputError(str(path), [f"is not UTF-8 (line {line}); {advice}"]) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(str(path), [f"is no text: line {line} holds a NUL character"])
    if not text.strip():
        raise InputError(str(path), ["is empty"])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _size(path: Path, state: os.stat_result, max_bytes: int) -> int:
    """Size of a regular file that was looked at, or the refusal."""
    for is_kind, kind in KINDS:
        if is_kind(state.st_mode):
            raise InputError(str(path), [f"is {kind}, expected a file"])
    if state.st_size > max_bytes:
        raise _too_large(path, state.st_size, max_bytes)
    return state.st_size


def _too_large(path: Path, size: int, max_bytes: int) -> InputError:
    return InputError(
        str(path), [f"is {size / 1e6:.0f} MB, expected at most {max_bytes / 1e6:g} MB"]
    )


def unreadable(path: Path, error: OSError) -> InputError:
    """The refusal for what the system says of a path."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(str(path), ["no such file"])
    return InputError(str(path), [f"cannot be read: {error.strerror}"])
