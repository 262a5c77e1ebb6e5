"""The command line: commands parse and print; the work is imported when it is needed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tvilling.apps.cli.grid import grid_app
from tvilling.apps.cli.jobs import job_app, ledger_app
from tvilling.apps.cli.pinn import pinn_app
from tvilling.apps.cli.plant import backtest, plan
from tvilling.apps.shared.progress import print_what_can_be_printed, progress, say, show
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import MissingExtraError

app = typer.Typer(
    name="tvilling",
    help="Simulate, size and compare energy systems.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(no_args_is_help=True, help="Measured data sets: list, describe, get.")
app.add_typer(data_app, name="data")
app.add_typer(job_app, name="job")
app.add_typer(ledger_app, name="ledger")
app.add_typer(grid_app, name="grid")
app.add_typer(pinn_app, name="pinn")

app.command()(plan)
app.command()(backtest)

FAULTY_INPUT, UNEXPECTED = 2, 1
NETWORK = "Folder of tables, pandapipes .json, or pandapipes:NAME"


def _folder(text: str) -> Path:
    """A folder that an option names; the empty text would mean the current one."""
    if not text.strip():
        raise typer.BadParameter("is empty, expected the name of a folder")
    return Path(text)


def main() -> None:
    """Entry point: faults in the input end with code 2, what nobody foresaw with 1 and a log."""
    print_what_can_be_printed()
    try:
        app()
    except (InputError, MissingExtraError) as error:
        say(str(error), err=True)
        sys.exit(FAULTY_INPUT)
    except Exception as error:
        from tvilling.apps.shared.error_log import write_error_log

        where = write_error_log()
        say(f"tvilling failed: {type(error).__name__}: {_first_line(error)}", err=True)
        say(where, err=True)
        sys.exit(UNEXPECTED)


@app.command()
def run(
    case: Annotated[Path, typer.Argument(help="Case file (.yaml)")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set one field: key.of.field=value; may be repeated"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the run's folder [runs]", parser=_folder)
    ] = None,
) -> None:
    """Run a case and write results and a report."""
    from tvilling.apps.heat.run import run_case
    from tvilling.apps.shared.terminal import run_table

    with progress() as tell:
        result = run_case(case, set_ or (), out, tell)
    show(run_table(result))
    for warning in result.warnings:
        say(f"warning: {warning}")
    for note in result.notes:
        say(f"note: {note}")
    say(f"report: {result.folder / 'report.html'}")
    say(f"took {result.wall_s:.1f} s")


@app.command()
def check(
    file: Annotated[
        str,
        typer.Argument(help=f"Case file (.yaml), network ({NETWORK}), or folder that was kept"),
    ],
) -> None:
    """Check a network or a case: every fault, or a summary.

    Of a folder that Tvilling has kept (a run, a model, an ensemble, twins, jobs), every file.
    """
    from tvilling.apps.heat.check import check_file
    from tvilling.apps.shared.check_kept import check_kept, is_kept
    from tvilling.apps.shared.terminal import summary_table

    if Path(file).is_dir() and is_kept(Path(file)):
        for line in check_kept(Path(file)):
            say(line)
        return
    with progress() as tell:
        summary, lines = check_file(file, tell)
    for line in lines:
        say(line)
    if summary is None:
        return
    show(summary_table(summary))
    for note in summary.notes:
        say(f"note: {note}")


@app.command()
def size(
    file: Annotated[str, typer.Argument(help=f"Network: {NETWORK}")],
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the sized tables [NAME_sized]", parser=_folder),
    ] = None,
    supply_degc: Annotated[float, typer.Option(help="Design supply temperature, °C")] = 80.0,
    return_degc: Annotated[float, typer.Option(help="Design return temperature, °C")] = 45.0,
    max_gradient_pa_per_m: Annotated[
        float, typer.Option(help="Greatest pressure gradient, Pa/m")
    ] = 100.0,
    series: Annotated[int, typer.Option(help="Insulation series of EN 253: 1, 2 or 3")] = 2,
) -> None:
    """Dimension the pipes of a network and write its tables anew."""
    from tvilling.apps.heat.size import size_file
    from tvilling.apps.shared.terminal import sizes_table
    from tvilling.sciml.systems.heat_network.sizing.pipes import SizingOptions

    options = SizingOptions(
        supply_degc=supply_degc,
        return_degc=return_degc,
        max_gradient_pa_per_m=max_gradient_pa_per_m,
        series=series,
    )
    with progress() as tell:
        folder, sized = size_file(file, out, options, tell)
    show(sizes_table(sized))
    for note in sized.tables.notes:
        say(f"note: {note}")
    say(f"wrote {folder}")


@app.command()
def systems() -> None:
    """List the systems that can be run."""
    from tvilling.sciml.systems import SYSTEMS

    for name, entry in SYSTEMS.items():
        say(f"{name:<14}{entry.description}")


@app.command(name="app")
def app_(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes one that is free")
    ] = 5006,
    address: Annotated[
        str, typer.Option(help="Address to listen on; any but 127.0.0.1 needs a login")
    ] = "127.0.0.1",
    basic_auth: Annotated[
        Path | None,
        typer.Option(help='JSON file {"name": "password"} [the one TVILLING_BASIC_AUTH names]'),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(help="Name[:port] under which browsers reach the server; may be repeated"),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Path below which a proxy that keeps it serves the pages")
    ] = "",
    show: Annotated[
        bool, typer.Option("--show", help="Open the first page in the browser")
    ] = False,
) -> None:
    """Serve the web pages: the town network, and a page for every system."""
    from tvilling.apps.web.access import check_access

    check_access(address, port, basic_auth, tuple(host or ()), prefix)
    from tvilling.apps.web.server import free_port, serve

    found = port or free_port(address)
    access = check_access(address, found, basic_auth, tuple(host or ()), prefix)
    serve(access, lambda place: say(f"{place}  (Ctrl+C ends it)"), show)


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Benchmarks; all without a name")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write the table into this Markdown page")
    ] = None,
) -> None:
    """Measure against the peers."""
    from tvilling.benchmarks.runner import run_benchmarks, table, write_table

    found = []
    with progress() as tell:
        for measurement in run_benchmarks(names or (), tell):
            found.append(measurement)
            if json:
                typer.echo(measurement.to_json())
    if not json:
        show(table(found))
    if page:
        write_table(page, "\n".join(measurement.to_json() for measurement in found))


@data_app.command("list")
def data_list() -> None:
    """List the data sets."""
    from tvilling.apps.shared.terminal import data_table

    show(data_table())


@data_app.command("describe")
def data_describe(name: Annotated[str, typer.Argument(help="Data set")]) -> None:
    """Tell what is known of a data set: origin, licence, files, how to load it."""
    from tvilling.apps.shared.terminal import data_lines

    for line in data_lines(name):
        say(line)


@data_app.command("get")
def data_get(names: Annotated[list[str], typer.Argument(help="Data sets")]) -> None:
    """Download data sets into the user's cache folder and check them."""
    from tvilling.datasets.registry import get

    with progress() as tell:
        for name in names:
            tell(f"getting {name}")
            say(f"{name}: {get(name)}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


if __name__ == "__main__":
    main()
