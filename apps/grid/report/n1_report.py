"""The report of a study of contingencies: one HTML file."""

from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.grid.report.flow_report import (
    found_section,
    size_of,
    title_of,
    violations_section,
)
from tvilling.apps.grid.report.n1_rows import ALIGNED, HEADS, ranked_rows, sum_rows
from tvilling.apps.grid.report.tables import html_table
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page

if TYPE_CHECKING:
    from tvilling.apps.grid.grid_input import GridInput
    from tvilling.apps.grid.n1 import N1Run
    from tvilling.apps.grid.report.drawing import Picture

SHOWN = 40  # contingencies in the table


def write_n1_report(path: Path, opened: "GridInput", found: "N1Run") -> None:
    """Write the report of a study of contingencies to `path`."""
    import matplotlib

    from tvilling.apps.grid.report.drawing import draw_grid
    from tvilling.apps.heat.report_figures import STYLE, to_svg

    with matplotlib.rc_context(STYLE):
        picture = _picture(opened, found)
        drawn = to_svg(draw_grid(picture))
    caption = (
        "Lines by their greatest loading over all contingencies, buses by the voltage that is "
        f"furthest from 1 p.u. {picture.layout.origin}"
    )
    sections = [
        found_section(sum_rows(found.summary)),
        _ranked_section(found),
        violations_section(found.violations),
        figure_section("The grid at its worst", drawn, caption),
        list_section(
            "Data and assumptions",
            [
                f"Grid: {opened.power_net.source}.",
                "An element that fails is opened at both ends; a three-winding transformer at all "
                "three. Taps, set-points and powers stay as they are, as in the first minutes "
                "after it.",
                *found.assumptions,
            ],
        ),
        facts_section(
            "Provenance",
            {
                "Tvilling": version("tvilling"),
                "Grid digest": opened.digest,
                "Solved in": f"{found.summary['solve_s']:.2f} s",
            },
        ),
    ]
    lead = f"{size_of(opened)} {found.data['outcome'].size} contingencies."
    path.write_text(page(f"{title_of(opened)}: outages", lead, sections), encoding="utf-8")


def _ranked_section(found: "N1Run") -> str:
    table = html_table(HEADS, ranked_rows(found.ranked, SHOWN), ALIGNED)
    note = ""
    if len(found.ranked) > SHOWN:
        note = f"The worst {SHOWN}; contingencies.csv has all {len(found.ranked)}."
    note = escape(note)
    title = "<section><h2>The worst contingencies</h2>"
    return f"{title}{table}<p class='caption'>{note}</p></section>"


def _picture(opened: "GridInput", found: "N1Run") -> "Picture":
    from tvilling.apps.grid.report.drawing import Picture
    from tvilling.apps.grid.report.layout import ENDS, feeding_rows, layout_of, off_rows

    net, data = opened.power_net.net, found.data
    low, high = data["bus_vm_min_pu"].values, data["bus_vm_max_pu"].values
    kinds = data["branch_kind"].values
    loading = data["branch_loading_percent"].values
    times = data["branch_violations"].values
    broken = {kind: np.flatnonzero(times[kinds == kind]) for kind in set(kinds.tolist())}
    broken["bus"] = np.flatnonzero(data["bus_violations"].values > 0)
    return Picture(
        layout=layout_of(net, opened.grid.buses),
        loading={kind: loading[kinds == kind] for kind in set(kinds.tolist())},
        vm_pu=np.where(high - 1.0 > 1.0 - low, high, low),
        off={kind: off_rows(net, kind) for kind in (*ENDS, "trafo3w") if kind != "dcline"},
        broken=broken,
        sources=np.array(feeding_rows(net), int),
    )
