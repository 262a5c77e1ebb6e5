"""The run folder of a training: one that was killed can be found again and goes on."""

import json
import re
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from tvilling.apps.shared.run_folder import UNFINISHED, RunFolder
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.strict_json import read_json

HALF = ".orbax-checkpoint-tmp"
GOES_ON = "what was trained is kept; the same command with --resume goes on"
NOTHING_LEFT = "no checkpoint of it is left: the training begins anew"
LABEL, LOCK, CHECKPOINTS, LOG = "training.json", "training.lock", "checkpoints", "log.jsonl"


class TrainingFolder(RunFolder):
    """As `RunFolder`; what an interrupted training has kept stays, and its lock says who is at it.

    Parameters
    ----------
    mark
        Digest of problem, settings and seeds: only the same training may go on here.
    """

    left_out = (LABEL, LOCK, CHECKPOINTS)

    def __init__(self, out: Path, name: str, mark: str) -> None:
        super().__init__(out, name)
        label = json.dumps({"name": name, "mark": mark}, indent=2)
        (self.path / LABEL).write_text(label + "\n", encoding="utf-8")
        self.resumed, self.begins_anew = False, True
        self._lock = _locked(self.path)

    @classmethod
    def of_run(cls, out: Path, stem: str, mark: str, started: datetime) -> Self:
        """A new one."""
        return cls(out, f"{started:%Y%m%dT%H%M%SZ}-{stem}-{mark[:8]}", mark)

    @classmethod
    def taken_up(cls, out: Path, mark: str, what: str) -> Self:
        """The last unfinished one of the same training, which no other process works on.

        Raises
        ------
        InputError
            If there is none.
        """
        for path in sorted(out.glob(f"{UNFINISHED}*"), reverse=True):
            label = _label(path)
            lock = _locked(path) if label.get("mark") == mark else None
            if lock is not None:
                return cls._at(out, path, label["name"], lock)
        raise InputError(
            str(out),
            [
                f"holds no unfinished training of {what} with these settings and seeds that no "
                "other process works on; leave out --resume to begin"
            ],
        )

    @classmethod
    def _at(cls, out: Path, path: Path, name: str, lock: BinaryIO) -> Self:
        """`path` as it was left, without what would be written anew."""
        self = cls.__new__(cls)
        self.out, self.name, self.path = out, name, path
        self._began, self._lock, self.resumed = time.perf_counter(), lock, True
        self._made = ()
        self.begins_anew = not self.has_checkpoints
        for item in path.iterdir():
            if item.name not in (LABEL, LOCK, CHECKPOINTS, LOG):
                shutil.rmtree(item) if item.is_dir() else item.unlink()
        for part in (*self.checkpoints.glob("**/.*/"), *self.checkpoints.glob(f"**/*{HALF}")):
            shutil.rmtree(part, ignore_errors=True)  # a checkpoint that was being written
        return self

    @property
    def checkpoints(self) -> Path:
        """Where a training keeps what it needs to go on."""
        return self.path / CHECKPOINTS

    @property
    def has_checkpoints(self) -> bool:
        """Whether there is something to go on from."""
        return any(path.name.isdigit() for path in self.checkpoints.glob("**/*"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        if self._lock is not None:
            self._lock.close()
        if error is not None and self.has_checkpoints:
            error.add_note(GOES_ON)
        else:
            super().__exit__(kind, error, at)

    def finish(self) -> Path:
        """Give the folder its name, and remove what nobody needs any more."""
        final = super().finish()
        shutil.rmtree(final / CHECKPOINTS, ignore_errors=True)
        (final / LABEL).unlink()
        (final / LOCK).unlink()
        return final


def _label(path: Path) -> dict[str, str]:
    try:
        found = read_json(path / LABEL)
    except InputError:
        return {}
    whole = isinstance(found, dict) and all(isinstance(found.get(k), str) for k in ("name", "mark"))
    named = whole and re.fullmatch(
        rf"{re.escape(UNFINISHED + found['name'])}-[0-9a-f]{{8}}", path.name
    )
    return found if named else {}


def _locked(path: Path) -> BinaryIO | None:
    """The lock of a folder, held until it is closed or the process ends; None: another has it."""
    import fcntl

    file = (path / LOCK).open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
