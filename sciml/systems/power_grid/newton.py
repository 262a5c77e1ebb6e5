"""Newton's method on eight power flows at once, in rectangular coordinates.

With V = e + jf and I = Y V, bus i asks for

    P_i = e_i Re I_i + f_i Im I_i,
    Q_i = f_i Re I_i - e_i Im I_i,   or   e_i² + f_i² = v_i²  where a machine holds the voltage.

All are quadratic, so there is nothing to evaluate but products, and the Jacobian is linear in V:
Tinney and Hart, IEEE Trans. PAS-86(11), 1967, doi:10.1109/TPAS.1967.291823, written in the
coordinates of Iwamoto and Tamura, IEEE Trans. PAS-100(4), 1981, doi:10.1109/TPAS.1981.316511.

A row is assembled, eliminated and put away while it is in the nearest cache; its part left of the
diagonal is used at once and never stored. Pivots are the 2 × 2 blocks on the diagonal in the
order of the plan. The sign of the Jacobian's determinant comes with them: where it differs from
that of the base case, the voltages belong to another, unstable branch of solutions.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.elimination import Plan
from tvilling.sciml.systems.power_grid.lanes import (
    WIDTH,
    absolute,
    flipped,
    greater,
    load,
    root,
    splat,
    store,
)

PINNED = 1e6  # weight on the diagonal of a bus without supply, in the base admittance


class Admittance(NamedTuple):
    """Entries of Y at the places of a plan: Y_ij, its mirror Y_ji, and the diagonal [p.u.]."""

    g: np.ndarray
    b: np.ndarray
    g_mirror: np.ndarray
    b_mirror: np.ndarray
    g_own: np.ndarray
    b_own: np.ndarray


class Kinds(NamedTuple):
    """What the rows are.

    Attributes
    ----------
    holder
        By row: the number of the machine that can hold its voltage, or -1.
    depends
        By row: the number of its voltage-dependent load, or -1.
    shares
        By voltage-dependent load: shares of constant current and impedance of P, then of Q.
    """

    holder: np.ndarray
    depends: np.ndarray
    shares: np.ndarray


class Patch(NamedTuple):
    """Entries of Y that differ in single lanes, as a linked list for each row.

    `head` is -1 where a row has none; `slot` is -2 on the diagonal, -1 in a slack's column.
    """

    head: np.ndarray
    link: np.ndarray
    lane: np.ndarray
    col: np.ndarray
    slot: np.ndarray
    value: np.ndarray  # g, b, g_mirror, b_mirror


class Work(NamedTuple):
    """What eight scenarios need; rows of lanes, e and f (or P and Q) beside each other.

    Attributes
    ----------
    v
        Voltages `[2n]`.
    s
        What each bus asks for `[2m]`: P, and Q or v² [p.u.].
    held
        1 where a machine holds its voltage, 0 where it gives a fixed Q.
    load
        Power of voltage-dependent loads at 1 p.u., as an injection.
    dead
        1 at buses without supply `[m]`; no rows where all have supply.
    r
        Right-hand side, then the solution `[2m]`.
    row, upper
        Blocks of the row at work, and of the rows right of the diagonal.
    told
        Rows: greatest mismatch, greatest step, sign of the determinant.
    some
        Scratch.
    """

    v: np.ndarray
    s: np.ndarray
    held: np.ndarray
    load: np.ndarray
    dead: np.ndarray
    r: np.ndarray
    row: np.ndarray
    upper: np.ndarray
    told: np.ndarray
    some: np.ndarray


MISMATCH, STEP, SIGN = 0, 1, 2


@njit(nogil=True, error_model="numpy", cache=True)
def current(i: int, plan: Plan, y: Admittance, w: Work, patch: Patch):  # type: ignore[no-untyped-def]
    """Re and Im of the current into bus `i`."""
    e, f = load(w.v, 2 * i), load(w.v, 2 * i + 1)
    g, b = splat(y.g_own[i]), splat(y.b_own[i])
    re, im = g * e - b * f, b * e + g * f
    for k in range(plan.entry_ptr[i], plan.entry_ptr[i + 1]):
        j = plan.entry_col[k]
        g, b = splat(y.g[k]), splat(y.b[k])
        e, f = load(w.v, 2 * j), load(w.v, 2 * j + 1)
        re, im = re + g * e - b * f, im + b * e + g * f
    at = patch.head[i]
    if at >= 0:
        store(w.some, 0, re)
        store(w.some, 1, im)
        while at >= 0:
            t, j = patch.lane[at], patch.col[at]
            dg, db = patch.value[at, 0], patch.value[at, 1]
            w.some[0, t] += dg * w.v[2 * j, t] - db * w.v[2 * j + 1, t]
            w.some[1, t] += db * w.v[2 * j, t] + dg * w.v[2 * j + 1, t]
            at = patch.link[at]
        re, im = load(w.some, 0), load(w.some, 1)
    return re, im


@njit(nogil=True, error_model="numpy", cache=True)
def miss(i: int, re, im, kinds: Kinds, w: Work):  # type: ignore[no-untyped-def]
    """What bus `i` misses of the two things it asks for, at the current `re`, `im`."""
    e, f = load(w.v, 2 * i), load(w.v, 2 * i + 1)
    one = splat(1.0)
    dp, dq = e * re + f * im, f * re - e * im
    z = kinds.depends[i]
    if z >= 0:
        square = e * e + f * f
        size = root(square)
        share = kinds.shares
        dp = dp - load(w.load, 2 * z) * (
            splat(share[z, 0]) * (size - one) + splat(share[z, 1]) * (square - one)
        )
        dq = dq - load(w.load, 2 * z + 1) * (
            splat(share[z, 2]) * (size - one) + splat(share[z, 3]) * (square - one)
        )
    h = kinds.holder[i]
    if h >= 0:
        held = load(w.held, h)
        dq = (one - held) * dq + held * (e * e + f * f)
    dp, dq = dp - load(w.s, 2 * i), dq - load(w.s, 2 * i + 1)
    if w.dead.shape[0] > 0:
        alive = one - load(w.dead, i)
        dp, dq = alive * dp, alive * dq
    return dp, dq


@njit(nogil=True, error_model="numpy", cache=True)
def mismatch(plan: Plan, y: Admittance, kinds: Kinds, w: Work, patch: Patch) -> None:
    """Put the mismatch of every bus into `r`, and the greatest into `told`."""
    worst = splat(0.0)
    for i in range(plan.m):
        re, im = current(i, plan, y, w, patch)
        dp, dq = miss(i, re, im, kinds, w)
        store(w.r, 2 * i, dp)
        store(w.r, 2 * i + 1, dq)
        worst = greater(worst, greater(absolute(dp), absolute(dq)))
    store(w.told, MISMATCH, worst)


@njit(nogil=True, error_model="numpy", cache=True)
def fill(i: int, plan: Plan, y: Admittance, kinds: Kinds, w: Work, patch: Patch, mirrored: bool):  # type: ignore[no-untyped-def]
    """Row `i` of the Jacobian, or of its transpose, into `row`, all but the diagonal.

    Returns what the bus's own admittance gives to the diagonal.
    """
    one, zero = splat(1.0), splat(0.0)
    first = plan.lower_ptr[i + 1] - plan.lower_ptr[i]
    count = first + 1 + plan.upper_ptr[i + 1] - plan.upper_ptr[i]
    for at in range(4 * count):
        store(w.row, at, zero)
    e, f = load(w.v, 2 * i), load(w.v, 2 * i + 1)
    h = kinds.holder[i]
    free = one if h < 0 else one - load(w.held, h)
    for k in range(plan.entry_ptr[i], plan.entry_ptr[i + 1]):
        at = 4 * plan.entry_slot[k]
        if at < 0:
            continue
        if mirrored:
            j = plan.entry_col[k]
            g, b = splat(y.g_mirror[k]), splat(y.b_mirror[k])
            e_j, f_j = load(w.v, 2 * j), load(w.v, 2 * j + 1)
            h = kinds.holder[j]
            loose = one if h < 0 else one - load(w.held, h)
            a, c = e_j * g + f_j * b, f_j * g - e_j * b
            store(w.row, at, a)
            store(w.row, at + 1, loose * c)
            store(w.row, at + 2, c)
            store(w.row, at + 3, -(loose * a))
        else:
            g, b = splat(y.g[k]), splat(y.b[k])
            a, c = e * g + f * b, f * g - e * b
            store(w.row, at, a)
            store(w.row, at + 1, c)
            if h < 0:
                store(w.row, at + 2, c)
                store(w.row, at + 3, -a)
            else:
                store(w.row, at + 2, free * c)
                store(w.row, at + 3, -(free * a))
    g, b = splat(y.g_own[i]), splat(y.b_own[i])
    a, c = e * g + f * b, f * g - e * b
    if patch.head[i] >= 0:
        store(w.some, 0, a)
        store(w.some, 1, c)
        _fill_patches(i, kinds, w, patch, mirrored)
        a, c = load(w.some, 0), load(w.some, 1)
    return a, c


@njit(nogil=True, error_model="numpy", cache=True)
def _fill_patches(i: int, kinds: Kinds, w: Work, patch: Patch, mirrored: bool) -> None:
    at = patch.head[i]
    while at >= 0:
        t, j, slot = patch.lane[at], patch.col[at], patch.slot[at]
        g, b = patch.value[at, 0], patch.value[at, 1]
        if slot == -2:
            e, f = w.v[2 * i, t], w.v[2 * i + 1, t]
            w.some[0, t] += e * g + f * b
            w.some[1, t] += f * g - e * b
        elif slot >= 0:
            k = j if mirrored else i
            if mirrored:
                g, b = patch.value[at, 2], patch.value[at, 3]
            e, f = w.v[2 * k, t], w.v[2 * k + 1, t]
            h = kinds.holder[k]
            free = 1.0 if h < 0 else 1.0 - w.held[h, t]
            a, c = e * g + f * b, f * g - e * b
            w.row[4 * slot, t] += a
            w.row[4 * slot + 3, t] -= free * a
            w.row[4 * slot + (2 if mirrored else 1), t] += c
            w.row[4 * slot + (1 if mirrored else 2), t] += free * c
        at = patch.link[at]


@njit(nogil=True, error_model="numpy", cache=True)
def own_block(i: int, a, c, re, im, kinds: Kinds, w: Work):  # type: ignore[no-untyped-def]
    """Diagonal block of the Jacobian: derivatives of P and Q (or v²) by e and f."""
    one, two = splat(1.0), splat(2.0)
    e, f = load(w.v, 2 * i), load(w.v, 2 * i + 1)
    d0, d1, d2, d3 = a + re, c + im, c - im, re - a
    z = kinds.depends[i]
    if z >= 0:
        size = root(e * e + f * f)
        share = kinds.shares
        p = load(w.load, 2 * z) * (splat(share[z, 0]) / size + two * splat(share[z, 1]))
        q = load(w.load, 2 * z + 1) * (splat(share[z, 2]) / size + two * splat(share[z, 3]))
        d0, d1, d2, d3 = d0 - p * e, d1 - p * f, d2 - q * e, d3 - q * f
    h = kinds.holder[i]
    if h >= 0:
        held = load(w.held, h)
        free = one - held
        d2, d3 = free * d2 + held * two * e, free * d3 + held * two * f
    if w.dead.shape[0] > 0:
        pinned = splat(PINNED) * load(w.dead, i)
        d0, d3 = d0 + pinned, d3 - pinned
    return d0, d1, d2, d3


@njit(nogil=True, error_model="numpy", cache=True)
def solve(
    plan: Plan, y: Admittance, kinds: Kinds, w: Work, patch: Patch, given: bool, mirrored: bool
) -> None:
    """Solve J x = r, or Jᵀ x = r, at the voltages of `w`; x replaces r.

    Without `given`, r is the mismatch; its greatest entry is told. The greatest entry of x and
    the sign of det J are told as well.
    """
    one = splat(1.0)
    worst, sign = splat(0.0), one
    t = 0
    for i in range(plan.m):
        re, im = current(i, plan, y, w, patch)
        if given:
            p, q = load(w.r, 2 * i), load(w.r, 2 * i + 1)
        else:
            p, q = miss(i, re, im, kinds, w)
            worst = greater(worst, greater(absolute(p), absolute(q)))
        a, c = fill(i, plan, y, kinds, w, patch, mirrored)
        d0, d1, d2, d3 = own_block(i, a, c, re, im, kinds, w)
        if mirrored:
            d1, d2 = d2, d1
        first, lower = plan.lower_ptr[i], plan.lower_ptr[i + 1] - plan.lower_ptr[i]
        own = 4 * lower
        store(w.row, own, d0)
        store(w.row, own + 1, d1)
        store(w.row, own + 2, d2)
        store(w.row, own + 3, d3)
        for left in range(lower):
            k = plan.lower_col[first + left]
            l0, l1 = load(w.row, 4 * left), load(w.row, 4 * left + 1)
            l2, l3 = load(w.row, 4 * left + 2), load(w.row, 4 * left + 3)
            x0, x1 = load(w.r, 2 * k), load(w.r, 2 * k + 1)
            p, q = p - l0 * x0 - l1 * x1, q - l2 * x0 - l3 * x1
            for u in range(plan.upper_ptr[k], plan.upper_ptr[k + 1]):
                u0, u1 = load(w.upper, 4 * u), load(w.upper, 4 * u + 1)
                u2, u3 = load(w.upper, 4 * u + 2), load(w.upper, 4 * u + 3)
                at = 4 * plan.target[t]
                t += 1
                store(w.row, at, load(w.row, at) - l0 * u0 - l1 * u2)
                store(w.row, at + 1, load(w.row, at + 1) - l0 * u1 - l1 * u3)
                store(w.row, at + 2, load(w.row, at + 2) - l2 * u0 - l3 * u2)
                store(w.row, at + 3, load(w.row, at + 3) - l2 * u1 - l3 * u3)
        d0, d1 = load(w.row, own), load(w.row, own + 1)
        d2, d3 = load(w.row, own + 2), load(w.row, own + 3)
        det = d0 * d3 - d1 * d2
        sign = flipped(sign, det)
        inverse = one / det
        v0, v1, v2, v3 = d3 * inverse, -(d1 * inverse), -(d2 * inverse), d0 * inverse
        store(w.r, 2 * i, v0 * p + v1 * q)
        store(w.r, 2 * i + 1, v2 * p + v3 * q)
        for u in range(plan.upper_ptr[i], plan.upper_ptr[i + 1]):
            at = own + 4 + 4 * (u - plan.upper_ptr[i])
            a0, a1 = load(w.row, at), load(w.row, at + 1)
            a2, a3 = load(w.row, at + 2), load(w.row, at + 3)
            store(w.upper, 4 * u, v0 * a0 + v1 * a2)
            store(w.upper, 4 * u + 1, v0 * a1 + v1 * a3)
            store(w.upper, 4 * u + 2, v2 * a0 + v3 * a2)
            store(w.upper, 4 * u + 3, v2 * a1 + v3 * a3)
    if not given:
        store(w.told, MISMATCH, worst)
    store(w.told, SIGN, sign)
    _substitute(plan, w)


@njit(nogil=True, error_model="numpy", cache=True)
def _substitute(plan: Plan, w: Work) -> None:
    """Back substitution through the stored rows."""
    longest = splat(0.0)
    for i in range(plan.m - 1, -1, -1):
        x0, x1 = load(w.r, 2 * i), load(w.r, 2 * i + 1)
        for u in range(plan.upper_ptr[i], plan.upper_ptr[i + 1]):
            j = plan.upper_col[u]
            z0, z1 = load(w.r, 2 * j), load(w.r, 2 * j + 1)
            x0 = x0 - load(w.upper, 4 * u) * z0 - load(w.upper, 4 * u + 1) * z1
            x1 = x1 - load(w.upper, 4 * u + 2) * z0 - load(w.upper, 4 * u + 3) * z1
        store(w.r, 2 * i, x0)
        store(w.r, 2 * i + 1, x1)
        longest = greater(longest, greater(absolute(x0), absolute(x1)))
    store(w.told, STEP, longest)


@njit(nogil=True, error_model="numpy", cache=True)
def move(plan: Plan, w: Work) -> None:
    """Take the Newton step that stands in `r`."""
    for row in range(2 * plan.m):
        store(w.v, row, load(w.v, row) - load(w.r, row))


def workspace(plan: Plan, kinds: Kinds, with_dead: bool = False) -> Work:
    """Room for eight scenarios."""

    def rows(count: int) -> np.ndarray:
        return np.zeros((max(count, 1), WIDTH))

    return Work(
        v=rows(2 * plan.n),
        s=rows(2 * plan.m),
        held=rows(int(kinds.holder.max(initial=-1)) + 1),
        load=rows(2 * len(kinds.shares)),
        dead=np.zeros((plan.m if with_dead else 0, WIDTH)),
        r=rows(2 * plan.m),
        row=rows(4 * plan.widest),
        upper=rows(4 * len(plan.upper_col)),
        told=rows(3),
        some=rows(4),
    )
