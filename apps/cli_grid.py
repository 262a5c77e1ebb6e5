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
        help="pandapower .json, MATPOWER .m, CIM .zip, pandapower:NAME, or a SimBench code"
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the run's folder [runs]")]
TrafoModel = Annotated[str, typer.Option(help="Equivalent circuit of transformers: t or pi")]
VmMin = Annotated[
    float | None, typer.Option(help="Least voltage of every bus, p.u. [the file's, else 0.9]")
]
VmMax = Annotated[
    float | None, typer.Option(help="Greatest voltage of every bus, p.u. [the file's, else 1.1]")
]
MaxLoading = Annotated[
    float | None, typer.Option(help="Greatest loading of every branch, % [the file's, else 100]")
]
QLimits = Annotated[
    bool, typer.Option("--q-limits", help="Keep generators within their reactive limits")
]
SharedSlack = Annotated[
    bool,
    typer.Option("--distributed-slack", help="Share what is missing by the file's slack_weight"),
]


@grid_app.command()
def flow(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    out: Out = None,
    scale_loads: Annotated[float, typer.Option(help="Factor on every load")] = 1.0,
    scale_generation: Annotated[float, typer.Option(help="Factor on every generator")] = 1.0,
    trafo_model: TrafoModel = "t",
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = False,
    distributed_slack: SharedSlack = False,
) -> None:
    """Power flow of a network as its file has it: voltages, loadings, losses, broken limits."""
    from tvilling.apps.grid.flow import Scaled, run_flow
    from tvilling.apps.grid.opened import Asked
    from tvilling.apps.grid.tables import flow_rows, terminal_rows
    from tvilling.apps.shown import progress, show

    asked = Asked(trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack)
    with progress() as tell:
        found = run_flow(file, asked, Scaled(scale_loads, scale_generation), out, tell)
    show(terminal_rows(flow_rows(found.data)))
    _tell_end(found.violations, found.assumptions, found.folder)
    typer.echo(f"took {found.wall_s:.1f} s")


@grid_app.command()
def year(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    profiles: Annotated[
        Path | None, typer.Option(help="Courses of power, .csv or .nc [those of the network]")
    ] = None,
    out: Out = None,
    trafo_model: TrafoModel = "t",
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = False,
    distributed_slack: SharedSlack = False,
) -> None:
    """Power flow over time: what a year of courses of power does to a network."""
    from tvilling.apps.grid.opened import Asked
    from tvilling.apps.grid.tables import terminal_rows, year_rows
    from tvilling.apps.grid.year import run_year
    from tvilling.apps.shown import progress, show

    asked = Asked(trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack)
    with progress() as tell:
        found = run_year(file, profiles, asked, out, tell)
    show(terminal_rows(year_rows(found.data)))
    _tell_end(found.violations, found.assumptions, found.folder)
    steps = found.data.sizes["time"]
    typer.echo(f"solved {steps} steps in {found.solve_s:.2f} s, took {found.wall_s:.1f} s in all")


def _tell_end(violations: object, assumptions: list[str], folder: Path) -> None:
    """Broken limits, what was assumed, and where everything is."""
    import pandas as pd

    from tvilling.apps.grid.tables import terminal_violations
    from tvilling.apps.shown import show

    assert isinstance(violations, pd.DataFrame)
    count = len(violations)
    typer.echo(f"broken limits: {count or 'none'}")
    if count:
        show(terminal_violations(violations))
    for line in assumptions:
        typer.echo(f"note: {line}")
    typer.echo(f"report: {folder / 'report.html'}")
