"""One search for a supply temperature: a window, what may be chosen, and the runs behind it."""

from dataclasses import dataclass, replace
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from tvilling.rl_control.supply_temperature.cost import Account
from tvilling.rl_control.supply_temperature.limits import SupplyLimits, course_rows
from tvilling.rl_control.supply_temperature.network_run import (
    Conditions,
    Run,
    as_numpy,
    linearised,
    simulated,
)
from tvilling.rl_control.supply_temperature.profile import Course, Pulses, between, pulses
from tvilling.rl_control.supply_temperature.search import (
    SearchResult,
    SearchSettings,
    Tangent,
    search,
)
from tvilling.rl_control.supply_temperature.window import HOUR_S, SupplyWindow
from tvilling.sciml.core.units import J_PER_KWH

Rows = Float[np.ndarray, "step row"]
MEMORY_H = 12  # after which a network has forgotten what was sent; see `pulses`
GROUPS = MEMORY_H + 2  # an hour's set-point changes two hours of supply
HAIR = 0.002  # units of `supply_limits.KINDS` that the search stays away from every limit


@dataclass(frozen=True)
class Job:
    """A window, the course that may be chosen, and the conditions of its runs.

    Attributes
    ----------
    window, course
        As `plan_supply` takes them.
    coarse, fine
        Conditions of the search, in the window's steps, and of the verifying run.
    excused
        By how much rows may be missed in the verifying run.
    """

    window: SupplyWindow
    course: Course
    coarse: Conditions
    fine: Conditions
    excused: Rows | float = 0.0

    @classmethod
    def of(cls, window: SupplyWindow, limits: SupplyLimits, course: Course, substeps: int) -> "Job":
        """A job whose verifying run has `substeps` steps in one of the window's.

        Heat that is left in the pipes at the end is worth nothing yet; see `with_credit`.
        """
        drive = {name: jnp.asarray(window.drive[name]) for name in ("heat_w", "ground_degc")}
        held = window.network, window.state, drive, window.cost, limits
        coarse = Conditions(*held, credit_dkk_per_kwh=0.0, dt_s=window.dt_s)
        return cls(window, course, coarse, coarse.finer(substeps))

    def with_credit(self, curve: Run) -> "Job":
        """The same with heat left in the pipes worth what heat costs along the curve on average."""
        heat_kwh = np.sum(curve.plant["source_w"]) * self.fine.dt_s / J_PER_KWH
        credit = float(np.sum(curve.cost_dkk) / heat_kwh)
        coarse = replace(self.coarse, credit_dkk_per_kwh=credit)
        return replace(self, coarse=coarse, fine=replace(self.fine, credit_dkk_per_kwh=credit))

    @property
    def account(self) -> Account:
        """How the verifying run is paid for."""
        fine, window = self.fine, self.window
        planned = round((window.hours - window.run_out_h) * HOUR_S / fine.dt_s)
        return Account(fine.cost, fine.dt_s, planned, float(fine.credit_dkk_per_kwh))

    def verified(self, setpoints_degc: Float[np.ndarray, " node"]) -> Run:
        """The verifying run."""
        weights = between(round(HOUR_S / self.fine.dt_s), self.window.hours + 1)
        return as_numpy(simulated(self.fine, weights @ setpoints_degc))

    def missed(self, run: Run) -> Rows:
        """Rows of a verifying run, less what is excused."""
        return np.asarray(run.excess) - self.excused

    def gap(self, run: Run, excess: Rows) -> Rows:
        """By how much more a verifying run misses than the search saw, where both are the same.

        The worst of the short steps in each step, and a hair.
        """
        more = self._worst(run, len(excess)) - np.where(np.isfinite(excess), excess, 0.0)
        return np.where(np.isfinite(more), more, 0.0) + HAIR

    def wider(self, gap: Rows, run: Run, excess: Rows) -> Rows:
        """A gap for the next search, where one with `gap` ended at `excess` and `run` missed.

        Never less than before, and a hair more where a limit was missed, so that it settles.
        """
        missed = self._worst(run, len(excess)) > 0
        return np.maximum(gap, self.gap(run, excess - gap)) + HAIR * missed

    def search(
        self, start: Float[np.ndarray, " number"], gap: Rows, settings: SearchSettings
    ) -> SearchResult | None:
        """The best numbers with `gap` added to the rows; None where no course is possible."""
        rows = course_rows(self.coarse.limits, self.course.basis, self.course.offset_degc)

        def tightened(numbers: Float[np.ndarray, " number"]) -> Tangent:
            tangent = self.tangent(numbers)
            return replace(tangent, excess=tangent.excess + gap)

        return search(tightened, start, rows, settings)

    def tangent(self, numbers: Float[np.ndarray, " number"]) -> Tangent:
        """Cost and limits at `numbers`."""
        supply = self._weights @ self.course.setpoints_degc(numbers)
        found = linearised(self.coarse, supply, self._along.direction)
        (cost, excess), (cost_slope, slope) = jax.tree.map(np.asarray, found)
        return Tangent(
            cost=float(cost.sum()),
            gradient=self._along.gradient(cost_slope, len(numbers)),
            excess=excess,
            shown=slope,
            owner=self._along.owner,
        )

    def _worst(self, run: Run, steps: int) -> Rows:
        """Rows of a verifying run at the worst of the short steps in each of `steps`."""
        missed = self.missed(run)
        return missed.reshape(steps, -1, missed.shape[1]).max(axis=1)

    @cached_property
    def _weights(self) -> Float[np.ndarray, "step node"]:
        return between(self.window.steps_per_hour, self.window.hours + 1)

    @cached_property
    def _along(self) -> Pulses:
        memory = MEMORY_H * self.window.steps_per_hour
        return pulses(self._weights @ self.course.basis, memory, GROUPS)
