"""Mesh files, read by meshio, after a look at what they are and what they declare.

meshio chooses among forty formats by the ending of a name. Those that name other files (XDMF),
unpack (VTU, netgen) or need HDF5 are refused, as is what would make a reader reserve memory for
numbers that the file does not hold.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import read_bytes

MAX_MESH_BYTES = 100_000_000
MAX_TAG_DIGITS = 7  # a reader reserves memory up to the highest number of a node
FORMATS = {".msh": "gmsh", ".stl": "stl", ".vtk": "vtk", ".ply": "ply", ".obj": "obj",
           ".off": "off"}  # fmt: skip
LONG_NUMBER = re.compile(rb"(?<![0-9.eE+-])[0-9]{%d,}(?![0-9.eE])" % (MAX_TAG_DIGITS + 1))


def read_file(path: str | Path) -> Any:
    """The mesh in a file, as meshio's `Mesh`.

    Raises
    ------
    InputError
        If the file is missing, of a kind that is not read, broken, or declares more than it holds.
    """
    import meshio

    path = Path(path)
    content = read_bytes(path, MAX_MESH_BYTES)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(str(path), [f"is no {', '.join(FORMATS)} file"])
    fault = _fault(kind, content)
    if fault:
        raise InputError(str(path), [fault])
    output = io.StringIO()
    try:
        # meshio prints what is wrong and ends the program where a reader gives up
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            np.errstate(over="ignore"),  # its guess whether an STL file is binary overflows on text
        ):
            mesh = meshio.read(path, file_format=kind)
    except (SystemExit, Exception) as error:
        lines = output.getvalue().split("\n") if isinstance(error, SystemExit) else [str(error)]
        reason = " ".join(line.strip() for line in lines if line.strip())
        name = type(error).__name__
        raise InputError(str(path), [f"meshio cannot read it: {reason or name}"]) from error
    return mesh


def _fault(kind: str, content: bytes) -> str | None:
    """What a file declares that it cannot hold, or that is not read."""
    head = content[:4096]
    if kind == "gmsh":
        version = re.match(rb"\s*\$MeshFormat\s+([0-9.]+)\s+([01])", content)
        if version and version[2] == b"1" and not version[1].startswith(b"2"):
            return f"is a binary mesh of format {version[1].decode()}; save it as text"
        binary = version is not None and version[2] == b"1"
        long = None if binary else LONG_NUMBER.search(content)
        if long:
            return f"holds the whole number {long[0][:30].decode()}, expected fewer digits"
    if kind == "vtk":
        grid = re.search(rb"^DATASET\s+(\w+)", head, re.MULTILINE)
        if grid and grid[1] != b"UNSTRUCTURED_GRID":
            return f"is a {grid[1][:30].decode()}, expected an UNSTRUCTURED_GRID"
    if kind == "stl" and content.lstrip()[:5].lower() != b"solid":
        count = int.from_bytes(content[80:84], "little")
        if len(content) != 84 + 50 * count:
            return f"declares {count:,} triangles and has {len(content):,} bytes"
    counts = {
        "ply": rb"^element\s+\w+\s+(\d+)",
        "off": rb"^\s*(\d+)\s+\d+",
        "vtk": rb"^(?:POINTS|CELLS|CELL_TYPES)\s+(\d+)",
        "gmsh": rb"^\$(?:Nodes|Elements)\s+(\d+)",
    }.get(kind)
    for found in re.finditer(counts, head if kind == "off" else content, re.M) if counts else ():
        if len(found[1]) > 12 or int(found[1]) > len(content):
            return f"declares {found[1][:30].decode()} entries and has {len(content):,} bytes"
    return None
