"""The commands `tvilling plan` and `tvilling backtest`: they parse and print."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tvilling.apps.shared.progress import say

Case = Annotated[Path, typer.Argument(help="Case file of a heat plant (.yaml)")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Set one field: key.of.field=value; may be repeated"),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the run's folder [runs]")]
DAY = ["%Y-%m-%d"]


def plan(
    case: Case,
    set_: Set = None,
    out: Out = None,
    at: Annotated[
        datetime | None,
        typer.Option(help="Time it is made, Danish clock [that of the case, else now]"),
    ] = None,
) -> None:
    """Plan the production of a heat plant against the power price."""
    from tvilling.apps.plant.case import ZONE
    from tvilling.apps.plant.plan import run_plan
    from tvilling.apps.plant.report.table import terminal_table
    from tvilling.apps.shared.progress import progress, show

    made = at if at is None or at.tzinfo else at.replace(tzinfo=ZONE)
    with progress() as tell:
        found = run_plan(case, set_ or (), out, made, tell)
    show(terminal_table(found.data))
    summary = found.summary
    say(f"{summary['how']}: {summary['reason'] or summary['status']}")
    for warning in found.warnings:
        say(f"warning: {warning}")
    if rates := summary.get("unverified_rates"):
        say(f"unverified rates used: {len(rates)}, named in the report")
    say(f"report: {found.folder / 'report.html'}")
    say(f"took {found.wall_s:.1f} s")


def backtest(
    case: Case,
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last day")],
    set_: Set = None,
    out: Out = None,
    cluster: Annotated[
        str | None, typer.Option(help="local, or tcp://HOST:PORT of a dask scheduler")
    ] = None,
) -> None:
    """Run a period again, every day planned as it would have been, between rule and optimum."""
    from tvilling.apps.plant.backtest import backtest_warnings, run_backtest
    from tvilling.apps.plant.report.table import terminal_table
    from tvilling.apps.shared.progress import progress, show

    period = first.date(), last.date()
    with progress() as tell:
        found = run_backtest(case, period, set_ or (), out, cluster, tell)
    for year, data in found.years.items():
        say(f"{year}: {data.attrs['plans']} plans, load {data.attrs['forecast']}, mean "
                   f"error {data.attrs['forecast_mae_mw']:.2f} MW")  # fmt: skip
        show(terminal_table(data))
        for warning in backtest_warnings(data):
            say(f"warning: {warning}")
    say(f"reports: {found.folder}")
    say(f"took {found.wall_s:.1f} s")
