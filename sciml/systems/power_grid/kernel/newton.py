"""Newton's method on eight power flows at once, in rectangular coordinates.

With V = e + jf and I = Y V, bus i asks for

    P_i = e_i Re I_i + f_i Im I_i,
    Q_i = f_i Re I_i - e_i Im I_i,   or   e_i² + f_i² = v_i²  where a machine holds the voltage.

All are quadratic, so there is nothing to evaluate but products, and the Jacobian is linear in V:
Tinney and Hart, IEEE Trans. PAS-86(11), 1967, doi:10.1109/TPAS.1967.291823, written in the
coordinates of Iwamoto and Tamura, IEEE Trans. PAS-100(4), 1981, doi:10.1109/TPAS.1981.316511.

A row is assembled, eliminated and put away while it is in the nearest cache; its part left of the
diagonal is used at once and never stored. Pivots are the 2 × 2 blocks on the diagonal in the
order of the plan. The Jacobian's determinant is the product of theirs: where its sign differs from
that of the base case, the voltages belong to another, unstable branch of solutions. Two pivots
that turned leave that sign as it was, so each is compared with what it usually is.
"""

from typing import Any, no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.kernel.elimination import Plan
from tvilling.sciml.systems.power_grid.kernel.lanes import (
    WIDTH,
    absolute,
    flipped,
    greater,
    load,
    root,
    splat,
    store,
)
from tvilling.sciml.systems.power_grid.kernel.workspace import (
    Admittance,
    Factors,
    Kinds,
    Patch,
    Work,
)

PINNED = 1e6  # weight on the diagonal of a bus without supply, in the base admittance


MISMATCH, STEP, SIGN, FIRM = 0, 1, 2, 3


COMPILED: Any = {"nogil": True, "error_model": "numpy", "cache": True}
# Arrays are taken out of their tuples once a call: each look into a tuple costs a reference count.


@njit(inline="always")
@no_type_check
def _current(i, v, entry_ptr, entry_col, g, b, g_own, b_own):  # noqa: PLR0913
    """Re and Im of the current into bus `i`, as the grid has it."""
    e, f = load(v, 2 * i), load(v, 2 * i + 1)
    g_ii, b_ii = splat(g_own[i]), splat(b_own[i])
    re, im = g_ii * e - b_ii * f, b_ii * e + g_ii * f
    for k in range(entry_ptr[i], entry_ptr[i + 1]):
        g_ij, b_ij = splat(g[k]), splat(b[k])
        e, f = load(v, 2 * entry_col[k]), load(v, 2 * entry_col[k] + 1)
        re, im = re + g_ij * e - b_ij * f, im + b_ij * e + g_ij * f
    return re, im


@njit(inline="always")
@no_type_check
def _patch_current(at, re, im, v, some, link, lane, col, value):  # noqa: PLR0913
    """Re and Im of a bus's current with what single lanes change, from patch `at` on."""
    store(some, 0, re)
    store(some, 1, im)
    while at >= 0:
        t, j = lane[at], col[at]
        g, b = value[at, 0], value[at, 1]
        some[0, t] += g * v[2 * j, t] - b * v[2 * j + 1, t]
        some[1, t] += b * v[2 * j, t] + g * v[2 * j + 1, t]
        at = link[at]
    return load(some, 0), load(some, 1)


@njit(inline="always")
@no_type_check
def _dependent(z, e, f, power, share):
    """What a voltage-dependent load takes beyond its power at 1 p.u., and d/de, d/df over e, f."""
    one, two = splat(1.0), splat(2.0)
    square = e * e + f * f
    size = root(square)
    p, q = load(power, 2 * z), load(power, 2 * z + 1)
    p_i, p_z = splat(share[z, 0]), splat(share[z, 1])
    q_i, q_z = splat(share[z, 2]), splat(share[z, 3])
    return (
        p * (p_i * (size - one) + p_z * (square - one)),
        q * (q_i * (size - one) + q_z * (square - one)),
        p * (p_i / size + two * p_z),
        q * (q_i / size + two * q_z),
    )


