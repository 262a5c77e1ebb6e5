"""Parameters found by a network: as good as the equation itself allows, with honest intervals."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from tvilling.pinns import (
    Adam,
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    Free,
    Measured,
    NetworkSettings,
    Problem,
    TrainSettings,
    Unknown,
    d,
)
from tvilling.pinns.inverse.inversion import invert
from tvilling.pinns.training import Windows
from tvilling.sciml.core.errors import InputError

RATE, NOISE = 0.7, 0.02
TIMES = np.linspace(0.1, 4.0, 30)
QUICK = TrainSettings(
    NetworkSettings(width=8, depth=1),
    points=60,
    stages=(Adam(50), Broyden(200)),
    check_every=50,
)
ONE = (Free("k", "1/s", 0.1, 10.0),)


def readings(cases, seed=7):
    noise = NOISE * np.random.default_rng(seed).standard_normal((cases, len(TIMES)))
    return np.exp(-RATE * TIMES) + noise


def decay(values, free=ONE, rate=lambda at: at.k, times=TIMES):
    """y' = -k y, y(0) = 1, so that y = exp(-k t)."""
    return Problem(
        "decay",
        Box((Axis("t", "s", 0.0, 4.0),)),
        (Unknown("y", "mol", 0.0, 1.0),),
        (Equation("rate", "mol/s", lambda at: d(at.y, "t") + rate(at) * at.y),),
        (Condition("y", "t", 0.0, 1.0),),
        free,
        (Measured("y", {"t": times}, values),),
    )


def exactly(values):
    """The most likely rate and its standard error, from the closed form."""
    rate, covariance = curve_fit(lambda t, k: np.exp(-k * t), TIMES, values, p0=[1.0])
    return rate[0], np.sqrt(covariance[0, 0])


@pytest.fixture(scope="module")
def found():
    return invert(decay(readings(1, 5)[0]), QUICK)


def test_the_estimate_is_the_most_likely_one_and_its_standard_error_too(found):
    rate, error = exactly(readings(1, 5)[0])
    estimate = found.estimates["k"]
    assert estimate.value == pytest.approx(rate, abs=0.02 * error)
    assert estimate.standard_error == pytest.approx(error, rel=0.02)
    assert found.posterior.unsettled < 0.1
    assert found.posterior.freedom == pytest.approx(len(TIMES) - 1, abs=0.1)


def test_the_noise_is_found(found):
    misfit = readings(1, 5)[0] - np.exp(-exactly(readings(1, 5)[0])[0] * TIMES)
    expected = np.sqrt(np.sum(misfit**2) / (len(TIMES) - 1))
    assert found.noise[0] == pytest.approx(expected, rel=0.01)


def test_intervals_cover_the_truth_as_often_as_they_say(found):
    """The spread of estimates is Cramér and Rao's bound, and nine of ten intervals hold."""
    cases = readings(100)
    refits = [item["k"] for item in found.refit(cases, NOISE)]
    held = sum(item.low <= RATE <= item.high for item in refits)
    assert 85 <= held <= 95
    least = NOISE / np.linalg.norm(TIMES * np.exp(-RATE * TIMES))
    mean_error = np.mean([item.standard_error for item in refits])
    assert mean_error == pytest.approx(least, rel=0.05)
    for item, case in zip(refits, cases, strict=True):
        assert item.value == pytest.approx(exactly(case)[0], abs=0.05 * least)


@pytest.mark.slow
def test_intervals_are_students_where_the_noise_is_not_known(found):
    known, unknown = (found.refit(readings(1), noise)[0]["k"] for noise in (NOISE, None))
    assert known.value == unknown.value
    ratio = unknown.standard_error / known.standard_error
    widths = (unknown.high - unknown.low) / (known.high - known.low)
    assert widths / ratio == pytest.approx(1.699 / 1.645, rel=2e-3)  # t of 29 over normal, tables


def test_parameters_that_only_enter_together_are_refused_by_name():
    two = (Free("a", "1/s", 0.1, 5.0), Free("b", "1/s", 0.1, 5.0))
    with pytest.raises(InputError, match="cannot tell a and b apart"):
        invert(decay(readings(1)[0], two, lambda at: at.a + at.b), QUICK)


def test_too_few_readings_and_numbers_out_of_range_are_told_before_training():
    two = (Free("a", "1/s", 0.1, 5.0), Free("b", "1/s", 0.1, 5.0))
    one_reading = decay(np.array([0.5]), two, lambda at: at.a * at.b, np.array([1.0]))
    with pytest.raises(InputError, match="1 readings cannot tell 2 parameters: a, b") as error:
        invert(one_reading, TrainSettings(windows=Windows("t", 2)), coverage=1.5,
               priors={"smooth": 1.0})  # fmt: skip
    assert "coverage is 1.5" in str(error.value)
    assert "prior 'smooth' is no equation" in str(error.value)
    with pytest.raises(InputError, match="expected above 0"):
        invert(decay(readings(1)[0]), noise=-1.0)


def test_readings_of_another_number_are_refused(found):
    with pytest.raises(InputError, match="29 a case, expected 30"):
        found.refit(readings(2)[:, 1:])
