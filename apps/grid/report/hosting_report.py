"""The report of a study of hosting capacity: one HTML file."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.apps.grid.report.flow_report import found_section, size_of, title_of
from tvilling.apps.grid.report.hosting_rows import ALIGNED, HEADS, capacity_rows, sum_rows
from tvilling.apps.grid.report.tables import html_table
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page

if TYPE_CHECKING:
    from tvilling.apps.grid.grid_input import GridInput
    from tvilling.apps.grid.hosting import HostingRun

SHOWN = 60  # buses in the table


def write_hosting_report(path: Path, opened: "GridInput", found: "HostingRun") -> None:
    """Write the report of a study of hosting capacity to `path`."""
    sections = [
        found_section(sum_rows(found.summary)),
        *_figures(opened, found),
        _capacities_section(found),
        list_section("Data and assumptions", [*_lines(opened, found), *found.assumptions]),
        facts_section(
            "Provenance",
            {
                "Tvilling": version("tvilling"),
                "Grid digest": opened.digest,
                "Solved in": f"{found.summary['solve_s']:.2f} s",
            },
        ),
    ]
    words = found.summary["technology"]
    count = len(found.capacities)
    lead = f"{size_of(opened)} How much {words} fits at each of {count} buses."
    title = f"{title_of(opened)}: hosting capacity"
    path.write_text(page(title, lead, sections), encoding="utf-8")


def _figures(opened: "GridInput", found: "HostingRun") -> list[str]:
    import matplotlib

    from tvilling.apps.grid.report import hosting_figures as figures
    from tvilling.apps.grid.report.layout import layout_of
    from tvilling.apps.heat.report_figures import STYLE, to_svg

    data, table, alpha = found.data, found.capacities, found.summary["alpha"]
    layout = layout_of(opened.power_net.net, opened.grid.buses)
    rows = data["place_row"].values
    with matplotlib.rc_context(STYLE):
        places = to_svg(figures.draw_places(layout, rows, table["capacity_mw"].to_numpy()))
        bars = to_svg(figures.draw_capacities(table))
        risk = to_svg(figures.draw_risk(data, table, alpha))
    return [
        figure_section("The grid", places, f"Capacity at the accepted risk. {layout.origin}"),
        figure_section(
            "Capacity by bus",
            bars,
            "At the accepted risk, the least first, coloured by the limit that binds most often. "
            "Whiskers: 95 % confidence, for the number of scenarios.",
        ),
        figure_section(
            "Risk",
            risk,
            "Share of scenarios in which a size breaks a limit, at the buses with the least, the "
            "middle and the greatest capacity. Bands: 95 % confidence. Dashed: the accepted risk.",
        ),
    ]


def _capacities_section(found: "HostingRun") -> str:
    table = html_table(HEADS, capacity_rows(found.capacities, SHOWN), ALIGNED)
    note = "Limit and place that bind most often among the scenarios at or below the capacity."
    if len(found.capacities) > SHOWN:
        note += f" capacities.csv has all {len(found.capacities)} buses."
    title = "<section><h2>Least capacities</h2>"
    return f"{title}{table}<p class='caption'>{note}</p></section>"


def _lines(opened: "GridInput", found: "HostingRun") -> list[str]:
    summary = found.summary
    way = "fed in" if found.data.attrs["sign"] > 0 else "drawn"
    return [
        f"Grid: {opened.power_net.source}.",
        f"Sizes are active power {way} at one bus, with nothing new at the others: capacities of "
        f"buses do not add up. Its power factor is {summary['cos_phi']:g}; reactive power is "
        "drawn.",
        "The capacity at a risk is the greatest size that breaks a limit in no more than that "
        "share of the scenarios. A limit broken anywhere in the grid counts, also one that is "
        "broken with nothing added.",
    ]
