"""What a guest's equation gets as its unknown: numbers that know their own derivatives.

A map is row-wise where the outputs at one point depend on that point alone. Its derivatives along
one coordinate, at all points of a batch, are then a single forward-mode product.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Path = tuple[int, ...]  # coordinates along which is differentiated, in rising order
Batch = Float[Array, "point column"]
Rowwise = Callable[[Batch], Batch]


def derivative(function: Rowwise, path: Path) -> Rowwise:
    """The derivative of a row-wise function along each coordinate of `path`, as one again."""
    for axis in path:
        function = _along(function, axis)
    return function


def _along(function: Rowwise, axis: int) -> Rowwise:
    def slope(points: Batch) -> Batch:
        tangent = jnp.zeros_like(points).at[:, axis].set(1.0)
        return jax.jvp(function, (points,), (tangent,))[1]

    return slope


class Source:
    """A row-wise function at its points, and the derivatives that were asked of it.

    Parameters
    ----------
    known
        Derivatives that are there already, by path; others are computed when asked for.
    """

    def __init__(
        self, function: Rowwise, points: Batch, known: Mapping[Path, Batch] | None = None
    ) -> None:
        self.function, self.points = function, points
        self.values: dict[Path, Batch] = dict(known or {})

    @property
    def asked(self) -> tuple[Path, ...]:
        """The paths there are values for."""
        return tuple(self.values)

    def at(self, path: Path) -> Batch:
        """The derivative of every output along `path`."""
        if path not in self.values:
            self.values[path] = derivative(self.function, path)(self.points)
        return self.values[path]


class Columns:
    """Outputs of a source, or derivatives of them, one a column.

    Usable as an array [point, column], as a tensor of the guest would be, and as the pair of
    values and function (of one point) that the guest's JAX backend passes. Operators and slices
    give arrays; functions of `jax.numpy` take `jnp.array(y)` or `y[:, 0:1]`, not `y` itself.

    Parameters
    ----------
    parts
        Of each column the output it comes from, and along what that is differentiated.
    """

    __array_ufunc__ = None  # NumPy arrays leave their operators to this class

    def __init__(self, source: Source, parts: tuple[tuple[int, Path], ...]) -> None:
        self.source, self.parts = source, parts

    @classmethod
    def of(cls, source: Source) -> "Columns":
        """All outputs of `source`."""
        return cls(source, tuple((at, ()) for at in range(source.at(()).shape[1])))

    @property
    def array(self) -> Batch:
        """The values."""
        found = [self.source.at(path)[:, at : at + 1] for at, path in self.parts]
        return found[0] if len(found) == 1 else jnp.concatenate(found, axis=1)

    def function(self, point: Float[Array, " coordinate"]) -> Float[Array, " column"]:
        """The values at another point."""
        found = [
            derivative(self.source.function, path)(point[None])[0, at] for at, path in self.parts
        ]
        return jnp.stack(found)

    def along(self, row: int | None, *axes: int) -> "Columns":
        """The derivative of column `row`, or of all, along `axes`."""
        parts = self.parts if row is None else (self.parts[row],)
        return Columns(
            self.source, tuple((at, tuple(sorted((*path, *axes)))) for at, path in parts)
        )

    def gradient(self, row: int) -> "Columns":
        """The derivatives of column `row` along every coordinate, one a column."""
        each = range(self.source.points.shape[1])
        return Columns(self.source, tuple(self.along(row, axis).parts[0] for axis in each))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.array, self.function))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            return (self.array, self.function)[key]
        return self.array[key]

    def __jax_array__(self) -> Batch:
        return self.array

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("source", "parts"):
            raise AttributeError(name)
        return getattr(self.array, name)


BINARY = ("add", "sub", "mul", "truediv", "pow", "matmul", "lt", "le", "gt", "ge")


def plain(value: Any) -> Any:
    """The array behind a value that stands for one."""
    found = getattr(value, "__jax_array__", None)
    return found() if found else value


def operators() -> dict[str, Callable[..., Any]]:
    """Operators for a class whose instances stand for an array by `__jax_array__`."""
    found: dict[str, Callable[..., Any]] = {
        "__neg__": lambda self: -plain(self),
        "__pos__": plain,
        "__abs__": lambda self: abs(plain(self)),
    }
    for name in BINARY:
        apply = getattr(operator, name)
        found[f"__{name}__"] = _forward(apply)
        if name not in ("lt", "le", "gt", "ge"):
            found[f"__r{name}__"] = _backward(apply)
    return found


def _forward(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: apply(jnp.asarray(plain(self)), plain(other))


def _backward(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: apply(plain(other), jnp.asarray(plain(self)))


for _name, _operator in operators().items():
    setattr(Columns, _name, _operator)
