"""Fields computed over points: first what they take, then the unknowns once, then the rest."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tvilling.pinns.fields.field import (
    Applied,
    Coordinate,
    Derivative,
    Elsewhere,
    Field,
    Point,
    Solved,
)
from tvilling.sciml.core.errors import InputError

Along = tuple[str, ...]  # coordinates of a derivative, in rising order; none for the value
NeededDerivatives = dict[str, frozenset[Along]]  # of each unknown
Place = tuple[tuple[str, float], ...]  # coordinates that are held at a value
COMPLEX = (
    "it gives complex numbers, expected real ones: write real and imaginary parts as two unknowns "
    "and two equations"
)


class Source(Protocol):
    """What gives unknowns, such as a network with its weights."""

    def derivatives(
        self, points: Point, wanted: NeededDerivatives, place: Place = ()
    ) -> dict[tuple[str, Along], Array]:
        """The wanted derivatives of each unknown over `points`, which lie at `place`."""


def evaluate(fields: Sequence[Field], points: Point) -> list[Array]:
    """The values of `fields` at a point, or over arrays of points of one length."""
    points = {name: jnp.asarray(value, float) for name, value in points.items()}
    tables = {
        (source, place): source.derivatives(moved(points, place), wanted, place)
        for source, place, wanted in needs(fields, points)
    }
    computed = _Computed(points, tables)
    return [real(computed(field, (), ())) for field in fields]


def real(value: Any) -> Array:
    """`value` as floating-point numbers.

    Raises
    ------
    TypeError
        If it is complex: its imaginary part would be lost.
    """
    found = jnp.asarray(value)
    if jnp.iscomplexobj(found):
        raise TypeError(COMPLEX)
    return found.astype(float)


def moved(points: Point, place: Place) -> dict[str, Array]:
    """The points, with the coordinates that `place` names set to its values."""
    like = jnp.asarray(next(iter(points.values()), 0.0))
    return {**points, **{name: jnp.full_like(like, value) for name, value in place}}


def needs(fields: Sequence[Field], points: Point) -> list[tuple[Source, Place, NeededDerivatives]]:
    """Which derivatives of which unknowns `fields` take, by source and place."""
    found: dict[tuple[Source, Place], dict[str, set[Along]]]
    found = defaultdict(lambda: defaultdict(set))
    seen: set[tuple[int, Along, Place]] = set()

    def visit(field: Any, along: Along, place: Place) -> None:
        if not isinstance(field, Field) or (id(field), along, place) in seen:
            return
        seen.add((id(field), along, place))
        if isinstance(field, Solved):
            found[field.source, place][field.name].add(along)
        elif isinstance(field, Derivative):
            _check_names("d()", field.along, points)
            visit(field.field, tuple(sorted(along + field.along)), place)
        elif isinstance(field, Elsewhere):
            _check_names("at_place()", [name for name, _ in field.place], points)
            if not _held(field, along):
                visit(field.field, along, merged(place, field.place))
        elif isinstance(field, Applied):
            if along:
                visit(field.slope(along[0]), along[1:], place)
            else:
                for argument in field.arguments:
                    visit(argument, (), place)

    for field in fields:
        visit(field, (), ())
    return [
        (source, place, {name: frozenset(items) for name, items in by_name.items()})
        for (source, place), by_name in found.items()
    ]


def merged(outer: Place, inner: Place) -> Place:
    """Both places; what is nearer to the field wins."""
    return tuple(sorted((dict(outer) | dict(inner)).items()))


def _held(field: Elsewhere, along: Along) -> bool:
    """Whether a derivative goes along a coordinate that does not move there."""
    return any(name in dict(field.place) for name in along)


class _Computed:
    """Values of expressions over points, each computed once."""

    def __init__(self, points: Point, tables: dict[Any, dict[tuple[str, Along], Array]]) -> None:
        self.points, self.tables = points, tables
        self.known: dict[tuple[int, Along, Place], Any] = {}
        self.like = next(iter(points.values()), jnp.zeros(()))

    def __call__(self, field: Any, along: Along, place: Place) -> Any:
        if not isinstance(field, Field):
            return field if not along else 0.0
        key = (id(field), along, place)
        if key not in self.known:
            self.known[key] = self._new(field, along, place)
        return self.known[key]

    def _new(self, field: Field, along: Along, place: Place) -> Any:
        if isinstance(field, Solved):
            return self.tables[field.source, place][field.name, along]
        if isinstance(field, Coordinate):
            if not along:
                return moved(self.points, place)[field.name]
            return jnp.full_like(self.like, float(along == (field.name,)))
        if isinstance(field, Derivative):
            return self(field.field, tuple(sorted(along + field.along)), place)
        if isinstance(field, Elsewhere):
            if _held(field, along):
                return jnp.zeros_like(self.like)
            return self(field.field, along, merged(place, field.place))
        if isinstance(field, Applied):
            if along:
                return self(field.slope(along[0]), along[1:], place)
            return self._applied(field, place)
        return derivative(field.function, along, moved(self.points, place))

    def _applied(self, field: Applied, place: Place) -> Any:
        values = [self(argument, (), place) for argument in field.arguments]
        axes = [0 if jnp.ndim(value) and isinstance(argument, Field) else None
                for value, argument in zip(values, field.arguments, strict=True)]  # fmt: skip
        if all(axis is None for axis in axes):
            return field.function(*values)
        return jax.vmap(field.function, in_axes=tuple(axes))(*values)


def derivative(function: Callable[[Point], Any], along: Along, points: Point) -> Array:
    """A derivative of a function of one point, over `points`, by nested forward mode."""
    _check_names("d()", along, points)
    for name in along:
        function = _slope(function, name)

    def value(point: Point) -> Array:
        return real(function(point))

    batched = any(jnp.ndim(item) for item in points.values())
    return jax.vmap(value)(points) if batched else value(points)


def _slope(function: Callable[[Point], Any], name: str) -> Callable[[Point], Any]:
    def slope(point: Point) -> Any:
        def along(moved: Any) -> Array:
            return real(function({**point, name: moved}))

        return jax.jvp(along, (point[name],), (jnp.ones_like(point[name]),))[1]

    return slope


def _check_names(taker: str, names: Sequence[str], points: Point) -> None:
    for name in names:
        if name not in points:
            known = ", ".join(sorted(points))
            raise InputError(taker, [f"{name!r} is no coordinate; there are {known}"])
