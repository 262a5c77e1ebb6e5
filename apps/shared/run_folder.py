"""The folder of one run: it appears whole under its name, or not at all."""

import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import uuid4

from tvilling.sciml.io.checksums import write_sums
from tvilling.sciml.io.escape import json_text
from tvilling.sciml.io.storage import StorageError, cause_of

UNFINISHED = ".unfinished-"


class RunFolder:
    """Files are written beside, under a name that begins with `.unfinished-`, and then renamed.

    Used with `with`: an error inside removes what was written, `out` too where it was made for
    this run and holds no other. A run that was killed leaves its
    unfinished folder, which nothing reads and which may be deleted. A finished one holds the
    checksums of its files in `SHA256SUMS`.

    Parameters
    ----------
    out
        Folder that holds the runs; made where it does not exist.
    name
        Name of this run. Where it is taken, a number is appended.

    Raises
    ------
    StorageError
        If `out` cannot be made or written to, then or later: the disk is full.
    """

    left_out: ClassVar[tuple[str, ...]] = ()  # of the checksums: what does not stay

    def __init__(self, out: Path, name: str) -> None:
        self.out, self.name = out, name
        self.path = out / f"{UNFINISHED}{name}-{uuid4().hex[:8]}"
        self._began = time.perf_counter()
        self._made = tuple(folder for folder in (out, *out.parents) if not folder.exists())
        try:
            self.path.mkdir(parents=True)
        except OSError as error:
            cause = cause_of(error, out) or error.strerror or error
            raise StorageError(str(out), [f"cannot be written to: {cause}"]) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        cause = None  # looked for before there is room again
        if isinstance(error, OSError | RuntimeError):
            cause = cause_of(error, self.path)
        shutil.rmtree(self.path, ignore_errors=True)  # already renamed where all went well
        with suppress(OSError):  # those that hold something stay, and so do those above them
            for folder in self._made:
                folder.rmdir()
        if cause is not None:
            raise StorageError(str(self.out), [f"cannot be written to: {cause}"]) from error

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to `log.jsonl`."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "elapsed_s": round(time.perf_counter() - self._began, 3),
            "event": event,
            **facts,
        }
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json_text(line) + "\n")

    def finish(self) -> Path:
        """Give the folder its name, on disk to the last byte, and return where it is."""
        write_sums(self.path, self.left_out)
        for file in self.path.iterdir():
            _sync(file)
        _sync(self.path)
        taken = 1
        while True:
            final = self.out / (self.name if taken == 1 else f"{self.name}-{taken}")
            taken += 1
            if final.exists():
                continue
            try:
                self.path.rename(final)
            except OSError:
                if final.exists():  # another run took the name in between
                    continue
                raise
            _sync(self.out)
            return final


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
