"""Fields: functions of the coordinates that an equation is written with, and their derivatives.

An equation reads as it does on paper:

    d(at.temp, "t") + at.speed * d(at.temp, "x") - at.diffusivity * d(at.temp, "x", "x")

Sums, products and functions of fields are fields again, so that `d(u * u, "x")` and
`d(at.conductivity * d(u, "x"), "x")` mean what they say. A field is an expression: before it is
computed it is known which derivatives of which unknowns it takes, and a network gives them all in
one pass (`tvilling.pinns.fields.evaluation`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Point = Mapping[str, Any]  # one number, or an array over points, a coordinate, in its unit
Scalar = Float[Array, ""]
COMPARED = (
    "it compares a field with == or !=, which is no function of the place; "
    "expected of(jnp.equal, field, other)"
)
LOOKED_UP = "it looks a field up in a table, expected of(jnp.interp, field, places, values)"
OF_ARRAYS = "it takes a function of arrays of a field, expected of(function, field)"


class Field:
    """A scalar function of the coordinates.

    Parameters
    ----------
    function
        Takes one scalar a coordinate, by name, and gives a scalar.
    """

    __slots__ = ("function",)
    __array_ufunc__ = None  # NumPy numbers on the left leave the operation to this class

    def __init__(self, function: Callable[[Point], Any]) -> None:
        self.function = function

    def __call__(self, point: Point) -> Array:
        """The value at `point`, or over arrays of points."""
        from tvilling.pinns.fields.evaluation import evaluate

        return evaluate([self], point)[0]

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

    def __pow__(self, power: Any) -> "Field":
        if isinstance(power, Field):
            return of(jnp.power, self, power)
        return of(lambda value: value**power, self)  # a plain exponent keeps integer powers exact

    def __rpow__(self, base: Any) -> "Field":
        return of(jnp.power, base, self)

    def __neg__(self) -> "Field":
        return of(jnp.negative, self)

    def __abs__(self) -> "Field":
        return of(jnp.abs, self)

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        raise TypeError(COMPARED)

    def __hash__(self) -> int:
        raise TypeError(LOOKED_UP)

    def __float__(self) -> float:
        raise TypeError(OF_ARRAYS)

    def __bool__(self) -> bool:
        raise TypeError("a field is neither true nor false, expected of(jnp.where, …)")


class Coordinate(Field):
    """A coordinate itself."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Solved(Field):
    """An unknown, whose values and derivatives `source` gives."""

    __slots__ = ("name", "source")

    def __init__(self, name: str, source: Any) -> None:
        self.name, self.source = name, source


class Derivative(Field):
    """The derivative of a field along coordinates, in rising order of their names."""

    __slots__ = ("along", "field")

    def __init__(self, field: Field, along: tuple[str, ...]) -> None:
        self.field, self.along = field, tuple(sorted(along))


class Applied(Field):
    """`function(*arguments)`, where arguments may be fields or numbers."""

    __slots__ = ("_slopes", "arguments")

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.arguments = arguments
        self._slopes: dict[str, Field] = {}

    def slope(self, coordinate: str) -> "Field":
        """The derivative along one coordinate, by the chain rule, as an expression again."""
        if coordinate not in self._slopes:
            inner = [item for item in self.arguments if isinstance(item, Field)]
            along = [Derivative(item, (coordinate,)) for item in inner]
            self._slopes[coordinate] = Applied(_chained(self), (*inner, *along))
        return self._slopes[coordinate]


def _chained(applied: Applied) -> Callable[..., Any]:
    """The derivative of a function of fields, taking their values and then their slopes."""
    given, function = applied.arguments, applied.function
    count = sum(isinstance(item, Field) for item in given)

    def slope(*both: Any) -> Any:
        def outer(*varying: Any) -> Any:
            rest = iter(varying)
            return function(*(next(rest) if isinstance(item, Field) else item for item in given))

        values = [jnp.asarray(item) for item in both[:count]]
        slopes = [_tangent(value, along) for value, along in zip(values, both[count:], strict=True)]
        _, found = jax.jvp(outer, tuple(values), tuple(slopes))
        return jnp.zeros(()) if found.dtype == jax.dtypes.float0 else found

    return slope


def _tangent(value: Array, along: Any) -> Any:
    """A slope of the kind that JAX wants: truth values and whole numbers have none."""
    if jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.asarray(along, value.dtype)
    return np.zeros(value.shape, jax.dtypes.float0)


class Elsewhere(Field):
    """A field at a place where some coordinates have other values."""

    __slots__ = ("field", "place")

    def __init__(self, field: Field, place: tuple[tuple[str, float], ...]) -> None:
        self.field, self.place = field, place


def at_place(field: Field, **place: float) -> Field:
    """The field where the named coordinates have these values, whatever they are at the point.

    `at_place(at.water_degc, x_m=1500.0)` is the temperature at the outlet, a function of time.

    Raises
    ------
    TypeError
        If `field` is a number, no coordinate is named, or a place is no number.
    InputError
        When it is evaluated, if there is no such coordinate or the place is outside the domain.
    """
    if not isinstance(field, Field):
        raise TypeError(f"at_place() takes a field made of unknowns, got {type(field).__name__}")
    if not place:
        raise TypeError("at_place() takes at least one coordinate, as in at_place(u, x=0.5)")
    return Elsewhere(field, tuple(sorted((name, _number(name, at)) for name, at in place.items())))


def _number(name: str, value: Any) -> float:
    """A place along a coordinate."""
    if isinstance(value, Field):
        raise TypeError(f"at_place() takes numbers, got a field as {name}")
    return float(value)


def of(function: Callable[..., Any], *arguments: Any) -> Field:
    """The field `function(*arguments)`, where arguments may be fields or numbers.

    `of(jnp.where, u_is_large, u, 0.0)` is how any function of scalars enters an equation.
    """
    return Applied(function, arguments)


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
    """Derivative with respect to each of `coordinates` in turn, by automatic differentiation.

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
    return Derivative(field, coordinates)


def laplacian(field: Field, *coordinates: str) -> Field:
    """Sum of the second derivatives along `coordinates`."""
    total = d(field, coordinates[0], coordinates[0])
    for coordinate in coordinates[1:]:
        total = total + d(field, coordinate, coordinate)
    return total
