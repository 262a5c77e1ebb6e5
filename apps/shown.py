"""What every command shows: a spinner with the stage, and tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Tells each stage beside a spinner in a terminal; elsewhere it is silent."""
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def show(table: object) -> None:
    """Print a table of `rich`."""
    from rich.console import Console

    Console().print(table)
