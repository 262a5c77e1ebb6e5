"""The report of a run: one HTML file that needs nothing beside it."""

from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.apps.heat.comparison import ROWS, differences, shown
from tvilling.apps.heat.network_case import supply_notes
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.apps.heat.comparison import Figures
    from tvilling.apps.heat.network_case import Prepared


def write_report(
    path: Path,
    prepared: "Prepared",
    data: "xr.Dataset",
    found: "dict[str, Figures]",
    warnings: list[str],
    wall_s: float,
) -> None:
    """Write the report of the labelled run `data`, which took `wall_s` [s], to `path`."""
    import matplotlib

    from tvilling.apps.heat import report_figures as figures
    from tvilling.sciml.systems.heat_network.summary import summarise

    case = prepared.case
    first = str(data["controller"].values[0])
    run = data.sel(controller=first)
    worst, peak = figures.worst_served(run), figures.most_loaded(data)
    with matplotlib.rc_context(figures.STYLE):
        sections = [
            _comparison(found),
            _map(prepared, run, peak, worst),
            figure_section(
                "At the plant",
                figures.to_svg(figures.draw_plant(data)),
                "Temperatures are means over the plants, weighted by flow. Every value stands at "
                "the end of its step.",
            ),
            _consumer(data, first, worst),
            figure_section("Heat loss", figures.to_svg(figures.draw_losses(data)), _losses(found)),
        ]
    sections += [
        list_section("Data and assumptions", assumptions(prepared)),
        list_section("Warnings", [*warnings, *summarise(prepared.tables).notes] or ["None."]),
        _provenance(prepared, wall_s),
    ]
    title = case.title or prepared.tables.source
    path.write_text(page(title, _lead(prepared, data), sections), encoding="utf-8")


def assumptions(prepared: "Prepared") -> list[str]:
    """What the result rests on, one sentence each."""
    case, tables = prepared.case, prepared.tables
    lines = [f"Network: {case.network.source}, {len(tables.pipes)} pipes and "
             f"{len(tables.consumers)} consumers."]  # fmt: skip
    made = _made(prepared)
    if made:
        lines.append(made)
    if prepared.stock is None:
        lines.append("Demands are those of the network file, constant over the run.")
    else:
        lines.append(
            "Demands over time come from degree-hours below 17 °C with the inertia of buildings, "
            "a daily profile and hot water, shifted and varied by consumer."
        )
    ground = prepared.drive["ground_degc"]
    lines.append(
        f"Ground temperature {_span(ground.min(), ground.max())} °C, "
        + (
            "the season's at 1 m depth."
            if case.network.ground_degc is None
            else "as the case sets it."
        )
    )
    lines.append(f"Outdoor temperature: {prepared.weather.attrs['source']}. "
                 f"Times are {prepared.weather.attrs['clock']}.")  # fmt: skip
    pump = {
        "worst_consumer": "The pump lifts just what the worst-placed consumer needs",
        "fixed": "The pump keeps the lift of the network file",
    }[case.model.pump_control]
    lines.append(f"{pump}, with an efficiency of {case.model.pump_efficiency:.0%}.")
    lines.append(
        f"Heat moves through {case.model.cells} cells a pipe; pressure settles at once; "
        f"friction by {case.model.friction.capitalize()}. Each run starts from the steady state "
        "of its first step."
    )
    lines += [f"{line[0].upper()}{line[1:]}." for line in supply_notes(case, tables)]
    return lines


def _span(low: object, high: object) -> str:
    ends = [f"{float(end):.1f}" for end in (low, high)]  # type: ignore[arg-type]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _made(prepared: "Prepared") -> str:
    """One sentence on what was computed or drawn instead of measured."""
    case, parts = prepared.case, []
    if case.sizing:
        parts.append(
            f"the pipes' diameters and heat losses are sized ({case.sizing.supply_degc:g}/"
            f"{case.sizing.return_degc:g} °C, {case.sizing.max_gradient_pa_per_m:g} Pa/m, EN 253 "
            f"series {case.sizing.series})"
        )
    if prepared.stock is not None:
        total = prepared.stock["annual_mwh"].sum()
        parts.append(
            f"the {len(prepared.stock)} heat demands are drawn from a stated building stock "
            f"({total:,.0f} MWh in a normal year, seed {case.seed})"
        )
    text = " and ".join(parts)
    return f"{text[0].upper()}{text[1:]}; neither is measured." if len(parts) == 2 else (
        f"{text[0].upper()}{text[1:]}, not measured." if parts else ""
    )  # fmt: skip


