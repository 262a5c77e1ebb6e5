"""Voltages that Newton's method may begin with.

Where machines hold voltages, a grid without load is all but linear: the machines are sources of
known size, and every other bus carries no current. One solution of linear equations then gives its
voltages, far nearer than 1 p.u. everywhere where charging, shunts and taps move them.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from tvilling.sciml.systems.power_grid.model.grid import PowerGrid, bus_admittance

MIN_PU = 1e-6  # of an impedance, for a start

DC = "angles of a DC power flow"
STORED = "voltages of the file"
BALANCED = "angles of a DC power flow, losses shared"
SOURCES = "machines as sources"
FLAT = "no power in the branches"
NO_LOAD = "followed from no load"
STRAIGHT = "followed from machines as sources"


def loaded_starts(grid: PowerGrid) -> dict[str, np.ndarray]:
    """Where to begin with the file's own loads: voltages `[bus]` [p.u.] by name."""
    shared = balanced_start(grid)
    stored = {} if grid.stored is None else {STORED: grid.stored}
    return stored | {
        DC: grid.start,
        BALANCED: shared,
        SOURCES: sources(grid, np.angle(shared)),
        FLAT: np.abs(shared) * np.exp(1j * still_angles(grid)),
    }


def balanced_start(grid: PowerGrid) -> np.ndarray:
    """Held voltages, and angles of a DC power flow that leaves nothing to the slack buses."""
    return np.asarray(np.abs(grid.start) * np.exp(1j * dc_angles(grid, balanced(grid))))


def still_starts(grid: PowerGrid) -> list[np.ndarray]:
    """Where to begin without load: voltages `[bus]` [p.u.], the most likely first."""
    still = still_angles(grid)
    flat = np.abs(grid.start) * np.exp(1j * still)
    return [sources(grid, still), flat, grid.start, open_circuit(grid)]


def sources(grid: PowerGrid, angle_rad: np.ndarray) -> np.ndarray:
    """Voltages where machines are sources at `angle_rad` and nothing else takes a current."""
    fixed = np.zeros(grid.n_bus, complex)
    fixed[grid.held] = grid.vm_pu[grid.held] * np.exp(1j * angle_rad[grid.held])
    fixed[grid.slack] = grid.vm_pu[grid.slack] * np.exp(1j * grid.slack_va_rad)
    return _carried(grid, fixed, np.union1d(grid.slack, grid.held))


def open_circuit(grid: PowerGrid) -> np.ndarray:
    """Voltages where no current enters but at slack buses: exact where no machine holds one."""
    fixed = np.zeros(grid.n_bus, complex)
    fixed[grid.slack] = grid.vm_pu[grid.slack] * np.exp(1j * grid.slack_va_rad)
    return _carried(grid, fixed, grid.slack)


def _carried(grid: PowerGrid, v: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The voltages `v` at the buses `known`, and what they make at all others."""
    free = np.setdiff1d(np.arange(grid.n_bus), known)
    if len(free):
        rows = bus_admittance(grid)[free]
        v[free] = spsolve(rows[:, free].tocsc(), -(rows[:, known] @ v[known]))
    return np.where(np.isfinite(v), v, 1.0)


def still_angles(grid: PowerGrid) -> np.ndarray:
    """Angles where no power flows: those of the slack buses, and the transformers' shifts [rad]."""
    return dc_angles(grid, np.zeros(grid.n_bus))


def balanced(grid: PowerGrid) -> np.ndarray:
    """Active power that enters at every bus, scaled so that no slack bus has anything to give."""
    given, taken = np.maximum(grid.p_pu, 0.0), np.maximum(-grid.p_pu, 0.0)
    both = given.sum(), taken.sum()
    shared = sum(both) / 2
    if not min(both) > 0.0:
        return np.zeros(grid.n_bus)
    return np.asarray(given * (shared / both[0]) - taken * (shared / both[1]))


def straightened(grid: PowerGrid, v: np.ndarray) -> np.ndarray:
    """The voltages `v` with no angle left over the branches that have more than 90°.

    A leaf may be solved at 180° less the angle that it ought to have, as may a whole grid behind a
    single branch; all other angles stay nearly as they are.
    """
    shift = grid.branches.shift_rad
    turn = np.angle(v[grid.from_bus] * v[grid.to_bus].conj() * np.exp(-1j * shift))
    wanted = np.where(np.abs(turn) > np.pi / 2, 0.0, turn) + shift
    return np.asarray(np.abs(v) * np.exp(1j * dc_angles(grid, np.zeros(grid.n_bus), wanted)))


def dc_angles(
    grid: PowerGrid, p_pu: np.ndarray, wanted_rad: np.ndarray | None = None
) -> np.ndarray:
    """Angles of a DC power flow where `p_pu` enters at the buses [rad].

    Signs of reactances do not count, so that no angle is great without a cause. Without power,
    the angles over the branches are near those that are `wanted_rad`, by default their shifts.
    """
    size = np.maximum(np.hypot(grid.branches.r, grid.branches.x), MIN_PU)
    shift = grid.branches.shift_rad if wanted_rad is None else wanted_rad
    count = grid.n_branch
    rows = np.repeat(np.arange(count), 2)
    ends = np.column_stack([grid.from_bus, grid.to_bus]).ravel()
    signs = np.tile([1.0, -1.0], count)
    across = csr_matrix((signs, (rows, ends)), shape=(count, grid.n_bus))
    weighted = across.multiply(1.0 / size[:, None]).T.tocsr()
    angle = np.zeros(grid.n_bus)
    angle[grid.slack] = grid.slack_va_rad
    free = np.setdiff1d(np.arange(grid.n_bus), grid.slack)
    if len(free):
        left = p_pu + weighted @ (shift - across @ angle)
        angle[free] = spsolve((weighted @ across)[free][:, free].tocsc(), left[free])
    return np.where(np.isfinite(angle), angle, 0.0)
