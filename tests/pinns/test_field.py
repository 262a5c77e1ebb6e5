"""Derivatives of fields against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tvilling.pinns import d, laplacian, of
from tvilling.pinns.fields import Field, at_place, cos, exp, sin
from tvilling.sciml.core.errors import InputError

X, Y, T = (Field(lambda point, name=name: point[name]) for name in ("x", "y", "t"))
PLACES = np.random.default_rng(0).uniform(-1.5, 1.5, (20, 3))
EXACT = {"rtol": 1e-13, "atol": 1e-13}  # a few roundings of numbers about one


def at_places(field):
    points = dict(zip("xyt", jnp.asarray(PLACES.T), strict=True))
    return jax.vmap(field)(points)


x, y, t = PLACES.T


@pytest.mark.parametrize(
    ("field", "closed_form"),
    [
        (d(sin(3 * X) * exp(-2 * T), "x"), 3 * np.cos(3 * x) * np.exp(-2 * t)),
        (d(sin(3 * X) * exp(-2 * T), "x", "x"), -9 * np.sin(3 * x) * np.exp(-2 * t)),
        (d(sin(3 * X) * exp(-2 * T), "x", "t"), -6 * np.cos(3 * x) * np.exp(-2 * t)),
        (d(sin(3 * X) * exp(-2 * T), "t", "x"), -6 * np.cos(3 * x) * np.exp(-2 * t)),
        (d(X**4, "x", "x", "x"), 24 * x),
        (d(cos(X) ** 2, "x"), -np.sin(2 * x)),
        (d(X * d(sin(X), "x"), "x"), np.cos(x) - x * np.sin(x)),
        (d(Y, "x"), np.zeros(20)),
        (laplacian(X**3 - 3 * X * Y**2, "x", "y"), np.zeros(20)),  # harmonic
        (laplacian(exp(X) * T, "x"), np.exp(x) * t),
        (d(of(jnp.arctan2, Y, X), "x"), -y / (x**2 + y**2)),
        (d(1 / (2 + X * X), "x"), -2 * x / (2 + x**2) ** 2),
        (d(X / (2 - X), "x"), 2 / (2 - x) ** 2),
        (d(-(5 - X) * (X - 5), "x"), 2 * (x - 5)),
    ],
)
def test_derivatives_equal_closed_forms(field, closed_form):
    np.testing.assert_allclose(at_places(field), closed_form, **EXACT)


@pytest.mark.parametrize("factor", [2, 2.0, np.float64(2), jnp.asarray(2.0)])
def test_numbers_of_any_kind_on_either_side_give_fields(factor):
    for field in (factor * X**2, X**2 * factor, X**2 + X**2 + 0 * factor):
        np.testing.assert_allclose(at_places(d(field, "x")), 4 * x, **EXACT)


def test_a_number_has_no_derivative_in_silence():
    with pytest.raises(TypeError, match=r"d\(\) takes a field made of unknowns, got float"):
        d(2.0, "x")
    with pytest.raises(TypeError, match="at least one coordinate"):
        d(X)


def test_a_function_of_jax_numpy_refuses_a_field():
    """It would give a number, whose derivative would be lost."""
    with pytest.raises(TypeError):
        jnp.sin(X)


def test_an_unknown_coordinate_is_named():
    with pytest.raises(InputError, match="'z' is no coordinate; there are t, x, y"):
        d(X, "z")({"x": 1.0, "y": 1.0, "t": 1.0})


def test_a_field_at_another_place_moves_with_the_other_coordinates_only():
    """u = sin(3 x) e^(-2 t) at x = 0.5: its slope along x vanishes, that along t does not."""
    u = sin(3 * X) * exp(-2 * T)
    there = at_place(u, x=0.5)
    np.testing.assert_allclose(at_places(there), np.sin(1.5) * np.exp(-2 * t), **EXACT)
    np.testing.assert_allclose(at_places(d(there, "x")), 0.0, **EXACT)
    slope = -2 * np.sin(1.5) * np.exp(-2 * t)
    np.testing.assert_allclose(at_places(d(there, "t")), slope, **EXACT)
    rise = at_place(d(u, "x"), x=0.5)
    np.testing.assert_allclose(at_places(rise), 3 * np.cos(1.5) * np.exp(-2 * t), **EXACT)
    nearest = at_place(at_place(u, x=0.5), x=9.0, t=0.0)
    np.testing.assert_allclose(at_places(nearest), np.sin(1.5), **EXACT)
