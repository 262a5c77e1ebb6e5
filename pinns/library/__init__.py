"""The problems that ship, by name; listing them imports none of them."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tvilling.pinns.problem import Problem


@dataclass(frozen=True)
class ProblemEntry:
    """One line of the registry.

    Attributes
    ----------
    description
        What it is, in one line.
    example_at
        `module:function` that makes the problem with usual numbers, and with its reference.
    """

    description: str
    example_at: str

    def example(self) -> "Problem":
        """The problem with usual numbers; imports its module."""
        module, function = self.example_at.split(":")
        problem: Problem = getattr(import_module(module), function)()
        return problem


PROBLEMS: dict[str, ProblemEntry] = {
    "heating_pipe": ProblemEntry(
        "Water that cools on its way through a buried pipe, as the inlet temperature varies",
        "tvilling.pinns.library.heating_pipe:example",
    ),
}
