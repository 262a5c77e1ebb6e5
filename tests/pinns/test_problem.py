"""Wrong use is told in one sentence a fault, before anything is trained."""

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import (
    Adam,
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    Fixed,
    Free,
    Measured,
    NetworkSettings,
    Problem,
    Ranged,
    TrainSettings,
    Unknown,
    d,
    sin,
)
from tvilling.sciml.errors import InputError

X, TIME = Axis("x_m", "m", 0.0, 100.0), Axis("time_s", "s", 0.0, 60.0)
TEMP = Unknown("temp_degc", "°C", 0.0, 90.0)
SPEED = Fixed("speed_m_per_s", "m/s", 1.5)


def transport(at):
    return d(at.temp_degc, "time_s") + at.speed_m_per_s * d(at.temp_degc, "x_m")


def problem(**changes):
    given = {
        "name": "transport",
        "domain": Box((X, TIME)),
        "unknowns": (TEMP,),
        "equations": (Equation("heat", "K/s", transport),),
        "parameters": (SPEED,),
    }
    return Problem(**(given | changes))


def equation(residual, **further):
    return {"equations": (Equation("heat", "K/s", residual, **further),)}


def condition(*arguments):
    return {"conditions": (Condition(*arguments),)}


WRONG = {
    "undeclared unknown": (
        equation(lambda at: d(at.temp_k, "x_m")),
        "equation heat: 'temp_k' is not declared; "
        "declared are temp_degc, x_m, time_s, speed_m_per_s",
    ),
    "undeclared coordinate": (
        equation(lambda at: d(at.temp_degc, "y_m")),
        "equation heat: 'y_m' is no coordinate; there are time_s, x_m",
    ),
    "derivative of a number": (
        equation(lambda at: d(3.0, "x_m")),
        "equation heat: d() takes a field made of unknowns, got float",
    ),
    "a vector": (
        equation(lambda at: at.temp_degc * jnp.ones(2)),
        "equation heat: it gives an array of shape (2,), expected a scalar",
    ),
    "scale": (equation(transport, scale=0.0), "equation heat: scale is 0, expected above 0"),
    "equation on no face": (
        equation(transport, face=("x_m", 50.0)),
        "equation heat: 50 m lies inside the domain, expected one of its ends, 0 or 100 m",
    ),
    "condition outside": (
        condition("temp_degc", "x_m", 101.0, 80.0),
        "condition on temp_degc at x_m = 101: 101 m lies outside the domain, "
        "expected one of its ends, 0 or 100 m",
    ),
    "condition on no axis": (
        condition("temp_degc", "y_m", 0.0, 80.0),
        "condition on temp_degc at y_m = 0: 'y_m' is no axis; declared are x_m, time_s",
    ),
    "condition on no unknown": (
        condition("temp_k", "x_m", 0.0, 80.0),
        "condition on temp_k at x_m = 0: 'temp_k' is no unknown; declared are temp_degc",
    ),
    "condition with an undeclared name": (
        condition("temp_degc", "x_m", 0.0, lambda at: at.inlet_degc),
        "condition on temp_degc at x_m = 0: 'inlet_degc' is not declared; "
        "declared are x_m, time_s, speed_m_per_s",
    ),
    "twice": (
        {"parameters": (SPEED, Fixed("x_m", "m", 1.0))},
        "x_m is declared 2 times",
    ),
    "range": (
        {"parameters": (SPEED, Ranged("loss", "1/s", 2.0, 1.0))},
        "loss: its range is 2 to 1 1/s, expected two finite numbers, the smaller first",
    ),
    "not finite": (
        {"parameters": (Fixed("speed_m_per_s", "m/s", float("nan")),)},
        "speed_m_per_s is nan m/s, expected a finite number",
    ),
    "nothing measured": (
        {"parameters": (Free("speed_m_per_s", "m/s", 0.1, 3.0),)},
        "nothing is measured that speed_m_per_s could be found from",
    ),
    "measured where": (
        {"measured": (Measured("temp_degc", {"x_m": np.zeros(3)}, np.zeros(3)),)},
        "measurements of temp_degc: coordinates are x_m, expected x_m, time_s",
    ),
    "no equation": ({"equations": ()}, "there is no equation"),
    "no unknown": ({"unknowns": ()}, "there is no unknown"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_wrong_use_is_one_clear_sentence(changes, sentence):
    with pytest.raises(InputError) as error:
        problem(**changes)
    assert error.value.faults == (sentence,)


def test_conditions_that_contradict_each_other_are_told():
    inlet = Condition("temp_degc", "x_m", 0.0, 80.0)
    filled = Condition("temp_degc", "time_s", 0.0, lambda at: 60.0 + 0.1 * at.x_m)
    with pytest.raises(InputError) as error:
        problem(conditions=(inlet, filled))
    assert error.value.faults == (
        "conditions on temp_degc disagree where x_m = 0 meets time_s = 0: 80 and 60 °C",
    )
    problem(conditions=(inlet, Condition("temp_degc", "time_s", 0.0, lambda at: 80.0 + at.x_m)))


def test_all_faults_are_told_together():
    wrong = (
        Condition("temp_k", "x_m", 0.0, 1.0),
        Condition("temp_degc", "x_m", -1.0, 1.0),
        Condition("temp_degc", "z_m", 0.0, 1.0),
    )
    with pytest.raises(InputError) as error:
        problem(conditions=wrong, equations=())
    assert len(error.value.faults) == 4


def test_a_condition_may_use_fields_or_plain_functions():
    for function in (jnp.sin, sin):
        problem(conditions=(Condition("temp_degc", "x_m", 0.0, lambda at: function(at.time_s)),))  # noqa: B023


def test_settings_out_of_range_are_told_together():
    with pytest.raises(InputError) as error:
        TrainSettings(points=0, stages=(Adam(0, learning_rate=-1.0), Broyden(5, rule="best")))
    assert set(error.value.faults) == {
        "points is 0, expected at least 1",
        "Adam: steps is 0, expected at least 1",
        "Adam: learning_rate is -1, expected at least 0",
        "rule is 'best', expected one of broyden, scaled bfgs, bfgs",
    }
    with pytest.raises(InputError) as error:
        NetworkSettings(kind="deep", width=-3)
    assert error.value.faults == (
        "width is -3, expected at least 1",
        "kind is 'deep', expected one of perceptron, modified, fourier, pirate",
    )
