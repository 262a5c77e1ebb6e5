"""A second Newton's method, in scipy: polar, with steps halved while they make things worse.

The equations are those of pandapower on its own admittance matrix (`continuation`).
"""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import numpy as np
from continuation import Equations
from pandapower_peer import quiet
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import splu

STEPS, HALVINGS = 40, 12
TIGHT = 1e-9  # p.u.


def peer_equations(net: Any, v: np.ndarray) -> tuple[Equations, np.ndarray]:
    """Equations that begin at the voltages `v` by row of the bus table; which bus each row is."""
    net = deepcopy(net)
    with quiet():
        import pandapower

        with suppress(pandapower.LoadflowNotConverged):
            pandapower.runpp(net, max_iteration=1, lightsim2grid=False, numba=False)
    inner = net._ppc["internal"]
    place = net._pd2ppc_lookups["bus"][net.bus.index]
    v0 = np.array(inner["V"])
    size = np.abs(v0)
    ref, pv, pq = (np.asarray(inner[name], int) for name in ("ref", "pv", "pq"))
    known = (place >= 0) & (place < len(v0)) & np.isfinite(v)
    start = v0.copy()
    start[place[known]] = v[known]
    fixed = np.concatenate([ref, pv])
    held = np.ones(len(v0))
    held[inner["gen"][:, 0].real.astype(int)] = inner["gen"][:, 5].real
    size[pv] = held[pv]
    start[fixed] = size[fixed] * np.exp(1j * np.angle(start[fixed]))
    start[ref] = v0[ref]
    grid = Equations(csr_matrix(inner["Ybus"]), np.asarray(inner["Sbus"]), start, pv, pq)
    return grid, np.where((place >= 0) & (place < len(v0)), place, -1)


def peer_voltages(grid: Equations) -> np.ndarray | None:
    """Voltages of all buses, or None where no solution is found."""
    x = grid.unknowns(grid.v0)
    left = grid.mismatch(x, 1.0)
    for _ in range(STEPS):
        if np.abs(left).max() < TIGHT:
            return grid.voltage(x)
        step = splu(grid.jacobian(x)).solve(left)
        for halving in range(HALVINGS):
            tried = x - 0.5**halving * step
            then = grid.mismatch(tried, 1.0)
            if np.linalg.norm(then) < np.linalg.norm(left):
                break
        else:
            return None
        x, left = tried, then
    return None
