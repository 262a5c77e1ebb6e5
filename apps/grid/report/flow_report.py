"""Reports of a power flow and of a year: one HTML file each."""

from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.grid.report.tables import (
    Row,
    flow_rows,
    html_table,
    violation_heads,
    violation_rows,
    worst_of_each,
    year_rows,
)
from tvilling.apps.grid.summary_stats import KINDS, extreme, solved, told
from tvilling.apps.grid.units import number
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from tvilling.apps.grid.grid_input import GridInput
    from tvilling.apps.grid.report.drawing import Picture

MAX = 12  # rows of each kind in the table of broken limits
FULLEST = 15  # rows of the table of loadings


def write_flow_report(
    path: Path,
    opened: "GridInput",
    data: "xr.Dataset",
    broken: "pd.DataFrame",
    options: Mapping[str, Any],
    wall_s: float,
) -> None:
    """Write the report of one power flow to `path`."""
    import matplotlib

    from tvilling.apps.grid.report.drawing import draw_grid
    from tvilling.apps.grid.report.voltage_profile import draw_voltages
    from tvilling.apps.heat.report_figures import STYLE, to_svg

    sections = [found_section(flow_rows(data)), violations_section(broken)]
    if solved(data)[0]:
        with matplotlib.rc_context(STYLE):
            picture = picture_of(opened, data, broken)
            caption = f"Lines by loading, buses by voltage. {picture.layout.origin}"
            sections.append(figure_section("The grid", to_svg(draw_grid(picture)), caption))
            profile = draw_voltages(opened, data["vm_pu"].values[0])
            if profile is not None:
                caption = "Lines are drawn at their length, whatever else without one."
                sections.append(figure_section("Voltage along the grid", to_svg(profile), caption))
        sections.append(_fullest_section(data))
    sections += _end(opened, data, options, {"Wall time to this report": f"{wall_s:.1f} s"})
    lead = f"{size_of(opened)} One power flow" + _scaled(options)
    path.write_text(page(title_of(opened), lead, sections), encoding="utf-8")


def write_year_report(
    path: Path,
    opened: "GridInput",
    data: "xr.Dataset",
    broken: "pd.DataFrame",
    options: Mapping[str, Any],
    times: tuple[float, float],
) -> None:
    """Write the report of a year to `path`; `times` are those of the solver and of all [s]."""
    solve_s, wall_s = times
    sections = [found_section(year_rows(data)), violations_section(broken)]
    if solved(data).any():
        sections += [*_year_figures(opened, data, broken), _fullest_section(data)]
    steps = data.sizes["time"]
    facts = {
        "Power flows": f"{number(steps)} in {solve_s:.2f} s, "
        f"{1e6 * solve_s / steps:.1f} µs each with what is kept of them",
        "Wall time to this report": f"{wall_s:.1f} s",
    }
    sections += _end(opened, data, options, facts)
    span = f"{told(data['time'].values[0])} to {told(data['time'].values[-1])} UTC"
    lead = f"{size_of(opened)} Power flow of {number(steps)} steps, {span}."
    path.write_text(page(title_of(opened), lead, sections), encoding="utf-8")


def _year_figures(opened: "GridInput", data: "xr.Dataset", broken: "pd.DataFrame") -> list[str]:
    """The grid at its worst, values sorted by size, and day by day."""
    import matplotlib

    from tvilling.apps.grid.report import curves
    from tvilling.apps.grid.report.drawing import draw_grid
    from tvilling.apps.heat.report_figures import STYLE, to_svg

    with matplotlib.rc_context(STYLE):
        picture = picture_of(opened, data, broken)
        return [
            figure_section(
                "The grid",
                to_svg(draw_grid(picture)),
                "Lines by their greatest loading of the whole time, buses by the voltage that is "
                f"furthest from 1 p.u. {picture.layout.origin}",
            ),
            figure_section(
                "For how long",
                to_svg(curves.draw_durations(data, opened.limits)),
                "Every value of the time, sorted: at each point of a curve, the hours for which it "
                "is exceeded. Limits are dashed where they lie near.",
            ),
            figure_section(
                "Day by day",
                to_svg(curves.draw_days(data, opened.limits)),
                "Bands reach from the least to the greatest value of each day. Times are UTC.",
            ),
        ]


def title_of(opened: "GridInput") -> str:
    """Name of the grid."""
    return Path(opened.power_net.source.partition("?")[0].rpartition(":")[2]).stem


def size_of(opened: "GridInput") -> str:
    """Numbers of buses, lines and so on, in a sentence."""
    net = opened.power_net.net
    counts = [
        (len(net.bus), "bus", "buses"),
        (len(net.line), "line", "lines"),
        (len(net.trafo) + len(net.trafo3w), "transformer", "transformers"),
        (len(net.load), "load", "loads"),
        (len(net.sgen) + len(net.gen), "generator", "generators"),
    ]
    return ", ".join(f"{number(n)} {one if n == 1 else many}" for n, one, many in counts if n) + "."


def _scaled(options: Mapping[str, Any]) -> str:
    parts = [
        f"{words} times {options[name]:g}"
        for name, words in (("loads", "loads"), ("generation", "generation"))
        if options.get(name, 1.0) != 1.0
    ]
    return f", {' and '.join(parts)}." if parts else " with the powers of the file."


def found_section(rows: list[Row]) -> str:
    """What a study comes to."""
    table = html_table(("", "value", "where"), rows, "lrl")
    return f"<section><h2>What was found</h2>{table}</section>"


