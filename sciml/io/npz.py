"""NumPy archives from outside: every array's shape is looked at before its bytes are read.

An `.npz` file is a ZIP archive of `.npy` files
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Arrays of numbers and of
text are read; pickled objects, shapes that the bytes do not fill, and archives that grow beyond
bound are refused. The header of an array is matched, never evaluated.
"""

import math
import re
import struct
import zipfile
from pathlib import Path

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import check_file

MAX_ARRAYS = 10_000
MAX_BYTES = 200_000_000
MAGIC = b"\x93NUMPY"
HEADER = re.compile(
    r"\{'descr': '([<>|=]?[biufU]\d{1,5})', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,15},? ?)*)\),? ?\}\s*"
)
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def read_npz(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """Every array in the archive `path`, by name; `max_bytes` is for all of them together.

    Raises
    ------
    InputError
        The file is no such archive, or holds something other than arrays of numbers and text.
    """
    check_file(path, max_bytes)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked(archive, path, max_bytes)
            return {name: _array(archive.read(entry), name) for name, entry in entries.items()}
    except InputError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, EOFError,
            NotImplementedError, RuntimeError, struct.error) as error:  # fmt: skip
        raise InputError(str(path), [f"is no archive of arrays: {error}"]) from None


def _checked(archive: zipfile.ZipFile, path: Path, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The entries by the names of their arrays."""
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename or name in found or entry.compress_type not in PACKED:
            raise InputError(str(path), [f"{entry.filename} is no array, or stands twice"])
        found[name] = entry
        total += entry.file_size
    if total > max_bytes or len(found) > MAX_ARRAYS:
        size = f"{len(found):,} arrays of {total / 1e6:,.0f} MB"
        raise InputError(str(path), [f"holds {size}, expected at most {max_bytes / 1e6:,.0f} MB"])
    return found


def _array(content: bytes, name: str) -> np.ndarray:
    """One array.

    Raises
    ------
    ValueError
        It is none of numbers or text, or has not the size that it declares.
    """
    if content[:6] != MAGIC or len(content) < 12:
        raise ValueError(f"{name} is no array")
    wide = content[6] >= 2
    (length,) = struct.unpack_from("<I" if wide else "<H", content, 8)
    begin = 12 if wide else 10
    match = HEADER.fullmatch(content[begin : begin + length].decode("latin-1"))
    if match is None:
        raise ValueError(f"{name} is no array of numbers or text")
    kind, fortran, sides = match.groups()
    dtype = np.dtype(kind)
    shape = tuple(int(side) for side in sides.replace(" ", "").split(",") if side)
    data = content[begin + length :]
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{name} of shape {shape} is not filled by {len(data)} bytes")
    values = np.frombuffer(data, dtype)
    if fortran == "True":
        return values.reshape(shape[::-1]).T.copy()
    return values.reshape(shape).copy()
