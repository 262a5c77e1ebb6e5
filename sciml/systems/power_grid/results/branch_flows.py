"""Power and current at both ends of branches, for many scenarios at once."""

from typing import NamedTuple, no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.solver.flow import Flow

P_FROM, Q_FROM, P_TO, Q_TO, I_FROM, I_TO = range(6)  # first axis of what `ends` gives


class Circuits(NamedTuple):
    """Branches as the kernel takes them.

    Attributes
    ----------
    branch
        Number of each branch in the grid; -1 where it is switched off.
    from_bus, to_bus
        Its ends.
    two_port
        Re and Im of Y_ff, Y_ft, Y_tf, Y_tt `[branch, 8]` [p.u.].
    changed, delta
        Branches whose admittances differ by scenario, as in `scenarios.Outages`; no rows where
        none do.
    """

    branch: np.ndarray
    from_bus: np.ndarray
    to_bus: np.ndarray
    two_port: np.ndarray
    changed: np.ndarray
    delta: np.ndarray


def circuits(flow: Flow, branch: np.ndarray, rows: slice = slice(None)) -> Circuits:
    """The branches numbered `branch` in the scenarios `rows` of `flow`."""
    grid = flow.grid
    at = np.maximum(branch, 0)
    if flow.outages is None:
        changed, delta = np.empty((0, 0), np.int64), np.empty((0, 0, 8))
    else:
        changed, delta = flow.outages.branch[rows], flow.outages.delta[rows]
    ends = (grid.from_bus[at], grid.to_bus[at]) if grid.n_branch else (at, at)
    return Circuits(branch.astype(np.int64), *ends, _two_port(flow, at), changed, delta)


def _two_port(flow: Flow, at: np.ndarray) -> np.ndarray:
    if not flow.grid.n_branch:
        return np.empty((0, 8))
    return np.ascontiguousarray(flow.grid.two_port[at])


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def ends(e: np.ndarray, f: np.ndarray, circuits: Circuits, out: np.ndarray) -> None:
    """P and Q into each branch from both ends, and the current there, into `out` [p.u.].

    `e`, `f` are the voltages `[scenario, bus]`; `out` is `[6, scenario, branch]`. With
    I_f = Y_ff V_f + Y_ft V_t and S_f = V_f I_f*, and likewise at the to-end. Branches that are
    switched off carry nothing.
    """
    branch, changed, delta = circuits.branch, circuits.changed, circuits.delta
    from_bus, to_bus, two_port = circuits.from_bus, circuits.to_bus, circuits.two_port
    changes = changed.shape[1]
    y = np.empty(8)
    for t in range(e.shape[0]):
        for k in range(branch.size):
            if branch[k] < 0:
                for part in range(6):
                    out[part, t, k] = 0.0
                continue
            for part in range(8):
                y[part] = two_port[k, part]
            for c in range(changes):
                if changed[t, c] == branch[k]:
                    for part in range(8):
                        y[part] += delta[t, c, part]
            e_f, f_f = e[t, from_bus[k]], f[t, from_bus[k]]
            e_t, f_t = e[t, to_bus[k]], f[t, to_bus[k]]
            re_f = y[0] * e_f - y[1] * f_f + y[2] * e_t - y[3] * f_t
            im_f = y[1] * e_f + y[0] * f_f + y[3] * e_t + y[2] * f_t
            re_t = y[4] * e_f - y[5] * f_f + y[6] * e_t - y[7] * f_t
            im_t = y[5] * e_f + y[4] * f_f + y[7] * e_t + y[6] * f_t
            out[0, t, k] = e_f * re_f + f_f * im_f
            out[1, t, k] = f_f * re_f - e_f * im_f
            out[2, t, k] = e_t * re_t + f_t * im_t
            out[3, t, k] = f_t * re_t - e_t * im_t
            out[4, t, k] = np.sqrt(re_f * re_f + im_f * im_f)
            out[5, t, k] = np.sqrt(re_t * re_t + im_t * im_t)
