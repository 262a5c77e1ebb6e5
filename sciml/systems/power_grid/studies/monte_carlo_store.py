"""Voltages and loadings of every random scenario in a Zarr store, written as they are found."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import SUMS, write_sums
from tvilling.sciml.io.zarr_store import open_zarr_store
from tvilling.sciml.systems.power_grid.studies.draws import DRAWN

if TYPE_CHECKING:
    import xarray as xr

AT_ONCE = 4_000_000  # numbers that are held back until a chunk is whole
LONGEST = 16  # blocks of a chunk
WIDE: dict[str, tuple[str, dict[str, Any]]] = {
    "vm_pu": ("bus", {"units": "1", "long_name": "voltage, of the rated one"}),
    "loading_percent": ("branch", {"units": "percent", "long_name": "current, of the rated one"}),
}


class Store:
    """A store that gets its name once it is whole; used with `with`.

    Parameters
    ----------
    out
        Folder to make.
    count
        Scenarios to come.
    widths
        Elements along `bus` and `branch`.

    Raises
    ------
    InputError
        If `out` is there already.
    """

    def __init__(self, out: Path, count: int, widths: dict[str, int]) -> None:
        import dask.array as da
        import xarray as xr
        import zarr

        if out.exists():
            raise InputError(str(out), ["is there already; choose a new name"])
        self.out, self.written = out, 0
        self.beside = out.with_name(f".unfinished-{out.name}-{uuid4().hex}")
        blocks = int(np.clip(AT_ONCE // (DRAWN * max(1, *widths.values())), 1, LONGEST))
        self.length = blocks * DRAWN
        self.waiting: list[tuple[np.ndarray, ...]] = []
        empty, encoding = {}, {}
        for name, (dim, attrs) in WIDE.items():
            shape = (count, widths[dim])
            chunks = (min(self.length, count), max(widths[dim], 1))
            empty[name] = (("scenario", dim), da.zeros(shape, np.float32, chunks=chunks), attrs)
            encoding[name] = {"chunks": chunks}
        xr.Dataset(empty).to_zarr(self.beside, compute=False, consolidated=False, encoding=encoding)
        self.group: Any = zarr.open_group(self.beside, mode="r+")

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.beside, ignore_errors=True)  # renamed already where all went well

    def add(self, *values: np.ndarray) -> None:
        """Take the next scenarios, in the order of `WIDE` `[scenario, element]`."""
        self.waiting.append(values)
        if sum(len(part[0]) for part in self.waiting) >= self.length:
            self._write()

    def _write(self) -> None:
        """Write what is held back; all but the last time it is whole chunks."""
        columns = [np.concatenate(parts) for parts in zip(*self.waiting, strict=True)]
        rows = slice(self.written, self.written + len(columns[0]))
        for name, values in zip(WIDE, columns, strict=True):
            self.group[name][rows] = values
        self.written, self.waiting = rows.stop, []

    def finish(self, rest: "xr.Dataset") -> "xr.Dataset":
        """Add `rest` and the checksums, give the store its name and open it."""
        if self.waiting:
            self._write()
        words = {  # of a fixed width they have no place in version 3 of Zarr
            name: one.astype(object) for name, one in rest.coords.items() if one.dtype.kind == "U"
        }
        rest.assign_coords(words).to_zarr(self.beside, mode="a", consolidated=False)
        write_sums(self.beside, sums=self.beside / next(iter(WIDE)) / SUMS)
        self.beside.rename(self.out)
        return open_zarr_store(self.out)
