"""The innovations tell when a twin has lost its plant."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, kstest
from twin_week import UNKNOWN, follow, start

from tvilling.benchmarks.twin_reference import LOSS_W_PER_K, make_week
from tvilling.twins.monitor import CONFIDENCE, Follows, health


def test_the_interval_is_that_of_chi_squared() -> None:
    found = health(np.full(20, 3.0), np.full(20, 3))
    low, high = chi2.interval(CONFIDENCE, 60)
    assert (found.low, found.high) == pytest.approx((low / 60, high / 60), rel=1e-9)
    assert found.nis == pytest.approx(1.0)
    assert found.verdict is Follows.YES


def test_few_readings_give_no_verdict() -> None:
    found = health(np.array([50.0]), np.array([11]))
    assert found.verdict is Follows.UNKNOWN
    assert str(found) == "too few readings: 11, 12 are needed"
    assert found.ok


def test_the_nis_of_a_twin_that_follows_is_chi_squared() -> None:
    """All hours of four weeks together, after a first day.

    Every window on the way says that the twin follows.
    """
    values = []
    for seed in range(4):
        twins = follow(start(seed=seed), make_week(seed))
        values += [float(twin.last.nis) for twin in twins[24:] if twin.last]
        verdicts = {twin.health().verdict for twin in twins}
        assert verdicts <= {Follows.UNKNOWN, Follows.YES}
    assert kstest(values, chi2(1).cdf).pvalue > 0.01


def test_a_drifting_thermometer_is_noticed() -> None:
    """0.1 K an hour from the third day: noticed within two days, not before it begins."""
    week = make_week(seed=1)
    drift = 0.1 * np.clip(np.arange(168) - 48, 0, None)
    twins = follow(start(LOSS_W_PER_K, unknown={}), replace(week, read_degc=week.read_degc + drift))
    lost = [not twin.health().ok for twin in twins]
    assert not any(lost[:48])
    assert any(lost[48:96])
    assert all(lost[96:])
    assert "does not follow: mean normalised innovation squared" in str(twins[-1].health())


def test_a_doubled_loss_is_noticed_and_followed_if_it_may_wander() -> None:
    """A twin that is sure of the coefficient loses the plant; one that lets it wander finds it."""
    week = make_week(seed=2, hours=240, change_at=72)
    sure = follow(start(LOSS_W_PER_K, unknown={}), week)
    assert all(twin.health().ok for twin in sure[:72])
    assert not any(twin.health().ok for twin in sure[120:])
    open_minded = follow(start(unknown=UNKNOWN, unknown_walk=0.1), week)
    assert open_minded[-1].health().ok
    found = open_minded[-1].estimate()["loss_w_per_k"]
    assert abs(found.mean - 2 * LOSS_W_PER_K) < 3 * found.sd
    assert found.sd < 0.1 * found.mean


def test_a_sigma_set_too_large_is_told() -> None:
    week = make_week(seed=1, hours=60)
    quiet = replace(week, read_degc=week.true_degc + 0.05 * (week.read_degc - week.true_degc))
    twin = follow(start(LOSS_W_PER_K, unknown={}, state_noise=0.5), quiet)[-1]
    assert twin.health().verdict is Follows.TOO_WIDE
    assert twin.health().ok
