"""What a formula, a place or a reading cannot be is told in one sentence; the rest is taken."""

import math

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import interp1d

import tvilling.pinns as pinns
from tvilling.pinns import (
    Axis,
    Box,
    Condition,
    Equation,
    Measured,
    Problem,
    TrainSettings,
    Unknown,
    d,
    of,
)
from tvilling.pinns.fields import Field, at_place
from tvilling.pinns.optimisers.stages import Broyden
from tvilling.sciml.core.errors import InputError

EQUAL = "it compares a field with == or !=, which is no function of the place"
FIELDS = "it takes a function of arrays of a field, expected of(function, field)"
OF_JAX = "it takes a function of NumPy, SciPy or Python of a field, expected one of jax.numpy"


def declared(residual, **more):
    parts = {
        "unknowns": (Unknown("u", "K", 0.5, 1.0),),
        "equations": (Equation("e", "K/m", residual),),
        "conditions": (Condition("u", "x", 0.0, 0.5),),
    } | more
    return Problem("small", Box((Axis("x", "m", 0.0, 1.0),)), **parts)


@pytest.mark.parametrize(
    ("residual", "told"),
    [
        (
            lambda at: d(at.u, "x") + 1j * at.u,
            "equation e: it gives complex numbers, expected",
        ),
        (lambda at: d(at.u, "x") + of(lambda u: jnp.exp(1j * u), at.u), "as two unknowns and two"),
        (lambda at: d(at.u, "x") + at_place(at.u, y=0.5), "'y' is no coordinate; there are x"),
        (
            lambda at: d(at.u, "x") + at_place(at.u, x=50.0),
            "x = 50 m lies outside small, expected 0 to 1 m",
        ),
        (lambda at: d(at.u, "x") + at_place(at.u, x=float("nan")), "x = nan m lies outside"),
        (lambda at: d(at.u, "x") + at_place(at.u, x=0.5 * at.x), "takes numbers, got a field as x"),
        (lambda at: d(at.u, "x") + at_place(at.u), "takes at least one coordinate"),
        (lambda at: d(at.u, "x") + of(lambda x: np.interp(x, [0, 1], [1, 2]), at.x), OF_JAX),
        (lambda at: d(at.u, "x") + of(interp1d([0, 1], [1, 2]), at.x), OF_JAX),
        (lambda at: d(at.u, "x") + of(math.exp, at.x), OF_JAX),
        (lambda at: d(at.u, "x") + math.exp(at.x), FIELDS),
        (lambda at: d(at.u, "x") if at.u else at.u, "expected of(jnp.where, …)"),
        (lambda at: d(at.u, "x") - (at.u == 0.5), EQUAL),
        (lambda at: d(at.u, "x") - (np.array(0.5) == at.x), EQUAL),
        (lambda at: d(at.u, "x") - (d(at.u, "x") != at.u), EQUAL),
        (lambda at: d(at.u, "x") - (1.0 if at.x in (0.0, 1.0) else 0.0), EQUAL),
        (lambda at: d(at.u, "x") - {0.0: 1.0}.get(at.x, 0.0), "it looks a field up in a table"),
        (lambda at: d(at.u, "x") - (at.x > 0.5), FIELDS),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(residual, told):
    with pytest.raises(InputError) as refused:
        declared(residual)
    assert told in str(refused.value)
    assert len(refused.value.faults) == 1


def test_a_condition_that_is_complex_is_refused():
    with pytest.raises(InputError, match="condition on u at x = 0: it gives complex numbers"):
        declared(lambda at: d(at.u, "x"), conditions=[Condition("u", "x", 0.0, lambda at: 1j)])


def test_python_s_own_operators_are_those_of_fields():
    x = np.array([0.2, 0.7])
    at = {"x": x}
    field = Field(lambda point: point["x"] - 0.5)
    place = Field(lambda point: point["x"])
    np.testing.assert_allclose(abs(field)(at), np.abs(x - 0.5))
    np.testing.assert_allclose((2.0**field)(at), 2.0 ** (x - 0.5))
    np.testing.assert_allclose((place**place)(at), x**x)
    np.testing.assert_allclose(d(place**place, "x")(at), x**x * (np.log(x) + 1), rtol=1e-12)


def test_lists_stand_for_tuples():
    problem = declared(
        lambda at: d(at.u, "x"),
        unknowns=[Unknown("u", "K", 0.5, 1.0)],
        conditions=[Condition("u", "x", 0.0, 0.5)],
        equations=[Equation("e", "K/m", lambda at: d(at.u, "x"))],
    )
    assert isinstance(problem.unknowns, tuple)
    assert problem.told == problem.unknowns
    assert isinstance(Box([Axis("x", "m", 0.0, 1.0)]).axes, tuple)
    assert TrainSettings(stages=[Broyden(5)]) == TrainSettings(stages=(Broyden(5),))


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2026-01-01", periods=2),
        list(pd.date_range("2026-01-01", periods=2)),
        pd.to_timedelta([1, 2], unit="s"),
    ],
)
def test_dates_are_not_taken_for_nanoseconds(times):
    with pytest.raises(InputError, match="x are dates or times, expected numbers in the declared"):
        Measured("u", {"x": times}, [0.1, 0.2])


def test_readings_that_are_complex_or_texts_are_refused():
    with pytest.raises(InputError, match="values are complex, expected real numbers"):
        Measured("u", {"x": [0.0]}, np.array([1j]))
    with pytest.raises(InputError, match="values are no numbers"):
        Measured("u", {"x": [0.0]}, ["warm"])


def test_tab_finds_every_name():
    assert set(pinns.__all__) <= set(dir(pinns))
    assert all(hasattr(pinns, name) for name in pinns.__all__)
