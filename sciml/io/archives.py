"""ZIP archives from outside: what they would unpack to is looked at first."""

import zipfile
from pathlib import Path, PurePosixPath

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import check_file

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 200_000_000


def check_archive(path: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> list[zipfile.ZipInfo]:
    """Entries of the ZIP archive `path`, which unpack to at most `max_bytes`.

    Raises
    ------
    InputError
        The file is no such archive, is larger than `max_bytes` unpacked, holds a name twice or one
        that leads out of it, or is encrypted.
    """
    check_file(path, max_bytes)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(str(path), [f"is no ZIP archive: {error}"]) from None
    faults = []
    names = [entry.filename for entry in entries]
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            faults.append(f"{name} leads out of the archive")
    if len(set(names)) < len(names):
        faults.append("a name stands twice")
    if any(entry.flag_bits & 1 for entry in entries):
        faults.append("is encrypted")
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes or len(entries) > MAX_ENTRIES:
        faults.append(
            f"holds {len(entries):,} files of {total / 1e6:,.0f} MB, "
            f"expected at most {MAX_ENTRIES:,} of {max_bytes / 1e6:,.0f} MB"
        )
    if faults:
        raise InputError(str(path), faults)
    return entries
