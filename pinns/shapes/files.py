"""Mesh files, read by meshio."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.errors import InputError


def read_file(path: str | Path) -> Any:
    """The mesh in a file, as meshio's `Mesh`.

    Raises
    ------
    InputError
        If the file is missing, of an unknown kind, or broken.
    """
    import meshio

    if not Path(path).is_file():
        raise InputError(str(path), ["there is no such file"])
    told = io.StringIO()
    try:
        # meshio prints what is wrong and ends the program where a reader gives up
        with (
            contextlib.redirect_stdout(told),
            contextlib.redirect_stderr(told),
            np.errstate(over="ignore"),  # its guess whether an STL file is binary overflows on text
        ):
            mesh = meshio.read(path)
    except (SystemExit, Exception) as error:
        lines = told.getvalue().split("\n") if isinstance(error, SystemExit) else [str(error)]
        reason = " ".join(line.strip() for line in lines if line.strip())
        kind = type(error).__name__
        raise InputError(str(path), [f"meshio cannot read it: {reason or kind}"]) from error
    return mesh
