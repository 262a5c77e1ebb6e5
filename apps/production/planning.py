"""One production plan: found by the optimiser, or else by the operator's rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tvilling.apps.production.case import PlantCase
from tvilling.apps.production.facts import Facts, conditions
from tvilling.apps.production.outlook import Outlook, look_ahead

if TYPE_CHECKING:
    from tvilling.rl_control.production.mpc import Decision
    from tvilling.rl_control.production.schedule import Before, Bill, Schedule
    from tvilling.sciml.systems.heat_plant.conditions import Conditions
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant


@dataclass(frozen=True)
class Plan:
    """A plan, what it rests on, and what it is compared with.

    Attributes
    ----------
    decision
        How it was found, and why not otherwise.
    before
        How the plant stood.
    others
        The operator's rules on the same outlook, by name.
    """

    case: PlantCase
    outlook: Outlook
    conditions: "Conditions"
    plant: "LinearPlant"
    before: "Before"
    decision: "Decision"
    others: "dict[str, Schedule]"

    @property
    def schedule(self) -> "Schedule":
        """Loads over the horizon."""
        return self.decision.schedule

    def bills(self) -> "dict[str, Bill]":
        """What the plan and the others cost, the plan first."""
        from tvilling.rl_control.production.schedule import bill

        schedules = {"plan": self.schedule, **self.others}
        return {name: bill(self.plant, one, self.before) for name, one in schedules.items()}


def make_plan(
    case: PlantCase,
    facts: Facts,
    moment: np.datetime64,
    only_rule: str = "",
    tell: Callable[[str], None] = lambda stage: None,
) -> Plan:
    """The plan of `case` from `moment` on.

    Parameters
    ----------
    only_rule
        A reason to go by the rule at once.

    Raises
    ------
    InputError
        The records carry no outlook.
    """
    from tvilling.rl_control.production.backtest import NO_TANK, RULE
    from tvilling.rl_control.production.merit_order import merit_order
    from tvilling.rl_control.production.mpc import decide
    from tvilling.rl_control.production.programme import Settings, best_schedule
    from tvilling.rl_control.production.schedule import Before
    from tvilling.sciml.systems.heat_plant.linearise import linearise

    outlook = look_ahead(case, facts, moment, tell)
    around = conditions(case, outlook.time, outlook.price_dkk_per_kwh, outlook.outdoor_degc)
    plant = linearise(case.plant, around)
    before = Before.at_rest(plant, case.plan.tank_mwh)
    chosen = case.plan
    settings = Settings(
        commitment=chosen.commitment,
        end_mwh=min(before.tank_mwh, plant.tank.capacity_mwh),
        gap=chosen.gap,
        limit_s=chosen.limit_s,
    )
    tell("seeking the plan")
    decision = decide(
        0,
        lambda step: (plant, outlook.load_mw),
        before,
        lambda plant, demand, before: best_schedule(plant, demand, before, settings),
    )
    reason = only_rule or outlook.no_prices
    rule = merit_order(plant, outlook.load_mw, before)
    if reason:
        decision = replace(decision, how="rule", reason=reason, gap=np.nan, schedule=rule)
    others = {RULE: rule, NO_TANK: merit_order(plant, outlook.load_mw, before, with_tank=False)}
    return Plan(case, outlook, around, plant, before, decision, others)
