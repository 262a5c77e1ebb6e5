"""What a plan is to be read with: everything that was missing, fell short or was not used."""

from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.plant.case import Outage
from tvilling.apps.plant.inputs.known import touches

if TYPE_CHECKING:
    from tvilling.apps.plant.planning import Plan

NOTHING_MWH = 1e-6


def plan_warnings(plan: "Plan") -> list[str]:
    """Of a plan that was made, or of the rule in its place, in words."""
    lines = [f"no plan by optimisation: {plan.decision.reason}"] if plan.decision.reason else []
    lines += [*plan.outlook.notes, *plan.aside]
    lines += [_outage(plan.outlook.time, outage) for outage in plan.case.outages]
    schedule, checked = plan.schedule, plan.checked
    unserved, surplus = (
        float(values.sum()) * plan.plant.dt_h
        for values in (schedule.unserved_mw, schedule.surplus_mw)
    )
    if unserved > NOTHING_MWH:
        lines.append(f"{unserved:.2f} MWh cannot be served by any unit")
    if surplus > NOTHING_MWH:
        lines.append(f"{surplus:.2f} MWh are thrown away: units make more than load and tank take")
    if checked.surplus_mwh > 1e-3 * float(plan.outlook.load_mw.sum()):
        lines.append(f"on the layered tank {checked.surplus_mwh:.2f} MWh would be thrown away")
    if not checked.enough:
        lines.append(f"on the layered tank {checked.unserved_mwh:.2f} MWh would be missing")
    if checked.broken:
        lines.append(f"limits of units are broken: {checked.broken}")
    return lines


def _outage(time: np.ndarray, outage: Outage) -> str:
    share = f"{outage.share:.0%} of it left" if outage.share else "out of service"
    why = f" ({outage.reason})" if outage.reason else ""
    away = "" if touches(outage, time).any() else ", outside the plan's hours"
    return (
        f"{outage.unit} is {share} {outage.start:%Y-%m-%d %H:%M} to {outage.end:%Y-%m-%d %H:%M}"
        f"{why}{away}"
    )
