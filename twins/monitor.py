"""Whether a twin still follows its plant: innovations against what they should scatter."""

import enum
from dataclasses import dataclass

import numpy as np

MIN_READINGS = 12
MAX_GATED, MAX_GATED_SHARE = 2, 0.05  # readings left out in a window of a twin that follows
CONFIDENCE = 0.999


class Follows(enum.StrEnum):
    """What the innovations say."""

    YES = "follows"
    NO = "does not follow"
    TOO_WIDE = "follows, with more uncertainty than needed"
    UNKNOWN = "too few readings"


@dataclass(frozen=True)
class Health:
    """Mean normalised innovation squared over the last updates, against its interval.

    Attributes
    ----------
    verdict
        Above the interval the twin does not follow the plant: a sensor drifts, a parameter has
        changed, or sigma and noise are set too small. Below it they are set too large. Nor does
        it follow where more than 5 % of the readings, and more than two, were left out.
    nis
        Sum of the normalised innovations squared over the number of readings [1]; 1 is expected.
    low, high
        Interval that holds `nis` with a probability of 99.9 % if all is well [1].
    readings
        Number of readings in the window that were used.
    gated
        Number of readings in the window that were left out, as too far from what was expected.
    """

    verdict: Follows
    nis: float
    low: float
    high: float
    readings: int
    gated: int = 0

    @property
    def ok(self) -> bool:
        """False where the twin has lost its plant; too few readings do not count as lost."""
        return self.verdict is not Follows.NO

    def __str__(self) -> str:
        """One sentence."""
        left_out = f"; {self.gated} left out as too far away" if self.gated else ""
        if self.verdict is Follows.UNKNOWN:
            return f"{self.verdict}: {self.readings}, {MIN_READINGS} are needed{left_out}"
        if not np.isfinite(self.nis):
            return f"{self.verdict}: {self.readings} readings used{left_out}"
        return (
            f"{self.verdict}: mean normalised innovation squared {self.nis:.2f} over "
            f"{self.readings} readings, expected {self.low:.2f} to {self.high:.2f}{left_out}"
        )


def health(nis: np.ndarray, readings: np.ndarray, gated: np.ndarray | int = 0) -> Health:
    """Judge a window of updates.

    If the filter is consistent, d' S^-1 d of an innovation d with covariance S is chi-squared
    with as many degrees of freedom as there are readings, and independent from update to update,
    so the sum over the window is chi-squared as well [1]. Valid for linear systems with Gaussian
    errors, and near it for others.

    Parameters
    ----------
    nis, readings, gated
        Normalised innovation squared, number of readings used, and of those left out, of each
        update.

    References
    ----------
    [1] Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation,
        Wiley 2001, section 5.4, doi:10.1002/0471221279
    """
    from scipy.special import gammaincinv

    count, out = int(np.sum(readings)), int(np.sum(gated))
    astray = out > MAX_GATED and out > MAX_GATED_SHARE * (count + out)
    if count < MIN_READINGS:
        verdict = Follows.NO if astray else Follows.UNKNOWN
        return Health(verdict, float("nan"), float("nan"), float("nan"), count, out)
    tail = (1.0 - CONFIDENCE) / 2
    low, high = (2.0 * gammaincinv(count / 2.0, [tail, 1.0 - tail]) / count).tolist()
    mean = float(np.sum(nis)) / count
    above = astray or mean > high
    verdict = Follows.NO if above else Follows.TOO_WIDE if mean < low else Follows.YES
    return Health(verdict, mean, low, high, count, out)
