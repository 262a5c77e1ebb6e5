"""Fields: functions of the coordinates that an equation is written with, and their derivatives.

An equation reads as it does on paper:

    d(at.temp, "t") + at.speed * d(at.temp, "x") - at.diffusivity * d(at.temp, "x", "x")

Sums, products and functions of fields are fields again, so that `d(u * u, "x")` and
`d(at.conductivity * d(u, "x"), "x")` mean what they say.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.errors import InputError

Point = Mapping[str, Any]  # one scalar a coordinate, in the coordinate's unit
Scalar = Float[Array, ""]


class Field:
    """A scalar function of a point.

    Parameters
    ----------
    function
        Takes one scalar a coordinate, by name, and gives a scalar.
    """

    __slots__ = ("function",)
    __array_ufunc__ = None  # NumPy numbers on the left leave the operation to this class

    def __init__(self, function: Callable[[Point], Any]) -> None:
        self.function = function

    def __call__(self, point: Point) -> Scalar:
        """The value at `point`."""
        return jnp.asarray(self.function(point), float)

    def __add__(self, other: Any) -> "Field":
        return of(jnp.add, self, other)

    def __radd__(self, other: Any) -> "Field":
        return of(jnp.add, other, self)

    def __sub__(self, other: Any) -> "Field":
        return of(jnp.subtract, self, other)

    def __rsub__(self, other: Any) -> "Field":
        return of(jnp.subtract, other, self)

    def __mul__(self, other: Any) -> "Field":
        return of(jnp.multiply, self, other)

    def __rmul__(self, other: Any) -> "Field":
        return of(jnp.multiply, other, self)

    def __truediv__(self, other: Any) -> "Field":
        return of(jnp.divide, self, other)

    def __rtruediv__(self, other: Any) -> "Field":
        return of(jnp.divide, other, self)

    def __pow__(self, power: int | float) -> "Field":
        return of(lambda value: value**power, self)  # a plain exponent keeps integer powers exact

    def __neg__(self) -> "Field":
        return of(jnp.negative, self)


def of(function: Callable[..., Any], *arguments: Any) -> Field:
    """The field `function(*arguments)`, where arguments may be fields or numbers.

    `of(jnp.where, u_is_large, u, 0.0)` is how any function of scalars enters an equation.
    """

    def value(point: Point) -> Any:
        return function(*(item(point) if isinstance(item, Field) else item for item in arguments))

    return Field(value)


def sin(argument: Any) -> Field:
    """Sine of a field or a number."""
    return of(jnp.sin, argument)


def cos(argument: Any) -> Field:
    """Cosine of a field or a number."""
    return of(jnp.cos, argument)


def exp(argument: Any) -> Field:
    """Exponential of a field or a number."""
    return of(jnp.exp, argument)


def d(field: Field, *coordinates: str) -> Field:
    """Derivative with respect to each of `coordinates` in turn, by forward-mode differentiation.

    `d(u, "x")` is du/dx and `d(u, "x", "x")` the second derivative, both exact up to rounding and
    in the units of the field and its coordinates. Parameters that are inputs of a family may be
    named too.

    Raises
    ------
    TypeError
        If `field` is a number, or no coordinate is named.
    InputError
        When it is evaluated, if there is no such coordinate.
    """
    if not isinstance(field, Field):
        raise TypeError(f"d() takes a field made of unknowns, got {type(field).__name__}")
    if not coordinates:
        raise TypeError("d() takes at least one coordinate, as in d(u, 'x')")
    for coordinate in coordinates:
        field = Field(_derivative(field, coordinate))
    return field


def _derivative(field: Field, coordinate: str) -> Callable[[Point], Scalar]:
    def slope(point: Point) -> Scalar:
        if coordinate not in point:
            known = ", ".join(sorted(point))
            raise InputError("d()", [f"{coordinate!r} is no coordinate; there are {known}"])
        at = jnp.asarray(point[coordinate], float)
        along = jax.jvp(
            lambda moved: field({**point, coordinate: moved}), (at,), (jnp.ones_like(at),)
        )
        return along[1]

    return slope


def laplacian(field: Field, *coordinates: str) -> Field:
    """Sum of the second derivatives along `coordinates`."""
    total = d(field, coordinates[0], coordinates[0])
    for coordinate in coordinates[1:]:
        total = total + d(field, coordinate, coordinate)
    return total
