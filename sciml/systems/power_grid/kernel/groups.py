"""Batches through the kernel: scenarios are taken eight at a time, in blocks that fit a cache."""

from typing import NamedTuple, no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.kernel.elimination import Plan
from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH
from tvilling.sciml.systems.power_grid.kernel.newton import (
    FIRM,
    MISMATCH,
    SIGN,
    STEP,
    judge,
    mismatch,
    move,
    resolve,
    solve,
)
from tvilling.sciml.systems.power_grid.kernel.workspace import (
    Admittance,
    Factors,
    Kinds,
    Patch,
    Work,
)

KEEP = 5e-3  # factors are kept after a step [p.u.] that is shorter …
FAST = 0.1  # … and as long as each step is this much shorter than the one before
LOST = 1e3  # a step [p.u.] after which a lane is given up


class Changes(NamedTuple):
    """Branches whose admittance differs by scenario.

    Attributes
    ----------
    branch
        Numbers of branches `[scenario, change]`, -1 where there is none.
    delta
        What comes on top `[scenario, change, 8]`: g and b of Y_ff, Y_ft, Y_tf, Y_tt [p.u.].
    from_place, to_place
        Positions of every branch's ends.
    from_slot, to_slot
        Slot of Y_ft in the row of its from-end, and of Y_tf in that of its to-end; -1 where
        the column is a slack bus.
    """

    branch: np.ndarray
    delta: np.ndarray
    from_place: np.ndarray
    to_place: np.ndarray
    from_slot: np.ndarray
    to_slot: np.ndarray


