"""What the kernel reads and where it works: plain arrays in named tuples, which numba takes."""

from typing import NamedTuple

import numpy as np

from tvilling.sciml.systems.power_grid.kernel.elimination import Plan
from tvilling.sciml.systems.power_grid.kernel.lanes import WIDTH


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
    usual
        By row: what the determinant of its pivot usually is.
    """

    holder: np.ndarray
    depends: np.ndarray
    shares: np.ndarray
    usual: np.ndarray


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


class Factors(NamedTuple):
    """Blocks left of the diagonal, inverses of the pivots, blocks right of it over the pivots."""

    lower: np.ndarray
    pivot: np.ndarray
    upper: np.ndarray


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
    current
        Re and Im of the current into each bus `[2m]`.
    r
        Right-hand side, then the solution `[2m]`.
    row
        Blocks of the row at work.
    told
        Rows: greatest mismatch, greatest step, sign of the determinant, and the least determinant
        of a pivot as a share of what it usually is; -1 where one has another sign.
    some
        Scratch.
    """

    v: np.ndarray
    s: np.ndarray
    held: np.ndarray
    load: np.ndarray
    dead: np.ndarray
    current: np.ndarray
    r: np.ndarray
    row: np.ndarray
    told: np.ndarray
    some: np.ndarray


def _rows(count: int) -> np.ndarray:
    return np.zeros((max(count, 1), WIDTH))


def workspace(plan: Plan, kinds: Kinds, with_dead: bool = False) -> Work:
    """Room for eight scenarios."""
    return Work(
        v=_rows(2 * plan.n),
        s=_rows(2 * plan.m),
        held=_rows(int(kinds.holder.max(initial=-1)) + 1),
        load=_rows(2 * len(kinds.shares)),
        dead=np.zeros((plan.m if with_dead else 0, WIDTH)),
        current=_rows(2 * plan.m),
        r=_rows(2 * plan.m),
        row=_rows(4 * plan.widest),
        told=_rows(4),
        some=_rows(4),
    )


def room_for_factors(plan: Plan) -> Factors:
    """Room for the factors of eight scenarios."""
    blocks = len(plan.lower_col), plan.m, len(plan.upper_col)
    return Factors(*(_rows(4 * count) for count in blocks))
