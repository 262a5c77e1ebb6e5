"""Contingencies as rows of text, for the terminal and for the report."""

from math import isnan
from typing import TYPE_CHECKING, Any

from tvilling.apps.grid.summary_stats import supply_rows
from tvilling.apps.grid.units import number, power_text

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from tvilling.apps.grid.report.tables import Row

HEADS = ("contingency", "without supply", "loading", "of", "voltage", "at", "broken")
ALIGNED = "llrlrlr"
WORDS = {"n1": "N-1", "n2": "N-2"}


def sum_rows(summary: dict[str, Any]) -> "list[Row]":
    """What the study comes to."""
    rows: list[Row] = supply_rows(summary.get("without_supply"))
    for name, word in WORDS.items():
        if name in summary:
            rows += _sums(summary[name], word)
    return rows


def _sums(found: dict[str, Any], word: str) -> "list[Row]":
    scenarios = f", {number(found['scenarios'])} scenarios each" if found["scenarios"] > 1 else ""
    unknown = found.get("not_known", 0)
    rows = [
        (f"{word} secure", "yes" if found["secure"] else "no", ""),
        (f"{word} contingencies", number(found["contingencies"]) + scenarios, ""),
        ("without a solution", number(found["no_solution"]), ""),
        *([("not known whether they have one", number(unknown), "")] if unknown else []),
        ("lose load", number(found["lose_load"]), f"up to {power_text(found['lost_load_mw'])}"),
        (
            "break a limit",
            number(found["break_limits"]),
            f"{number(found['break_new_limits'])} of them one that is kept without outages",
        ),
    ]
    if found["base_violations"]:
        rows.append(("limits broken without outages", number(found["base_violations"]), ""))
    return rows


def ranked_rows(table: "pd.DataFrame", most: int) -> list[tuple[str, ...]]:
    """The worst contingencies, in the columns of `HEADS`."""
    several = table["scenario"].nunique() > 1
    return [_row(row, several) for row in table.head(most).to_dict("records")]


def _row(row: dict[Any, Any], several: bool) -> tuple[str, ...]:
    name = f"{row['contingency']}, {row['scenario']}" if several else row["contingency"]
    if row["outcome"] == "infeasible":
        words = f"no solution above {100 * row['reached']:.1f} % of all powers"
        return (name, words, "", "", "", row["weakest_bus"], "")
    if row["outcome"] == "unknown":
        return (name, "not known whether it has a solution", "", "", "", "", "")
    words = ""
    if row["lost_buses"]:
        buses = "1 bus" if row["lost_buses"] == 1 else f"{row['lost_buses']} buses"
        words = f"{power_text(row['lost_load_mw'])}, {buses}"
    loading = row["loading_percent"]
    return (
        name,
        words,
        "" if isnan(loading) else f"{loading:.1f} %",
        row["loading_branch"],
        f"{row['vm_min_pu']:.3f}",
        row["vm_min_bus"],
        str(row["violations"]),
    )


def terminal_ranked(table: "pd.DataFrame", most: int = 10) -> "Table":
    """The worst contingencies for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    shown = plain_table(*HEADS)
    for column, side in zip(shown.columns, ALIGNED, strict=True):
        column.justify = "left" if side == "l" else "right"
    for row in ranked_rows(table, most):
        shown.add_row(*row)
    return shown
