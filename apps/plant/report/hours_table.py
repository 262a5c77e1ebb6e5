"""The plan hour by hour, as an operator reads it."""

from html import escape
from typing import TYPE_CHECKING

from tvilling.apps.plant.inputs.known import to_local
from tvilling.apps.plant.report.table import PLAN, begun, number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Heading = tuple[str, str]
HOURS = 36
SMALL_MW = 5e-3  # what a table of two digits shows as nothing
START = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"


def hours_section(data: "xr.Dataset", hours: int = HOURS) -> str:
    """The first `hours` of the plan: time, price, load, heat by unit, tank."""
    head, rows = hours_table(data, hours)
    local = to_local(data["time"].values[: len(rows)])
    known = data["published"].values if "published" in data else [1] * len(rows)
    body = []
    for at, cells in enumerate(rows):
        first = "midnight" if at and local[at].hour == 0 else ""
        expected = "" if known[at] else " class='expected'"
        texts = "".join(f"<td>{escape(text)}</td>" for text in cells[2:])
        body.append(
            f"<tr class='{first}'><th>{escape(cells[0])}</th><td{expected}>{escape(cells[1])}</td>"
            f"{texts}</tr>"
        )
    titles = "".join(f"<th>{escape(text)}<br>{escape(unit)}</th>" for text, unit in head)
    caption = (
        f"{START} a start; a dash: off. Heat is the mean of the hour that begins at the time, the "
        "tank stands at its end. Prices in slanted figures are expected, not published."
    )
    return (
        f"<section><h2>The first {len(rows)} hours</h2><div class='scroll'><table class='hours'>"
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        f"<p class='caption'>{escape(caption)}</p></section>"
    )


def hours_table(data: "xr.Dataset", hours: int = HOURS) -> tuple[list[Heading], list[list[str]]]:
    """Headings with their units, and the cells of each hour.

    Heat missing and thrown away have columns only where there is any.
    """
    part = data.sel(way=PLAN).isel(time=slice(0, hours))
    starts = begun(data).sel(way=PLAN)
    units = list(map(str, part["unit"].values))
    capacity = float(data.attrs["tank_capacity_mwh"])
    extra = [
        (heading, part[name].values)
        for heading, name in (("missing", "unserved_mw"), ("thrown away", "surplus_mw"))
        if float(part[name].max()) > SMALL_MW
    ]
    head = [("Danish clock", ""), ("price", "DKK/MWh"), ("load", "MW")]
    head += [(unit, "MW") for unit in units]
    head += [("tank", "MWh"), ("tank", "%"), *((heading, "MW") for heading, _ in extra)]
    rows = []
    for at, clock in enumerate(_clock(to_local(part["time"].values))):
        now = part.isel(time=at)
        row = [
            clock,
            number(1e3 * float(now["price_dkk_per_kwh"])),
            number(float(now["load_mw"]), 2),
        ]
        for unit in units:
            begins = (
                START + "\N{NO-BREAK SPACE}" if bool(starts.isel(time=at).sel(unit=unit)) else ""
            )
            on = bool(now["on"].sel(unit=unit))
            row.append(begins + number(float(now["heat_mw"].sel(unit=unit)), 2) if on else "–")
        tank = float(now["tank_mwh"])
        row += [number(tank, 1), number(100 * tank / capacity) if capacity > 0 else "–"]
        rows.append([*row, *(number(float(values[at]), 2) for _, values in extra)])
    return head, rows


def _clock(local: "pd.DatetimeIndex") -> list[str]:
    """Hours as the clock shows them; with summer or winter time where it changes in between."""
    changes = len({stamp.utcoffset() for stamp in local}) > 1
    zone = "%H:%M %Z" if changes else "%H:%M"
    return [f"{stamp:%a} {stamp.day} {stamp:%b} {stamp:{zone}}" for stamp in local]
