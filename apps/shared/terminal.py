"""Tables and lines for the terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from tvilling.apps.heat.run import RunResult
    from tvilling.sciml.systems.heat_network.sizing.pipes import Sized
    from tvilling.sciml.systems.heat_network.summary import Summary

SHORT = ("heat_mwh", "loss_mwh", "pump_kwh", "supply_degc", "return_degc", "coldest_inlet_degc",
         "unserved_mwh", "flagged_steps")  # fmt: skip


def run_table(result: "RunResult") -> Table:
    """The figures of a run that matter most, one column a controller."""
    from tvilling.apps.heat.comparison import ROWS, shown

    table = plain_table("", "", *result.figures)
    for name, heading, unit, _ in ROWS:
        if name in SHORT:
            values = [shown(name, getattr(one, name)) for one in result.figures.values()]
            table.add_row(heading, unit, *values)
    return table


def summary_table(summary: "Summary") -> Table:
    """What a network amounts to."""
    table = plain_table("", "")
    table.show_header = False
    low, high = summary.inner_diameter_mm
    bottom, top = summary.elevation_m
    for kind, count in summary.counts.items():
        if count:
            table.add_row(kind, str(count))
    rows = (
        ("trench", f"{summary.trench_m:,.0f} m"),
        ("pipes", f"{summary.pipe_m:,.0f} m"),
        ("water in supply and return", f"{summary.supply_m3:,.1f} and {summary.return_m3:,.1f} m³"),
        ("independent loops", str(summary.loops)),
        ("design load", f"{summary.design_load_w / 1e3:,.0f} kW"),
        ("design load by trench", f"{summary.load_w_per_m:,.0f} W/m"),
        ("inner diameters", f"{low:,.0f} to {high:,.0f} mm"),
        ("elevations", f"{bottom:,.0f} to {top:,.0f} m"),
        ("heat loss of all pipes", f"{summary.loss_w_per_k:,.0f} W/K"),
        ("closed valves", ", ".join(summary.closed_valves) or "none"),
    )
    for name, text in rows:
        table.add_row(name, text)
    return table


def sizes_table(sized: "Sized") -> Table:
    """Pipes by the size they were given: number, length, and how far the limits are used."""
    lengths = sized.tables.pipes["length_m"]
    table = plain_table(
        "DN", "pipes", "length", "inner diameter", "was", "gradient up to", "velocity up to"
    )
    for dn, rows in sized.changes.groupby("dn"):
        old = 1000 * rows["old_inner_diameter_m"]
        was = (
            f"{old.min():.0f}" if old.min() == old.max() else f"{old.min():.0f} to {old.max():.0f}"
        )
        table.add_row(
            str(dn),
            str(len(rows)),
            f"{lengths[rows.index].sum():,.0f} m",
            f"{1000 * rows['inner_diameter_m'].iloc[0]:.1f} mm",
            f"{was} mm",
            f"{rows['gradient_pa_per_m'].max():.0f} Pa/m",
            f"{rows['velocity_m_per_s'].max():.2f} m/s",
        )
    return table


def data_table() -> Table:
    """The data sets, and whether they are at hand."""
    from tvilling.datasets.registry import DATASETS, describe

    table = Table("name", "title", "size", "at hand", box=None, pad_edge=False)
    for name in DATASETS:
        known = describe(name)
        found = "yes" if known["found"] else "no"
        table.add_row(name, known["title"], f"{known['bytes'] / 1e6:.1f} MB", found)
    return table


def data_lines(name: str) -> Iterator[str]:
    """What is known of one data set."""
    from tvilling.datasets.registry import describe

    known = describe(name)
    yield f"{known['name']}: {known['title']}"
    for key in ("origin", "licence", "doi"):
        if known[key]:
            yield f"{key}: {known[key]}"
    yield f"found: {known['found'] or 'not at hand; tvilling data get ' + name}"
    for file, size, _ in known["files"]:
        yield f"file: {file} ({size / 1e6:.2f} MB)"
    if known["options"]:
        yield "options of load: " + ", ".join(f"{k}={v!r}" for k, v in known["options"].items())
    yield known["help"]


def plain_table(*headings: str) -> Table:
    """A plain table with its numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for at, heading in enumerate(headings):
        table.add_column(heading.replace("_", " "), justify="left" if at == 0 else "right")
    return table
