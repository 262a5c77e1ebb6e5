"""The commands `tvilling grid …`: they parse and print."""

from pathlib import Path
from typing import Annotated

import typer

from tvilling.apps.shared.progress import say

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
TrafoModel = Annotated[
    str | None,
    typer.Option(help="Equivalent circuit of transformers: t or pi [the file's, else t]"),
]
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
    bool | None,
    typer.Option(
        "--q-limits/--no-q-limits",
        help="Keep generators within their reactive limits [as the file asks, else not]",
    ),
]
SharedSlack = Annotated[
    bool | None,
    typer.Option(
        "--distributed-slack/--no-distributed-slack",
        help="Share what is missing by the file's slack_weight [as the file asks, else not]",
    ),
]
SlackBus = Annotated[
    str | None,
    typer.Option("--slack", help="Bus that is the reference, where the file has none"),
]

Profiles = Annotated[
    Path | None,
    typer.Option(help="Courses of power that scenarios are drawn from [those of the network]"),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the random numbers")]


@grid_app.command()
def flow(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    out: Out = None,
    scale_loads: Annotated[float, typer.Option(help="Factor on every load")] = 1.0,
    scale_generation: Annotated[float, typer.Option(help="Factor on every generator")] = 1.0,
    trafo_model: TrafoModel = None,
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = None,
    distributed_slack: SharedSlack = None,
    slack: SlackBus = None,
) -> None:
    """Power flow of a network as its file has it: voltages, loadings, losses, broken limits."""
    from tvilling.apps.grid.flow import Scaled, run_flow
    from tvilling.apps.grid.grid_input import GridOptions
    from tvilling.apps.grid.report.tables import flow_rows, terminal_rows
    from tvilling.apps.shared.progress import progress, show

    asked = GridOptions(
        trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack, slack
    )
    with progress() as tell:
        found = run_flow(file, asked, Scaled(scale_loads, scale_generation), out, tell)
    show(terminal_rows(flow_rows(found.data)))
    _tell_end(found.violations, found.assumptions, found.folder)
    say(f"took {found.wall_s:.1f} s")


@grid_app.command()
def year(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    profiles: Annotated[
        Path | None, typer.Option(help="Courses of power, .csv or .nc [those of the network]")
    ] = None,
    out: Out = None,
    trafo_model: TrafoModel = None,
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = None,
    distributed_slack: SharedSlack = None,
    slack: SlackBus = None,
) -> None:
    """Power flow over time: what a year of courses of power does to a network."""
    from tvilling.apps.grid.grid_input import GridOptions
    from tvilling.apps.grid.report.tables import terminal_rows, year_rows
    from tvilling.apps.grid.year import run_year
    from tvilling.apps.shared.progress import progress, show

    asked = GridOptions(
        trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack, slack
    )
    with progress() as tell:
        found = run_year(file, profiles, asked, out, tell)
    show(terminal_rows(year_rows(found.data)))
    _tell_end(found.violations, found.assumptions, found.folder)
    steps = found.data.sizes["time"]
    say(f"solved {steps} steps in {found.solve_s:.2f} s, took {found.wall_s:.1f} s in all")


@grid_app.command()
def n1(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    n2: Annotated[
        str | None,
        typer.Option("--n2", help="Also pairs: all, or of how many of the most loaded"),
    ] = None,
    element: Annotated[
        list[str] | None,
        typer.Option(help="Line or transformer that may fail; may be repeated [all of them]"),
    ] = None,
    most: Annotated[int, typer.Option(help="Most contingencies to solve")] = 500_000,
    scenarios: Annotated[int, typer.Option(help="Scenarios of the powers [those of the file]")] = 0,
    profiles: Profiles = None,
    seed: Seed = 1,
    out: Out = None,
    trafo_model: TrafoModel = None,
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = None,
    distributed_slack: SharedSlack = None,
    slack: SlackBus = None,
) -> None:
    """Fail every line and transformer: what is lost, what is overloaded, the worst first."""
    from tvilling.apps.grid.background import Background
    from tvilling.apps.grid.grid_input import GridOptions
    from tvilling.apps.grid.n1 import Failures, run_n1
    from tvilling.apps.grid.report.n1_rows import sum_rows, terminal_ranked
    from tvilling.apps.grid.report.tables import terminal_rows
    from tvilling.apps.shared.progress import progress, show

    asked = GridOptions(
        trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack, slack
    )
    failures = Failures(tuple(element or ()), n2, most)
    with progress() as tell:
        found = run_n1(file, asked, failures, Background(scenarios, seed, profiles), out, tell)
    show(terminal_rows(sum_rows(found.summary)))
    show(terminal_ranked(found.ranked))
    _tell_end(found.violations, found.assumptions, found.folder)
    count, solve_s = found.data["outcome"].size, found.summary["solve_s"]
    say(f"solved {count} contingencies in {solve_s:.2f} s, took {found.wall_s:.1f} s in all")


@grid_app.command()
def hosting(  # noqa: PLR0913 - a command has as many options as it needs
    file: Grid,
    technology: Annotated[
        str, typer.Option(help="What is added at a bus: pv, heat_pump or ev")
    ] = "pv",
    alpha: Annotated[float, typer.Option(help="Accepted probability of a broken limit")] = 0.05,
    scenarios: Annotated[
        int, typer.Option(help="Scenarios of all else; 0 takes the powers of the file")
    ] = 200,
    bus: Annotated[
        list[str] | None,
        typer.Option(help="Bus to look at; may be repeated [every bus with a load]"),
    ] = None,
    cos_phi: Annotated[
        float | None, typer.Option(help="Power factor [1 for pv, 0.95 heat_pump, 0.98 ev]")
    ] = None,
    profiles: Profiles = None,
    seed: Seed = 1,
    out: Out = None,
    trafo_model: TrafoModel = None,
    vm_min: VmMin = None,
    vm_max: VmMax = None,
    max_loading: MaxLoading = None,
    q_limits: QLimits = None,
    distributed_slack: SharedSlack = None,
    slack: SlackBus = None,
) -> None:
    """How much solar power, heat pumps or charging each bus takes before a limit is broken."""
    from tvilling.apps.grid.background import Background
    from tvilling.apps.grid.grid_input import GridOptions
    from tvilling.apps.grid.hosting import HostingOptions, run_hosting
    from tvilling.apps.grid.report.hosting_rows import sum_rows, terminal_capacities
    from tvilling.apps.grid.report.tables import terminal_rows
    from tvilling.apps.shared.progress import progress, show

    asked = GridOptions(
        trafo_model, vm_min, vm_max, max_loading, q_limits, distributed_slack, slack
    )
    wanted = HostingOptions(technology, alpha, tuple(bus or ()), cos_phi)
    with progress() as tell:
        found = run_hosting(file, asked, wanted, Background(scenarios, seed, profiles), out, tell)
    show(terminal_rows(sum_rows(found.summary)))
    show(terminal_capacities(found.capacities))
    for line in found.assumptions:
        say(f"note: {line}")
    say(f"report: {found.folder / 'report.html'}")
    count, solve_s = found.data["size_mw"].size, found.summary["solve_s"]
    say(f"found {count} capacities in {solve_s:.2f} s, took {found.wall_s:.1f} s in all")


def _tell_end(violations: object, assumptions: list[str], folder: Path) -> None:
    """Broken limits, what was assumed, and where everything is."""
    import pandas as pd

    from tvilling.apps.grid.report.tables import terminal_violations
    from tvilling.apps.shared.progress import show

    assert isinstance(violations, pd.DataFrame)
    count = len(violations)
    say(f"broken limits: {count or 'none'}")
    if count:
        show(terminal_violations(violations))
    for line in assumptions:
        say(f"note: {line}")
    say(f"report: {folder / 'report.html'}")
