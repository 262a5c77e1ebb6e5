"""Faults in what a user hands over, collected and told together."""

from collections.abc import Sequence
from typing import Any

from tvilling.sciml.io.escape import printable

MAX_FAULT = 2_000  # characters of one fault


class InputError(ValueError):
    """Every fault in one input, reported together.

    Parameters
    ----------
    source
        What was read: a file name, a form, an argument.
    faults
        One line a fault, each with place, value, unit and allowed range where they apply. What
        steers a terminal is escaped here, since names and values come out of files.
    """

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source = printable(source)
        self.faults = tuple(printable(fault, MAX_FAULT, keep="\n") for fault in faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{self.source}: {count}\n{lines}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[Any, ...]]:
        """So that it comes back whole from another process."""
        return type(self), (self.source, self.faults)