@njit(**COMPILED)
@no_type_check
def mismatch(plan: Plan, y: Admittance, kinds: Kinds, w: Work, patch: Patch) -> None:
    """Currents and mismatches at the voltages of `w`; the greatest mismatch is told."""
    entry_ptr, entry_col = plan.entry_ptr, plan.entry_col
    g, b, g_own, b_own = y.g, y.b, y.g_own, y.b_own
    holder, depends, share = kinds.holder, kinds.depends, kinds.shares
    v, s, held, power, dead, some = w.v, w.s, w.held, w.load, w.dead, w.some
    current, r = w.current, w.r
    head, link, lane, col, value = patch.head, patch.link, patch.lane, patch.col, patch.value
    one, worst = splat(1.0), splat(0.0)
    any_dead = dead.shape[0] > 0
    for i in range(plan.m):
        re, im = _current(i, v, entry_ptr, entry_col, g, b, g_own, b_own)
        if head[i] >= 0:
            re, im = _patch_current(head[i], re, im, v, some, link, lane, col, value)
        e, f = load(v, 2 * i), load(v, 2 * i + 1)
        p, q = e * re + f * im, f * re - e * im
        if depends[i] >= 0:
            more_p, more_q, _, _ = _dependent(depends[i], e, f, power, share)
            p, q = p - more_p, q - more_q
        if holder[i] >= 0:
            hold = load(held, holder[i])
            q = (one - hold) * q + hold * (e * e + f * f)
        p, q = p - load(s, 2 * i), q - load(s, 2 * i + 1)
        if any_dead:
            alive = one - load(dead, i)
            p, q = alive * p, alive * q
        store(current, 2 * i, re)
        store(current, 2 * i + 1, im)
        store(r, 2 * i, p)
        store(r, 2 * i + 1, q)
        worst = greater(worst, greater(absolute(p), absolute(q)))
    store(w.told, MISMATCH, worst)


@njit(inline="always")
@no_type_check
def _fill(i, v, row, entry_ptr, entry_slot, g, b, held, holder):  # noqa: PLR0913
    """Blocks of row `i` of the Jacobian, all but the diagonal."""
    e, f, free = load(v, 2 * i), load(v, 2 * i + 1), splat(1.0)
    if holder[i] >= 0:
        free = free - load(held, holder[i])
    for k in range(entry_ptr[i], entry_ptr[i + 1]):
        at = 4 * entry_slot[k]
        if at >= 0:
            g_ij, b_ij = splat(g[k]), splat(b[k])
            a, c = e * g_ij + f * b_ij, f * g_ij - e * b_ij
            store(row, at, a)
            store(row, at + 1, c)
            store(row, at + 2, free * c)
            store(row, at + 3, -(free * a))


@njit(inline="always")
@no_type_check
def _fill_mirrored(i, v, row, entry_ptr, entry_col, entry_slot, g, b, held, holder):  # noqa: PLR0913
    """Blocks of row `i` of the Jacobian's transpose, all but the diagonal."""
    one = splat(1.0)
    for k in range(entry_ptr[i], entry_ptr[i + 1]):
        at = 4 * entry_slot[k]
        if at >= 0:
            j = entry_col[k]
            e, f = load(v, 2 * j), load(v, 2 * j + 1)
            free = one
            if holder[j] >= 0:
                free = one - load(held, holder[j])
            g_ji, b_ji = splat(g[k]), splat(b[k])
            a, c = e * g_ji + f * b_ji, f * g_ji - e * b_ji
            store(row, at, a)
            store(row, at + 1, free * c)
            store(row, at + 2, c)
            store(row, at + 3, -(free * a))


@njit(inline="always")
@no_type_check
def _fill_patches(i, at, a, c, v, row, some, held, holder, link, lane, col, slots, value, mirrored):  # noqa: PLR0913
    """What single lanes change in row `i`; the bus's own part is added to `a` and `c`."""
    store(some, 0, a)
    store(some, 1, c)
    while at >= 0:
        t, slot = lane[at], slots[at]
        k = col[at] if mirrored else i  # whose equation the entry belongs to
        first = 2 if mirrored else 0
        g, b = value[at, first], value[at, first + 1]
        e, f = v[2 * k, t], v[2 * k + 1, t]
        da, dc = e * g + f * b, f * g - e * b
        if slot == -2:
            some[0, t] += da
            some[1, t] += dc
        elif slot >= 0:
            free = 1.0
            if holder[k] >= 0:
                free = 1.0 - held[holder[k], t]
            row[4 * slot, t] += da
            row[4 * slot + 3, t] -= free * da
            row[4 * slot + (2 if mirrored else 1), t] += dc
            row[4 * slot + (1 if mirrored else 2), t] += free * dc
        at = link[at]
    return load(some, 0), load(some, 1)


