"""Conformal intervals, against the theorem and an independent quantile."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from tvilling.sciml.learning.conformal import (
    absolute_scores,
    conformal_interval,
    conformal_quantile,
    conformal_rank,
    coverage,
)


@pytest.mark.parametrize(
    ("count", "share", "rank"),
    [(9, 0.9, 9), (10, 0.9, 10), (99, 0.9, 90), (19, 0.95, 19), (8, 0.9, 9)],
)
def test_rank_is_that_of_the_theorem(count, share, rank):
    assert conformal_rank(count, share) == rank


def test_too_few_samples_promise_nothing():
    assert np.isinf(conformal_quantile(jnp.arange(8.0), 0.9))
    assert np.isfinite(conformal_quantile(jnp.arange(9.0), 0.9))


@pytest.mark.parametrize("count", [9, 99, 150])
def test_quantile_agrees_with_numpy(count):
    """NumPy's inverted distribution function at the level that Lei et al. give."""
    scores = np.random.default_rng(0).exponential(size=(count, 3))
    level = np.ceil((count + 1) * 0.9) / count
    expected = np.quantile(scores, level, axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(conformal_quantile(jnp.asarray(scores), 0.9), expected)


@pytest.mark.parametrize(("count", "share"), [(39, 0.9), (99, 0.8)])
def test_coverage_of_many_calibrations_is_beta_distributed(count, share):
    """1000 calibrations of noise of unequal size, each tried on fresh samples.

    Given a calibration, the true coverage is Beta(k, n + 1 - k); on m fresh samples the number
    inside is beta-binomial. A test of Cramér and von Mises compares the distribution, and the
    mean lies within four of its standard errors.
    """
    random = np.random.default_rng(1)
    rank = conformal_rank(count, share)
    found = []
    for _ in range(1000):
        scale = random.uniform(0.5, 2.0, count)
        scores = absolute_scores(jnp.asarray(random.normal(size=count) * scale), jnp.zeros(count))
        quantile = float(conformal_quantile(scores, share))
        # the true coverage, by integration over the size of the noise
        sizes = np.linspace(0.5, 2.0, 2001)
        found.append(np.trapezoid(2 * stats.norm.cdf(quantile / sizes) - 1, sizes) / 1.5)
    beta = stats.beta(rank, count + 1 - rank)
    assert stats.cramervonmises(found, beta.cdf).pvalue > 1e-3
    assert np.mean(found) == pytest.approx(rank / (count + 1), abs=4 * beta.std() / np.sqrt(1000))


def test_scaled_intervals_follow_the_noise():
    """Where the scale is known exactly, coverage is the same for small noise and for large."""
    random = np.random.default_rng(2)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        scale = random.choice([0.1, 10.0], count)
        return random.normal(size=count) * scale, scale

    truth, scale = drawn(4000)
    scores = absolute_scores(jnp.asarray(truth), jnp.zeros(4000), jnp.asarray(scale))
    quantile = conformal_quantile(scores, 0.9)
    assert float(quantile) == pytest.approx(stats.norm.ppf(0.95), abs=0.08)
    truth, scale = drawn(20_000)
    low, high = conformal_interval(jnp.zeros(20_000), quantile, jnp.asarray(scale))
    for size in (0.1, 10.0):
        some = scale == size
        share = float(coverage(jnp.asarray(truth[some]), low[some], high[some]))
        assert share == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(("count", "share"), [(0, 0.9), (10, 0.0), (10, 1.0)])
def test_what_has_no_meaning_is_refused(count, share):
    with pytest.raises(ValueError, match="expected"):
        conformal_rank(count, share)
