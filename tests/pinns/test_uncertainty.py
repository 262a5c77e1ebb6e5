"""Deviations of fields and parameters, against formulas of linear regression and of propagation."""

import numpy as np
import pytest

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
from tvilling.pinns.solution.uncertainty import ensemble, laplace
from tvilling.sciml.core.errors import InputError

QUICK = TrainSettings(
    NetworkSettings(width=6, depth=1),
    points=40,
    stages=(Adam(50), Broyden(100)),
    check_every=50,
)
TIMES = np.linspace(0.0, 4.0, 15)
NOISE = 0.05


def line(**further):
    """u'' = 0: a straight line through readings, which is linear regression."""
    noise = NOISE * np.random.default_rng(3).standard_normal(len(TIMES))
    return Problem(
        "line",
        Box((Axis("t", "s", 0.0, 4.0),)),
        (Unknown("u", "m", 0.0, 3.0),),
        (Equation("straight", "m/s²", lambda at: d(at.u, "t", "t")),),
        measured=(Measured("u", {"t": TIMES}, 1.0 + 0.5 * TIMES + noise),),
        **further,
    )


def exponential():
    values = np.exp(-0.7 * TIMES[1:])
    noise = NOISE * np.random.default_rng(4).standard_normal(len(values))
    return Problem(
        "decay",
        Box((Axis("t", "s", 0.0, 4.0),)),
        (Unknown("y", "mol", 0.0, 1.0),),
        (Equation("rate", "mol/s", lambda at: d(at.y, "t") + at.k * at.y),),
        (Condition("y", "t", 0.0, 1.0),),
        (Free("k", "1/s", 0.1, 10.0),),
        (Measured("y", {"t": TIMES[1:]}, values + noise),),
    )


def test_the_field_has_the_deviation_of_linear_regression():
    """σ² (1/n + (t - t̄)²/S) at t, as in any textbook; noise from the misfit with n - 2."""
    found = invert(line(), QUICK)
    t = np.linspace(0.0, 4.0, 9)
    field = found.posterior.evaluate(t=t)
    slope, offset = np.polyfit(TIMES, line().measured[0].values, 1)
    misfit = line().measured[0].values - offset - slope * TIMES
    noise = np.sqrt(np.sum(misfit**2) / (len(TIMES) - 2))
    away = TIMES - TIMES.mean()
    deviation = noise * np.sqrt(1 / len(TIMES) + (t - TIMES.mean()) ** 2 / np.sum(away**2))
    np.testing.assert_allclose(field["u"], offset + slope * t, atol=0.02 * NOISE)
    np.testing.assert_allclose(field["u_sd"], deviation, rtol=0.02)
    assert found.noise[0] == pytest.approx(noise, rel=0.01)
    assert found.posterior.freedom == pytest.approx(len(TIMES) - 2, abs=0.1)
    assert field["u_sd"].attrs["units"] == "m"


@pytest.mark.slow
def test_a_parameter_makes_the_field_unsure_by_propagation():
    """The deviation of exp(-k t) is t exp(-k t) times that of k."""
    found = invert(exponential(), QUICK, noise=NOISE)
    k = found.estimates["k"]
    t = np.linspace(0.0, 4.0, 9)
    deviation = found.posterior.evaluate(t=t)["y_sd"].values
    np.testing.assert_allclose(
        deviation, t * np.exp(-k.value * t) * k.standard_error, rtol=0.02, atol=1e-6
    )
    again = laplace(found.solution, QUICK, NOISE)  # other points of the domain
    assert np.sqrt(again.covariance()[0, 0]) == pytest.approx(k.standard_error, rel=0.01)


@pytest.mark.slow
def test_members_of_an_ensemble_differ_by_their_seeds_and_by_noise():
    quick = ensemble(exponential(), QUICK, (0, 1, 2))
    assert len(set(quick.parameters["k"])) == 3
    spread = quick.evaluate(t=[1.0, 2.0])
    each = np.stack([member.evaluate(t=[1.0, 2.0])["y"].values for member in quick.members])
    np.testing.assert_allclose(spread["y"], each.mean(axis=0))
    np.testing.assert_allclose(spread["y_sd"], each.std(axis=0, ddof=1))
    noisy = ensemble(exponential(), QUICK, (0, 1, 2), NOISE)
    assert np.ptp(noisy.parameters["k"]) > 10 * np.ptp(quick.parameters["k"])


def test_what_cannot_be_unsure_is_refused():
    with pytest.raises(InputError, match="1 different seeds, expected at least 2"):
        ensemble(line(), QUICK, (1, 1))
    with pytest.raises(InputError, match="2 given, expected 1"):
        ensemble(line(), QUICK, (0, 1), (0.1, 0.1))
