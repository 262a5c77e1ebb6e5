"""Intervals that hold without a model of the error: split conformal prediction.

With scores s_1 … s_n of calibration samples that are exchangeable with the next one, the interval
of all answers whose score is at most

    q = the ceil((n + 1) c)-th smallest of s_1 … s_n

holds the truth with a probability of at least c, and of at most c + 1/(n + 1) if scores have no
ties [1], [2]. That is an average over calibration sets: given one, the coverage of further samples
is a draw from Beta(k, n + 1 - k), with k = ceil((n + 1) c) [3]. Samples of one run are alike, so
calibration samples should come from many scenarios; where new data are of another kind, nothing
is promised.

[1] Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, Springer 2005,
doi:10.1007/b106715.
[2] Lei, G'Sell, Rinaldo, Tibshirani, Wasserman: Distribution-free predictive inference for
regression, J. Am. Stat. Assoc. 113 (2018), doi:10.1080/01621459.2017.1307116.
[3] Vovk: Conditional validity of inductive conformal predictors, Machine Learning 92 (2013),
doi:10.1007/s10994-013-5355-6.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

ROUNDING = 1e-9  # of (n + 1) c, so that 10 times 0.9 is 9


def conformal_rank(count: int, coverage: float) -> int:
    """The rank ceil((n + 1) c) of the score that bounds an interval, from 1.

    It is n + 1, beyond every score, where `count` samples are too few for `coverage`.

    Raises
    ------
    ValueError
        If `coverage` is not between 0 and 1, or `count` is below 1.
    """
    if not 0.0 < coverage < 1.0 or count < 1:
        raise ValueError(
            f"coverage is {coverage:g}, expected between 0 and 1; "
            f"calibration samples are {count}, expected 1 or more"
        )
    return min(math.ceil((count + 1) * coverage - ROUNDING), count + 1)


def conformal_quantile(
    scores: Float[Array, "sample *quantity"], coverage: float, ordered: bool = False
) -> Float[Array, "*quantity"]:
    """The score that bounds an interval of this `coverage`, for each quantity by itself.

    Parameters
    ----------
    scores
        Scores of the calibration samples.
    coverage
        Least probability that the interval shall hold the truth, between 0 and 1.
    ordered
        Whether the scores of each quantity ascend already, so that they need not be sorted.

    Returns
    -------
    Float[Array, "*quantity"]
        Infinite where the samples are too few: 1/(1 - `coverage`) - 1 are needed.
    """
    count = scores.shape[0]
    rank = conformal_rank(count, coverage)
    if rank > count:
        return jnp.full(scores.shape[1:], jnp.inf)
    return (scores if ordered else jnp.sort(scores, axis=0))[rank - 1]


def absolute_scores(
    truth: Float[Array, "*shape"],
    predicted: Float[Array, "*shape"],
    scale: Float[Array, "*shape"] | float = 1.0,
) -> Float[Array, "*shape"]:
    """Distance of truth and prediction in units of `scale`, such as the spread of an ensemble."""
    return jnp.abs(truth - predicted) / scale


def conformal_interval(
    predicted: Float[Array, "*#shape"],
    quantile: Float[Array, "*#shape"],
    scale: Float[Array, "*#shape"] | float = 1.0,
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Low and high ends of the interval that `absolute_scores` and a quantile give."""
    return predicted - quantile * scale, predicted + quantile * scale


def inside(
    truth: Float[Array, "*shape"], low: Float[Array, "*shape"], high: Float[Array, "*shape"]
) -> Bool[Array, "*shape"]:
    """Whether each truth lies in its interval, ends included."""
    return (truth >= low) & (truth <= high)


def coverage(
    truth: Float[Array, "sample *quantity"],
    low: Float[Array, "sample *quantity"],
    high: Float[Array, "sample *quantity"],
) -> Float[Array, "*quantity"]:
    """Share of the samples whose truth lies in its interval, for each quantity."""
    return inside(truth, low, high).astype(float).mean(axis=0)
