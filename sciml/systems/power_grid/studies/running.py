"""Statistics of many scenarios, gathered block by block in memory that does not grow."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit


@dataclass(frozen=True)
class Running:
    """Counts, sums and a histogram of each of some elements.

    Quantiles come from the histogram, and are as fine as its bins.

    Attributes
    ----------
    first, width, bins
        Start of the histogram, width of its bins and their number; what lies outside is counted
        in the outermost ones.
    count
        Values seen `[element]`; NaN is none.
    mean, square
        Mean, and sum of squared deviations from it (Welford, Technometrics 4(3), 1962).
    least, greatest
        Extremes.
    below, above
        Values beyond the limits.
    histogram
        `[element, bin]`.
    """

    first: float
    width: float
    count: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    least: np.ndarray
    greatest: np.ndarray
    below: np.ndarray
    above: np.ndarray
    histogram: np.ndarray

    def add(self, values: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Take in `values` `[scenario, element]`, with a limit on either side of each element."""
        moments = (self.count, self.mean, self.square, self.least, self.greatest)
        counts = (self.below, self.above, self.histogram)
        _add(values, low, high, (self.first, self.width), moments, counts)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation `[element]`; NaN where fewer than two values were seen."""
        some = self.count > 1
        rest = np.where(some, self.count - 1, 1)
        return np.where(some, np.sqrt(self.square / rest), np.nan)

    def quantile(self, share: float) -> np.ndarray:
        """Value that `share` of those seen lie below, to within a bin `[element]`."""
        upto = self.histogram.cumsum(axis=1)
        wanted = share * self.count
        at = np.minimum((upto < wanted[:, None]).sum(axis=1), self.histogram.shape[1] - 1)
        rows = np.arange(len(at))
        inside = self.histogram[rows, at]
        before = upto[rows, at] - inside
        part = np.where(inside > 0, (wanted - before) / np.maximum(inside, 1), 0.5)
        found = np.clip(self.first + self.width * (at + part), self.least, self.greatest)
        return np.where(self.count > 0, found, np.nan)


def running(elements: int, first: float, last: float, bins: int) -> Running:
    """Nothing seen yet of `elements`, with a histogram from `first` to `last`."""
    return Running(
        first,
        (last - first) / bins,
        np.zeros(elements, np.int64),
        np.full(elements, 0.0),
        np.zeros(elements),
        np.full(elements, np.inf),
        np.full(elements, -np.inf),
        np.zeros(elements, np.int64),
        np.zeros(elements, np.int64),
        np.zeros((elements, bins), np.int32),
    )


@njit(nogil=True, error_model="numpy", cache=True)
@no_type_check
def _add(values, low, high, scale, moments, counts):
    """Take in a block."""
    first, width = scale
    count, mean, square, least, greatest = moments
    below, above, histogram = counts
    last = histogram.shape[1] - 1
    for t in range(values.shape[0]):
        for k in range(values.shape[1]):
            x = np.float64(values[t, k])
            if np.isnan(x):
                continue
            count[k] += 1
            away = x - mean[k]
            mean[k] += away / count[k]
            square[k] += away * (x - mean[k])
            least[k] = min(least[k], x)
            greatest[k] = max(greatest[k], x)
            if x < low[k]:
                below[k] += 1
            if x > high[k]:
                above[k] += 1
            at = int((x - first) / width)
            histogram[k, min(max(at, 0), last)] += 1