class Batch(NamedTuple):
    """Scenarios, and what is found for each.

    Attributes
    ----------
    e, f
        Voltages `[scenario, bus]` [p.u.]: where to start, and then the solution.
    s
        What the buses ask for `[group, 2m, 8]`, as in `Work`.
    held, load
        As in `Work`, `[group, …, 8]`; one group stands for all.
    dead
        1 where a bus has no supply `[scenario, m]`; no rows where all have.
    iterations, worst, step, sign, firm
        Of each scenario: Newton steps taken, the greatest mismatch [p.u.], the last step [p.u.],
        and, at the last factorisation, the sign of the Jacobian's determinant and the least
        pivot's determinant as a share of what it usually is.
    """

    e: np.ndarray
    f: np.ndarray
    s: np.ndarray
    held: np.ndarray
    load: np.ndarray
    dead: np.ndarray
    iterations: np.ndarray
    worst: np.ndarray
    step: np.ndarray
    sign: np.ndarray
    firm: np.ndarray


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def inject(
    values: np.ndarray,
    base: np.ndarray,
    place: np.ndarray,
    weight: np.ndarray,
    s: np.ndarray,
    odd: int,
) -> None:
    """Add `weight` times what `values` are above `base` at `place` to P (odd = 0) or Q (odd = 1).

    `values` has the shape `[scenario, element]`; elements at slack buses are passed over.
    """
    unknown = s.shape[1] // 2
    scenarios = values.shape[0]
    for g in range((scenarios + WIDTH - 1) // WIDTH):
        first = g * WIDTH
        count = min(WIDTH, scenarios - first)
        for k in range(place.size):
            if place[k] < unknown:
                row = 2 * place[k] + odd
                for t in range(count):
                    s[g, row, t] += weight[k] * (values[first + t, k] - base[k])


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _enter(
    g: int, plan: Plan, w: Work, patch: Patch, changes: Changes, batch: Batch, bus_at: np.ndarray
):
    """Scenarios of group `g` into the workspace; short groups repeat their last one."""
    scenarios = batch.e.shape[0]
    first = g * WIDTH
    for t in range(WIDTH):
        at = min(first + t, scenarios - 1)
        for i in range(plan.n):
            w.v[2 * i, t] = batch.e[at, bus_at[i]]
            w.v[2 * i + 1, t] = batch.f[at, bus_at[i]]
    count = min(WIDTH, scenarios - first)
    w.s[:] = batch.s[g]
    w.held[:] = batch.held[min(g, batch.held.shape[0] - 1)]
    w.load[:] = batch.load[min(g, batch.load.shape[0] - 1)]
    for t in range(count, WIDTH):
        w.s[:, t] = w.s[:, count - 1]
    if batch.dead.shape[0] > 0:
        for t in range(WIDTH):
            at = min(first + t, scenarios - 1)
            for i in range(plan.m):
                w.dead[i, t] = batch.dead[at, i]
    if changes.branch.shape[0] > 0:
        _patch(first, scenarios, plan, patch, changes)


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _patch(first: int, scenarios: int, plan: Plan, patch: Patch, changes: Changes) -> None:
    """Link the changed entries of eight scenarios to their rows."""
    patch.head[:] = -1
    used = 0
    for t in range(WIDTH):
        at = min(first + t, scenarios - 1)
        for c in range(changes.branch.shape[1]):
            branch = changes.branch[at, c]
            if branch < 0:
                continue
            a, b = changes.from_place[branch], changes.to_place[branch]
            delta = changes.delta[at, c]
            if a < plan.m:
                _link(patch, used, t, a, a, -2, delta[0:2], delta[0:2])
                slot = changes.from_slot[branch]
                _link(patch, used + 1, t, a, b, slot, delta[2:4], delta[4:6])
                used += 2
            if b < plan.m:
                _link(patch, used, t, b, b, -2, delta[6:8], delta[6:8])
                slot = changes.to_slot[branch]
                _link(patch, used + 1, t, b, a, slot, delta[4:6], delta[2:4])
                used += 2


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _link(patch, at, lane, row, col, slot, value, mirror) -> None:  # noqa: PLR0913
    patch.lane[at] = lane
    patch.col[at] = col
    patch.slot[at] = slot
    patch.value[at, 0] = value[0]
    patch.value[at, 1] = value[1]
    patch.value[at, 2] = mirror[0]
    patch.value[at, 3] = mirror[1]
    patch.link[at] = patch.head[row]
    patch.head[row] = at


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _longest(w: Work) -> float:
    """Greatest step of the lanes that are not given up."""
    longest = 0.0
    for t in range(WIDTH):
        if w.told[STEP, t] < LOST:
            longest = max(longest, w.told[STEP, t])
    return longest


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _done(w: Work, tolerance: float) -> bool:
    """Whether every lane has converged or is given up."""
    for t in range(WIDTH):
        if w.told[MISMATCH, t] > tolerance and w.told[STEP, t] < LOST:
            return False
    return True


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def newton(  # noqa: PLR0913
    plan: Plan,
    y: Admittance,
    kinds: Kinds,
    w: Work,
    patch: Patch,
    factors: tuple[Factors, Factors],
    changes: Changes,
    batch: Batch,
    bus_at: np.ndarray,
    tolerance: float,
    limit: int,
    shared: int,
) -> None:
    """Newton's method on every scenario of `batch`, at most `limit` steps each; 0 only looks.

    The first `shared` steps of every group are taken with the factors of the first group, which
    pays where all start from the same voltages. Factors are kept for further steps while these
    get shorter fast: Shamanskii's method, Ukr. Mat. Zh. 19, 1967.
    """
    common, own = factors
    scenarios = batch.e.shape[0]
    for g in range((scenarios + WIDTH - 1) // WIDTH):
        _enter(g, plan, w, patch, changes, batch, bus_at)
        w.told[STEP] = 0.0
        w.told[SIGN] = 1.0
        w.told[FIRM] = 1.0
        mismatch(plan, y, kinds, w, patch)
        steps, last, fresh = 0, np.inf, False
        while steps < limit:
            if steps >= shared:
                if fresh and last < KEEP:
                    resolve(plan, w, own)
                else:
                    solve(plan, y, kinds, w, patch, own, False)
                    fresh = True
            elif g == 0 and steps == 0:
                solve(plan, y, kinds, w, patch, common, False)
            else:
                resolve(plan, w, common)
            move(plan, w)
            steps += 1
            longest = _longest(w)
            fresh = fresh and longest < FAST * last
            last = longest
            mismatch(plan, y, kinds, w, patch)
            if steps > shared and _done(w, tolerance):
                break
        if steps > shared:
            judge(plan, kinds, w, own)
        first = g * WIDTH
        for t in range(min(WIDTH, scenarios - first)):
            at = first + t
            for i in range(plan.n):
                batch.e[at, bus_at[i]] = w.v[2 * i, t]
                batch.f[at, bus_at[i]] = w.v[2 * i + 1, t]
            batch.iterations[at] = steps
            batch.worst[at] = w.told[MISMATCH, t]
            batch.step[at] = w.told[STEP, t]
            batch.sign[at] = 1 if w.told[SIGN, t] > 0 else -1
            batch.firm[at] = w.told[FIRM, t]


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def linear(  # noqa: PLR0913
    plan: Plan,
    y: Admittance,
    kinds: Kinds,
    w: Work,
    patch: Patch,
    factors: Factors,
    changes: Changes,
    batch: Batch,
    bus_at: np.ndarray,
    right: np.ndarray,
    mirrored: bool,
) -> None:
    """Solve J x = right, or Jᵀ x = right, at the voltages of every scenario.

    `right` `[scenario, 2, bus]` is replaced by x: the parts of P and e, and those of Q (or v²) and
    f. Slack buses have no part in it and get 0.
    """
    scenarios = batch.e.shape[0]
    for g in range((scenarios + WIDTH - 1) // WIDTH):
        _enter(g, plan, w, patch, changes, batch, bus_at)
        mismatch(plan, y, kinds, w, patch)
        first = g * WIDTH
        for t in range(WIDTH):
            at = min(first + t, scenarios - 1)
            for i in range(plan.m):
                w.r[2 * i, t] = right[at, 0, bus_at[i]]
                w.r[2 * i + 1, t] = right[at, 1, bus_at[i]]
        solve(plan, y, kinds, w, patch, factors, mirrored)
        for t in range(min(WIDTH, scenarios - first)):
            for i in range(plan.m):
                right[first + t, 0, bus_at[i]] = w.r[2 * i, t]
                right[first + t, 1, bus_at[i]] = w.r[2 * i + 1, t]
            for i in range(plan.m, plan.n):
                right[first + t, 0, bus_at[i]] = 0.0
                right[first + t, 1, bus_at[i]] = 0.0
