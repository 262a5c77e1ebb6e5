"""Checksums of an ensemble in its Zarr store: of its layout, and of each chunk that has been run.

They stand in `complete/SHA256SUMS` as one block for the layout and one a chunk, added once the
chunk is written; a kill in between leaves a chunk without a block, which counts as not run.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.checksums import (
    SUMS,
    Sums,
    block,
    differing,
    read_sums,
    sums_of,
)

MARK = "complete"
LAYOUT = "layout"
ROOT = "zarr.json"


class DamagedStoreWarning(UserWarning):
    """Files of a store were missing or damaged; what they held is made again."""


@dataclass(frozen=True)
class EnsembleSums:
    """The checksums of the ensemble in `store`, whose `results` are written chunk by chunk."""

    store: Path
    results: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where they stand."""
        return self.store / MARK / SUMS

    def write_layout(self) -> None:
        """Begin the list with every file of a store that holds no result yet."""
        files = sorted(path for path in self.store.rglob("*") if path.is_file())
        self.path.write_text(block(LAYOUT, sums_of(self.store, files)), encoding="utf-8")

    def files(self, number: int) -> list[Path]:
        """Files of the chunk `number`; a result that is zero throughout has none."""
        tops = [self.store / name / "c" / str(number) for name in (*self.results, MARK)]
        return [path for top in tops for path in (top, *sorted(top.rglob("*"))) if path.is_file()]

    def add(self, number: int) -> None:
        """Add the chunk `number`, now written, unless the store was begun without checksums."""
        if self.path.is_file():
            with self.path.open("a", encoding="utf-8") as file:
                file.write(block(f"chunk {number}", sums_of(self.store, self.files(number))))
                file.flush()
                os.fsync(file.fileno())

    def damage(self) -> list[str]:
        """What is wrong with the list and the layout."""
        if not self.path.is_file():
            return []
        blocks, faults = read_sums(self.path)
        absent = [] if LAYOUT in blocks or faults else [f"{SUMS} is damaged: it has no layout"]
        return faults + absent + differing(self.store, blocks.get(LAYOUT, {}))

    def intact(self, total: int) -> tuple[set[int], dict[int, list[str]]]:
        """Chunks of `total` that are as they were written, and the faults of those that are not."""
        blocks, _ = read_sums(self.path)
        listed = {n: blocks[f"chunk {n}"] for n in range(total) if f"chunk {n}" in blocks}
        faults = {n: differing(self.store, sums) for n, sums in listed.items()}
        damaged = {n: found for n, found in faults.items() if found}
        return listed.keys() - damaged.keys(), damaged

    def drop(self, number: int) -> None:
        """Remove what there is of the chunk `number`, so that it is written anew."""
        for path in self.files(number):
            path.unlink()

    def mend(self, fresh: "EnsembleSums") -> None:
        """Take the layout of `fresh`, a store of the same ensemble that holds no result yet.

        Raises
        ------
        InputError
            If it is none of the same: what is damaged cannot be made again.
        """
        kept, _ = read_sums(self.path)
        (layout,) = read_sums(fresh.path)[0].values()
        if not self._is_of(kept, layout):
            told = "is damaged, and holds another ensemble or is of another version"
            raise InputError(str(self.store), [told, *self.damage()])
        for name in differing_names(self.store, layout):
            (self.store / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh.store / name, self.store / name)
        part = self.path.with_name(f".{SUMS}")
        blocks = {**kept, LAYOUT: layout}
        part.write_text("".join(map(block, blocks, blocks.values())), encoding="utf-8")
        part.replace(self.path)

    def _is_of(self, kept: dict[str, Sums], layout: Sums) -> bool:
        """Whether the files are those of `layout`, by the list, or where that differs, themselves.

        Without a list of the layout its root is enough.
        """
        listed = kept.get(LAYOUT, {name: sha for name, sha in layout.items() if name != ROOT})
        return not differing(
            self.store, {name: sha for name, sha in layout.items() if listed.get(name) != sha}
        )


def differing_names(folder: Path, sums: Sums) -> list[str]:
    """Names of the files that are missing or not as they were written."""
    return [name for name, sha256 in sums.items() if differing(folder, {name: sha256})]
