"""What a power flow of many scenarios gives back, and when it counts as solved."""

import os
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.systems.power_grid.model.grid import PowerGrid
from tvilling.sciml.systems.power_grid.solver.scenarios import Outages

QUICK_STEPS = 12
ROUNDING = 64 * np.finfo(float).eps  # of the greatest admittance: no mismatch can be told below


class Outcome(IntEnum):
    """What came of a scenario."""

    SOLVED = 0
    INFEASIBLE = 1  # its way from no load ends at a nose before it
    UNSUPPLIED = 2  # solved, but some buses have no way to a slack bus
    UNKNOWN = 3  # neither a solution nor a nose was found


def holds(outcome: Any) -> Any:
    """Whether voltages with this `Outcome` are a solution; elementwise, for any kind of array."""
    return (outcome == Outcome.SOLVED) | (outcome == Outcome.UNSUPPLIED)


@dataclass(frozen=True)
class Tolerance:
    """When a scenario counts as solved.

    Attributes
    ----------
    mismatch_pu
        Greatest mismatch of active or reactive power, or of a squared voltage [p.u.]. Where the
        grid's admittances are so great that rounding alone exceeds it, rounding counts.
    steps
        Newton steps before a scenario is followed from the base case instead.
    """

    mismatch_pu: float = 1e-9
    steps: int = QUICK_STEPS

    def of(self, grid: PowerGrid) -> float:
        """The greatest mismatch that is accepted on `grid` [p.u.]."""
        own = np.hypot(grid.admittance.g_own, grid.admittance.b_own)
        return max(self.mismatch_pu, ROUNDING * float(own.max(initial=0.0)))


@dataclass(frozen=True)
class Flow:
    """Voltages of a batch of scenarios.

    Attributes
    ----------
    grid
        The grid.
    e, f
        Real and imaginary part of the voltages `[scenario, bus]` [p.u.].
    outcome
        `Outcome` of each scenario.
    iterations
        Newton steps of the group of eight that the scenario was in.
    worst_pu
        Greatest mismatch left [p.u.].
    reached
        Where no solution was found: the share of all the scenario's loads and generation up to
        which there is one (of the way from the base case, on grids that have none without load),
        for `UNKNOWN` up to which one is known, NaN where none is; else 1.
    weakest
        The bus whose voltage has fallen most at the last solution on that way, of which the
        voltages are then given; -1 where solved.
    start
        What led to the base case that all scenarios begin from; empty where nothing did.
    outages
        Branches that differ by scenario, or None.
    dead
        Buses without supply `[scenario, bus]`, or None where all have.
    options
        How it was solved.
    """

    grid: PowerGrid
    e: np.ndarray
    f: np.ndarray
    outcome: np.ndarray
    iterations: np.ndarray
    worst_pu: np.ndarray
    reached: np.ndarray
    weakest: np.ndarray
    outages: Outages | None = None
    dead: np.ndarray | None = field(default=None, repr=False)
    options: "Options | None" = None
    start: str = ""

    __repr__ = short_repr

    @cached_property
    def v(self) -> np.ndarray:
        """Complex voltages `[scenario, bus]` [p.u.]."""
        v = np.empty(self.e.shape, complex)
        v.real, v.imag = self.e, self.f
        return v

    @cached_property
    def vm_pu(self) -> np.ndarray:
        """Voltage magnitudes `[scenario, bus]` [p.u.]."""
        return np.sqrt(self.e * self.e + self.f * self.f)

    @cached_property
    def va_rad(self) -> np.ndarray:
        """Voltage angles `[scenario, bus]` [rad]."""
        return np.arctan2(self.f, self.e)

    @property
    def solved(self) -> np.ndarray:
        """Scenarios whose voltages hold."""
        return np.asarray(holds(self.outcome))


@dataclass(frozen=True)
class Options:
    """How a batch is solved.

    Attributes
    ----------
    tolerance
        When a scenario counts as solved.
    q_limits
        Keep machines within their reactive limits; None: where the file asks for it.
    distributed_slack
        Share what the slack buses make up by the file's `slack_weight`; None: where the file asks
        for it.
    threads
        Blocks solved at the same time; 0 takes every core that the process may use.
    """

    tolerance: Tolerance = Tolerance()
    q_limits: bool | None = None
    distributed_slack: bool | None = None
    threads: int = 1

    def on(self, grid: PowerGrid) -> "Options":
        """The options with what the file of `grid` asks for where they leave it open."""

        def counts(own: bool | None, theirs: str) -> bool:
            return bool(grid.options.get(theirs, False)) if own is None else own

        return replace(
            self,
            q_limits=counts(self.q_limits, "enforce_q_lims"),
            distributed_slack=counts(self.distributed_slack, "distributed_slack"),
        )

    @property
    def workers(self) -> int:
        """Threads to start."""
        return self.threads or len(os.sched_getaffinity(0))


DEFAULT = Options()
