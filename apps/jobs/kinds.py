"""What a job can do: a function for each kind, and those that step in where it fails.

A function takes the case file, the time the run was scheduled for (UTC), an empty folder for its
result and a `tell` for each stage as it begins; it gives facts as plain JSON, which the ledger
keeps. It runs in a process of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tvilling.sciml.core.errors import InputError

Work = Callable[[Path, datetime, Path, Callable[[str], None]], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of job; functions are named `module:function` and imported when they are needed.

    Attributes
    ----------
    work
        What is tried, and tried again, first.
    without
        Has one attempt, before the fallbacks, where `work` waited in vain for an input, which it
        tells by a `LateInputError`: it makes do without it.
    fallbacks
        Each has one attempt, in order, where all those before have failed.
    check
        Reads the case file when a job is added; raises InputError with every fault.
    """

    work: str
    fallbacks: tuple[str, ...] = ()
    check: str | None = None
    without: str | None = None

    @property
    def turns(self) -> tuple[str, ...]:
        """The functions in the order in which they have their turn."""
        without = () if self.without is None else (self.without,)
        return (self.work, *without, *self.fallbacks)

    def next_turn(self, turn: int, late: bool) -> int | None:
        """The turn after `turn` failed, because an input is `late` or not; None after the last."""
        skipped = turn == 0 and self.without is not None and not late
        following = turn + 1 + skipped
        return following if following < len(self.turns) else None


KINDS: dict[str, Kind] = {
    "run": Kind(
        "tvilling.apps.jobs.kinds:run_job", check="tvilling.apps.shared.case_file:read_case"
    ),
    "plan": Kind(
        "tvilling.apps.plant.job:plan_job",
        fallbacks=(
            "tvilling.apps.plant.job:rule_job",
            "tvilling.apps.plant.job:hold_job",
        ),
        check="tvilling.apps.plant.job:check_case",
        without="tvilling.apps.plant.job:plan_without_job",
    ),
    "backtest": Kind(
        "tvilling.apps.plant.job:backtest_job",
        check="tvilling.apps.plant.job:check_case",
    ),
}
# Kind of a job whose case names a system, where it is not `run`.
KIND_OF_SYSTEM: dict[str, str] = {"heat_plant": "plan"}


def kind_named(name: str) -> Kind:
    """The kind `name`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in KINDS:
        raise InputError("kind", [f"is {name!r}, known are {', '.join(KINDS)}"])
    return KINDS[name]


def kind_of_case(path: Path) -> str:
    """Kind of job that the case file `path` asks for: by its field `kind`, else by its `system`.

    Raises
    ------
    InputError
        If the file cannot be read or tells no kind.
    """
    from tvilling.apps.shared.case_file import MAX_CASE_BYTES
    from tvilling.sciml.io.files import read_text
    from tvilling.sciml.io.strict_yaml import parse_yaml

    case = parse_yaml(read_text(path, MAX_CASE_BYTES), str(path)).value
    if not isinstance(case, dict):
        raise InputError(str(path), ["is no case: expected YAML such as `system: heat_network`"])
    if str(case.get("kind")) in KINDS:
        return str(case["kind"])
    if "system" not in case:
        raise InputError(
            str(path), ["names neither a system nor a kind of job; say which with --kind"]
        )
    return KIND_OF_SYSTEM.get(str(case["system"]), "run")


def resolve(target: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def run_job(
    case: Path, scheduled: datetime, out: Path, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Run the case as `tvilling run` does; its files stand in `out` itself."""
    from tvilling.apps.heat.run import run_case

    result = run_case(case, (), out, tell)
    for file in result.folder.iterdir():
        file.rename(out / file.name)
    result.folder.rmdir()
    figures = {name: one.as_dict() for name, one in result.figures.items()}
    return {
        "case_hash": result.case_hash,
        "wall_s": round(result.wall_s, 3),
        "warnings": result.warnings,
        "controllers": figures,
    }
