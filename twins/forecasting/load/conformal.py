"""Intervals for forecasts over time, from the errors of forecasts whose outcome is known.

Split conformal: with scores s of n past hours and coverage c, the interval of all loads whose score
is at most the ceil((n + 1) c)-th smallest of s. The score is |load - forecast| [1], or, for a
conformalized quantile regression, max(low - load, load - high) with quantiles low and high that a
model has learned [2].

Loads drift with the season, so only the last weeks count, and coverage is promised by none of this.
The adaptive form [3] follows what was missed: after each forecast whose outcome is known,

    a ← a + g (1 - c - e)

with e the share of its hours outside the interval; the next interval has coverage 1 - a. However
the loads drift, the mean of e comes near 1 - c.

Hours are grouped by lead time, three hours a group. At every origin only hours count that had ended
by then.

[1] Lei, G'Sell, Rinaldo, Tibshirani, Wasserman: Distribution-free predictive inference for
regression, J. Am. Stat. Assoc. 113 (2018), doi:10.1080/01621459.2017.1307116.
[2] Romano, Patterson, Candès: Conformalized quantile regression, NeurIPS 2019, arXiv:1905.03222.
[3] Gibbs, Candès: Adaptive conformal inference under distribution shift, NeurIPS 2021,
arXiv:2106.00170.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tvilling.sciml.learning.conformal import conformal_rank
from tvilling.twins.forecasting.load.series import HOUR

GROUP_H = 3
GAIN = 0.1
ENOUGH = 20  # scores, below which the hours of all leads are taken together
LEVELS = (0.005, 0.5)  # where the adaptive level 1 - coverage is held


def absolute_score(load: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Score of split conformal prediction [MW]."""
    return np.abs(load - forecast)


def quantile_score(load: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Score of conformalized quantile regression [MW]: how far outside, negative inside."""
    return np.maximum(low - load, load - high)


def score_at(scores: Float[np.ndarray, " sample"], coverage: float) -> float:
    """The score that bounds an interval of this coverage; the greatest where there are too few.

    NaN scores do not count; without any the answer is NaN.
    """
    known = scores[np.isfinite(scores)]
    if not len(known):
        return float("nan")
    rank = min(conformal_rank(len(known), coverage), len(known))
    return float(np.partition(known, rank - 1)[rank - 1])


def adapted(level: float, missed: float, coverage: float, gain: float = GAIN) -> float:
    """The next level 1 - coverage, after a share `missed` of hours lay outside."""
    return float(np.clip(level + gain * (1 - coverage - missed), *LEVELS))


@dataclass(frozen=True)
class Online:
    """How past scores become intervals.

    Attributes
    ----------
    coverage
        Share of hours that an interval shall hold.
    window_days
        How far back scores count [d].
    is_adaptive
        Whether the level follows what was missed.
    """

    coverage: float
    window_days: int
    is_adaptive: bool

    def bounds(
        self, origin: np.ndarray, scores: Float[np.ndarray, "origin lead"]
    ) -> Float[np.ndarray, "origin lead"]:
        """The score that bounds the interval of every hour ahead, from what was known then.

        Parameters
        ----------
        origin
            First hour ahead of each forecast, ascending.
        scores
            Of every hour ahead, NaN where the load is not known. A last origin without scores gets
            the bounds that hold now.
        """
        found = np.full(scores.shape, np.nan)
        for first in range(0, scores.shape[1], GROUP_H):
            leads = np.arange(first, min(first + GROUP_H, scores.shape[1]))
            found[:, leads] = self._group(origin, scores, leads)[:, None]
        return found

    def _group(
        self, origin: np.ndarray, scores: np.ndarray, leads: np.ndarray
    ) -> Float[np.ndarray, " origin"]:
        """Bound of one group of leads at every origin."""
        own, ended = scores[:, leads], origin + (leads[-1] + 1) * HOUR
        known = np.searchsorted(ended, origin, side="right")
        oldest = np.searchsorted(origin, origin - np.timedelta64(self.window_days, "D"))
        level, seen = 1 - self.coverage, 0
        bound = np.full(len(origin), np.nan)
        for at in range(len(origin)):
            while self.is_adaptive and seen < known[at]:
                outcome = own[seen][np.isfinite(own[seen])]
                if len(outcome) and np.isfinite(bound[seen]):
                    level = adapted(level, float(np.mean(outcome > bound[seen])), self.coverage)
                seen += 1
            recent = own[oldest[at] : known[at]]
            if np.isfinite(recent).sum() < ENOUGH:
                recent = _all_leads(origin, scores, at)
            bound[at] = score_at(recent.ravel(), 1 - level)
        return bound


def _all_leads(origin: np.ndarray, scores: np.ndarray, at: int) -> np.ndarray:
    """Scores of every hour that had ended at an origin."""
    ended = origin[:at, None] + (np.arange(scores.shape[1]) + 1) * HOUR <= origin[at]
    return scores[:at][ended]
