"""Checkpoints of a training: one folder a check, the last one kept."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.array_store import load_arrays, save_arrays, whole_folder
from tvilling.sciml.io.checksums import check_sums

MARK, ARRAYS, KEPT = "training.sha256", "arrays", ".kept"


def fingerprint(*what: Any) -> str:
    """SHA-256 over shapes, types and bytes of all leaves; other things by their `repr`."""
    import jax

    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(what):
        if isinstance(leaf, jax.Array | np.ndarray):
            array = np.ascontiguousarray(leaf)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        else:
            digest.update(repr(leaf).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of the training with this `mark` in `folder`.

    A checkpoint appears under its name when all of it is written, and the one before it is
    removed after that, so that a kill at any moment leaves one to go on from. An empty file beside
    it has its step for a name, so that one that is lost is missed.

    Raises
    ------
    InputError
        If `folder` belongs to a training with another mark.
    """

    folder: Path
    mark: str

    def __post_init__(self) -> None:
        """Claim the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise InputError(str(self.folder), ["is a file, expected a folder"]) from None
        label = self.folder / MARK
        if not label.exists():
            if self._steps():
                told = f"holds checkpoints without {MARK}, which tells of what training they are"
                raise InputError(str(self.folder), [told])
            part = label.with_suffix(".part")
            part.write_text(self.mark, encoding="utf-8")
            part.replace(label)
        elif label.read_bytes() != self.mark.encode():
            raise InputError(
                str(self.folder),
                [
                    "holds checkpoints of another training (other data, settings, seed or start), "
                    f"or {MARK} is damaged"
                ],
            )

    def _steps(self) -> list[int]:
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdigit())

    def _noted(self) -> list[int]:
        """Steps whose checkpoints were kept, as the files beside them say."""
        stems = (path.stem for path in self.folder.glob(f"*{KEPT}"))
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def save(self, step: int, arrays: dict[str, np.ndarray]) -> None:
        """Keep `arrays` as the checkpoint of `step`, and remove older ones."""
        with whole_folder(self.folder / str(step)) as beside:
            save_arrays(beside / ARRAYS, arrays)
        (self.folder / f"{step}{KEPT}").touch()
        for noted in self._noted():
            if noted != step:
                (self.folder / f"{noted}{KEPT}").unlink()
        for older in self._steps()[:-1]:
            shutil.rmtree(self.folder / str(older))

    def lost(self) -> str:
        """One sentence where a checkpoint was kept that is not there any more; else empty."""
        steps, noted = self._steps(), self._noted()
        if not noted or (steps and steps[-1] >= noted[-1]):
            return ""
        goes_on = f"goes on from step {steps[-1]:,}" if steps else "begins anew"
        return f"the checkpoint of step {noted[-1]:,} in {self.folder} is gone: training {goes_on}"

    def latest(self) -> tuple[int, dict[str, np.ndarray]] | None:
        """The step and arrays of the last checkpoint, or None.

        Raises
        ------
        InputError
            If a file of it is missing or damaged.
        """
        steps = self._steps()
        if not steps:
            return None
        last = self.folder / str(steps[-1])
        check_sums(last, advice=f"remove {self.folder} to train anew")
        kept = last / ARRAYS
        return steps[-1], load_arrays(kept if kept.is_dir() else last)  # once without the folder
