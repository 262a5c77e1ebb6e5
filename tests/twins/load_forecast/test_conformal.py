"""Conformal calibration against mapie, and the promise of the adaptive form under drift."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from tvilling.twins.forecasting.load.conformal import (
    Online,
    absolute_score,
    adapted,
    quantile_score,
    score_at,
)

COUNT = 150


class Column(RegressorMixin, BaseEstimator):
    """A model that answers with one column of what it is given."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):  # noqa: N803
        self.fitted_ = True
        return self

    def predict(self, X):  # noqa: N803
        return np.asarray(X)[:, self.column]


@pytest.fixture
def sample():
    random = np.random.default_rng(0)
    given = random.normal(size=(COUNT, 3))
    given[:, 1] = given[:, 0] - 1.2
    given[:, 2] = given[:, 0] + 1.0
    return given, given[:, 0] + random.standard_t(4, size=COUNT)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_split_is_that_of_mapie(sample, coverage):
    from mapie.regression import SplitConformalRegressor

    given, load = sample
    peer = SplitConformalRegressor(Column().fit(*sample), confidence_level=coverage, prefit=True)
    _, interval = peer.conformalize(given, load).predict_interval(given)
    room = score_at(absolute_score(load, given[:, 0]), coverage)
    np.testing.assert_array_equal(interval[:, 1, 0], given[:, 0] + room)
    np.testing.assert_array_equal(interval[:, 0, 0], given[:, 0] - room)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_quantile_regression_is_that_of_mapie(sample, coverage):
    from mapie.regression import ConformalizedQuantileRegressor

    given, load = sample
    models = [Column(column).fit(*sample) for column in (1, 2, 0)]
    peer = ConformalizedQuantileRegressor(models, confidence_level=coverage, prefit=True)
    peer.conformalize(given, load)
    _, interval = peer.predict_interval(given, symmetric_correction=True)
    room = score_at(quantile_score(load, given[:, 1], given[:, 2]), coverage)
    np.testing.assert_allclose(interval[:, 0, 0], given[:, 1] - room, rtol=0, atol=1e-12)
    np.testing.assert_allclose(interval[:, 1, 0], given[:, 2] + room, rtol=0, atol=1e-12)


def test_the_adaptive_level_is_that_of_mapie(sample):
    """The same errors, one after the other: the same level and the same interval at each."""
    from mapie.conformity_scores import AbsoluteConformityScore
    from mapie.regression import TimeSeriesRegressor

    given, load = sample
    peer = TimeSeriesRegressor(
        Column().fit(*sample),
        method="aci",
        cv="prefit",
        conformity_score=AbsoluteConformityScore(sym=True),
    ).fit(given, load)
    scores, level = absolute_score(load, given[:, 0]), 0.1
    random = np.random.default_rng(1)
    for _ in range(60):
        new = random.normal(size=(1, 3))
        truth = new[:, 0] + 1.1 * random.standard_t(4)
        _, interval = peer.predict(new, confidence_level=0.9, allow_infinite_bounds=True)
        room = score_at(scores, 1 - level)
        np.testing.assert_allclose(interval[0, :, 0], new[0, 0] + [-room, room], atol=1e-12)
        peer.adapt_conformal_inference(new, truth, gamma=0.005, confidence_level=0.9)
        level = adapted(level, float(abs(truth - new[:, 0])[0] > room), 0.9, 0.005)
        assert next(iter(peer.current_alpha.values())) == pytest.approx(level, abs=1e-12)


def drifting(days=700):
    """Errors that double in size over the days, without season."""
    random = np.random.default_rng(2)
    origin = np.datetime64("2020-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D")
    return origin, np.abs(random.standard_normal((days, 24))) * np.linspace(1, 4, days)[:, None]


def test_the_adaptive_level_holds_coverage_where_errors_grow():
    origin, scores = drifting()
    plain = scores <= Online(0.9, 300, is_adaptive=False).bounds(origin, scores)
    adaptive = scores <= Online(0.9, 300, is_adaptive=True).bounds(origin, scores)
    assert plain[100:].mean() < 0.87
    assert adaptive[100:].mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("is_adaptive", [False, True])
def test_a_bound_knows_only_hours_that_have_ended(is_adaptive):
    origin, scores = drifting(60)
    online = Online(0.9, 30, is_adaptive)
    long = np.concatenate([scores, scores], axis=1)  # 48 h ahead, every day
    before = online.bounds(origin, long)
    changed = long.copy()
    changed[40:] = 99.0  # not ended at the origin of day 40
    changed[39, 24:] = 99.0
    np.testing.assert_array_equal(online.bounds(origin, changed)[:41], before[:41])
    assert (online.bounds(origin, changed)[45] != before[45]).any()


def test_missing_loads_are_passed_over_and_nothing_known_gives_nothing():
    assert np.isnan(score_at(np.array([np.nan]), 0.9))
    assert score_at(np.array([1.0, np.nan, 3.0]), 0.5) == 3.0
    assert score_at(np.array([1.0, 2.0]), 0.9) == 2.0  # too few: the greatest
