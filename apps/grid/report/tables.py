"""What was found as rows of text, for the terminal and for the report."""

from collections.abc import Sequence
from html import escape
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.summary_stats import (
    KINDS,
    energies_mwh,
    extreme,
    not_known,
    outcome_word,
    solved,
    supply_rows,
    told,
    without_supply,
)
from tvilling.apps.grid.units import energy_text, number, power_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

Row = tuple[str, str, str]  # what, its value with unit, where and when
DIGITS = {"p.u.": 3, "%": 1, "1": 3}
NAMED = 3  # machines up to which all are named
USUAL = "angles of a DC power flow"  # what a power flow begins with, where nothing is said
WHOLE = {  # quantities of whole scenarios
    "no solution": "no solution: voltage gives way",
    "not known": "not known whether there is a solution; solved up to",
}


def flow_rows(data: "xr.Dataset") -> list[Row]:
    """What one power flow comes to."""
    word = outcome_word(data)
    if word in ("infeasible", "unknown"):
        share, bus = float(data["reached"].values[0]), int(data["weakest_bus"].values[0])
        where = f"the voltage gives way at {data['bus'].values[bus]}" if bus >= 0 else ""
        words = f"only up to {100 * share:.1f} % of all powers"
        first = ("no solution", words, where)
        if word == "unknown":
            known = "" if isnan(share) else f"one is known up to {100 * share:.1f} % of all powers"
            first = ("not known whether it has a solution", known, "")
        return [first, *supply_rows(without_supply(data))]
    rows = [*supply_rows(without_supply(data)), *_extreme_rows(data, with_time=False)]
    if data.attrs.get("start", USUAL) != USUAL:
        rows.append(("solved from", data.attrs["start"], ""))
    lost = float(data["losses_mw"].values[0])
    rows.append(("losses", power_text(lost), ""))
    for kind, words in (
        ("ext_grid", "external grids give"),
        ("gen", "generators give"),
        ("dcline", "ends of DC lines give"),
        ("xward", "extended wards give"),
    ):
        if kind in data.dims:
            names = [str(name) for name in data[kind].values]
            p, q = (float(data[f"{kind}_{part}"].values[0].sum()) for part in ("p_mw", "q_mvar"))
            where = ", ".join(names) if len(names) <= NAMED else f"{len(names)} of them"
            if 1 < len(names) <= NAMED:
                each = data[f"{kind}_p_mw"].values[0]
                shares = [
                    f"{name}: {power_text(float(one), 3)}"
                    for name, one in zip(names, each, strict=True)
                ]
                where = ", ".join(shares)
            rows.append((words, f"{power_text(p, 3)}, {power_text(q, 3, 'var')}", where))
    return rows


def year_rows(data: "xr.Dataset") -> list[Row]:
    """What a year comes to."""
    good = solved(data)
    rows: list[Row] = [("steps", number(len(good)), _span(data))]
    rows += supply_rows(without_supply(data))
    if not good.all():
        unknown = int(np.count_nonzero(not_known(data)))
        words = f"{number(unknown)} of them not known whether they have one" if unknown else ""
        rows.append(("steps without a solution", number(int(np.count_nonzero(~good))), words))
    if not good.any():
        return rows
    rows += _extreme_rows(data, with_time=True)
    energy = energies_mwh(data)
    if not energy:
        return rows
    share = energy["losses_mwh"] / max(energy["load_mwh"], 1e-12)
    told_share = f"{100 * share:.2f} % of what loads take" if energy["load_mwh"] > 0 else ""
    rows.append(("losses", energy_text(energy["losses_mwh"]), told_share))
    for name, words in (
        ("load_mwh", "loads take"),
        ("generation_mwh", "generators in the grid give"),
        ("drawn_mwh", "drawn from external grids"),
        ("fed_back_mwh", "fed back to them"),
    ):
        rows.append((words, energy_text(energy[name]), ""))
    return rows


def _span(data: "xr.Dataset") -> str:
    time = data["time"].values
    return f"{told(time[0])} to {told(time[-1])} UTC"


