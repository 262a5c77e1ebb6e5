"""A period run again, day by day, as it would have been: rule, planning, and the best possible.

Four ways to run the same plant through the same hours:

- merit order, no tank: the cheapest heat first, without the store;
- merit order: the operator's rule, which uses it;
- planned: `run_mpc`, with what was known at each moment;
- perfect foresight: one programme over the whole period, which nothing can be below.

Heat that is left in the store at the end, above or below what it began with, is worth what another
MWh of it would cost under perfect foresight, so that emptying it does not pay and nothing comes
below the bound.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tvilling.rl_control.planning.information_set import InformationSet
from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.mpc import Decision, run_mpc
from tvilling.rl_control.planning.programme import Settings, best_schedule, worth_dkk_per_mwh
from tvilling.rl_control.planning.schedule import (
    END_SHORT_DKK_PER_MWH,
    Bill,
    InitialState,
    Schedule,
    bill,
)
from tvilling.rl_control.planning.windows import long_schedule
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_plant.linear import LinearPlant
from tvilling.sciml.systems.heat_plant.linearisation import linearise

NO_TANK, RULE, PLANNED, BEST = "merit order, no tank", "merit order", "planned", "perfect foresight"
LONG_STEPS = 400  # from here on a schedule with starts is sought window by window


@dataclass(frozen=True)
class Outcome:
    """One way to run the period.

    Attributes
    ----------
    cost_dkk
        Of the bill, less the worth of heat left in the store.
    """

    schedule: Schedule
    bill: Bill
    cost_dkk: float


@dataclass(frozen=True)
class Backtest:
    """The ways side by side, and the decisions of the planned one.

    Attributes
    ----------
    actual
        The plant as it really was, over the period.
    outcomes
        By name, in the order of the module.
    worth_dkk_per_mwh
        What heat left in the store counts.
    """

    actual: LinearPlant
    demand_mw: np.ndarray
    outcomes: dict[str, Outcome]
    worth_dkk_per_mwh: float
    decisions: tuple[Decision, ...]

    __repr__ = short_repr

    def regret(self, name: str = PLANNED) -> float:
        """How much dearer a way was than perfect foresight, as a share."""
        best = self.outcomes[BEST].cost_dkk
        return (self.outcomes[name].cost_dkk - best) / abs(best)

    def saving(self, name: str = PLANNED, against: str = NO_TANK) -> float:
        """How much cheaper one way was than another, as a share of the other."""
        there = self.outcomes[against].cost_dkk
        return (there - self.outcomes[name].cost_dkk) / abs(there)

    def reached(self, name: str = PLANNED, against: str = RULE) -> float:
        """Share of the saving that was possible against a rule; not a number where none was."""
        there, best = self.outcomes[against].cost_dkk, self.outcomes[BEST].cost_dkk
        possible = there - best
        return (there - self.outcomes[name].cost_dkk) / possible if possible > 0 else np.nan


def backtest(
    known: InformationSet,
    moments: np.ndarray,
    settings: Settings,
    tank_mwh: float | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Backtest:
    """Run the period of `known` in all four ways.

    Parameters
    ----------
    moments
        Steps at which a plan is made, the first 0.
    settings
        How schedules are sought. The store ends as full as it began; `end_mwh` says how full a
        plan leaves it at the end of its horizon, by default as full as at the beginning.
    tank_mwh
        Heat in the store at the beginning; half full by default.

    Raises
    ------
    InputError
        The conditions or the demand are at fault, or perfect foresight finds no schedule.
    """
    actual, demand = linearise(known.plant, known.conditions), known.demand_mw
    before = InitialState.at_rest(actual, tank_mwh)
    closed = replace(settings, end_mwh=before.tank_mwh)
    tell(BEST)
    if settings.commitment and actual.steps >= LONG_STEPS:
        best = long_schedule(actual, demand, before, closed, tell=tell)
    else:
        best = best_schedule(actual, demand, before, closed)
    if not np.isfinite(best.load).all():
        raise InputError("backtest", [f"perfect foresight: the solver says {best.status}"])
    plans = settings if settings.end_mwh is not None else closed
    plans = replace(plans, end_short_dkk_per_mwh=END_SHORT_DKK_PER_MWH)
    operated = run_mpc(actual, demand, before, known, moments, plans, tell)
    tell(RULE)
    by_rule = partial(merit_order, actual, demand, before, keep_times=settings.commitment)
    schedules = {
        NO_TANK: by_rule(with_tank=False),
        RULE: by_rule(),
        PLANNED: operated.schedule,
        BEST: best,
    }
    worth = worth_dkk_per_mwh(actual, demand, before, closed)
    outcomes = {}
    for name, schedule in schedules.items():
        paid = bill(actual, schedule, before)
        left = float(schedule.tank_mwh[-1]) - before.tank_mwh if name != NO_TANK else 0.0
        outcomes[name] = Outcome(schedule, paid, paid.total_dkk - worth * left)
    return Backtest(actual, demand, outcomes, worth, operated.decisions)
