"""Wrong use is told in one sentence a fault, before anything is trained."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import (
    Adam,
    Axis,
    Box,
    Broyden,
    Condition,
    Derived,
    EdgeCondition,
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
    laplacian,
    of,
    train,
)
from tvilling.pinns.fields import sin
from tvilling.pinns.fields.region import Region
from tvilling.pinns.shapes import Disk, Rectangle, difference
from tvilling.pinns.training import Causal, Windows
from tvilling.sciml.core.errors import InputError

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


def readings(x_m, values, **further):
    points = {"x_m": np.array(x_m), "time_s": np.full(len(x_m), 1.0)}
    return {"measured": (Measured("temp_degc", points, np.array(values), **further),)}


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
    "a family of one": (
        {"parameters": (SPEED, Ranged("loss_per_s", "1/s", 0.1, 1.0))},
        "loss_per_s is ranged, but no equation, condition or derived quantity uses it",
    ),
    "nothing measured": (
        {"parameters": (Free("speed_m_per_s", "m/s", 0.1, 3.0),)},
        "nothing is measured that speed_m_per_s could be found from",
    ),
    "measured where": (
        {"measured": (Measured("temp_degc", {"x_m": np.zeros(3)}, np.zeros(3)),)},
        "measurements of temp_degc: coordinates are x_m, expected x_m, time_s",
    ),
    "normal inside": (
        equation(lambda at: at.normal_x_m * d(at.temp_degc, "x_m")),
        "equation heat: 'normal_x_m' is known on edges only, expected a face",
    ),
    "function of arrays": (
        equation(lambda at: jnp.exp(at.temp_degc)),
        "equation heat: it takes a function of arrays of a field, expected of(function, field)",
    ),
    "equation of nothing": (
        equation(lambda at: at.x_m * 2.0),
        "equation heat: it holds no unknown",
    ),
    "attribute of a field": (
        equation(lambda at: at.temp_degc.foo),
        "equation heat: 'Solved' object has no attribute 'foo'",
    ),
    "a condition and no tuple": (
        {"conditions": Condition("temp_degc", "x_m", 0.0, 80.0)},
        "conditions is a Condition, expected a tuple of Condition or EdgeCondition",
    ),
    "a text for a number": (
        condition("temp_degc", "x_m", 0.0, "80"),
        "conditions[0]: value is '80', expected a function or a number",
    ),
    "a face and no edge": (
        equation(transport, face=("x_m",)),
        "heat: face is ('x_m',), expected (a text, a number) or a text or None",
    ),
    "endless scale": (
        equation(transport, scale=float("inf")),
        "equation heat: scale is inf, expected above 0",
    ),
    "name of a normal": (
        {"parameters": (SPEED, Fixed("normal_x_m", "1", 1.0))},
        "'normal_x_m' is no name that formulas can use, or one of a normal",
    ),
    "nothing returned": (
        equation(lambda at: None),
        "equation heat: it returns nothing, expected a field",
    ),
    "weight": (equation(transport, weight=-1.0), "equation heat: weight is -1, expected above 0"),
    "one name for two": (
        {"equations": (Equation("heat", "K/s", transport),) * 2},
        "2 equations are named heat",
    ),
    "value that is no number": (
        condition("temp_degc", "x_m", 0.0, lambda at: at.time_s / 0.0),
        "condition on temp_degc at x_m = 0: its value is not finite at 32 of 32 points tried",
    ),
    "slope and course": (
        condition("temp_degc", "time_s", 0.0, 1.0, 0.0, lambda at: 1.0),
        "condition on temp_degc at time_s = 0: it has a slope and a course, expected one at most",
    ),
    "course elsewhere": (
        condition("temp_degc", "time_s", 0.0, 1.0, None, lambda at: 2.0 + at.time_s),
        "condition on temp_degc at time_s = 0: its course is 2 there and its value 1 °C",
    ),
    "condition on a circle": (
        {"domain": Box((replace(X, periodic=True), TIME))}
        | condition("temp_degc", "x_m", 0.0, 1.0),
        "condition on temp_degc at x_m = 0: x_m is periodic and has no ends",
    ),
    "another unit": (
        readings([5.0], [1.0], unit="K"),
        "measurements of temp_degc: they are in K, expected °C, the unknown's unit",
    ),
    "sensor outside": (
        readings([5.0, 101.0], [1.0, 2.0]),
        "measurements of temp_degc: x_m runs from 5 to 101 m, expected 0 to 100 m",
    ),
    "no reading": (
        readings([5.0, 6.0], [1.0, np.nan]),
        "measurements of temp_degc: 1 of 2 values are not finite, the first is number 2",
    ),
    "edge of a shape": (
        {"conditions": (EdgeCondition("temp_degc", "left", 1.0),)},
        "condition on temp_degc at left: 'left' is no edge, expected an axis and one of its ends",
    ),
    "no equation": ({"equations": ()}, "there is no equation"),
    "no unknown": ({"unknowns": ()}, "there is no unknown"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_wrong_use_is_one_clear_sentence(changes, sentence):
    with pytest.raises(InputError) as error:
        problem(**changes)
    assert error.value.faults == (sentence,)


PLATE = Region(
    difference(plate=Rectangle((0, 0), (2, 1)), hole=Disk((1, 0.5), 0.25)),
    ("x_m", "y_m"),
    "m",
    (TIME,),
)


def outward(at):
    return at.normal_x_m * d(at.temp_degc, "x_m") + at.normal_y_m * d(at.temp_degc, "y_m")


def sensors(x_m):
    points = {"x_m": np.array(x_m), "y_m": np.full(2, 0.5), "time_s": np.ones(2)}
    return {"measured": (Measured("temp_degc", points, np.ones(2)),)}


EDGES = "boundary, plate, plate bottom, plate right, plate top, plate left, hole"
WRONG_IN_A_SHAPE = {
    "condition on no edge": (
        {"conditions": (EdgeCondition("temp_degc", "north", 1.0),)},
        f"condition on temp_degc at north: 'north' is no edge; there are {EDGES}",
    ),
    "equation on no edge": (
        equation(outward, face="north"),
        f"equation heat: 'north' is no edge; there are {EDGES}",
    ),
    "sensor in the hole": (
        sensors([0.5, 1.1]),
        "measurements of temp_degc: 1 of 2 lie outside the shape, "
        "the first at x_m = 1.1, y_m = 0.5, time_s = 1",
    ),
    "start against edge": (
        {
            "conditions": (
                EdgeCondition("temp_degc", "hole", 5.0),
                Condition("temp_degc", "time_s", 0.0, 1.0),
            )
        },
        "conditions on temp_degc disagree where hole meets time_s = 0: 5 and 1 °C",
    ),
    "edges over each other": (
        {
            "conditions": (
                EdgeCondition("temp_degc", "plate", 5.0),
                EdgeCondition("temp_degc", "plate left", 1.0),
            )
        },
        "conditions on temp_degc: plate and plate left have a piece in common",
    ),
}


@pytest.mark.parametrize(
    ("changes", "sentence"), WRONG_IN_A_SHAPE.values(), ids=WRONG_IN_A_SHAPE.keys()
)
def test_wrong_use_in_a_shape_is_one_clear_sentence(changes, sentence):
    with pytest.raises(InputError) as error:
        problem(domain=PLATE, **(equation(lambda at: d(at.temp_degc, "time_s")) | changes))
    assert error.value.faults == (sentence,)


def test_a_sensor_on_an_edge_is_inside_and_normals_are_known_there():
    problem(domain=PLATE, **(equation(outward, face="hole") | sensors([0.75, 1.25])))


def test_a_value_that_does_not_close_on_a_circle_is_told():
    ring = Box((replace(X, periodic=True), TIME))
    with pytest.raises(InputError) as error:
        problem(domain=ring, **condition("temp_degc", "time_s", 0.0, lambda at: at.x_m))
    assert error.value.faults == (
        "condition on temp_degc at time_s = 0: its value is 0 and 100 °C at the ends of x_m, "
        "which is periodic",
    )


TINY = TrainSettings(NetworkSettings(width=4, depth=1), 10, 10, (Adam(2),), check_every=2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"causal": Causal("z_m")}, "causal axis 'z_m' is no axis; declared are x_m, time_s"),
        ({"windows": Windows("z_m", 2)}, "'z_m' is no axis; declared are x_m, time_s"),
    ],
)
def test_an_axis_that_does_not_exist_is_told_before_training(changes, sentence):
    with pytest.raises(InputError) as error:
        train(problem(), replace(TINY, **changes))
    assert error.value.faults == (sentence,)


def test_an_equation_that_is_never_finite_is_named_and_ends_training():
    told = []
    wrong = problem(**equation(lambda at: at.temp_degc * of(jnp.log, at.x_m - 200.0)))
    solution = train(wrong, TINY, tell=told.append)
    assert solution.stopped == "diverged"
    assert told[-3].startswith("transport: the residual of heat is not finite at 40 of 40 points")


def test_values_are_asked_for_inside_only():
    solution = train(
        problem(domain=PLATE, **equation(lambda at: laplacian(at.temp_degc, "x_m"))), TINY
    )
    with pytest.raises(InputError) as error:
        solution.evaluate(x_m=[2.5], y_m=0.5, time_s=0.0)
    assert error.value.faults == ("x_m runs from 2.5 to 2.5 m, expected 0 to 2 m",)
    found = solution.evaluate(x_m=[0.0, 0.5, 1.0], y_m=0.5, time_s=0.0)["temp_degc"].values.ravel()
    np.testing.assert_array_equal(np.isnan(found), [False, False, True])  # the last is in the hole


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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"points": 10.5}, "points is 10.5, expected a whole number"),
        ({"stages": Broyden(10)}, "stages is a Broyden, expected a tuple of Stage"),
        ({"stages": (Broyden(10.5),)}, "Broyden: steps is 10.5, expected a whole number"),
        ({"network": None}, "network is None, expected NetworkSettings"),
        ({"balance": "no"}, "balance is 'no', expected True or False"),
        ({"focus": float("inf")}, "focus is inf, expected at least 0"),
        ({"windows": Windows("time_s", 2.5)}, "windows: count is 2.5, expected a whole number"),
    ],
)
def test_settings_of_a_wrong_type_are_told(changes, told):
    with pytest.raises(InputError) as error:
        replace(TrainSettings(), **changes)
    assert told in error.value.faults


@pytest.mark.parametrize("seed", [-1, 1.5, 2**32, "0"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="expected a whole number from 0"):
        train(problem(), seed=seed)


@pytest.mark.parametrize(
    ("points", "values", "told"),
    [
        (0.5, 0.6, "points are no coordinates by name"),
        ({"x_m": 0.5}, 0.6, "x_m have 0 axes, expected one, a list"),
        ({"x_m": ["a"]}, ["b"], "x_m are no numbers"),
        ({"x_m": np.zeros((5, 1))}, np.zeros((5, 1)), "values have 2 axes, expected one, a list"),
    ],
)
def test_readings_are_lists_of_numbers(points, values, told):
    with pytest.raises(InputError) as error:
        Measured("temp_degc", points, values)
    assert told in error.value.faults


def test_lists_and_whole_numbers_are_readings_too():
    given = Measured("temp_degc", {"x_m": [0, 50], "time_s": (1, 2)}, [80, 70])
    assert given.values.dtype == given.points["x_m"].dtype == float


def test_a_parameter_counts_where_a_condition_or_a_derived_quantity_uses_it():
    loss = {"parameters": (SPEED, Ranged("inlet_degc", "°C", 60.0, 90.0))}
    inlet = condition("temp_degc", "x_m", 0.0, lambda at: at.inlet_degc)
    assert problem(**loss, **inlet).inputs.ranged[0].name == "inlet_degc"
    above = Derived("above_k", "K", lambda at: at.temp_degc - at.inlet_degc)
    assert problem(**loss, derived=(above,)).told[-1].name == "above_k"