def _extreme_rows(data: "xr.Dataset", with_time: bool) -> list[Row]:
    wanted = [
        ("lowest voltage", "vm_pu", False, "p.u."),
        ("highest voltage", "vm_pu", True, "p.u."),
    ]
    wanted += [
        (f"greatest loading of a {word}", f"{kind}_loading_percent", True, "%")
        for kind, word in KINDS.items()
    ]
    rows = []
    for words, name, greatest, unit in wanted:
        found = extreme(data, name, greatest)
        if found is not None:
            when = f", {told(found.when)}" if with_time else ""
            value = f"{number(found.value, DIGITS[unit])} {unit}"
            rows.append((words, value, found.element + when))
    return rows


def violation_rows(table: "pd.DataFrame") -> list[tuple[str, ...]]:
    """Broken limits as text: element, what, limit, worst, when, for how long."""
    width = len(violation_heads(table))
    return [_told_violation(row)[:width] for row in table.to_dict("records")]


def violation_heads(table: "pd.DataFrame") -> tuple[str, ...]:
    """Headings of `violation_rows`."""
    heads = ("element", "what", "limit", "worst")
    if "hours" in table:
        return (*heads, "at", "hours")
    return heads if _is_single(table) else (*heads, "at", "scenarios")


def _is_single(table: "pd.DataFrame") -> bool:
    """Whether all broken limits are those of one scenario."""
    return (
        "hours" not in table and table["when"].nunique() <= 1 and bool((table["count"] <= 1).all())
    )


def worst_of_each(table: "pd.DataFrame", most: int) -> "pd.DataFrame":
    """The worst broken limits of every kind, in the order of the table."""
    return table.groupby(["kind", "quantity"], sort=False).head(most)


def _told_violation(row: dict[Any, Any]) -> tuple[str, ...]:
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    often = f"{row['hours']:,.2f}".rstrip("0").rstrip(".") if "hours" in row else str(row["count"])
    if row["quantity"] in WHOLE:
        limit = "100 % of all powers"
        worst = "" if isnan(row["worst"]) else f"{100 * row['worst']:.1f} %"
        return (
            row["element"],
            WHOLE[row["quantity"]],
            limit,
            worst,
            told(row["when"]),
            often,
        )
    if row["quantity"] == "no supply":
        lost = "" if isnan(row["worst"]) else f"{power_text(row['worst'], 3)} of load"
        return row["element"], "no supply", "", lost, told(row["when"]), often
    digits = DIGITS[row["unit"]]
    return (
        row["element"],
        row["quantity"] if row["kind"] == "bus" else f"{KINDS[row['kind']]} {row['quantity']}",
        f"{row['limit']:.{digits}f}{unit}",
        f"{row['worst']:.{digits}f}{unit}",
        told(row["when"]),
        often,
    )


def terminal_rows(rows: Sequence[Row]) -> "Table":
    """Rows for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    table = plain_table("", "", "")
    table.show_header = False
    table.columns[2].justify = "left"
    for row in rows:
        table.add_row(*row)
    return table


def terminal_violations(broken: "pd.DataFrame", most: int = 5) -> "Table":
    """The worst broken limits of every kind for the terminal."""
    from tvilling.apps.shared.terminal import plain_table

    table = plain_table(*violation_heads(broken))
    table.columns[1].justify = "left"
    for row in violation_rows(worst_of_each(broken, most)):
        table.add_row(*row)
    return table


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], aligned: str) -> str:
    """A table for a report; `aligned` has `l` or `r` for each column: words or numbers."""

    def cells(texts: Sequence[str]) -> str:
        tags = ["th", *["td"] * (len(texts) - 1)]
        return "".join(
            f"<{tag} class='{side}'>{escape(text)}</{tag}>"
            for tag, text, side in zip(tags, texts, aligned, strict=True)
        )

    head = "".join(
        f"<th class='{side}'>{escape(text)}</th>" for text, side in zip(heads, aligned, strict=True)
    )
    body = "".join(f"<tr>{cells(row)}</tr>" for row in rows)
    return (
        "<div class='scroll'><table class='found'><thead><tr>"
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
