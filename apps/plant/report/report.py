"""Reports of a plan and of a backtest: one HTML file each, made from the labelled data alone."""

import json
from collections.abc import Mapping
from html import escape
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.plant.inputs.known import HOUR, to_local
from tvilling.apps.plant.report.hours_table import hours_section
from tvilling.apps.plant.report.table import PLAN, Way, number, told_rows, ways_table
from tvilling.apps.shared.report_page import facts_section, figure_section, list_section, page
from tvilling.rl_control.planning.backtest import BEST, PLANNED, RULE

if TYPE_CHECKING:
    import xarray as xr

Checked = Mapping[str, Any]


def write_plan_report(
    path: Path,
    data: "xr.Dataset",
    *,
    checked: Checked | None,
    assumptions: list[str],
    warnings: list[str],
    facts: dict[str, str],
) -> None:
    """Write the report of a plan to `path`.

    Parameters
    ----------
    data
        As `labelled.plan_data` gives it.
    checked
        What came of the plan on the plant with its tank in layers: `unserved_mwh`, `surplus_mwh`,
        `tank_apart_mwh` (greatest distance from the plan) and `broken`, the limits that were
        broken, in words or counted by name. None where that was not tried.
    facts
        Provenance: names and values.
    """
    import matplotlib

    from tvilling.apps.heat.report_figures import STYLE, to_svg
    from tvilling.apps.plant.report import figures

    held = data.attrs["how"] == "hold"
    ways = [] if held else ways_table(data)
    beside = (RULE,) if RULE in data["way"] else ()
    with matplotlib.rc_context(STYLE):
        drawn = [
            figure_section(
                "Production against the power price",
                to_svg(figures.draw_production(data, PLAN, beside)),
                "Heat above the load goes into the tank; what is hatched comes out of it. Beyond "
                "the published prices, expected ones are dashed.",
            ),
            figure_section(
                "Load", to_svg(figures.draw_forecast(data)), f"Forecast by {_forecast(data)}."
            ),
            figure_section(
                "Temperatures",
                to_svg(figures.draw_temperatures(data)),
                "As the plan takes them: weather as it is known ahead, water by the control of the "
                "plant.",
            ),
        ]
        if not held:
            drawn.append(
                figure_section("Cost", to_svg(figures.draw_costs(data, PLAN)), _cost_caption(data))
            )
    sections = [
        facts_section("The plan", _found(data, ways, checked)),
        _ways_section(ways, "plan"),
        drawn[0],
        hours_section(data),
        *drawn[1:],
        list_section("Data and assumptions", assumptions or ["None are told."]),
        list_section("Warnings", warnings or ["None."]),
        facts_section("Provenance", facts),
    ]
    path.write_text(page(_title(data), _span(data), sections), encoding="utf-8")


def write_backtest_report(
    path: Path,
    data: "xr.Dataset",
    *,
    checked: Checked | None,
    assumptions: list[str],
    warnings: list[str],
    facts: dict[str, str],
) -> None:
    """Write the report of a backtest to `path`; parameters as `write_plan_report`.

    `data` is as `labelled.backtest_data` gives it.
    """
    import matplotlib

    from tvilling.apps.heat.report_figures import STYLE, to_svg
    from tvilling.apps.plant.report import backtest_figures as figures

    ways = ways_table(data)
    with matplotlib.rc_context(STYLE):
        drawn = (
            ("Month by month", figures.draw_months(data), "Months are those of the Danish clock. "
             "Heat that went into the tank counts what another MWh left at the end would cost."),
            ("What was saved", figures.draw_saved(data), "Against the operator's rule. Perfect "
             "foresight knows every price and load of the period."),
            ("Which unit made the heat", figures.draw_heat(data), "Over the whole period."),
            ("The tank", figures.draw_levels(data), "Level at the end of each hour."),
            ("The week in which planning saved most",
             figures.draw_week(figures.best_week(data)), "As it was run. Heat above the load goes "
             "into the tank; what is hatched comes out of it."),
        )  # fmt: skip
        shown = [figure_section(title, to_svg(one), caption) for title, one, caption in drawn]
    sections = [
        facts_section("The outcome", _outcome(data, ways, checked)),
        _ways_section(ways, "period"),
        *shown,
        list_section("Data and assumptions", assumptions or ["None are told."]),
        list_section("Warnings", warnings or ["None."]),
        facts_section("Provenance", facts),
    ]
    path.write_text(page(_title(data), _span(data), sections), encoding="utf-8")


