"""What every command shows: a spinner with the stage, lines and tables.

Names in them come out of files. Here, and nowhere else, they lose what steers a terminal and what
`rich` would take for its own markup.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
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


@contextmanager
def unheard() -> Iterator[None]:
    """What cannot be printed here changes nothing of what is done, nor how the command ends.

    Nobody may read it any longer (`tvilling plan CASE | head -1`), or it goes to a full disk.
    """
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:
        pass


def print_what_can_be_printed() -> None:
    """Have characters that the terminal's encoding lacks replaced, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(table: object, width: int | None = None) -> None:
    """Print a table of `rich`, its cells as they are written."""
    with unheard():
        console(width=width).print(table)


def say_now(line: str) -> None:
    """Print a line at once, for whoever follows a command that goes on."""
    with unheard():
        print(printable(line, MAX_LINE), flush=True)


def say(text: str, err: bool = False) -> None:
    """Print a line, or several."""
    import typer

    with unheard():
        typer.echo(printable(text, MAX_LINE, keep="\n"), err=err)


def say_json(value: Any) -> None:
    """Print one JSON object a line."""
    import typer

    with unheard():
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
