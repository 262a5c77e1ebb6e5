"""Arrays on disk: named arrays in an Orbax folder that appears whole or not at all."""

import logging
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.io.folders import check_folder
from tvilling.sciml.io.strict_json import read_json

MAX_STORE_BYTES = 500_000_000
ARRAY = "np.ndarray"


def home_folder() -> Path:
    """Folder of what must not be lost: `TVILLING_HOME`, or the user's data folder."""
    home = os.environ.get("TVILLING_HOME")
    if home:
        return Path(home)
    import platformdirs

    return Path(platformdirs.user_data_dir("tvilling"))


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which becomes `folder`, with checksums, when all is written.

    Raises
    ------
    InputError
        If `folder` is there already; nothing is overwritten.
    """
    if folder.exists():
        raise InputError(str(folder), ["is there already; choose another folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield beside
        write_sums(beside)
        os.chmod(beside, 0o755)  # a temporary folder is closed to others
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def save_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` to a new `folder`; it appears under that name when all is written.

    Arrays without elements are left out, since Orbax does not keep them.
    """
    import orbax.checkpoint as ocp

    with ocp.PyTreeCheckpointer() as checkpointer:
        kept = {name: np.asarray(array) for name, array in arrays.items() if np.size(array)}
        checkpointer.save(folder.absolute(), kept)


@contextmanager
def _quiet() -> Iterator[None]:
    """Orbax logs a traceback of what it then raises; the message told here is enough."""
    log = logging.getLogger("absl")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def load_arrays(folder: Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` wrote; nothing is unpickled.

    Raises
    ------
    InputError
        If `folder` does not hold such arrays, or holds links, or arrays larger than
        `MAX_STORE_BYTES` altogether.
    """
    import orbax.checkpoint as ocp

    folder = folder.absolute()
    try:
        check_folder(folder, MAX_STORE_BYTES)
        faults = _odd_labels(read_json(folder / "_METADATA"))
    except InputError as error:
        faults = [f"no arrays can be read here ({fault})" for fault in error.faults]
    if faults:
        raise InputError(str(folder), faults)
    try:
        with _quiet(), ocp.PyTreeCheckpointer() as checkpointer:
            shapes = checkpointer.metadata(folder).item_metadata.tree
            faults = _odd_shapes(shapes)
            found = {} if faults else checkpointer.restore(folder)
    except Exception as error:  # whatever damaged files make the reader raise
        reason = " ".join(str(error).split())
        raise InputError(str(folder), [f"no arrays can be read here ({reason})"]) from error
    if faults:
        raise InputError(str(folder), faults)
    return {name: np.asarray(array) for name, array in found.items()}


def _odd_labels(about: Any) -> list[str]:
    """What the description of the arrays asks for that `save_arrays` never writes."""
    tree = about.get("tree_metadata") if isinstance(about, dict) else None
    if not isinstance(tree, dict) or about.get("use_ocdbt") is not True or about.get("use_zarr3"):
        return ["is no folder of arrays of this program"]
    kinds = [one.get("value_metadata") if isinstance(one, dict) else None for one in tree.values()]
    odd = [kind for kind in kinds if not isinstance(kind, dict) or kind.get("value_type") != ARRAY]
    return ["holds something other than arrays"] if odd else []


def _odd_shapes(tree: Mapping[str, Any]) -> list[str]:
    """Arrays that are none of numbers, or larger than they may be, before they are read."""
    faults, total = [], 0
    for name, one in tree.items():
        dtype = np.dtype(getattr(one, "dtype", object))
        if dtype.kind not in "biufc":
            faults.append(f"{name} is of type {dtype}, expected numbers")
        total += math.prod(getattr(one, "shape", ())) * dtype.itemsize
    if total > MAX_STORE_BYTES:
        faults.append(
            f"declares arrays of {total / 1e6:,.0f} MB, "
            f"expected at most {MAX_STORE_BYTES / 1e6:,.0f} MB"
        )
    return faults
