"""The commands `tvilling grid …`: they parse and print."""

from pathlib import Path
from typing import Annotated

import typer

grid_app = typer.Typer(
    no_args_is_help=True, help="Power grids: power flow, years, outages, hosting capacity."
)

Grid = Annotated[
    str,
    typer.Argument(
        help="Network: pandapower .json, MATPOWER .m, pandapower:NAME or simbench:CODE"
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the run's folder [runs]")]


@grid_app.command()
def flow(file: Grid, out: Out = None) -> None:
    """Power flow of a network as its file has it."""


@grid_app.command()
def year(file: Grid, out: Out = None) -> None:
    """Power flow over time, with the profiles of the network or of a file."""
