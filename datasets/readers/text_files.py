"""Text files as users hand them over: of bearable size, UTF-8, not empty."""

from pathlib import Path

from tvilling.sciml.errors import InputError

MAX_FILE_BYTES = 500_000_000
SAVE_TEXT = "save it as plain text in UTF-8"
ADVICE = {".yaml": SAVE_TEXT, ".yml": SAVE_TEXT}


def read_text(path: Path, max_bytes: int = MAX_FILE_BYTES) -> str:
    """Text of a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    InputError
        The file is missing, a folder, empty, larger than `max_bytes` [bytes] or not UTF-8.
    """
    if path.is_dir():
        raise InputError(str(path), ["is a folder, expected a file"])
    if not path.is_file():
        raise InputError(str(path), ["no such file"])
    size = path.stat().st_size
    if size > max_bytes:
        raise InputError(
            str(path), [f"is {size / 1e6:.0f} MB, expected at most {max_bytes / 1e6:g} MB"]
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        advice = ADVICE.get(path.suffix.lower(), "save it as CSV UTF-8 or JSON")
        line = path.read_bytes()[: fault.start].count(b"\n") + 1
        raise InputError(str(path), [f"is not UTF-8 (line {line}); {advice}"]) from None
    if not text.strip():
        raise InputError(str(path), ["is empty"])
    return text
