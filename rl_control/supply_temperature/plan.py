"""A schedule of supply temperatures, found by gradient through the heat network, and verified.

The temperature sent out at every full hour is chosen so that heat and pumping cost least, while
every consumer stays warm enough, gets its pressure and its heat at every step. Hot water sent out
before a dear hour is heat in store, water as cool as the farthest consumer allows is a better COP
and less loss, and cooler water is more flow to pump: the network model weighs them. The plan is
then simulated in shorter steps than it was sought in; one that misses a limit there is sought
again with what was missed added to the limit, and never handed out.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import jax
import numpy as np
from jaxtyping import Array, Float

from tvilling.rl_control.supply_temperature.cost import Saving, saving
from tvilling.rl_control.supply_temperature.limits import SupplyLimits, margins
from tvilling.rl_control.supply_temperature.network_run import Run
from tvilling.rl_control.supply_temperature.profile import Course, hourly
from tvilling.rl_control.supply_temperature.report import as_dataset, by_hour, shortfall
from tvilling.rl_control.supply_temperature.search import SearchResult, SearchSettings
from tvilling.rl_control.supply_temperature.search_task import HAIR, Job
from tvilling.rl_control.supply_temperature.window import HOUR_S, SupplyWindow
from tvilling.sciml.core.results import status_text
from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.heat_network import HeatState

if TYPE_CHECKING:
    import xarray as xr

HOPELESS = 0.1  # units missed, summed over the steps: the search found no plan, not a hair too much
NEAR_K = 0.5  # radius of a search that starts where another ended
Outcome = Literal["planned", "no saving", "infeasible", "missed", "flagged"]


@dataclass(frozen=True)
class PlanSettings:
    """How a plan is sought and verified.

    Attributes
    ----------
    search
        Of each search.
    substeps
        Steps of the verifying run in one of the window's.
    tighten
        How often at most a plan that misses is sought again.
    excuse_curve
        A limit that the curve misses in a step may be missed as much there. So a plan can be made
        from a network that is too cold at the start, where nothing helps in the first hours.
    """

    search: SearchSettings = field(default_factory=SearchSettings)
    substeps: int = 3
    tighten: int = 6
    excuse_curve: bool = False


@dataclass(frozen=True)
class SupplyPlan:
    """A supply temperature for every hour, as verified.

    Attributes
    ----------
    outcome
        `planned`; or why the curve is handed back instead: `no saving`, `infeasible` (the limits
        cannot be kept), `missed` (kept in the search, not in the verifying run), `flagged` (the
        network's status in the verifying run is not zero).
    reason
        The same in words, empty for a plan.
    data
        By `course` (`curve`, `plan`) and hour, the quantities of `supply_report.NAMES`. Where
        there is no plan, both are the curve.
    saving
        Against the curve, over the whole window.
    margins, curve_margins
        What is left of each kind of limit at its worst step, in its own unit, negative where it is
        missed: of what is handed out, and of the curve.
    setpoints_degc
        Of what is handed out, by the full hour, the end of the window included.
    state
        Of the network at the end of every hour, leaves led by hour.
    rounds, tightened
        Linear programmes solved, and how often a plan that missed was sought again.
    foretold
        Gain that the last programme still saw, over the cost; NaN where none was solved.
    """

    outcome: Outcome
    reason: str
    data: "xr.Dataset"
    saving: Saving
    margins: dict[str, float]
    curve_margins: dict[str, float]
    setpoints_degc: Float[np.ndarray, " node"]
    state: HeatState
    rounds: int
    tightened: int
    foretold: float

    __repr__ = short_repr

    @property
    def is_plan(self) -> bool:
        """Whether there is a plan, not the curve in its place."""
        return self.outcome == "planned"


@dataclass(frozen=True)
class _Tried:
    """What the search and its verification came to; `setpoints_degc` is None without a plan."""

    outcome: Outcome
    reason: str
    rounds: int
    tightened: int
    foretold: float
    setpoints_degc: Float[np.ndarray, " node"] | None = None
    run: Run | None = None


def plan_supply(
    window: SupplyWindow,
    limits: SupplyLimits | None = None,
    course: Course | None = None,
    settings: PlanSettings | None = None,
) -> SupplyPlan:
    """The course of supply temperatures that costs least, verified; or the curve, and why.

    Parameters
    ----------
    window
        Network, forecast and prices.
    limits
        What every consumer and the plant must keep at every step of the verifying run.
    course
        What may be chosen: every hour by itself where it is None; else a course of
        `supply_course`, such as a tuned curve to compare with.

    Raises
    ------
    InputError
        With every fault of `window` or of `limits`.
    """
    limits, settings = limits or SupplyLimits(), settings or PlanSettings()
    window.check()
    limits.check(len(window.network.layout.consumer_names))
    course = course or hourly(window.curve_degc, window.run_out_h)
    job = Job.of(window, limits, course, settings.substeps)
    curve = job.verified(window.curve_degc)
    job = job.with_credit(curve)
    if settings.excuse_curve:
        job = replace(job, excused=np.maximum(curve.excess, 0.0))
    return _handed_out(job, curve, _try(job, curve, settings))


def _try(job: Job, curve: Run, settings: PlanSettings) -> _Tried:
    """Search, verify, and where a limit is missed there, search again with what was missed.

    The gap between the steps of the search and the shorter ones is taken from the start at first.
    """
    numbers, rounds, search = job.course.start, 0, settings.search
    first = job.verified(job.course.setpoints_degc(numbers))
    gap = job.gap(first, job.tangent(numbers).excess)
    for tightened in range(settings.tighten + 1):
        found = job.search(numbers, gap, search)
        if found is None:
            why = "no course keeps the range and the ramp of the supply temperature"
            return _Tried("infeasible", why, rounds, tightened, np.nan)
        rounds += found.rounds
        told = rounds, tightened, found.foretold
        missed = found.excess - HAIR
        if not tightened and np.maximum(missed.max(axis=1), 0.0).sum() > HOPELESS:
            return _Tried("infeasible", _missed(job, missed, job.coarse.dt_s), *told)
        run = job.verified(job.course.setpoints_degc(found.numbers))
        if np.all(job.missed(run) <= 0):
            return _judged(job, curve, found, run, told)
        gap, numbers = job.wider(gap, run, found.excess), found.numbers
        search = replace(search, radius_k=min(search.radius_k, NEAR_K))
    return _Tried("missed", _missed(job, job.missed(run), job.fine.dt_s), *told)


def _judged(
    job: Job, curve: Run, found: SearchResult, run: Run, told: tuple[int, int, float]
) -> _Tried:
    """A plan that keeps all limits, unless it saves nothing or the model is not sure of it."""
    flagged = np.flatnonzero(run.status)
    if len(flagged):
        hour = flagged[0] * job.fine.dt_s / HOUR_S
        words = status_text(int(np.bitwise_or.reduce(run.status[flagged])))
        why = f"{words} ({len(flagged)} steps, first in hour {hour:.2f})"
        return _Tried("flagged", why, *told)
    saved_dkk = saving(job.account, curve.plant, run.plant).total_dkk
    if saved_dkk <= 0 and np.all(job.missed(curve) <= 0):
        return _Tried("no saving", f"the plan would cost {-saved_dkk:.3g} DKK more", *told)
    setpoints = job.course.setpoints_degc(found.numbers)
    return _Tried("planned", "", *told, setpoints_degc=setpoints, run=run)


def _handed_out(job: Job, curve: Run, tried: _Tried) -> SupplyPlan:
    """The plan, or the curve where there is none."""
    run = curve if tried.run is None else tried.run
    given = job.window.curve_degc
    setpoints = given if tried.setpoints_degc is None else tried.setpoints_degc
    cost, dt_s = job.fine.cost, job.fine.dt_s
    courses = {
        "curve": by_hour(curve, given, cost, dt_s),
        "plan": by_hour(run, setpoints, cost, dt_s),
    }
    per_hour = round(HOUR_S / dt_s)
    return SupplyPlan(
        outcome=tried.outcome,
        reason=tried.reason,
        data=as_dataset(courses, job.window.start, job.window.run_out_h),
        saving=saving(job.account, curve.plant, run.plant),
        margins=margins(run.excess),
        curve_margins=margins(curve.excess),
        setpoints_degc=setpoints,
        state=jax.tree.map(lambda leaf: leaf[per_hour - 1 :: per_hour], run.state),
        rounds=tried.rounds,
        tightened=tried.tightened,
        foretold=tried.foretold,
    )


def _missed(job: Job, excess: Array | np.ndarray, dt_s: float) -> str:
    return shortfall(excess, job.window.network.layout.consumer_names, dt_s / HOUR_S)
