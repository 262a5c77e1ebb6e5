"""What a training shows in the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tvilling.apps.pinn.report import ERROR_HEADS, SEED_HEADS, error_rows, seed_rows
from tvilling.apps.shared.terminal import plain_table
from tvilling.sciml.io.escape import printable

if TYPE_CHECKING:
    from rich.table import Table

    from tvilling.apps.pinn.train import TrainRun


def run_tables(run: "TrainRun") -> "list[Table]":
    """Seeds, and the errors of the one that was kept."""
    seeds = plain_table(*SEED_HEADS)
    for column in seeds.columns[-2:]:
        column.justify = "left"
    for row in seed_rows(run):
        seeds.add_row(*row)
    if not run.kept.deviations:
        return [seeds]
    errors = plain_table(*ERROR_HEADS)
    for row in error_rows(run):
        errors.add_row(*row)
    return [seeds, errors]


@contextmanager
def interrupted() -> Iterator[None]:
    """Says how to go on when a training is stopped, or when writing its files failed."""
    try:
        yield
    except BaseException as error:
        for note in getattr(error, "__notes__", []):
            print(printable(note), file=sys.stderr)
        raise
