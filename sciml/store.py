"""Arrays on disk: named arrays in an Orbax folder that appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tvilling.sciml.errors import InputError


def home_folder() -> Path:
    """Folder of what must not be lost: `TVILLING_HOME`, or the user's data folder."""
    home = os.environ.get("TVILLING_HOME")
    if home:
        return Path(home)
    import platformdirs

    return Path(platformdirs.user_data_dir("tvilling"))


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which becomes `folder` when all is written.

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


def load_arrays(folder: Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` wrote; nothing is unpickled.

    Raises
    ------
    InputError
        If `folder` does not hold such arrays.
    """
    import orbax.checkpoint as ocp

    try:
        with ocp.PyTreeCheckpointer() as checkpointer:
            found = checkpointer.restore(folder.absolute())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(str(folder), [f"no arrays can be read here ({error})"]) from error
    return {name: np.asarray(array) for name, array in found.items()}
