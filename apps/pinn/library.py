"""The problems of the library as the commands see them: settings, and errors they reach."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tvilling.pinns.library import ProblemEntry
    from tvilling.pinns.training.settings import TrainSettings

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Listed:
    """One problem of the library.

    Attributes
    ----------
    full_error, short_error
        Relative L2 error that the full and the short training reach; None where none is stated.
    """

    name: str
    description: str
    full_error: float | None
    short_error: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def listed() -> list[Listed]:
    """Every problem of the library."""
    from tvilling.pinns import PROBLEMS

    return [
        Listed(name, entry.description, _stated(entry, "full_error"), _stated(entry, "short_error"))
        for name, entry in PROBLEMS.items()
    ]


def entry_of(name: str) -> "ProblemEntry":
    """The problem of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    from tvilling.pinns import PROBLEMS

    if name not in PROBLEMS:
        known = ", ".join(PROBLEMS)
        raise InputError("problem", [f"{name!r} is not in the library; there are {known}"])
    return PROBLEMS[name]


def settings_of(name: str, short: bool) -> "TrainSettings":
    """Settings of the library for a problem; without full ones of its own, the usual ones.

    Raises
    ------
    InputError
        If the problem has no short ones.
    """
    found: TrainSettings | None = _stated(entry_of(name), "short" if short else "full")
    if found is not None:
        return found
    if short:
        told = f"{name} has no settings for a short training; leave out --short"
        raise InputError(f"problem {name}", [told])
    from tvilling.pinns.training import settings

    return settings.TrainSettings()


def problems_table(problems: list[Listed]) -> "Table":
    """The problems for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    table = plain_table("name", "description", "error, full", "error, short")
    table.columns[1].justify = "left"
    for one in problems:
        table.add_row(one.name, one.description, told(one.full_error), told(one.short_error))
    return table


def told(error: float | None) -> str:
    """A relative error with two digits."""
    return "-" if error is None else f"{error:.1e}"


def in_unit(value: str, unit: str) -> str:
    """A number with its unit, which is left out where there is none."""
    return value if unit == "1" else f"{value} {unit}"


def _stated(entry: "ProblemEntry", what: str) -> Any:
    """What the entry says, else what its module says in capitals."""
    if hasattr(entry, what):
        return getattr(entry, what)
    module = import_module(entry.example_at.partition(":")[0])
    return getattr(module, what.upper(), None)
