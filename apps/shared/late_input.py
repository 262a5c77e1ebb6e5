"""What a job waits for: an input that comes, but is not in yet."""

from collections.abc import Sequence
from typing import Any

from tvilling.sciml.core.errors import InputError


class LateInputError(InputError):
    """Inputs that are late, without which the work would be another.

    Parameters
    ----------
    announced
        Whether they are known to come, so that waiting for them is not in vain: a job tries again
        until its grace ends; else as often as its retries say.
    """

    def __init__(self, source: str, faults: Sequence[str], announced: bool = False) -> None:
        super().__init__(source, faults)
        self.announced = announced

    def __reduce__(self) -> tuple[type["LateInputError"], tuple[Any, ...]]:
        """So that it comes back whole from another process."""
        return type(self), (self.source, self.faults, self.announced)
