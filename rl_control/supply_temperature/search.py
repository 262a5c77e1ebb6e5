"""Least cost under limits by successive linear programmes in a region of trust.

In each round cost and limits are replaced by their tangents at the present point p, and

    min  g·d + mu · sum_t s_t
    with  r_tk + J_tk d <= s_t,   s >= 0,   A (p + d) <= b,   |d| <= radius

is solved for a step d; a limit that cannot be kept costs mu for each unit that the worst row of a
step t is missed by. The step is taken where cost plus penalty fall by a fair part of what the
programme foretold, and the radius follows how well it did. After R. Fletcher and E. Sainz de la
Maza, Mathematical Programming 43, 1989.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix, hstack, vstack

MIN_SLOPE = 1e-9  # of a row; below it a number is not in it
MIN_SAY = 1e-6  # sum of the slopes of a row; below it nothing can be done about the row
PENALTY = 50.0  # times the steepest slope of the cost
GOOD, FAIR = 0.75, 0.1  # actual over foretold gain: above it widen, below it refuse


@dataclass(frozen=True)
class SearchSettings:
    """When a search ends, and how far it goes at once.

    Attributes
    ----------
    rounds
        Most linear programmes.
    radius_k, most_radius_k, least_radius_k
        How far every number may move in the first round, in any, and when it gives up [K].
    tolerance
        Foretold gain over the cost at which it ends, for a kelvin of radius and up [1].
    """

    rounds: int = 60
    radius_k: float = 4.0
    most_radius_k: float = 8.0
    least_radius_k: float = 2e-3
    tolerance: float = 1e-5


@dataclass(frozen=True)
class Tangent:
    """Cost and rows at a point, and their slopes.

    Attributes
    ----------
    cost
        To be made small.
    gradient
        Of the cost.
    excess
        Rows, kept where they are not positive.
    shown
        Slope of every row in some directions.
    owner
        Number behind each direction in each step, -1: none.
    """

    cost: float
    gradient: Float[np.ndarray, " number"]
    excess: Float[np.ndarray, "step row"]
    shown: Float[np.ndarray, "group step row"]
    owner: Float[np.ndarray, "group step"]

    @cached_property
    def say(self) -> Float[np.ndarray, "step row"]:
        """What each row changes by at most if every number moves by one; 0 for next to nothing."""
        owned = (self.owner >= 0)[:, :, None]
        total = np.abs(np.where(owned, self.shown, 0.0)).sum(axis=0)
        return np.where(total > MIN_SAY, total, 0.0)

    @property
    def missed(self) -> float:
        """Worst row of each step that can be changed, summed over the steps where it is missed."""
        open_rows = np.where(self.say > 0, self.excess, -np.inf)
        return float(np.maximum(open_rows.max(axis=1), 0.0).sum())

    def near(self, radius: float) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
        """Rows that a step within `radius` could miss: their slopes, values and steps."""
        step, row = np.nonzero((self.excess + radius * self.say > 0) & (self.say > 0))
        slope, number = self.shown[:, step, row].T, self.owner[:, step].T
        held = (number >= 0) & (np.abs(slope) > MIN_SLOPE)
        at = np.nonzero(held)[0]
        size = (len(step), len(self.gradient))
        matrix = coo_matrix((slope[held], (at, number[held])), shape=size).tocsr()
        return matrix, self.excess[step, row], step


@dataclass(frozen=True)
class SearchResult:
    """Where a search ended.

    Attributes
    ----------
    numbers
        The best point.
    cost
        There.
    excess
        Rows there.
    rounds
        Linear programmes solved, each followed by a run of the network with its derivatives.
    foretold
        Gain that a programme still sees within the last radius, over the cost: near zero at an
        optimum.
    radius_k
        That last radius.
    """

    numbers: Float[np.ndarray, " number"]
    cost: float
    excess: Float[np.ndarray, "step row"]
    rounds: int
    foretold: float
    radius_k: float


Linearise = Callable[[np.ndarray], Tangent]
Bounds = tuple[Float[np.ndarray, "row number"], Float[np.ndarray, " row"]]


def search(
    linearise: Linearise,
    start: Float[np.ndarray, " number"],
    course: Bounds,
    settings: SearchSettings,
) -> SearchResult | None:
    """The least cost near `start`; None where nothing keeps the rows A numbers <= b of `course`."""
    numbers = nearest(start, course)
    if numbers is None:
        return None
    here = linearise(numbers)
    penalty = PENALTY * max(float(np.abs(here.gradient).max(initial=0.0)), MIN_SLOPE)
    radius, foretold, rounds = settings.radius_k, np.inf, 0
    while rounds < settings.rounds:
        step, gain = _programme(here, numbers, course, radius, penalty)
        foretold = gain / max(abs(here.cost), MIN_SLOPE)
        rounds += 1
        if foretold < settings.tolerance * min(radius, 1.0):
            break
        tried = linearise(numbers + step)
        actual = here.cost - tried.cost + penalty * (here.missed - tried.missed)
        if actual > FAIR * gain:
            numbers, here = numbers + step, tried
        if actual > GOOD * gain:
            radius = min(2 * radius, settings.most_radius_k)
        elif actual < (1 - GOOD) * gain:
            radius = radius / 2
        if radius < settings.least_radius_k:
            break
    return SearchResult(numbers, here.cost, here.excess, rounds, foretold, radius)


def nearest(start: Float[np.ndarray, " number"], course: Bounds) -> np.ndarray | None:
    """The point that keeps `course` with the least change of `start`; None where there is none."""
    left, right = course
    count = len(start)
    ones = np.ones((count, 1))
    eye = np.eye(count)
    rows = np.block([[left, np.zeros((len(left), 1))], [eye, -ones], [-eye, -ones]])
    found = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=rows,
        b_ub=np.concatenate([right, start, -start]),
        bounds=[(None, None)] * count + [(0, None)],
    )
    return found.x[:count] if found.status == 0 else None


def _programme(
    here: Tangent, numbers: np.ndarray, course: Bounds, radius: float, penalty: float
) -> tuple[Float[np.ndarray, " number"], float]:
    """The best step within `radius`, and by how much it makes cost and penalty fall."""
    matrix, excess, step = here.near(radius)
    steps, slack = np.unique(step, return_inverse=True)
    count = len(numbers)
    by_step = coo_matrix(
        (-np.ones(len(step)), (np.arange(len(step)), slack)), shape=(len(step), len(steps))
    )
    left, right = course
    rows = vstack(
        [
            hstack([matrix, by_step]),
            hstack([csr_matrix(left), csr_matrix((len(left), len(steps)))]),
        ]
    )
    found = linprog(
        np.concatenate([here.gradient, np.full(len(steps), penalty)]),
        A_ub=rows.tocsr(),
        b_ub=np.concatenate([-excess, np.maximum(right - left @ numbers, 0.0)]),
        bounds=[(-radius, radius)] * count + [(0, None)] * len(steps),
        method="highs",
    )
    if found.status != 0:
        return np.zeros(count), 0.0
    return found.x[:count], penalty * here.missed - float(found.fun)
