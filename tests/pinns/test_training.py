"""Training: closed forms it must reach, parameters it must find, and how it ends."""

import jax
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
    Reference,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.fields import sin

SMALL = NetworkSettings(width=10, depth=1)
QUICK = TrainSettings(SMALL, points=60, stages=(Broyden(350),), check_every=50)
TIME = Axis("t", "s", 0.0, 2.0)
START = Condition("y", "t", 0.0, 1.0)
RATE = 0.7


def decay(parameter, **further):
    """y' = -k y, y(0) = 1, so that y = exp(-k t)."""
    return Problem(
        "decay",
        Box((TIME,)),
        (Unknown("y", "mol", 0.0, 1.0),),
        (Equation("rate", "mol/s", lambda at: d(at.y, "t") + at.k * at.y),),
        (START,),
        (parameter,),
        **further,
    )


KNOWN = decay(
    Fixed("k", "1/s", RATE),
    reference=Reference(lambda at: {"y": np.exp(-RATE * at["t"])}, 1e-16, "closed form"),
)


@pytest.fixture(scope="module")
def known():
    return train(KNOWN, QUICK, seed=3)


def test_an_ordinary_equation_is_solved_to_many_digits(known):
    error = known.error()["y"]
    assert error.relative_l2 < 1e-6
    assert error.greatest < 1e-5


def test_the_same_seed_gives_the_same_bits_and_another_does_not(known):
    again, other = train(KNOWN, QUICK, seed=3), train(KNOWN, QUICK, seed=4)
    for one, two, three in zip(*map(jax.tree.leaves, (known, again, other)), strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


def test_the_best_check_is_kept(known):
    assert known.best.held_out == min(check.held_out for check in known.checks)
    steps = [check.step for check in known.checks]
    assert steps[:6] == [0, 3, 9, 21, 45, 93]  # the first draws serve fewer steps
    assert max(np.diff(steps)) == 50
    assert steps[-1] == 350
    assert known.best.held_out < 1e-6 * known.checks[0].held_out


def test_a_solution_is_differentiated_like_any_field(known):
    slope = d(known.fields.y, "t")({"t": 1.0})
    assert float(slope) == pytest.approx(-RATE * np.exp(-RATE), rel=1e-4)


def test_a_free_parameter_is_found_from_measurements():
    t = np.linspace(0.1, 2.0, 12)
    measured = Measured("y", {"t": t}, np.exp(-RATE * t))
    solution = train(decay(Free("k", "1/s", 0.1, 10.0), measured=(measured,)), QUICK)
    assert solution.parameters["k"] == pytest.approx(RATE, rel=1e-4)


def test_one_training_solves_a_family():
    """k is an input; the slope along it is known too: dy/dk = -t exp(-k t)."""
    settings = TrainSettings(NetworkSettings(width=12), points=200, stages=(Adam(50), Broyden(400)))
    solution = train(decay(Ranged("k", "1/s", 0.5, 2.0)), settings)
    t, k = np.linspace(0, 2, 21), np.linspace(0.5, 2, 16)
    found = solution.evaluate(t=t, k=k)["y"].transpose("t", "k").values
    np.testing.assert_allclose(found, np.exp(-np.outer(t, k)), atol=1e-4)
    along = d(solution.fields.y, "k")({"t": 1.5, "k": 1.0})
    assert float(along) == pytest.approx(-1.5 * np.exp(-1.5), rel=1e-2)


def test_two_unknowns_share_a_network_and_one_is_given_by_an_equation_on_a_face():
    """u' = w and w' = -sin x, with u(0) = 0 and w(π) = 0, have u = sin x + x and w = cos x + 1."""
    problem = Problem(
        "rod",
        Box((Axis("x", "m", 0.0, np.pi),)),
        (Unknown("u", "K", 0.0, 3.0), Unknown("w", "K/m", 0.0, 2.0)),
        (
            Equation("slope", "K/m", lambda at: d(at.u, "x") - at.w),
            Equation("balance", "K/m²", lambda at: d(at.w, "x") + sin(at.x)),
            Equation("insulated", "K/m", lambda at: at.w, face=("x", np.pi)),
        ),
        (Condition("u", "x", 0.0, 0.0),),
    )
    found = train(problem, QUICK).evaluate(x=np.linspace(0, np.pi, 50))
    np.testing.assert_allclose(found["u"], np.sin(found["x"]) + found["x"], atol=2e-4)
    np.testing.assert_allclose(found["w"], np.cos(found["x"]) + 1, atol=2e-4)


@pytest.mark.parametrize(
    ("changes", "stopped"),
    [
        ({"target": 1e-3}, "target"),
        ({"time_s": 1e-3}, "time"),
        ({"stages": (Adam(40, learning_rate=1e300),)}, "diverged"),
        ({"stages": (Broyden(60),)}, "steps"),
    ],
)
def test_it_says_why_it_ended_and_keeps_finite_weights(changes, stopped):
    small = {"network": NetworkSettings(width=6, depth=1), "points": 30, "check_every": 20}
    stages = {"stages": (Adam(40), Broyden(60))}
    solution = train(KNOWN, TrainSettings(**(small | stages | changes)))
    assert solution.stopped == stopped
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(solution.params))
    assert np.isfinite(solution.evaluate(t=np.linspace(0, 2, 5))["y"]).all()
    if stopped == "target":
        assert solution.best.held_out <= 1e-3
        assert solution.checks[-1].step < 100


def test_where_nothing_can_be_lowered_it_says_so():
    """The residual is one whatever the network does."""
    problem = Problem(
        "nothing",
        Box((TIME,)),
        (Unknown("y", "1", 0.0, 1.0),),
        (Equation("one", "1", lambda at: 0.0 * at.y + jnp.ones(())),),
    )
    stages = (Adam(5), Broyden(100))
    solution = train(problem, TrainSettings(SMALL, points=10, stages=stages))
    assert solution.stopped == "no descent"
