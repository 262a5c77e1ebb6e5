"""One search for a supply temperature: a window, what may be chosen, and the runs behind it."""

from dataclasses import dataclass, replace
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.rl_control.production.supply_cost import Account
from tvilling.rl_control.production.supply_course import Course, Pulses, between, pulses
from tvilling.rl_control.production.supply_limits import KINDS, SupplyLimits, course_rows, row_kinds
from tvilling.rl_control.production.supply_run import (
    Conditions,
    Run,
    as_numpy,
    linearised,
    simulated,
)
from tvilling.rl_control.production.supply_search import Found, SearchSettings, Tangent, search
from tvilling.rl_control.production.supply_window import HOUR_S, SupplyWindow
from tvilling.sciml.units import J_PER_KWH

MEMORY_H = 12  # after which a network has forgotten what was sent; see `pulses`
GROUPS = MEMORY_H + 2  # an hour's set-point changes two hours of supply
FIRST_MARGIN = {"temperature": 0.01, "lift": 0.01, "source": 0.01}  # in the units of `KINDS`
MORE_MARGIN = 0.005


@dataclass(frozen=True)
class Job:
    """A window, the course that may be chosen, and the conditions of its runs.

    Attributes
    ----------
    window, course
        As `plan_supply` takes them.
    coarse, fine
        Conditions of the search, in the window's steps, and of the verifying run.
    """

    window: SupplyWindow
    course: Course
    coarse: Conditions
    fine: Conditions

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

    def search(
        self,
        start: Float[np.ndarray, " number"],
        margin: Float[np.ndarray, " kind"],
        settings: SearchSettings,
    ) -> Found | None:
        """The best numbers with limits tightened by `margin`; None where no course is possible."""
        rows = course_rows(self.coarse.limits, self.course.basis, self.course.offset_degc)
        return search(lambda numbers: self.tangent(numbers, margin), start, rows, settings)

    def tangent(
        self, numbers: Float[np.ndarray, " number"], margin: Float[np.ndarray, " kind"]
    ) -> Tangent:
        """Cost and limits at `numbers`, each kind of limit tightened by `margin`."""
        supply = self._weights @ self.course.setpoints_degc(numbers)
        found = linearised(self.coarse, supply, self._along.direction)
        (cost, excess), (cost_slope, slope) = jax.tree.map(np.asarray, found)
        kinds = row_kinds(len(self.window.network.layout.consumer_names))
        return Tangent(
            cost=float(cost.sum()),
            gradient=self._along.gradient(cost_slope, len(numbers)),
            excess=excess + margin[kinds],
            shown=slope,
            owner=self._along.owner,
        )

    @cached_property
    def _weights(self) -> Float[np.ndarray, "step node"]:
        return between(self.window.steps_per_hour, self.window.hours + 1)

    @cached_property
    def _along(self) -> Pulses:
        memory = MEMORY_H * self.window.steps_per_hour
        return pulses(self._weights @ self.course.basis, memory, GROUPS)


def first_margin() -> Float[np.ndarray, " kind"]:
    """What limits are tightened by at first; pressure is not, as the pump may hold it just so."""
    return np.array([FIRST_MARGIN.get(kind, 0.0) for kind in KINDS])


def more_margin(
    margin: Float[np.ndarray, " kind"], excess: Float[Array | np.ndarray, "step row"]
) -> Float[np.ndarray, " kind"]:
    """`margin`, wider for the kinds of limits that a verifying run missed."""
    kinds = row_kinds((excess.shape[1] - 2) // 3)
    worst = np.array([excess[:, kinds == at].max() for at in range(len(KINDS))])
    return margin + np.where(worst > 0, worst + MORE_MARGIN, 0.0)
