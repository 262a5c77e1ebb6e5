"""Jumps under a derivative are refused with their place; what is continuous, or outside, passes."""

import jax
import jax.numpy as jnp
import pytest

from tvilling.pinns import Axis, Box, Condition, Equation, Problem, Unknown, d, of
from tvilling.pinns.fields import Field
from tvilling.sciml.core.errors import InputError

TABLE = jnp.array([1.0, 2.0, 3.0])


def layered(x):
    return jnp.where(x < 0.5, 1.0, 0.1)


def declared(residual, conditions=()):
    return Problem(
        "layers",
        Box((Axis("x", "m", 0.0, 1.0), Axis("t", "s", 0.0, 1.0))),
        (Unknown("u", "K", 0.0, 1.0),),
        (Equation("heat", "K", residual),),
        conditions,
    )


@pytest.mark.parametrize(
    ("residual", "place"),
    [
        (lambda at: d(of(layered, at.x) * d(at.u, "x"), "x"), "x = 0.5 m"),
        (lambda at: d(of(layered, at.u) * d(at.u, "x"), "x"), "x = "),
        (lambda at: d((of(jnp.less, at.x, 0.3) * 1.0 + 0.2) * d(at.u, "x"), "x"), "x = 0.3 m"),
        (lambda at: d(of(jnp.sign, at.x - 0.3) * at.u, "x"), "x = 0.3 m"),
        (lambda at: d(of(jnp.floor, 2.0 * at.x) * at.u, "x"), "x = 0.5 m"),
        (
            lambda at: d(
                of(lambda x: jax.lax.cond(x < 0.3, lambda: 1.0, lambda: 2.0), at.x) * at.u, "x"
            ),
            "x = 0.3 m",
        ),
        (lambda at: d(of(lambda x: TABLE[(x * 2.5).astype(int)], at.x) * at.u, "x"), "x = 0."),
        (lambda at: d(Field(lambda point: layered(point["x"])) * at.u, "x"), "x = 0.5 m"),
        (lambda at: d(of(jnp.mod, at.x, 0.6) * at.u, "x"), "x = 0.6 m"),
        (lambda at: d(abs(at.x - 0.4) * at.u, "x", "x"), "x = 0.4 m"),
        (
            lambda at: d((of(jnp.exp, 5.0 * at.x) + 0.1 * of(layered, at.x)) * at.u, "x"),
            "x = 0.5 m",
        ),
    ],
    ids=[
        *("where", "of_u", "less", "sign", "floor", "cond", "table", "leaf", "mod", "kink", "small")
    ],
)
def test_a_jump_under_a_derivative_is_refused_with_its_place(residual, place):
    with pytest.raises(InputError) as refused:
        declared(residual)
    told = str(refused.value)
    assert f"equation heat: what it differentiates along x jumps, as at {place}" in told
    assert "flux_equations" in told
    assert "Layers" in told


@pytest.mark.parametrize(
    "residual",
    [
        lambda at: d(abs(at.u), "x"),
        lambda at: d(of(jax.nn.relu, at.u), "x"),
        lambda at: d(of(jnp.interp, at.x, TABLE / 4, TABLE) * d(at.u, "x"), "x"),
        lambda at: of(layered, at.x) * d(at.u, "x", "x") + of(layered, at.x),
        lambda at: d(of(layered, at.x) * at.u, "t") - d(at.u, "x"),
        lambda at: d(of(jnp.tanh, 1e5 * (at.x - 0.5)) * d(at.u, "x"), "x"),
        lambda at: d(
            of(lambda x: jnp.where(x < 0.5, x, 0.0), at.x)
            + of(lambda x: jnp.where(x >= 0.5, 1 - x, 0.0), at.x)
            + at.u,
            "x",
        ),
    ],
    ids=["abs", "relu", "interp", "outside", "along_t", "steep", "pieces"],
)
def test_what_is_continuous_or_outside_a_derivative_passes(residual):
    assert declared(residual).equations


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (lambda at: layered(at.x), "its value jumps, as at x = 0.5 m"),
        (lambda at: jnp.abs(at.x - 0.5), "its slope jumps, as at x = 0.5 m"),
    ],
)
def test_a_start_that_breaks_is_refused_where_it_is_differentiated(value, told):
    start = Condition("u", "t", 0.0, value)
    with pytest.raises(InputError, match=told):
        declared(lambda at: d(at.u, "t") - d(at.u, "x", "x"), (start,))
    assert declared(lambda at: d(at.u, "t") + at.u, (start,)).conditions  # each place on its own
    smooth = Condition(
        "u", "t", 0.0, lambda at: jnp.abs(at.x - 0.5),
        course=lambda at: jnp.sqrt((at.x - 0.5) ** 2 + at.t),
    )  # fmt: skip
    assert declared(lambda at: d(at.u, "t") - d(at.u, "x", "x"), (smooth,)).conditions
