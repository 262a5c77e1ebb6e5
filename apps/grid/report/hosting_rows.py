"""Hosting capacities as rows of text, for the terminal and for the report."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.summary_stats import supply_rows
from tvilling.apps.grid.units import number, power_text

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from tvilling.apps.grid.report.tables import Row

HEADS = ("bus", "capacity", "95 % interval", "median", "limit", "at", "share")
ALIGNED = "lrrrllr"


def sum_rows(summary: dict[str, Any]) -> "list[Row]":
    """What the study comes to."""
    risk = f"{100 * summary['alpha']:g} %"
    rows: list[Row] = [
        ("added", summary["technology"], f"cos φ {summary['cos_phi']:g}, at one bus at a time"),
        ("buses and scenarios", f"{number(summary['places'])}, {number(summary['scenarios'])}", ""),
    ]
    rows += supply_rows(summary.get("without_supply"))
    rows += [
        (f"{name} capacity at {risk} risk", power_text(one["capacity_mw"]), one["bus"])
        for name, one in ((name, summary[name]) for name in ("least", "median", "greatest"))
    ]
    broken = summary["scenarios_broken_with_nothing_added"]
    if broken:
        rows.append(("scenarios that break a limit anyway", number(broken), "nothing fits there"))
    return rows


def capacity_rows(table: "pd.DataFrame", most: int) -> list[tuple[str, ...]]:
    """The least capacities first, in the columns of `HEADS`."""
    ordered = table.sort_values("capacity_mw", kind="stable").head(most)
    return [
        (
            row["bus"],
            power_text(row["capacity_mw"]),
            _interval(row["low_mw"], row["high_mw"]),
            power_text(row["median_mw"]),
            row["limit"],
            row["limit_at"],
            f"{100 * row['share']:.0f} %",
        )
        for row in ordered.to_dict("records")
    ]


def _interval(low_mw: float, high_mw: float) -> str:
    if np.isinf(high_mw):
        return f"above {power_text(low_mw)}"
    return f"{power_text(low_mw)} to {power_text(high_mw)}"


def terminal_capacities(table: "pd.DataFrame", most: int = 12) -> "Table":
    """The least capacities for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    shown = plain_table(*HEADS)
    for column, side in zip(shown.columns, ALIGNED, strict=True):
        column.justify = "left" if side == "l" else "right"
    for row in capacity_rows(table, most):
        shown.add_row(*row)
    return shown
