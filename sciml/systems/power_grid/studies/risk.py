"""How well a number of cases tells a probability."""

import numpy as np

CONFIDENCE = 0.95


def exact_interval(hits: np.ndarray, count: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a probability, `hits` of `count` independent cases having come true.

    Clopper and Pearson, Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404. It holds the true
    probability in at least `CONFIDENCE` of all uses, whatever that is.
    """
    from scipy.special import betaincinv

    tail = (1.0 - CONFIDENCE) / 2.0
    misses = count - hits
    low = betaincinv(np.maximum(hits, 1), misses + 1, tail)
    high = betaincinv(hits + 1, np.maximum(misses, 1), 1.0 - tail)
    return np.where(hits > 0, low, 0.0), np.where(misses > 0, high, 1.0)
