"""Dimension the pipes of a network file and write its tables anew."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tvilling.apps.shared.run_folder import UNFINISHED
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network.sizing.pipes import Sized, SizingOptions

CHANGES = "sizing.csv"


def size_file(
    file: str, out: Path | None, options: "SizingOptions", tell: Callable[[str], None]
) -> "tuple[Path, Sized]":
    """Size the network in `file`; write its tables to the new folder `out`, changes beside it.

    Returns
    -------
    Path
        The folder, beside which `NAME.changes.csv` has one row a pipe, as `Sized.changes`.
    Sized
        What was written.

    Raises
    ------
    InputError
        With every fault of the network or the options, or if `out` is there already.
    """
    from tvilling.datasets.readers.heat.network import read_network
    from tvilling.datasets.readers.heat.tables import write_heat_tables
    from tvilling.sciml.systems.heat_network.sizing.pipes import size

    folder = out or Path(f"{Path(file.split(':')[-1]).stem}_sized")
    changes = folder.with_name(f"{folder.name}.changes.csv")
    taken = [
        f"{path} is there already; choose a new name" for path in (folder, changes) if path.exists()
    ]
    if taken:
        raise InputError("size", taken)
    tell("reading the network")
    tables = read_network(file).checked()
    tell("sizing the pipes")
    sized = size(tables, options)
    beside = folder.with_name(f"{UNFINISHED}{folder.name}-{uuid4().hex[:8]}")
    try:
        write_heat_tables(sized.tables, beside / "tables")
        sized.changes.to_csv(beside / CHANGES, index=False)
        (beside / CHANGES).rename(changes)
        (beside / "tables").rename(folder)
    except OSError as error:
        raise InputError(str(folder), [f"cannot be written: {error.strerror or error}"]) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder, sized
