"""Which test meets which message: `pytest --messages FILE` writes the list.

Every place in the code that raises an `InputError` (or a kind of it) stands in it, with each
message that a test met there and the name of the first such test; a place that no test reaches is
listed without one.
"""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("apps", "datasets", "gnn", "pinns", "rl_control", "sciml", "twins")
KINDS = ("InputError", "StorageError", "NotAffineError")


class Place(NamedTuple):
    """Where a message is raised."""

    file: str
    function: str


class MessageList:
    """Records the faults of each `InputError` that the tests of one process bring about."""

    def __init__(self, path: Path, worker: str) -> None:
        self.path, self.worker = path, worker
        self.met: dict[tuple[Place, str], tuple[str, str]] = {}

    def watch(self) -> None:
        """Record from now on."""
        from tvilling.sciml.core.errors import InputError

        original, met = InputError.__init__, self.met

        def recording(error: InputError, *args: object, **kwargs: object) -> None:
            original(error, *args, **kwargs)
            frame = sys._getframe(1)
            while frame.f_back is not None and not is_ours(frame.f_code.co_filename):
                frame = frame.f_back
            path = Path(frame.f_code.co_filename)
            if is_ours(str(path)):
                test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" (", 1)[0]
                place = Place(str(path.relative_to(ROOT)), frame.f_code.co_qualname)
                for fault in error.faults:
                    met.setdefault((place, form(fault)), (fault[:300], test))

        InputError.__init__ = recording

    def pytest_sessionfinish(self) -> None:
        part = self.path.with_name(f"{self.path.name}.{self.worker}")
        rows = [[*place, *seen] for (place, _), seen in self.met.items()]
        part.write_text(json.dumps(rows), encoding="utf-8")


class Merged:
    """Writes one table from what the processes recorded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        met: dict[tuple[Place, str], tuple[str, str]] = {}
        for part in sorted(self.path.parent.glob(f"{self.path.name}.*")):
            for file, function, text, test in json.loads(part.read_text(encoding="utf-8")):
                met.setdefault((Place(file, function), form(text)), (text, test))
            part.unlink()
        reached = {place for place, _ in met}
        rows = [(place, *seen) for (place, _), seen in met.items()]
        rows += [(place, "", "none") for place in raising() if place not in reached]
        lines = ["| where | message | test |", "|---|---|---|"]
        for place, text, test in sorted(rows):
            cell = text.replace("\n", " ").replace("|", "\\|")
            lines.append(f"| `{place.file}` `{place.function}` | {cell} | {test} |")
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def form(fault: str) -> str:
    """A message without the numbers and names of its case."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[-+]?\d[\d.e+-]*", "…", fault)


def is_ours(file: str) -> bool:
    """Whether code of the project, not of its tests, stands in `file`."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return False
    relative = path.relative_to(ROOT)
    return relative.parts[0] in FOLDERS and relative != Path("sciml/core/errors.py")


def raising() -> Iterator[Place]:
    """Every function that raises an `InputError` by its name or that of a kind of it."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield from (Place(str(path.relative_to(ROOT)), name) for name in _raising(tree, ""))


def _raising(node: ast.AST, name: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _raising(child, f"{name}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{name}{child.name}"
            yield from {inner} if _raises(child) else ()
            yield from _raising(child, f"{inner}.<locals>.")


def _raises(node: ast.AST) -> bool:
    """Whether it raises one itself, not in a function within it."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return ast.unparse(node.exc.func).endswith(KINDS)
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return any(
        _raises(child) for child in ast.iter_child_nodes(node) if not isinstance(child, inner)
    )
