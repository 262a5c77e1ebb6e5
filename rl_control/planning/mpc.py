"""Planning anew every day, or hour, on what is known by then, and running it on what comes.

At each moment of planning the outlook gives the plant and the demand as they are believed to be
over the horizon: prices to the end of tomorrow once they are published, and forecasts beyond. The
cheapest schedule of the horizon is found; its first hours are run by `settle.operate` on what
really comes, and the plant as it then stands is the beginning of the next plan.

A plan that cannot be had is replaced, and the reason kept: by the operator's rule on the same
outlook, or, where there is no outlook, by the last plan held on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from tvilling.rl_control.planning.merit_order import merit_order
from tvilling.rl_control.planning.programme import Settings
from tvilling.rl_control.planning.realise_dispatch import operate
from tvilling.rl_control.planning.repeated import Repeated
from tvilling.rl_control.planning.schedule import InitialState, Schedule, joined
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.linear import LinearPlant

PlantForecast = Callable[[int], tuple[LinearPlant, Float[np.ndarray, " time"]]]
How = Literal["plan", "rule", "hold"]


@dataclass(frozen=True)
class Decision:
    """One plan: how it was found, and why not otherwise.

    Attributes
    ----------
    step
        Number of the first step that it decides.
    how
        `plan`: the cheapest schedule; `rule`: the operator's rule; `hold`: the last plan.
    reason
        Why it is not a plan, in words; empty for a plan.
    gap
        Proven relative gap of a plan.
    schedule
        Over its horizon, as it was believed.
    """

    step: int
    how: How
    reason: str
    gap: float
    schedule: Schedule


@dataclass(frozen=True)
class Operated:
    """A period as it was run, and every decision in it."""

    schedule: Schedule
    decisions: tuple[Decision, ...] = field(default=())


def decide(
    step: int,
    outlook: PlantForecast,
    before: InitialState,
    find: Callable[[LinearPlant, np.ndarray, InitialState], Schedule],
    last: Decision | None = None,
) -> Decision:
    """The decision at `step`: a plan; where there is none the rule; without an outlook, hold.

    Parameters
    ----------
    find
        Makes a schedule of the outlook, such as `best_schedule`.
    last
        The decision before, to hold on to.

    Raises
    ------
    InputError
        There is no outlook and nothing to hold on to.
    """
    try:
        plant, demand_mw = outlook(step)
    except InputError as error:
        if last is None:
            raise
        return _held(step, last, f"no outlook: {'; '.join(error.faults)}")
    found = find(plant, demand_mw, before)
    if np.isfinite(found.load).all():
        return Decision(step, "plan", "", found.gap, found)
    reason = f"no plan: the solver says {found.status}"
    return Decision(step, "rule", reason, np.nan, merit_order(plant, demand_mw, before))


def _held(step: int, last: Decision, reason: str) -> Decision:
    """The rest of the last schedule, and then its last day over and over."""
    gone = step - last.step
    schedule = last.schedule
    steps = schedule.load.shape[1]
    day = min(24, steps)
    at = np.arange(gone, gone + steps)
    at = np.where(at < steps, at, steps - day + (at - steps) % day)
    held = replace(
        schedule,
        load=schedule.load[:, at],
        on=schedule.on[:, at],
        tank_mwh=schedule.tank_mwh[at],
        unserved_mw=schedule.unserved_mw[at],
        surplus_mw=schedule.surplus_mw[at],
        status="held",
    )
    return Decision(step, "hold", reason, np.nan, held)


def run_mpc(
    actual: LinearPlant,
    demand_mw: Float[np.ndarray, " time"],
    before: InitialState,
    outlook: PlantForecast,
    moments: Sequence[int] | Int[np.ndarray, " plan"],
    settings: Settings,
    tell: Callable[[str], None] = lambda stage: None,
) -> Operated:
    """Plan at each of `moments`, run on `actual` and `demand_mw` until the next.

    Parameters
    ----------
    actual, demand_mw
        What really comes, over the whole period.
    outlook
        What is believed at a step: plant and demand from it on, over the horizon.
    moments
        Steps at which a plan is made, the first 0, in order.
    settings
        How each plan is sought.

    Raises
    ------
    InputError
        The moments do not begin with 0 or are not in order, or an outlook is shorter than the
        time to the next plan.
    """
    moments = list(map(int, moments))
    if not moments or moments[0] != 0 or sorted(set(moments)) != moments:
        raise InputError("moments", [f"{moments[:5]} …, expected 0 and then later steps in order"])
    repeated = Repeated(settings)
    parts: list[Schedule] = []
    decisions: list[Decision] = []
    now = before
    last: Decision | None = None
    for begin, end in zip(moments, [*moments[1:], actual.steps], strict=True):
        tell(f"plan {len(decisions) + 1} of {len(moments)}")
        last = decide(begin, outlook, now, repeated.schedule, last)
        steps = end - begin
        if last.schedule.load.shape[1] < steps:
            told = last.schedule.load.shape[1]
            raise InputError("outlook", [f"{told} steps at step {begin}, expected {steps} or more"])
        there = actual.part(slice(begin, end))
        done = operate(there, last.schedule.load[:, :steps], demand_mw[begin:end], now)
        parts.append(done)
        decisions.append(last)
        now = done.after(there, now)
    return Operated(joined(parts), tuple(decisions))
