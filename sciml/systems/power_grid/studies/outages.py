"""Which elements of a grid may fail, alone or in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.power_grid.model.grid import BranchGroup, PowerGrid
from tvilling.sciml.systems.power_grid.results.labels import near, unique
from tvilling.sciml.systems.power_grid.results.planner_units import loads, sides
from tvilling.sciml.systems.power_grid.solver.batch_solver import solve

KINDS = ("line", "trafo", "trafo3w")
MAX = 500_000  # contingencies of one study, unless another number is asked for


@dataclass(frozen=True, eq=False)
class Failing:
    """Elements that may fail: lines and transformers that are in service.

    Attributes
    ----------
    kind, row, name
        Table of the file, which of its rows, counted from 0, and name.
    branch
        Branches of the grid that open with it `[element, 1 or 3]`; -1 for none. The three of a
        three-winding transformer open together.
    """

    kind: np.ndarray
    row: np.ndarray
    name: np.ndarray
    branch: np.ndarray

    def find(self, names: Sequence[str], source: str) -> np.ndarray:
        """Numbers of the elements called `names`, each once.

        A name of two tables is told as `line:NAME`, one that several rows of a table have with
        the row behind it, `NAME (row 1)`, as results print it.

        Raises
        ------
        InputError
            With every name that is not there or that several have.
        """
        found, faults = list[int](), list[str]()
        full = [f"{kind}:{name}" for kind, name in zip(self.kind, self.name, strict=True)]
        for wanted in dict.fromkeys(names):
            at = [i for i, name in enumerate(self.name) if wanted in (name, full[i])]
            if len(at) == 1:
                found += at
            elif at:
                faults.append(f"{wanted} is {', '.join(full[i] for i in at)}: name one of them")
            else:
                faults.append(self._unknown(wanted, full))
        if faults:
            raise InputError(source, faults)
        return np.array(list(dict.fromkeys(found)), np.int64)

    def _unknown(self, wanted: str, full: Sequence[str]) -> str:
        """The fault of a name that no element has by itself."""
        rows = [
            str(name)
            for name, longer in zip(self.name, full, strict=True)
            if str(name).startswith(f"{wanted} (row ") or longer.startswith(f"{wanted} (row ")
        ]
        if rows:
            count = f"{len(rows)} in service are" if len(rows) > 1 else "1 in service is"
            return f"{wanted}: {count} called so; name one of them, {' or '.join(rows)}"
        close = near(wanted, [str(name) for name in self.name])
        return f"{wanted} is no line or transformer in service{close}"


def failing(grid: PowerGrid, kinds: Sequence[str] = KINDS) -> Failing:
    """All elements of the tables `kinds` that are in service.

    Raises
    ------
    InputError
        If a kind is none of lines, transformers and three-winding transformers, or none is in
        service.
    """
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong:
        raise InputError(
            grid.source,
            [f"{kind} cannot fail here; known are {', '.join(KINDS)}" for kind in wrong],
        )
    parts = [_in_service(grid.groups[kind]) for kind in kinds if kind in grid.groups]
    if not any(len(part.name) for part in parts):
        raise InputError(grid.source, [f"no {' or '.join(kinds)} is in service"])
    branch = np.concatenate([part.branch for part in parts])
    return Failing(
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.name for part in parts]),
        branch[:, (branch >= 0).any(axis=0)],
    )


def _in_service(group: BranchGroup) -> Failing:
    rows = len(group.name) // sides(group)
    branch = np.full((rows, 3), -1)
    branch[:, : sides(group)] = group.branch.reshape(-1, rows).T
    on = (branch >= 0).any(axis=1)
    names = np.array(unique(group.name[:rows], group.index[:rows]), object)
    kind = np.full(int(on.sum()), group.kind, object)
    return Failing(kind, np.flatnonzero(on), names[on], branch[on])


def alone(elements: Failing) -> np.ndarray:
    """Each element by itself `[contingency, 1]`."""
    return np.arange(len(elements.name))[:, None]


def most_loaded(grid: PowerGrid, elements: Failing, count: int) -> np.ndarray:
    """Numbers of the `count` elements with the greatest loading in the base case."""
    found = loads(solve(grid)).percent
    percent = [
        found[kind][0, row] if kind in found else 0.0
        for kind, row in zip(elements.kind, elements.row, strict=True)
    ]
    return np.argsort(-np.array(percent), kind="stable")[:count]


def pairs(elements: Failing, among: np.ndarray | None = None, most: int = MAX) -> np.ndarray:
    """Every two elements, or every two `among` some, that fail together `[contingency, 2]`.

    Raises
    ------
    InputError
        If there are more than `most`.
    """
    chosen = np.arange(len(elements.name)) if among is None else np.unique(among)
    count = len(chosen) * (len(chosen) - 1) // 2
    if count > most:
        raise InputError(
            "pairs of outages",
            [f"{len(chosen)} elements are {count} pairs, expected at most {most}: take fewer"],
        )
    first, second = np.triu_indices(len(chosen), 1)
    return np.stack([chosen[first], chosen[second]], axis=1)
