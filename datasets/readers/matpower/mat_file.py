"""MATLAB data of a MATPOWER case (`.mat`), looked through before scipy reads them.

What a file declares is checked against what it holds: sizes after unpacking, dimensions, kinds of
arrays and how deep they lie within each other. Objects and functions are refused.

MathWorks, MAT-File Format, level 5 (R2023a): chapter 1, "Data Element Format".
"""

import io
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_bytes

MAX_BYTES, MAX_UNPACKED = 100_000_000, 300_000_000
MAX_DEPTH, MAX_ELEMENTS = 8, 2_000_000
HEADER_BYTES, TAG_BYTES = 128, 8
MATRIX, COMPRESSED = 14, 15
CONTAINERS = {1, 2}  # classes of arrays: cells and structs
NOT_READ = {
    3: "an object",
    5: "a sparse matrix",
    16: "a function",
    17: "an object",
    18: "an object",
}
ADVICE = "expected MATLAB data of version 7 or older (save -v7)"


class _DamageError(ValueError):
    """Something that a file declares and does not hold, or that is not read."""


@dataclass(frozen=True)
class _Element:
    """Type of an element, and where its data lie."""

    kind: int
    start: int
    end: int


def read_mat(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The fields of the case in a file, and notes (none).

    Raises
    ------
    InputError
        The file cannot be read, is too large when unpacked, or holds no case.
    """
    content = read_bytes(path, MAX_BYTES)
    try:
        _check(content)
        from scipy.io import loadmat

        tables = loadmat(io.BytesIO(content))
    except Exception as fault:  # whatever a damaged file makes scipy raise
        reason = " ".join(str(fault).split()) or type(fault).__name__
        raise InputError(str(path), [f"cannot be read ({reason}); {ADVICE}"]) from fault
    structs = [value for value in tables.values() if getattr(value, "dtype", None) is not None]
    cases = [value for value in structs if {"bus", "branch"} <= set(value.dtype.names or ())]
    if len(cases) != 1 or cases[0].size != 1:
        raise InputError(str(path), ["holds no struct with bus, gen and branch, such as mpc"])
    case = cases[0].flat[0]
    return {name: _plain(case[name]) for name in cases[0].dtype.names}, []


def _check(content: bytes) -> None:
    """Raise where a file is not what it says, or holds what is not read."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if len(content) < HEADER_BYTES or order is None:
        raise _DamageError("it has no header of MATLAB 5")
    unpacked = elements = 0
    for element in _elements(content, HEADER_BYTES, len(content), order):
        data, start, end = content, element.start - TAG_BYTES, element.end
        if element.kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(
                content[element.start : element.end], MAX_UNPACKED - unpacked + 1
            )
            start, end = 0, len(data)
        unpacked += end - start
        if unpacked > MAX_UNPACKED:
            raise _DamageError(f"it unpacks to more than {MAX_UNPACKED / 1e6:g} MB")
        elements += _check_arrays(data, start, end, order)
        if elements > MAX_ELEMENTS:
            raise _DamageError(f"it holds more than {MAX_ELEMENTS} arrays")


def _check_arrays(data: bytes, start: int, end: int, order: str) -> int:
    """Go through arrays within arrays; gives how many elements there are."""
    count = 0
    waiting = [(start, end, 0)]
    while waiting:
        start, end, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _DamageError(f"arrays lie more than {MAX_DEPTH} deep within each other")
        for element in _elements(data, start, end, order):
            count += 1
            if element.kind == MATRIX and element.end > element.start:
                _check_array(data, element, order)
                waiting.append((element.start, element.end, depth + 1))
            if count > MAX_ELEMENTS:
                return count
    return count


def _check_array(data: bytes, element: _Element, order: str) -> None:
    """Class and dimensions of one array."""
    parts = _elements(data, element.start, element.end, order)
    flags, dimensions = next(parts, None), next(parts, None)
    if flags is None or dimensions is None or flags.end - flags.start < 4:
        raise _DamageError("an array has no dimensions")
    kind = struct.unpack_from(f"{order}I", data, flags.start)[0] & 0xFF
    if kind in NOT_READ:
        raise _DamageError(f"it holds {NOT_READ[kind]}, which no case needs")
    count = (dimensions.end - dimensions.start) // 4
    sizes = struct.unpack_from(f"{order}{count}i", data, dimensions.start)
    if count > 32 or any(size < 0 for size in sizes):
        raise _DamageError("an array has impossible dimensions")
    if math.prod(sizes) > element.end - element.start:
        raise _DamageError(
            f"an array of {' x '.join(map(str, sizes))} has fewer bytes than numbers"
        )


def _elements(data: bytes, at: int, end: int, order: str) -> Iterator[_Element]:
    """Elements one behind the other from `at` to `end`."""
    while at + TAG_BYTES <= end:
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:  # a small one, with its data in the tag
            yield _Element(kind & 0xFFFF, at + 4, at + 4 + min(kind >> 16, 4))
            at += TAG_BYTES
            continue
        start = at + TAG_BYTES
        if start + size > end:
            raise _DamageError("it ends in the middle of an array")
        yield _Element(kind, start, start + size)
        at = start + size + (-size % TAG_BYTES if kind != COMPRESSED else 0)


def _plain(value: Any) -> Any:
    """A MATLAB value as number, word, list of words or matrix."""
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return [
            str(np.asarray(cell).flat[0]).strip() if np.size(cell) else "" for cell in array.flat
        ]
    if array.dtype.kind == "U":
        return str(array.flat[0]) if array.size == 1 else [str(word).strip() for word in array.flat]
    if array.dtype.kind not in "iufb":
        return None
    return float(array.flat[0]) if array.size == 1 else np.atleast_2d(array.astype(float))
