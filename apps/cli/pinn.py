"""The commands `tvilling pinn …`: they parse and print."""

from pathlib import Path
from typing import Annotated

import typer

from tvilling.apps.shared.progress import say, say_json

pinn_app = typer.Typer(
    no_args_is_help=True, help="Networks that solve equations: list, train, evaluate, invert."
)

Name = Annotated[str, typer.Argument(help="Problem of the library; pinn list has them")]


@pinn_app.command("list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
) -> None:
    """List the problems of the library, and the errors that their trainings reach."""
    from tvilling.apps.pinn.library import listed, problems_table
    from tvilling.apps.shared.progress import show

    if json:
        for one in listed():
            say_json(one.to_dict())
    else:
        show(problems_table(listed()))


@pinn_app.command()
def train(  # noqa: PLR0913 - a command has as many options as it needs
    name: Name,
    short: Annotated[
        bool, typer.Option("--short", help="The library's short settings instead of the full ones")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of weights and points")] = 0,
    seeds: Annotated[int, typer.Option(help="How many, from --seed on")] = 1,
    time_s: Annotated[
        float | None, typer.Option(help="Wall time after which a seed's training ends, s")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the run's folder [runs]")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the same training, which was killed")
    ] = False,
    energy: Annotated[
        bool, typer.Option(help="Estimate the energy it takes (two seconds more)")
    ] = True,
) -> None:
    """Train a problem of the library, and write its solution with a report."""
    from tvilling.apps.pinn.report import verdict_line
    from tvilling.apps.pinn.terminal import interrupted, run_tables
    from tvilling.apps.pinn.train import TrainOptions, run_train
    from tvilling.apps.shared.progress import progress, show

    asked = TrainOptions(short, seed, seeds, time_s, resume, energy)
    with progress() as tell, interrupted():
        run = run_train(name, asked, out, tell)
    for table in run_tables(run):
        show(table)
    say(verdict_line(run))
    say(f"report: {run.folder / 'report.html'}")
    say(f"took {run.wall_s:.1f} s")


@pinn_app.command()
def evaluate(
    run_folder: Annotated[Path, typer.Argument(help="Folder that pinn train wrote")],
    coordinates: Annotated[
        list[str], typer.Argument(help="Each name=NUMBER, name=A,B,C or name=LOW:HIGH:COUNT")
    ],
    csv: Annotated[Path | None, typer.Option(help="New file for the values")] = None,
) -> None:
    """Values of a trained solution on a grid."""
    from tvilling.apps.pinn.evaluate import run_evaluate, values_table
    from tvilling.apps.shared.progress import progress, show

    with progress() as tell:
        data = run_evaluate(run_folder, coordinates, csv, tell)
    table, rows = values_table(data)
    if csv is not None:
        say(f"wrote {csv}: {rows:,} rows")
        return
    show(table)
    if rows > table.row_count:
        say(f"{table.row_count} of {rows:,} points; --csv FILE writes all")


@pinn_app.command()
def invert(
    name: Name,
    measurements: Annotated[
        Path, typer.Argument(help="Readings (.csv): a column a coordinate and unknown")
    ],
    free: Annotated[
        str | None,
        typer.Option(
            help="What is to be found: NAME or NAME=LOW:HIGH, with commas [the library's]"
        ),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="Standard deviation of the readings [estimated]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights and points")] = 0,
    short: Annotated[
        bool, typer.Option("--short", help="The library's short settings instead of the full ones")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Find parameters of a library problem from readings, with 90 % intervals."""
    from tvilling.apps.pinn.invert import as_json, estimates_table, noise_lines, run_invert
    from tvilling.apps.shared.progress import progress, show

    with progress() as tell:
        found = run_invert(name, measurements, free, noise, seed, short, tell)
    if json:
        say_json(as_json(found))
        return
    show(estimates_table(found))
    for line in noise_lines(found, noise is not None):
        say(line)
    say(found.recommend)
    say(f"took {found.wall_s:.1f} s")
