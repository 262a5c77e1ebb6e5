"""NetCDF 4 files from outside: what they declare is looked at before anything is loaded.

A NetCDF 4 file is an HDF5 file (https://docs.unidata.ucar.edu/nug/current/file_format_specifications.html).
HDF5 can point to other files (external links, external storage, virtual datasets), name filters
that are loaded as plug-ins, and declare petabytes that take no space in the file. None of that is
in a file of labelled numbers, and all of it is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.files import check_file

if TYPE_CHECKING:
    import xarray as xr

MAX_LOADED_BYTES = 500_000_000
MAX_VARIABLES = 10_000
TEXT_BYTES = 100  # of one text in memory, as a bound from above
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def open_netcdf(path: Path, max_loaded_bytes: int = MAX_LOADED_BYTES) -> Iterator["xr.Dataset"]:
    """The data set in the NetCDF 4 file `path`, open and not loaded yet.

    Parameters
    ----------
    max_loaded_bytes
        Most that its variables may take in memory, all together [bytes].

    Raises
    ------
    InputError
        The file is no regular file, no NetCDF 4, larger than it may be in memory, or holds groups,
        links, references, plug-in filters or storage outside of it.
    """
    import xarray as xr

    check_file(path)
    faults = _faults_of(path, max_loaded_bytes)
    if faults:
        raise InputError(str(path), faults)
    try:
        data = xr.open_dataset(Path(path).absolute(), engine="h5netcdf")
    except Exception as error:  # whatever a file that is no NetCDF makes its reader raise
        raise _unreadable(path, error) from None
    with data:
        yield data


def load_netcdf(path: Path, max_loaded_bytes: int = MAX_LOADED_BYTES) -> "xr.Dataset":
    """All of what `open_netcdf` gives, in memory.

    Raises
    ------
    InputError
        As `open_netcdf`, or the data are damaged.
    """
    with open_netcdf(path, max_loaded_bytes) as data:
        try:
            return data.load()
        except Exception as error:  # damaged blocks, numbers that are no times
            raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(str(path), [f"cannot be read as NetCDF 4 ({reason})"])


def _faults_of(path: Path, max_loaded_bytes: int) -> list[str]:
    """What the file declares that is refused."""
    import h5py

    with open(path, "rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            return ["cannot be read as NetCDF 4 (it does not begin as an HDF5 file)"]
    try:
        with h5py.File(path, "r") as file:
            return _declared(h5py, file, max_loaded_bytes)
    except Exception as error:  # h5py raises what the library's error stack names
        reason = " ".join(str(error).split())
        return [f"cannot be read as NetCDF 4 ({reason})"]


def _declared(h5py: Any, file: Any, max_loaded_bytes: int) -> list[str]:
    if len(file) > MAX_VARIABLES:
        return [f"holds {len(file):,} variables, expected at most {MAX_VARIABLES:,}"]
    faults, total = [], 0
    for name in file:
        link = file.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            faults.append(f"{name}: points elsewhere, expected data in the file itself")
            continue
        item = file[name]
        if not isinstance(item, h5py.Dataset):
            kind = "group" if isinstance(item, h5py.Group) else "type"
            faults.append(f"{name}: is a {kind}, expected a variable")
            continue
        fault, size = _variable(h5py, item)
        if fault:
            faults.append(f"{name}: {fault}")
        total += size
    if total > max_loaded_bytes:
        faults.append(
            f"would take {total / 1e6:,.0f} MB in memory, "
            f"expected at most {max_loaded_bytes / 1e6:,.0f} MB"
        )
    return faults


def _variable(h5py: Any, item: Any) -> tuple[str, int]:
    """What is refused of one variable, or its size in memory [bytes]."""
    if item.is_virtual or item.external:
        return "is stored outside of the file", 0
    text = h5py.check_string_dtype(item.dtype) is not None
    enum = h5py.check_enum_dtype(item.dtype) is not None
    if not text and not enum and item.dtype.kind not in "iuf":
        return f"is of type {item.dtype}, expected numbers or text", 0
    plist = item.id.get_create_plist()
    codes = [plist.get_filter(at)[0] for at in range(plist.get_nfilters())]
    odd = [code for code in codes if code not in FILTERS]
    if odd:
        return f"is packed by filter {odd[0]}, known are {', '.join(FILTERS.values())}", 0
    width = TEXT_BYTES if item.dtype.hasobject else max(item.dtype.itemsize, 8)
    count = int(np.prod([int(n) for n in item.shape], dtype=object)) if item.shape else 1
    return "", count * width