def violations_section(broken: "pd.DataFrame") -> str:
    """The worst broken limits of every kind."""
    title = "<section><h2>Broken limits</h2>"
    if not len(broken):
        return f"{title}<p>None: every voltage and every loading keeps its limit.</p></section>"
    heads = violation_heads(broken)
    shown = worst_of_each(broken, MAX)
    table = html_table(heads, violation_rows(shown), "llrrlr"[: len(heads)])
    note = ""
    if len(shown) < len(broken):
        note = f"The worst {MAX} of each kind; violations.csv has all {len(broken)}."
    return f"{title}{table}<p class='caption'>{escape(note)}</p></section>"


def _fullest_section(data: "xr.Dataset") -> str:
    """The branches that carry most of what they may."""
    rows = []
    for kind, word in KINDS.items():
        name = f"{kind}_loading_percent"
        if name not in data or not data.sizes[kind]:
            continue
        values = data[name].values
        worst, mean = np.fmax.reduce(values, axis=0), _mean(values)
        for at in np.argsort(-np.nan_to_num(worst))[:FULLEST]:
            rows.append((float(worst[at]), str(data[kind].values[at]), word, float(mean[at])))
    rows = sorted(rows, reverse=True)[:FULLEST]
    many = "time" in data.dims
    heads = (
        ("branch", "kind", "greatest loading", "mean") if many else ("branch", "kind", "loading")
    )
    texts = [
        (name, word, f"{worst:.1f} %", *([f"{mean:.1f} %"] if many else []))
        for worst, name, word, mean in rows
    ]
    table = html_table(heads, texts, "llrr"[: len(heads)])
    return f"<section><h2>Most loaded</h2>{table}</section>"


def _mean(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return np.asarray(
        np.where(known, values, 0.0).sum(axis=0, dtype=float) / np.maximum(known.sum(axis=0), 1)
    )


def picture_of(opened: "GridInput", data: "xr.Dataset", broken: "pd.DataFrame") -> "Picture":
    """The worst that each branch and bus sees, for a drawing."""
    from tvilling.apps.grid.report.drawing import Picture
    from tvilling.apps.grid.report.layout import feeding_rows, layout_of, off_rows

    net, vm = opened.power_net.net, data["vm_pu"].values
    furthest, high = np.fmin.reduce(vm, axis=0), np.fmax.reduce(vm, axis=0)
    above = high - 1.0 > 1.0 - furthest
    furthest[above] = high[above]
    loading = {
        kind: np.fmax.reduce(data[f"{kind}_loading_percent"].values, axis=0)
        for kind in KINDS
        if f"{kind}_loading_percent" in data
    }
    marks = {}
    names = [str(name) for name in data["bus"].values]
    for words, greatest in (("lowest", False), ("highest", True)):
        found = extreme(data, "vm_pu", greatest)
        if found is not None:
            marks[f"{words} voltage, {found.value:.3f} p.u.: {found.element}"] = names.index(
                found.element
            )
    return Picture(
        layout=layout_of(net, opened.grid.buses),
        loading=loading,
        vm_pu=furthest,
        off={kind: off_rows(net, kind) for kind in ("line", "trafo", "trafo3w", "impedance")},
        broken=_broken_rows(opened, data, broken),
        sources=np.array(feeding_rows(net), int),
        marks=marks,
    )


def _broken_rows(
    opened: "GridInput", data: "xr.Dataset", broken: "pd.DataFrame"
) -> dict[str, np.ndarray]:
    """Rows whose limit is broken, by table."""
    vm, limits = data["vm_pu"].values, opened.limits
    low, high = np.fmin.reduce(vm, axis=0), np.fmax.reduce(vm, axis=0)
    rows = {"bus": np.flatnonzero((low < limits.vm_min_pu) | (high > limits.vm_max_pu))}
    for kind in limits.loading_percent:
        names = set(broken["element"][broken["kind"] == kind])
        rows[kind] = np.flatnonzero(np.isin(data[kind].values, list(names)))
    return rows


def _end(
    opened: "GridInput", data: "xr.Dataset", options: Mapping[str, Any], facts: Mapping[str, str]
) -> list[str]:
    """What it rests on, and where it comes from."""
    lines = [f"Grid: {opened.power_net.source}."]
    if data.attrs.get("profiles"):
        lines.append(f"Courses of power: {data.attrs['profiles']}. {_clock(data)}")
        lines.append(
            "Every step is a power flow of its own: taps stay where they are, and stores do what "
            "their courses say."
        )
    loaded = opened.grid.options.get("trafo_loading", "current")
    lines.append(
        f"Lines are loaded by current against their rated one, transformers by {loaded} against "
        f"their rated power; transformers by the {options['trafo_model']}-model. Voltages are "
        f"solved until no power misses more than {data.attrs['tolerance_pu']:.0e} of "
        f"{data.attrs['base_mva']:g} MVA."
        if "tolerance_pu" in data.attrs
        else ""
    )
    return [
        list_section("Data and assumptions", [*filter(None, lines), *opened.assumptions]),
        facts_section(
            "Provenance",
            {"Tvilling": version("tvilling"), "Grid digest": opened.digest, **facts},
        ),
    ]


def _clock(data: "xr.Dataset") -> str:
    return f"Clock: {data.attrs['clock']}." if data.attrs.get("clock") else ""