@njit(**COMPILED)
@no_type_check
def solve(
    plan: Plan,
    y: Admittance,
    kinds: Kinds,
    w: Work,
    patch: Patch,
    factors: Factors,
    mirrored: bool,
) -> None:
    """Solve J x = r, or Jᵀ x = r, at the voltages and currents of `w`; x replaces r.

    The factors are kept. The greatest entry of x is told. All stands in one piece, since numba
    counts references to arrays that go into functions, inlined or not, which takes a third more.
    """
    entry_ptr, entry_col, entry_slot = plan.entry_ptr, plan.entry_col, plan.entry_slot
    lower_ptr, lower_col, upper_ptr = plan.lower_ptr, plan.lower_col, plan.upper_ptr
    target, new_ptr, new_slot = plan.target, plan.new_ptr, plan.new_slot
    g, b, g_own, b_own, g_mirror, b_mirror = y.g, y.b, y.g_own, y.b_own, y.g_mirror, y.b_mirror
    holder, depends, share = kinds.holder, kinds.depends, kinds.shares
    v, held, power, dead, some = w.v, w.held, w.load, w.dead, w.some
    current, r, row = w.current, w.r, w.row
    lower, pivot, upper = factors.lower, factors.pivot, factors.upper
    head, link, lane, col = patch.head, patch.link, patch.lane, patch.col
    slots, value = patch.slot, patch.value
    zero, one, two = splat(0.0), splat(1.0), splat(2.0)
    t = 0
    for i in range(plan.m):
        first, count = lower_ptr[i], lower_ptr[i + 1] - lower_ptr[i]
        own = 4 * count
        for k in range(new_ptr[i], new_ptr[i + 1]):
            at = 4 * new_slot[k]
            store(row, at, zero)
            store(row, at + 1, zero)
            store(row, at + 2, zero)
            store(row, at + 3, zero)
        if mirrored:
            _fill_mirrored(
                i, v, row, entry_ptr, entry_col, entry_slot, g_mirror, b_mirror, held, holder
            )
        else:
            _fill(i, v, row, entry_ptr, entry_slot, g, b, held, holder)
        e, f = load(v, 2 * i), load(v, 2 * i + 1)
        re, im = load(current, 2 * i), load(current, 2 * i + 1)
        g_ii, b_ii = splat(g_own[i]), splat(b_own[i])
        a, c = e * g_ii + f * b_ii, f * g_ii - e * b_ii
        if head[i] >= 0:
            a, c = _fill_patches(
                i,
                head[i],
                a,
                c,
                v,
                row,
                some,
                held,
                holder,
                link,
                lane,
                col,
                slots,
                value,
                mirrored,
            )
        d0, d1, d2, d3 = a + re, c + im, c - im, re - a
        if depends[i] >= 0:
            _, _, dp, dq = _dependent(depends[i], e, f, power, share)
            d0, d1, d2, d3 = d0 - dp * e, d1 - dp * f, d2 - dq * e, d3 - dq * f
        if holder[i] >= 0:
            hold = load(held, holder[i])
            free = one - hold
            d2, d3 = free * d2 + hold * two * e, free * d3 + hold * two * f
        if dead.shape[0] > 0:
            pinned = splat(PINNED) * load(dead, i)
            d0, d3 = d0 + pinned, d3 - pinned
        if mirrored:
            d1, d2 = d2, d1
        store(row, own, d0)
        store(row, own + 1, d1)
        store(row, own + 2, d2)
        store(row, own + 3, d3)
        p, q = load(r, 2 * i), load(r, 2 * i + 1)
        for left in range(count):
            k = lower_col[first + left]
            l0, l1 = load(row, 4 * left), load(row, 4 * left + 1)
            l2, l3 = load(row, 4 * left + 2), load(row, 4 * left + 3)
            at = 4 * (first + left)
            store(lower, at, l0)
            store(lower, at + 1, l1)
            store(lower, at + 2, l2)
            store(lower, at + 3, l3)
            x0, x1 = load(r, 2 * k), load(r, 2 * k + 1)
            p, q = p - l0 * x0 - l1 * x1, q - l2 * x0 - l3 * x1
            for u in range(upper_ptr[k], upper_ptr[k + 1]):
                u0, u1 = load(upper, 4 * u), load(upper, 4 * u + 1)
                u2, u3 = load(upper, 4 * u + 2), load(upper, 4 * u + 3)
                at = 4 * target[t]
                t += 1
                store(row, at, load(row, at) - l0 * u0 - l1 * u2)
                store(row, at + 1, load(row, at + 1) - l0 * u1 - l1 * u3)
                store(row, at + 2, load(row, at + 2) - l2 * u0 - l3 * u2)
                store(row, at + 3, load(row, at + 3) - l2 * u1 - l3 * u3)
        d0, d1 = load(row, own), load(row, own + 1)
        d2, d3 = load(row, own + 2), load(row, own + 3)
        det = d0 * d3 - d1 * d2
        inverse = one / det
        v0, v1, v2, v3 = d3 * inverse, -(d1 * inverse), -(d2 * inverse), d0 * inverse
        store(pivot, 4 * i, v0)
        store(pivot, 4 * i + 1, v1)
        store(pivot, 4 * i + 2, v2)
        store(pivot, 4 * i + 3, v3)
        store(r, 2 * i, v0 * p + v1 * q)
        store(r, 2 * i + 1, v2 * p + v3 * q)
        at = own + 4
        for u in range(upper_ptr[i], upper_ptr[i + 1]):
            a0, a1 = load(row, at), load(row, at + 1)
            a2, a3 = load(row, at + 2), load(row, at + 3)
            at += 4
            store(upper, 4 * u, v0 * a0 + v1 * a2)
            store(upper, 4 * u + 1, v0 * a1 + v1 * a3)
            store(upper, 4 * u + 2, v2 * a0 + v3 * a2)
            store(upper, 4 * u + 3, v2 * a1 + v3 * a3)
    _substitute(plan, w, factors)


