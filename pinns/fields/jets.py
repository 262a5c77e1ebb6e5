"""Values with all the derivatives that are wanted, carried through a computation at once.

A jet holds a quantity at many points with its partial derivatives along named coordinates: a
multi-index (0, 2) stands for the second derivative along the second coordinate. Sums, products,
linear maps and functions of jets follow the rules of Leibniz and Faà di Bruno, so that one pass
through a network gives every derivative an equation needs, each linear layer in a single matrix
product. It is forward-mode differentiation of higher order without nested transformations, which
costs a third to a half less here (Bettencourt, Johnson and Duvenaud, "Taylor-mode automatic
differentiation for higher-order derivatives in JAX", 2019).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import comb, prod

import jax.numpy as jnp
from jaxtyping import Array, Float

Index = tuple[int, ...]  # how many times along each coordinate
Tower = Callable[[Array, int], list[Array]]  # a function and its derivatives, up to an order


def below(index: Index) -> Iterator[Index]:
    """All multi-indices that are at most `index`, itself and zero included."""
    return product(*(range(count + 1) for count in index))


@cache
def closed(wanted: frozenset[Index], coordinates: int) -> tuple[Index, ...]:
    """The indices below those wanted, in rising order; the value itself is the first."""
    every = {low for index in wanted for low in below(index)} | {(0,) * coordinates}
    return tuple(sorted(every, key=lambda index: (sum(index), index)))


def choose(index: Index, part: Index) -> int:
    """In how many ways `part` of the derivatives of `index` can be picked."""
    return prod(comb(a, b) for a, b in zip(index, part, strict=True))


def minus(index: Index, part: Index) -> Index:
    """What is left of `index` without `part`."""
    return tuple(a - b for a, b in zip(index, part, strict=True))


@dataclass(frozen=True)
class Jet:
    """Derivatives of one quantity: an array `[index, point, …]` for `indices`.

    `indices` holds with every index all that are below it, the value first.
    """

    indices: tuple[Index, ...]
    values: Float[Array, "index point *shape"]

    def __getitem__(self, index: Index) -> Float[Array, "point *shape"]:
        return self.values[self.indices.index(index)]

    @property
    def value(self) -> Float[Array, "point *shape"]:
        """The quantity itself."""
        return self.values[0]

    def __add__(self, other: "Jet") -> "Jet":
        return Jet(self.indices, self.values + other.values)

    def __sub__(self, other: "Jet") -> "Jet":
        return Jet(self.indices, self.values - other.values)

    def times(self, factor: Array | float) -> "Jet":
        """Multiplied by what does not depend on the coordinates."""
        return Jet(self.indices, self.values * factor)

    def plus(self, constant: Array | float) -> "Jet":
        """With a constant added to the value."""
        return Jet(self.indices, jnp.concatenate([self.values[:1] + constant, self.values[1:]]))

    def __mul__(self, other: "Jet") -> "Jet":
        """The product, by Leibniz' rule."""
        here, there = dict(self._pairs()), dict(other._pairs())
        rows = [
            sum(choose(i, part) * here[part] * there[minus(i, part)] for part in below(i))
            for i in self.indices
        ]
        return Jet(self.indices, jnp.stack(rows))

    def linear(
        self, kernel: Float[Array, "in out"], bias: Float[Array, " out"] | None = None
    ) -> "Jet":
        """`self @ kernel + bias`, all derivatives in one matrix product."""
        flat = self.values.reshape(-1, self.values.shape[-1]) @ kernel
        mapped = Jet(self.indices, flat.reshape(*self.values.shape[:-1], kernel.shape[1]))
        return mapped if bias is None else mapped.plus(bias)

    def through(self, tower: Tower) -> "Jet":
        """`function(self)` elementwise, where `tower` gives the function and its derivatives.

        With f_k the k-th derivative of f at z, the derivative along one more coordinate e of f_k
        is f_(k+1) z_e; Leibniz' rule on that product gives each index from lower ones.
        """
        order = sum(self.indices[-1])
        inner = dict(self._pairs())
        zero = self.indices[0]
        known = {(k, zero): level for k, level in enumerate(tower(self.value, order))}

        def of(level: int, index: Index) -> Array:
            if (level, index) not in known:
                axis = next(i for i, count in enumerate(index) if count)
                step = tuple(int(i == axis) for i in range(len(index)))
                rest = minus(index, step)
                terms = [
                    choose(rest, part) * of(level + 1, part) * inner[minus(index, part)]
                    for part in below(rest)
                ]
                known[level, index] = sum(terms[1:], start=terms[0])
            return known[level, index]

        return Jet(self.indices, jnp.stack([of(0, index) for index in self.indices]))

    def _pairs(self) -> Iterator[tuple[Index, Array]]:
        return ((index, self.values[row]) for row, index in enumerate(self.indices))


def stacked(jets: Iterable[Jet]) -> Jet:
    """Jets of scalars side by side, as the entries of a last axis."""
    listed = list(jets)
    return Jet(listed[0].indices, jnp.stack([jet.values for jet in listed], axis=-1))


def joined(*jets: Jet) -> Jet:
    """Jets of vectors, one after the other along their last axis."""
    return Jet(jets[0].indices, jnp.concatenate([jet.values for jet in jets], axis=-1))


def coordinate(indices: tuple[Index, ...], axis: int, values: Float[Array, " point"]) -> Jet:
    """A coordinate itself: its derivative along itself is one, all others vanish."""
    along = tuple(int(i == axis) for i in range(len(indices[0])))
    rows = [
        values if not any(index) else jnp.full_like(values, float(index == along))
        for index in indices
    ]
    return Jet(indices, jnp.stack(rows))


def tanh_tower(z: Array, order: int) -> list[Array]:
    """Tanh and its derivatives, which are polynomials in tanh: d/dz y^k = k y^(k-1) (1 - y²)."""
    y = jnp.tanh(z)
    return [_polynomial(coefficients, y) for coefficients in _tanh_polynomials(order)]


def sine_tower(z: Array, order: int) -> list[Array]:
    """Sin and its derivatives."""
    sine, cosine = jnp.sin(z), jnp.cos(z)
    return [(sine, cosine, -sine, -cosine)[k % 4] for k in range(order + 1)]


def cosine_tower(z: Array, order: int) -> list[Array]:
    """Cos and its derivatives."""
    return sine_tower(z + jnp.pi / 2, order)


@cache
def _tanh_polynomials(order: int) -> tuple[Mapping[int, float], ...]:
    """Coefficients by power of tanh, for each derivative."""
    found: list[dict[int, float]] = [{1: 1.0}]
    for _ in range(order):
        following: dict[int, float] = {}
        for power, factor in found[-1].items():
            if power:
                low, high = power - 1, power + 1
                following[low] = following.get(low, 0.0) + factor * power
                following[high] = following.get(high, 0.0) - factor * power
        found.append(following)
    return tuple(found)


def _polynomial(coefficients: Mapping[int, float], y: Array) -> Array:
    """Horner's rule."""
    total = jnp.zeros_like(y)
    for power in range(max(coefficients), -1, -1):
        total = total * y + coefficients.get(power, 0.0)
    return total
