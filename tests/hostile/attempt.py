"""One hostile or odd input: what is written, what is called, and what must come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Content = str | bytes | Callable[[Path], None]  # a function makes what is no plain file


@dataclass(frozen=True)
class Attempt:
    """An input and its command.

    Attributes
    ----------
    name
        Unique; its first part names the family.
    files
        By path below the input folder. A command runs with that folder as the current one.
    command
        Arguments of `tvilling`, or a function that is called there. Refusals of a function are
        InputErrors.
    code
        Exit code: 2 is a refusal; 0 is for what is odd but right, with `right` asserted.
    says
        What the message must hold.
    right
        For code 0: given what the function returned, or the text on stdout, whether it is right.
    extra
        Variables of the environment.
    """

    name: str
    files: Mapping[str, Content]
    command: tuple[str, ...] | Callable[[], Any]
    code: int = 2
    says: str = ""
    right: Callable[[Any], bool] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content, encoding="utf-8")