@njit(**COMPILED)
@no_type_check
def resolve(plan: Plan, w: Work, factors: Factors) -> None:
    """Solve for another right-hand side r with factors that are there; x replaces r."""
    lower_ptr, lower_col, r = plan.lower_ptr, plan.lower_col, w.r
    lower, pivot = factors.lower, factors.pivot
    for i in range(plan.m):
        p, q = load(r, 2 * i), load(r, 2 * i + 1)
        for left in range(lower_ptr[i], lower_ptr[i + 1]):
            k = lower_col[left]
            x0, x1 = load(r, 2 * k), load(r, 2 * k + 1)
            p = p - load(lower, 4 * left) * x0 - load(lower, 4 * left + 1) * x1
            q = q - load(lower, 4 * left + 2) * x0 - load(lower, 4 * left + 3) * x1
        store(r, 2 * i, load(pivot, 4 * i) * p + load(pivot, 4 * i + 1) * q)
        store(r, 2 * i + 1, load(pivot, 4 * i + 2) * p + load(pivot, 4 * i + 3) * q)
    _substitute(plan, w, factors)


@njit(**COMPILED)
@no_type_check
def judge(plan: Plan, kinds: Kinds, w: Work, factors: Factors) -> None:
    """Tell the sign of the Jacobian's determinant, and how its pivots stand."""
    pivot, usual = factors.pivot, kinds.usual
    sign, low, high = splat(1.0), splat(np.inf), splat(0.0)
    for i in range(plan.m):
        v0, v1 = load(pivot, 4 * i), load(pivot, 4 * i + 1)
        v2, v3 = load(pivot, 4 * i + 2), load(pivot, 4 * i + 3)
        inverse = v0 * v3 - v1 * v2
        sign = flipped(sign, inverse)
        share = inverse * splat(usual[i])
        high = greater(high, share)
        low = -greater(-low, -share)
    store(w.some, 0, low)
    store(w.told, SIGN, sign)
    store(w.told, FIRM, splat(1.0) / high)
    for t in range(WIDTH):
        if not w.some[0, t] > 0.0:
            w.told[FIRM, t] = -1.0


@njit(**COMPILED)
@no_type_check
def _substitute(plan: Plan, w: Work, factors: Factors) -> None:
    """Back substitution through the stored rows."""
    upper_ptr, upper_col, r, upper = plan.upper_ptr, plan.upper_col, w.r, factors.upper
    longest = splat(0.0)
    for i in range(plan.m - 1, -1, -1):
        x0, x1 = load(r, 2 * i), load(r, 2 * i + 1)
        for u in range(upper_ptr[i], upper_ptr[i + 1]):
            j = upper_col[u]
            z0, z1 = load(r, 2 * j), load(r, 2 * j + 1)
            x0 = x0 - load(upper, 4 * u) * z0 - load(upper, 4 * u + 1) * z1
            x1 = x1 - load(upper, 4 * u + 2) * z0 - load(upper, 4 * u + 3) * z1
        store(r, 2 * i, x0)
        store(r, 2 * i + 1, x1)
        longest = greater(longest, greater(absolute(x0), absolute(x1)))
    store(w.told, STEP, longest)


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def move(plan: Plan, w: Work) -> None:
    """Take the Newton step that stands in `r`."""
    for row in range(2 * plan.m):
        store(w.v, row, load(w.v, row) - load(w.r, row))
