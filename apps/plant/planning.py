"""One production plan: found by the optimiser, or else by the operator's rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.check import Checked, check_schedule
from tvilling.apps.plant.inputs.forecast_inputs import ForecastInputs, look_ahead
from tvilling.apps.plant.inputs.initial_state import standing, tank_notes
from tvilling.apps.plant.inputs.known import PlantInputs, conditions
from tvilling.apps.plant.inputs.supply_network import (
    CURVE,
    PLAN,
    SupplyNetwork,
    at_plant,
    plan_town,
    town_facts,
)

if TYPE_CHECKING:
    import xarray as xr

    from tvilling.rl_control.planning.mpc import Decision
    from tvilling.rl_control.planning.schedule import Bill, InitialState, Schedule
    from tvilling.sciml.systems.heat_plant.conditions import Conditions
    from tvilling.sciml.systems.heat_plant.linear import LinearPlant

Stands = Callable[["LinearPlant"], "tuple[InitialState, str]"]

TRIES = 4
RESERVE_STEP = 0.02  # of the tank, beyond what was missing


@dataclass(frozen=True)
class Plan:
    """A plan, what it rests on, and what it is compared with.

    Attributes
    ----------
    decision
        How it was found, and why not otherwise.
    before, stood
        How the plant stood, and how that is known.
    checked
        What came of the plan on the plant with its tank in layers.
    reserve_mwh
        Heat that the plan leaves in the tank, since its last leaves it too cool.
    others
        The operator's rules on the same outlook, by name.
    behind
        What planning the supply temperature brought, `town.town_facts`; empty without a network.
    aside
        What is known of the plant's state and was not taken, in words.
    """

    case: PlantCase
    outlook: ForecastInputs
    conditions: "Conditions"
    plant: "LinearPlant"
    before: "InitialState"
    stood: str
    decision: "Decision"
    checked: Checked
    reserve_mwh: float
    others: "dict[str, Schedule]"
    behind: dict[str, Any]
    aside: tuple[str, ...] = ()

    @property
    def schedule(self) -> "Schedule":
        """Loads over the horizon."""
        return self.decision.schedule

    def bills(self) -> "dict[str, Bill]":
        """What the plan and the others cost, the plan first."""
        from tvilling.rl_control.planning.schedule import bill

        schedules = {"plan": self.schedule, **self.others}
        return {name: bill(self.plant, one, self.before) for name, one in schedules.items()}


def make_plan(
    case: PlantCase,
    facts: PlantInputs,
    moment: np.datetime64,
    only_rule: str = "",
    town: SupplyNetwork | None = None,
    last: "xr.Dataset | None" = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Plan:
    """The plan of `case` from `moment` on.

    Parameters
    ----------
    only_rule
        A reason to go by the rule at once, without a search; the network is left out then.
    town
        The network behind the plant; its supply temperature is planned too.
    last
        The plan before, for how the plant stands.

    Raises
    ------
    InputError
        The records carry no outlook.
    """
    from tvilling.rl_control.planning.backtest import NO_TANK, RULE
    from tvilling.rl_control.planning.merit_order import merit_order
    from tvilling.rl_control.planning.mpc import Decision
    from tvilling.sciml.systems.heat_plant.linearisation import linearise

    outlook = look_ahead(case, facts, moment, tell)
    around = conditions(case, outlook.time, outlook.price_dkk_per_kwh, outlook.outdoor_degc)
    behind: dict[str, Any] = {}
    stands = partial(standing, case, facts, moment, last=last)
    if town is not None and not only_rule:
        tell("planning the supply temperature on the network")
        outlook, around, behind = _with_town(case, town, outlook, around, stands)
    plant = linearise(case.plant, around)
    before, stood = stands(plant)
    by_rule = partial(merit_order, plant, outlook.load_mw, before, keep_times=case.plan.commitment)
    rule = by_rule()
    if reason := only_rule or outlook.no_prices:
        decision, reserve_mwh = Decision(0, "rule", reason, np.nan, rule), 0.0
        checked = check_schedule(case.plant, around, plant, outlook.load_mw, before, rule)
    else:
        tell("seeking the plan")
        decision, checked, reserve_mwh = _decided(case, around, plant, outlook.load_mw, before)
    others = {RULE: rule, NO_TANK: by_rule(with_tank=False)}
    return Plan(
        case,
        outlook,
        around,
        plant,
        before,
        stood,
        decision,
        checked,
        reserve_mwh,
        others,
        behind,
        tuple(tank_notes(case, facts, moment, plant.tank.capacity_mwh)),
    )


def _with_town(
    case: PlantCase,
    town: SupplyNetwork,
    outlook: ForecastInputs,
    around: "Conditions",
    stands: Stands,
) -> "tuple[ForecastInputs, Conditions, dict[str, Any]]":
    """Load and water at the plant along planned supply temperatures, and what they brought.

    Production is planned three times: for the consumers' load, which prices the heat of each hour;
    and at the plant along the heating curve and along the plan, whose difference is the saving.
    """
    from tvilling.rl_control.planning.schedule import bill
    from tvilling.sciml.systems.heat_plant.linearisation import linearise

    def produced(
        seen: ForecastInputs, water: "Conditions"
    ) -> "tuple[LinearPlant, Schedule, float]":
        plant = linearise(case.plant, water)
        before, _ = stands(plant)
        schedule = _decided(case, water, plant, seen.load_mw, before)[0].schedule
        return plant, schedule, bill(plant, schedule, before).total_dkk

    supply = plan_town(case, town, outlook, around, *produced(outlook, around)[:2])
    ways = {course: at_plant(outlook, around, supply, course) for course in (CURVE, PLAN)}
    cost = {course: produced(*way)[2] for course, way in ways.items()}
    kept = PLAN if cost[PLAN] <= cost[CURVE] else CURVE
    facts = town_facts(supply, cost[CURVE] - cost[kept], cost[CURVE])
    return *ways[kept], facts


def _decided(
    case: PlantCase,
    around: "Conditions",
    plant: "LinearPlant",
    load_mw: np.ndarray,
    before: "InitialState",
) -> "tuple[Decision, Checked, float]":
    """A decision that holds on the layered tank, and what it keeps in the tank for that.

    The programme takes the tank for a reservoir, but the last of a layered one leaves it cooler
    than the network needs. Where that leaves heat missing, more of it is kept, and the plan is
    sought anew.
    """
    from tvilling.rl_control.planning.mpc import decide
    from tvilling.rl_control.planning.programme import Settings, best_schedule
    from tvilling.rl_control.planning.schedule import END_SHORT_DKK_PER_MWH

    chosen, reserve_mwh = case.plan, 0.0
    settings = Settings(
        commitment=chosen.commitment,
        end_mwh=plant.tank.capacity_mwh / 2,
        end_short_dkk_per_mwh=END_SHORT_DKK_PER_MWH,
        gap=chosen.gap,
        limit_s=chosen.limit_s,
    )
    for _ in range(TRIES):
        find = partial(best_schedule, settings=replace(settings, reserve_mwh=reserve_mwh))
        decision = decide(0, lambda step: (plant, load_mw), before, find)
        checked = check_schedule(case.plant, around, plant, load_mw, before, decision.schedule)
        if checked.enough or decision.how != "plan":
            break
        reserve_mwh += checked.unserved_mwh + RESERVE_STEP * plant.tank.capacity_mwh
    return decision, checked, reserve_mwh
