"""Measured data sets by name: found, checked, downloaded and read."""

import importlib
import inspect
import os
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.datasets.cache import cache_folder, fetch
from tvilling.datasets.catalogue import DATASETS, DataFile, DataSource
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import sha256_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DATASETS", "describe", "find", "get", "load", "locate"]


def load(name: str, **options: Any) -> "xr.Dataset":
    """Read a data set by name.

    Parameters
    ----------
    name
        One of `DATASETS`.
    options
        Passed to the reader; `describe` names them.

    Returns
    -------
    xr.Dataset
        With `units` on every variable, and attributes `title`, `source`, `licence`, `doi` where
        there is one, and counts of what was handled.

    Raises
    ------
    InputError
        Where the name or an option is not known, files are absent, or a file is damaged: not of
        the size or SHA-256 that the catalogue states.
    """
    source = find(name)
    reader = _reader(source)
    known = _options(reader)
    faults = [
        f"option {option} is not known; known are {', '.join(known) or 'none'}"
        for option in options
        if option not in known
    ]
    if faults:
        raise InputError(f"data set {name}", faults)
    data = _read(source, _checked(source, locate(name)), options).copy(deep=True)
    data.attrs = {
        "title": source.title,
        "source": source.origin,
        "licence": source.licence,
        **({"doi": source.doi} if source.doi else {}),
        **data.attrs,
    }
    return data


def _read(source: DataSource, folder: Path, options: dict[str, Any]) -> "xr.Dataset":
    """What the reader makes of files that are those of the catalogue."""
    if all(isinstance(value, Hashable) for value in options.values()):
        return _read_once(source, folder, **options)
    return _reader(source)(folder, **options)


@lru_cache(maxsize=4, typed=True)
def _read_once(source: DataSource, folder: Path, **options: Any) -> "xr.Dataset":
    """Kept, since runs ask for the same record several times: right checksums, same content."""
    return _reader(source)(folder, **options)


def find(name: str) -> DataSource:
    """The entry of a data set.

    Raises
    ------
    InputError
        Where there is none of that name.
    """
    if name not in DATASETS:
        known = ", ".join(DATASETS)
        raise InputError("data set", [f"{name!r} is not known; known are {known}"])
    return DATASETS[name]


def locate(name: str) -> Path:
    """Folder that holds the files of a data set.

    Looks below the folder that `TVILLING_DATA` names, then below `data` in the cache folder. The
    first that holds every file counts; checksums are left to `get`.

    Raises
    ------
    InputError
        Naming the files that are absent and what to do.
    """
    source = find(name)
    for folder in _candidates(source):
        if not _absent(source, folder):
            return folder
    folder = _candidates(source)[0]
    faults = [f"{folder / file}: no such file" for file in _absent(source, folder)]
    hint = f"run `tvilling data get {name}`, or let TVILLING_DATA name the folder with the data"
    raise InputError(f"data set {name}", [*faults, hint])


def _checked(source: DataSource, folder: Path) -> Path:
    """`folder`, where every file of the data set in it is the one of the catalogue."""
    faults = [
        f"{folder / file.name} is damaged or another file: its SHA-256 is not that of the catalogue"
        for file in source.files
        if not _is_right(file, folder)
    ]
    if faults:
        hint = f"remove it and run `tvilling data get {source.name}`"
        raise InputError(f"data set {source.name}", [*faults, hint])
    return folder


def is_at_hand(name: str) -> bool:
    """Whether every file of a data set is where `locate` looks."""
    try:
        locate(name)
    except InputError:
        return False
    return True


def describe(name: str) -> dict[str, Any]:
    """What is known of a data set.

    Returns
    -------
    dict
        `name`, `title`, `folder`, `origin`, `licence`, `doi`, `files` (name, size, address),
        `bytes` (of all), `found` (folder, or None), `options` of `load` with their defaults, and
        `help` of the reader.

    Raises
    ------
    InputError
        Where the name is not known.
    """
    source = find(name)
    reader = _reader(source)
    found = (folder for folder in _candidates(source) if not _absent(source, folder))
    return {
        "name": source.name,
        "title": source.title,
        "folder": source.folder,
        "origin": source.origin,
        "licence": source.licence,
        "doi": source.doi,
        "files": [(file.name, file.size, file.url) for file in source.files],
        "bytes": sum(file.size for file in source.files),
        "found": next(found, None),
        "options": _options(reader),
        "help": inspect.getdoc(reader) or "",
    }


def get(name: str) -> Path:
    """Folder of a data set with every checksum right, downloaded to the cache where need be.

    Raises
    ------
    InputError
        With one line a file that could not be had, and what to do. Files that came well stay, so
        a second call goes on where the first ended.
    """
    source = find(name)
    for folder in _candidates(source):
        if all(_is_right(file, folder) for file in source.files):
            return folder
    folder = cache_folder() / "data" / source.folder
    faults: list[str] = []
    for file in source.files:
        if not _is_right(file, folder):
            faults += _fetch_file(source, file, folder)
    if faults:
        raise InputError(f"data set {name}", faults)
    return folder


def _fetch_file(source: DataSource, file: DataFile, folder: Path) -> list[str]:
    if not file.url:
        where = source.by_hand or source.origin
        return [
            f"{file.name}: no address to download from; get it from {where}, put it in {folder}"
        ]
    try:
        fetch(file.url, folder / file.name, file.sha256, file.size)
    except InputError as error:
        return [f"{fault} ({error.source})" for fault in error.faults]
    return []


def _candidates(source: DataSource) -> list[Path]:
    """Folders in which the data set may lie, the first wins."""
    named = os.environ.get("TVILLING_DATA")
    roots = [Path(named)] if named else []
    return [root / source.folder for root in [*roots, cache_folder() / "data"]]


def _absent(source: DataSource, folder: Path) -> list[str]:
    return [file.name for file in source.files if not (folder / file.name).is_file()]


def _is_right(file: DataFile, folder: Path) -> bool:
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size and sha256_of(path) == file.sha256


def _reader(source: DataSource) -> Callable[..., "xr.Dataset"]:
    module, function = source.reader.split(":")
    reader: Callable[..., xr.Dataset] = getattr(importlib.import_module(module), function)
    return reader


def _options(reader: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of a reader behind the folder, with their defaults."""
    given = list(inspect.signature(reader).parameters.values())[1:]
    return {parameter.name: parameter.default for parameter in given}
