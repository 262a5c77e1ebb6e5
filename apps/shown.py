"""What every command shows: a spinner with the stage, lines and tables.

Names in them come out of files. Here, and nowhere else, they lose what steers a terminal and what
`rich` would take for its own markup.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tvilling.sciml.io.escape import json_text, printable

if TYPE_CHECKING:
    from rich.console import Console

MAX_LINE = 20_000


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Tells each stage beside a spinner in a terminal; elsewhere it is silent."""
    from rich.text import Text

    with console(stderr=True).status("starting") as status:
        yield lambda stage: status.update(Text(printable(stage)))


def show(table: object, width: int | None = None) -> None:
    """Print a table of `rich`, its cells as they are written."""
    console(width=width).print(table)


def say(text: str, err: bool = False) -> None:
    """Print a line, or several."""
    import typer

    typer.echo(printable(text, MAX_LINE, keep="\n"), err=err)


def say_json(value: Any) -> None:
    """Print one JSON object a line."""
    import typer

    typer.echo(json_text(value))


def console(**options: Any) -> "Console":
    """A console that takes text for text: no markup, no emoji, no control characters."""
    from rich.console import Console
    from rich.text import Text

    class Plain(Console):
        def render_str(self, text: str, **given: Any) -> Text:
            plain = {**given, "markup": False, "emoji": False}
            return super().render_str(printable(text, MAX_LINE, keep="\n"), **plain)

    return Plain(**options)
