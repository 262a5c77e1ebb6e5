"""Fields computed over points: first what they take, then the unknowns once, then the rest."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tvilling.pinns.field import Applied, Coordinate, Derivative, Field, Point, Solved
from tvilling.sciml.errors import InputError

Along = tuple[str, ...]  # coordinates of a derivative, in rising order; none for the value
Wanted = dict[str, frozenset[Along]]  # of each unknown


class Source(Protocol):
    """What gives unknowns, such as a network with its weights."""

    def derivatives(self, points: Point, wanted: Wanted) -> dict[tuple[str, Along], Array]:
        """The wanted derivatives of each unknown over `points`."""


def evaluate(fields: Sequence[Field], points: Point) -> list[Array]:
    """The values of `fields` at a point, or over arrays of points of one length."""
    points = {name: jnp.asarray(value, float) for name, value in points.items()}
    tables = {
        source: source.derivatives(points, wanted) for source, wanted in needs(fields, points)
    }
    computed = _Computed(points, tables)
    return [jnp.asarray(computed(field, ()), float) for field in fields]


def needs(fields: Sequence[Field], points: Point) -> list[tuple[Source, Wanted]]:
    """Which derivatives of which unknowns `fields` take, by source."""
    found: dict[Source, dict[str, set[Along]]] = defaultdict(lambda: defaultdict(set))
    seen: set[tuple[int, Along]] = set()

    def visit(field: Any, along: Along) -> None:
        if not isinstance(field, Field) or (id(field), along) in seen:
            return
        seen.add((id(field), along))
        if isinstance(field, Solved):
            found[field.source][field.name].add(along)
        elif isinstance(field, Derivative):
            _check_names(field.along, points)
            visit(field.field, tuple(sorted(along + field.along)))
        elif isinstance(field, Applied):
            if along:
                visit(field.slope(along[0]), along[1:])
            else:
                for argument in field.arguments:
                    visit(argument, ())

    for field in fields:
        visit(field, ())
    return [
        (source, {name: frozenset(items) for name, items in by_name.items()})
        for source, by_name in found.items()
    ]


class _Computed:
    """Values of expressions over points, each computed once."""

    def __init__(self, points: Point, tables: dict[Any, dict[tuple[str, Along], Array]]) -> None:
        self.points, self.tables = points, tables
        self.known: dict[tuple[int, Along], Any] = {}
        self.like = next(iter(points.values()), jnp.zeros(()))

    def __call__(self, field: Any, along: Along) -> Any:
        if not isinstance(field, Field):
            return field if not along else 0.0
        key = (id(field), along)
        if key not in self.known:
            self.known[key] = self._new(field, along)
        return self.known[key]

    def _new(self, field: Field, along: Along) -> Any:
        if isinstance(field, Solved):
            return self.tables[field.source][field.name, along]
        if isinstance(field, Coordinate):
            if not along:
                return self.points[field.name]
            return jnp.full_like(self.like, float(along == (field.name,)))
        if isinstance(field, Derivative):
            return self(field.field, tuple(sorted(along + field.along)))
        if isinstance(field, Applied):
            if along:
                return self(field.slope(along[0]), along[1:])
            return self._applied(field)
        return derivative(field.function, along, self.points)

    def _applied(self, field: Applied) -> Any:
        values = [self(argument, ()) for argument in field.arguments]
        axes = [0 if jnp.ndim(value) and isinstance(argument, Field) else None
                for value, argument in zip(values, field.arguments, strict=True)]  # fmt: skip
        if all(axis is None for axis in axes):
            return field.function(*values)
        return jax.vmap(field.function, in_axes=tuple(axes))(*values)


def derivative(function: Callable[[Point], Any], along: Along, points: Point) -> Array:
    """A derivative of a function of one point, over `points`, by nested forward mode."""
    _check_names(along, points)
    for name in along:
        function = _slope(function, name)

    def value(point: Point) -> Array:
        return jnp.asarray(function(point), float)

    batched = any(jnp.ndim(item) for item in points.values())
    return jax.vmap(value)(points) if batched else value(points)


def _slope(function: Callable[[Point], Any], name: str) -> Callable[[Point], Any]:
    def slope(point: Point) -> Any:
        def along(moved: Any) -> Array:
            return jnp.asarray(function({**point, name: moved}), float)

        return jax.jvp(along, (point[name],), (jnp.ones_like(point[name]),))[1]

    return slope


def _check_names(along: Along, points: Point) -> None:
    for name in along:
        if name not in points:
            known = ", ".join(sorted(points))
            raise InputError("d()", [f"{name!r} is no coordinate; there are {known}"])