def _lead(prepared: "Prepared", data: "xr.Dataset") -> str:
    horizon = prepared.case.horizon
    outdoor = data["outdoor_degc"]
    return (
        f"{horizon.start.day} {horizon.start:%B %Y %H:%M}, {horizon.hours:g} hours in steps of "
        f"{horizon.step_min:g} minutes. Outdoors {float(outdoor.min()):.1f} to "
        f"{float(outdoor.max()):.1f} °C, mean {float(outdoor.mean()):.1f} °C."
    )


def _comparison(found: "dict[str, Figures]") -> str:
    """The controllers beside each other, differences against the first."""
    names = list(found)
    head = "<th></th><th>unit</th>" + "".join(
        f"<th>{escape(_plain(name))}</th>" + ("<th>change</th>" if at else "")
        for at, name in enumerate(names)
    )
    rows = []
    for field, heading, unit, _ in ROWS:
        values = [getattr(found[name], field) for name in names]
        changed = differences(values) if unit not in ("°C", "%", "") else [""] * len(values)
        cells = "".join(
            f"<td>{shown(field, value)}</td>" + (f"<td class='diff'>{change}</td>" if at else "")
            for at, (value, change) in enumerate(zip(values, changed, strict=True))
        )
        rows.append(f"<tr><th>{escape(heading)}</th><td class='unit'>{unit}</td>{cells}</tr>")
    caption = (
        f"Changes are against “{_plain(names[0])}”, the first control of the case."
        if len(names) > 1
        else ""
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<section><h2>Comparison</h2>{table}<p class='caption'>{escape(caption)}</p></section>"


def _map(prepared: "Prepared", run: "xr.Dataset", peak: object, worst: str | None) -> str:
    import pandas as pd

    from tvilling.apps.heat import report_map
    from tvilling.apps.heat.report_figures import to_svg

    if not report_map.has_map(prepared.tables):
        return "<section><h2>Map</h2><p>The network file holds no coordinates.</p></section>"
    control, moment = _plain(str(run["controller"].values)), pd.Timestamp(str(peak))
    caption = (
        f"Supply side on {moment.day} {moment:%B %Y %H:%M}, the step with the greatest demand, "
        f"with the control “{control}”. The width of a line grows with the pipe's diameter."
    )
    figure = report_map.draw_maps(prepared, run, peak, worst)
    return figure_section("The network at its greatest load", to_svg(figure), caption)


def _consumer(data: "xr.Dataset", first: str, worst: str | None) -> str:
    from tvilling.apps.heat import report_figures as figures

    if worst is None:
        return ""
    return figure_section(
        f"Worst-served consumer: {worst}",
        figures.to_svg(figures.draw_consumer(data, worst)),
        f"The consumer that misses most heat with the control “{_plain(first)}”, or, where none "
        "misses any, the one whose inlet gets coldest.",
    )


def _losses(found: "dict[str, Figures]") -> str:
    parts = [
        f"{_plain(name)} {shown('loss_mwh', one.loss_mwh)} MWh, "
        f"{shown('loss_share', one.loss_share)} % of what was put in"
        for name, one in found.items()
    ]
    return "Over the run: " + "; ".join(parts) + "."


def _provenance(prepared: "Prepared", wall_s: float) -> str:
    case = prepared.case
    facts = {
        "Tvilling": version("tvilling"),
        "Case hash": prepared.hash,
        "Network digest": prepared.digest,
        "Seed": "none" if case.seed is None else str(case.seed),
        "System": case.system,
        "Wall time to this report": f"{wall_s:.1f} s",
    }
    return facts_section("Provenance", facts)


def _plain(name: str) -> str:
    return name.replace("_", " ")
