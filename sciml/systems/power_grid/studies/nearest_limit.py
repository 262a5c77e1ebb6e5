"""How far a grid can go along a direction until the first limit is met.

With voltages V + δ V' along the tangent, |V|² and the square of every current are quadratic in δ,
so each limit is met at a root of a quadratic: nothing is linearised but V itself. A current that
first falls and then grows the other way, as where solar power covers a load, is met on the far
side.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit

from tvilling.sciml.systems.power_grid.results.branch_flows import Circuits, circuits
from tvilling.sciml.systems.power_grid.results.violations import SLACK_PERCENT, SLACK_PU
from tvilling.sciml.systems.power_grid.solver.flow import Flow
from tvilling.sciml.systems.power_grid.studies.monitored import Monitored

NONE, VOLTAGE_LOW, VOLTAGE_HIGH, LOADING, NO_SOLUTION = range(5)
WORDS = ("none", "voltage below", "voltage above", "loading", "no solution")


@dataclass(frozen=True)
class Nearest:
    """The limit that is met first, by scenario.

    Attributes
    ----------
    broken
        Whether a limit is broken here.
    step
        How far it is to where the first limit is met, or, where some are broken, back to where
        all are kept (negative); infinite where the tangent does not tell.
    kind, element
        Which limit that is: number in `WORDS`, and row of the file's buses or of
        `Monitored.kinds`.
    """

    broken: np.ndarray
    step: np.ndarray
    kind: np.ndarray
    element: np.ndarray


def nearest(flow: Flow, watched: Monitored, direction: np.ndarray) -> Nearest:
    """The first limit on the way from `flow` along `direction` `[scenario, 2, bus]`.

    `direction` is the derivative of the real and imaginary part of the voltages [p.u.].
    """
    count = len(flow.e)
    number, row, scale = watched.branches
    found = Nearest(
        np.zeros(count, bool),
        np.full(count, np.inf),
        np.full(count, NONE, np.int8),
        np.full(count, -1, np.int32),
    )
    low, high = watched.band_pu
    state = (flow.e, flow.f, direction)
    _nearest_band(
        state,
        (watched.buses, watched.bus_row, low - SLACK_PU, high + SLACK_PU),
        (found.broken, found.step, found.kind, found.element),
    )
    _nearest_loading(
        state,
        circuits(flow, number),
        (row, scale, watched.loading_percent + SLACK_PERCENT),
        (found.broken, found.step, found.kind, found.element),
    )
    return found


@njit(inline="always")
@no_type_check
def _note(t, a, b, c, kind, element, found):
    """Take account in scenario `t` of a limit that is kept where a δ² + b δ + c <= 0."""
    broken, step, kinds, elements = found
    root, far = b * b - 4.0 * a * c, np.inf
    if root >= 0.0 and b + np.sqrt(root) > 0.0:
        far = 2.0 * abs(c) / (b + np.sqrt(root))
    if c > 0.0:
        if not broken[t] or far > -step[t]:
            step[t], kinds[t], elements[t] = -far, kind, element
        broken[t] = True
    elif not broken[t] and far < step[t]:
        step[t], kinds[t], elements[t] = far, kind, element


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _nearest_band(state, band, found):
    """Take account of the band of every bus."""
    e, f, direction = state
    bus, row, low, high = band
    for t in range(e.shape[0]):
        for k in range(bus.size):
            i = bus[k]
            de, df = direction[t, 0, i], direction[t, 1, i]
            square = e[t, i] * e[t, i] + f[t, i] * f[t, i]
            a, b = de * de + df * df, 2.0 * (e[t, i] * de + f[t, i] * df)
            if low[k] > 0.0:
                _note(t, -a, -b, low[k] * low[k] - square, VOLTAGE_LOW, row[k], found)
            if high[k] < np.inf:
                _note(t, a, b, square - high[k] * high[k], VOLTAGE_HIGH, row[k], found)


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _nearest_loading(state, circuits: Circuits, limits, found):
    """Take account of the loading at both ends of every branch."""
    e, f, direction = state
    from_bus, to_bus, two_port = circuits.from_bus, circuits.to_bus, circuits.two_port
    row, scale, limit = limits
    for t in range(e.shape[0]):
        for k in range(from_bus.size):
            i, j, most = from_bus[k], to_bus[k], limit[row[k]] * limit[row[k]]
            for end in range(2):
                size = scale[end, k]
                if size == 0.0 or not most < np.inf:
                    continue
                y = two_port[k, 4 * end : 4 * end + 4]
                re = y[0] * e[t, i] - y[1] * f[t, i] + y[2] * e[t, j] - y[3] * f[t, j]
                im = y[1] * e[t, i] + y[0] * f[t, i] + y[3] * e[t, j] + y[2] * f[t, j]
                e_i, f_i = direction[t, 0, i], direction[t, 1, i]
                e_j, f_j = direction[t, 0, j], direction[t, 1, j]
                d_re = y[0] * e_i - y[1] * f_i + y[2] * e_j - y[3] * f_j
                d_im = y[1] * e_i + y[0] * f_i + y[3] * e_j + y[2] * f_j
                square = size * size
                a = square * (d_re * d_re + d_im * d_im)
                b = 2.0 * square * (re * d_re + im * d_im)
                c = square * (re * re + im * im) - most
                _note(t, a, b, c, LOADING, row[k], found)