def _title(data: "xr.Dataset") -> str:
    return str(data.attrs.get("title") or "Production plan")


def _span(data: "xr.Dataset") -> str:
    """From when to when, and what it was like."""
    time = data["time"].values
    first, last = to_local(np.array([time[0], time[-1] + HOUR]))
    price, outdoor = 1e3 * data["price_dkk_per_kwh"], data["outdoor_degc"]
    span = f"{first.day} {first:%B %Y %H:%M} to {last.day} {last:%B %Y %H:%M}"
    heat_mwh = number(float(data["load_mw"].sum()))
    return (
        f"{span}, Danish clock: {number(len(time))} hours. {heat_mwh} MWh of heat; power at "
        f"{number(float(price.min()))} to {number(float(price.max()))}, in the mean "
        f"{number(float(price.mean()))} DKK/MWh; outdoors {number(float(outdoor.min()), 1)} to "
        f"{number(float(outdoor.max()), 1)} °C."
    )


def _found(data: "xr.Dataset", ways: list[Way], checked: Checked | None) -> dict[str, str]:
    """How the plan was found, and what matters most of it."""
    attrs, facts = data.attrs, {}
    facts["Found"] = {
        "plan": "by the optimiser",
        "rule": f"by the operator's rule (merit order), not by the optimiser: {attrs['reason']}",
        "hold": f"not at all: the last plan is held on, {attrs['reason']}",
    }[attrs["how"]]
    gap = float(attrs.get("gap", nan))
    if isfinite(gap):
        facts["Proven"] = (
            "no schedule on the same outlook that leaves as much in the tank is cheaper by more "
            f"than {100 * gap:.2f} % (the solver says {attrs['status']})"
        )
    if ways:
        facts |= _amounts(next(way for way in ways if way.name == PLAN))
        behind = json.loads(attrs.get("network", "{}"))
        if behind:
            facts["Supply temperature"] = told_network(behind)
    if checked is not None:
        facts["Run on the plant"] = told_check(checked)
    return facts


def _outcome(data: "xr.Dataset", ways: list[Way], checked: Checked | None) -> dict[str, str]:
    """What planning came to over the period."""
    by_name, attrs = {way.name: way for way in ways}, data.attrs
    planned, best = by_name[PLANNED], by_name[BEST]
    facts = _amounts(planned)
    dearer = planned.cost_dkk - best.cost_dkk
    share = f" ({100 * dearer / abs(best.cost_dkk):.2f} %)" if best.cost_dkk else ""
    facts["Dearer than perfect foresight"] = f"{number(dearer)} DKK{share}"
    if "plans" in attrs:
        facts["Plans"] = f"{attrs['plans']}, of them {attrs['fallbacks']} by a fallback"
    if "forecast" in attrs:
        facts["Load forecast"] = (
            f"{attrs['forecast']}; mean absolute error of the first day "
            f"{float(attrs['forecast_mae_mw']):.2f} MW"
        )
    if checked is not None:
        facts["Run on the plant"] = told_check(checked)
    return facts


