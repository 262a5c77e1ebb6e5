"""Zarr stores from outside: what their metadata name is looked at before they are opened.

Zarr finds codecs, chunk keys and data types by name among what is installed
(https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html). Only those that a store of
labelled numbers needs are let in; a store that points elsewhere, or declares more than fits in
memory, is refused.

Zarr reads a chunk that is missing as its fill value, and a chunk that holds nothing else is never
written. So checksums say which files there are: in the folder of one of the arrays, since Zarr
warns of any other file in a group.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import SUMS, check_sums
from tvilling.sciml.io.folders import check_folder
from tvilling.sciml.io.strict_json import read_json

if TYPE_CHECKING:
    import xarray as xr

MAX_STORE_BYTES = 100_000_000_000
MAX_FILES = 2_000_000
MAX_CHUNK_BYTES = 1_000_000_000
CODECS = {"bytes", "zstd", "blosc", "gzip", "crc32c", "vlen-utf8", "transpose"}
TYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "string", "fixed_length_utf32", "numpy.datetime64",
}  # fmt: skip
WIDTH = 16  # bytes of one value, as a bound from above for all but text


def open_zarr_store(store: Path, check: bool = True) -> "xr.Dataset":
    """The data set in the Zarr 3 store `store`, lazily.

    Parameters
    ----------
    check
        Whether its files are compared with the checksums that were kept, which reads all of them.

    Raises
    ------
    InputError
        It is no such store, or holds links, or codecs or data types that are not known here, or a
        file of it is missing or damaged.
    """
    import xarray as xr

    check_folder(store, MAX_STORE_BYTES, MAX_FILES)
    if check:
        check_sums(store, next(store.glob(f"*/{SUMS}"), None))
    if not (store / "zarr.json").is_file():
        raise InputError(str(store), ["is no Zarr 3 store"])
    faults = _group_faults(store)
    if faults:
        raise InputError(str(store), faults)
    try:
        return xr.open_zarr(store.absolute(), consolidated=False)
    except Exception as error:  # whatever damaged metadata make the reader raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(str(store), [f"cannot be read as Zarr ({reason})"]) from None


def _group_faults(store: Path) -> list[str]:
    """What the metadata of the group and of its arrays name that is refused."""
    faults = []
    root = read_json(store / "zarr.json")
    if not isinstance(root, dict) or root.get("node_type") != "group":
        return ["is no Zarr 3 group"]
    if root.get("zarr_format") != 3 or root.get("consolidated_metadata"):
        return ["expected Zarr format 3 without consolidated metadata"]
    for path in sorted(store.iterdir()):
        if path.name == "zarr.json" or path.name.startswith("."):
            continue
        if not (path / "zarr.json").is_file():
            faults.append(f"{path.name}: is no array")
            continue
        faults += [f"{path.name}: {fault}" for fault in _array_faults(path / "zarr.json")]
    return faults


def _array_faults(file: Path) -> list[str]:
    about = read_json(file)
    if not isinstance(about, dict) or about.get("node_type") != "array":
        return ["is no array"]
    faults = [f"{key} is not known" for key in ("storage_transformers",) if about.get(key)]
    codecs = about.get("codecs")
    names = [_name(one) for one in codecs] if isinstance(codecs, list) else [""]
    faults += [f"codec {name!r} is not known" for name in names if name not in CODECS]
    if _name(about.get("data_type")) not in TYPES:
        faults.append(f"data type {_name(about.get('data_type'))!r} is not known")
    if _name(about.get("chunk_grid")) != "regular":
        faults.append("its chunks are not regular")
    elif _chunk_bytes(about["chunk_grid"]) > MAX_CHUNK_BYTES:
        faults.append(f"one chunk would take more than {MAX_CHUNK_BYTES / 1e6:,.0f} MB")
    return faults


def _chunk_bytes(grid: Any) -> float:
    sides = grid.get("configuration", {}).get("chunk_shape") if isinstance(grid, dict) else None
    if not isinstance(sides, list) or not all(type(side) is int and side >= 0 for side in sides):
        return math.inf
    return float(math.prod(sides)) * WIDTH


def _name(given: Any) -> str:
    found = given.get("name") if isinstance(given, dict) else given
    return found if isinstance(found, str) else ""
