"""Ordinary differential equations and families of them, solved to many digits for references.

DOP853, the explicit Runge-Kutta method of order 8 by Dormand and Prince (Hairer, Nørsett and
Wanner, Solving Ordinary Differential Equations I, Springer 1993, DOI 10.1007/978-3-540-78862-1),
as scipy has it.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

States = Float[np.ndarray, "state member"]
Members = Float[np.ndarray, " member"]
RightHandSide = Callable[[float, States, Members], States]
TOLERANCE = 1e-12
MEMBERS = 256  # of a family, solved at the same time


def family_at(
    slope: RightHandSide,
    start: Callable[[Members], States],
    times: Float[np.ndarray, " point"],
    parameter: Float[np.ndarray, " point"],
    tolerance: float = TOLERANCE,
) -> Float[np.ndarray, "state point"]:
    """The states of y' = slope(t, y, p), y(0) = start(p), at points (t, p) with t from 0 on.

    Parameters
    ----------
    tolerance
        Relative, of a step; the absolute one is the same share of the greatest start, or of one.
    """
    members, member = np.unique(parameter, return_inverse=True)
    found = []
    where = []
    for first in range(0, len(members), MEMBERS):
        own = np.flatnonzero((member >= first) & (member < first + MEMBERS))
        chunk = members[first : first + MEMBERS]
        moments, moment = np.unique(times[own], return_inverse=True)
        states = _solved(slope, start(chunk), chunk, moments, tolerance)
        found.append(states[:, member[own] - first, moment])
        where.append(own)
    order = np.argsort(np.concatenate(where))
    return np.concatenate(found, axis=1)[:, order]


def _solved(
    slope: RightHandSide,
    start: States,
    members: Members,
    moments: Float[np.ndarray, " moment"],
    tolerance: float,
) -> Float[np.ndarray, "state member moment"]:
    from scipy.integrate import solve_ivp

    if moments[-1] <= 0.0:
        return np.repeat(start[:, :, None], len(moments), axis=2)
    solved = solve_ivp(
        lambda time, flat: slope(time, flat.reshape(start.shape), members).ravel(),
        (0.0, float(moments[-1])),
        start.ravel(),
        method="DOP853",
        t_eval=moments,
        rtol=tolerance,
        atol=tolerance * max(1.0, float(np.max(np.abs(start)))),
    )
    return np.asarray(solved.y).reshape(*start.shape, len(moments))