def _amounts(way: Way) -> dict[str, str]:
    """Cost, saving, CO2 and starts of one way."""
    by_heat = way.heat_dkk_per_mwh
    facts = {
        "Cost": f"{number(way.cost_dkk)} DKK"
        + (f", {number(by_heat, 1)} DKK/MWh of heat" if by_heat is not None else "")
    }
    if way.saving_dkk is not None:
        share = "" if way.saving_share is None else f" ({number(100 * way.saving_share, 1)} %)"
        reached = way.reached_share
        facts["Saved against the rule"] = f"{number(way.saving_dkk)} DKK{share}" + (
            f", {number(100 * reached, 1)} % of what could be saved" if reached is not None else ""
        )
    facts["CO2"] = f"{number(way.co2_t, 1)} t"
    each = ", ".join(f"{unit} {count}" for unit, count in way.unit_starts.items() if count)
    facts["Starts"] = f"{way.starts}" + (f": {each}" if each else "")
    return facts


def told_check(checked: Checked) -> str:
    """What came of the plan on the plant with its tank in layers, in words."""
    broken = checked["broken"]
    if isinstance(broken, Mapping):
        broken = "; ".join(f"{limit} {count} times" for limit, count in broken.items())
    return (
        f"{number(checked['unserved_mwh'], 2)} MWh missing, "
        f"{number(checked['surplus_mwh'], 2)} MWh thrown away, the tank at most "
        f"{number(checked['tank_apart_mwh'], 2)} MWh from the plan; limits broken: "
        f"{broken or 'none'}"
    )


def told_network(behind: Mapping[str, Any]) -> str:
    """What planning the supply temperature brought, in words; see `town.town_facts`."""
    why = f" ({behind['reason']})" if behind["reason"] else ""
    names = {"loss": "heat loss", "cop": "COP", "pump": "pump", "storage": "heat in the pipes"}
    parts = ", ".join(
        f"{names[part]} {number(percent, 2)} %"
        for part, percent in behind["parts_percent"].items()
        if part in names
    )
    return (
        f"{behind['outcome']}{why}: production saves {number(behind['saved_dkk'])} DKK "
        f"({number(behind['saved_percent'], 2)} %) against the heating curve. Saved on the network "
        f"at the prices of heat of a first plan: {parts}"
    )


def _ways_section(ways: list[Way], of: str) -> str:
    """The ways beside each other, with heat and starts by unit."""
    if not ways:
        return ""
    rows = told_rows(ways)
    for unit in ways[0].heat_mwh:
        each = [way.heat_mwh[unit] for way in ways]
        if any(each):
            rows.append((f"Heat of {unit}", "MWh", [number(mwh, 1) for mwh in each]))
    for unit in ways[0].unit_starts:
        counts = [way.unit_starts[unit] for way in ways]
        if any(counts):
            rows.append((f"Starts of {unit}", "", [number(count) for count in counts]))
    head = "<th></th><th>unit</th>" + "".join(f"<th>{escape(way.name)}</th>" for way in ways)
    body = "".join(
        f"<tr><th>{escape(heading)}</th><td class='unit'>{unit}</td>"
        + "".join(f"<td>{text}</td>" for text in texts)
        + "</tr>"
        for heading, unit, texts in rows
    )
    caption = {
        "plan": "The rule is the operator's merit order on the same outlook. Heat in the tank at "
        "the end, above that at the beginning, is worth what another MWh left would cost. What "
        "could be saved is not known before the hours have come; a backtest tells it.",
        "period": "The rule is the operator's merit order with tank. What could be saved is what "
        "perfect foresight saves. Heat in the tank at the end, above that at the beginning, is "
        "worth what another MWh left would cost under perfect foresight.",
    }[of]
    return (
        "<section><h2>Ways to run the plant</h2><div class='scroll'><table><thead><tr>"
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<p class='caption'>{escape(caption)}</p></section>"
    )


def _forecast(data: "xr.Dataset") -> str:
    return f"{data.attrs['forecast_model']}; weather ahead: {data.attrs['forecast_weather']}"


def _cost_caption(data: "xr.Dataset") -> str:
    if RULE not in data["way"]:
        return "Starts are in the hour in which they happen."
    return (
        "Starts are in the hour in which they happen. The sum counts heat in the tank at the mean "
        "cost of heat, so that filling it does not look like a loss."
    )
