"""Fields that are their own reflection, and problems that are not."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import (
    Axis,
    Box,
    Broyden,
    Condition,
    Equation,
    NetworkSettings,
    Problem,
    TrainSettings,
    Unknown,
    d,
    train,
)
from tvilling.pinns.fields import Symmetry, sin
from tvilling.pinns.fields.evaluation import evaluate
from tvilling.pinns.library.burgers import Burgers
from tvilling.pinns.network.ansatz import start, terms
from tvilling.sciml.core.errors import InputError

X, Y = Axis("x", "1", -1.0, 3.0), Axis("y", "1", 0.0, 2.0)
TWO = Problem(
    name="two",
    domain=Box((X, Y)),
    unknowns=(Unknown("u", "1", -1.0, 1.0), Unknown("v", "1", 0.0, 5.0)),
    equations=(
        Equation("of u", "1", lambda at: d(at.u, "x", "x") + d(at.u, "y", "y") - at.u),
        Equation("of v", "1", lambda at: d(at.v, "x", "x") - (at.v - 2.5) * d(at.u, "x") ** 2),
    ),
    symmetries=(Symmetry("x", odd=("u",)), Symmetry("y", odd=("v",))),
)


def test_an_untrained_network_is_odd_and_even_with_its_derivatives():
    graph, params = start(TWO, NetworkSettings(width=7), jax.random.key(3))
    at = terms(TWO, graph, params)
    fields = [at.u, at.v, d(at.u, "x"), d(at.v, "y"), d(at.u, "x", "x")]
    here = {"x": jnp.array([0.3, 2.9, 1.0]), "y": jnp.array([0.2, 1.7, 1.0])}
    in_x = evaluate(fields, {"x": 2.0 - here["x"], "y": here["y"]})
    in_y = evaluate(fields, {"x": here["x"], "y": 2.0 - here["y"]})
    u, v, u_x, v_y, u_xx = evaluate(fields, here)
    signs_x, signs_y = (-1, 1, 1, 1, -1), (1, -1, 1, 1, 1)
    mirrored_v = (1, 0, 0, 0, 0)  # v is odd about 2.5, the middle of its range
    for value, one, other, first, second, plain in zip(
        (u, v, u_x, v_y, u_xx), in_x, in_y, signs_x, signs_y, mirrored_v, strict=True
    ):
        np.testing.assert_allclose(one, first * value, atol=1e-13)
        shift = 5.0 if second < 0 and not plain else 0.0
        np.testing.assert_allclose(other, second * value + shift, atol=1e-13)
    assert np.ptp(np.asarray(v)) > 1e-3


def test_a_front_stays_in_its_place():
    short = TrainSettings(
        NetworkSettings(width=8, depth=2), points=200, stages=(Broyden(40),), check_every=20
    )
    solution = train(Burgers(viscosity=0.1).problem(), short)
    middle = solution.evaluate(x=[0.0], t=np.linspace(0, 1, 5))["u"]
    assert middle.values == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"symmetries": (Symmetry("z"),)}, "'z' is no axis; declared are x, y"),
        ({"symmetries": (Symmetry("x", odd=("w",)),)}, "'w' is no unknown; declared are u, v"),
        ({"symmetries": (Symmetry("x"), Symmetry("x"))}, "x is named 2 times"),
        (
            {"conditions": (Condition("u", "x", -1.0, 0.5),)},
            "conditions on u are not odd about the middle of x",
        ),
        (
            {"conditions": (Condition("u", "y", 0.0, lambda at: jnp.sin(at.x)),)},
            "conditions on u are not odd about the middle of x",
        ),
        (
            {"equations": (Equation("drift", "1", lambda at: d(at.u, "x") + at.u),)},
            "equation drift changes when x is reflected",
        ),
        (
            {"equations": (Equation("source", "1", lambda at: d(at.u, "x") - sin(at.x)),)},
            "equation source changes when x is reflected",
        ),
    ],
)
def test_what_is_not_its_own_reflection_is_told(changes, told):
    with pytest.raises(InputError) as error:
        replace(TWO, **changes)
    assert told in str(error.value)


def robin(left, right):
    """Conduction with a source between two films, even about the middle where both are alike."""
    return Problem(
        name="films",
        domain=Box((Axis("x", "1", 0.0, 1.0),)),
        unknowns=(Unknown("u", "1", 0.0, 1.0),),
        equations=(
            Equation("heat", "1", lambda at: d(at.u, "x", "x") + 1.0),
            Equation("left", "1", lambda at: d(at.u, "x") - left * at.u, face=("x", 0.0)),
            Equation("right", "1", lambda at: d(at.u, "x") + right * at.u, face=("x", 1.0)),
        ),
        symmetries=(Symmetry("x"),),
    )


def test_equations_on_opposite_faces_are_compared():
    assert robin(3.0, 3.0).symmetries
    with pytest.raises(InputError, match=r"equation left at x = 0 has no reflection"):
        robin(3.0, 1.0)
