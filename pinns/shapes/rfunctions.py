"""Functions that join distances smoothly, after Rvachev.

Sukumar and Srivastava, Comput. Methods Appl. Mech. Engrg. 389 (2022) 114333,
DOI 10.1016/j.cma.2021.114333. Everything is traceable, and derivatives are finite everywhere: where
a root has none, as at a corner, some finite value is given.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.pinns.shapes.shape import Scalar

NEAR = 1e-9  # of a shape's half diagonal: closer than that to an edge counts as on it
TINY = 1e-24


def root(square: Array) -> Array:
    """Square root, with derivative 0 where the argument is 0."""
    safe = jnp.where(square > TINY, square, 1.0)
    return jnp.where(square > TINY, jnp.sqrt(safe), 0.0)


def both(first: Array, second: Array) -> Array:
    """R-conjunction: positive where both are, zero on the boundary of that set.

    a + b - √(a² + b²); of first order normalised where one of them is zero and the other is not.
    Inside it is a b / (…) in effect, written so that nothing cancels.
    """
    together = first + second + root(first**2 + second**2)
    positive = (first > 0) & (second > 0)
    product = 2 * first * second / jnp.where(positive, together, 1.0)
    return jnp.where(positive, product, first + second - root(first**2 + second**2))


def either(first: Array, second: Array) -> Array:
    """R-disjunction: positive where one of them is."""
    return -both(-first, -second)


def magnitude(line: Array) -> Array:
    """|line|, whose derivative on the line is that of its positive side."""
    return jnp.where(line >= -NEAR, line, -line)


def trimmed(line: Array, trim: Array) -> Array:
    """Distance to the part of {line = 0} where trim >= 0.

    φ = √(f² + ((√(t² + f⁴) - t)/2)²), with lengths counted so that the shape is about one. For
    t > 0 it is written as |f| √(1 + (f³/(2 (√(t² + f⁴) + t)))²): the root stays away from zero, so
    all derivatives exist on the edge.
    """
    kept = trim > 0
    inner = jnp.where(kept, trim, 1.0)
    share = line**3 / (2 * (jnp.sqrt(inner**2 + line**4) + inner))
    on_side = magnitude(line) * jnp.sqrt(1 + share**2)
    outer = jnp.where(kept, -1.0, trim)
    beyond = root(line**2 + ((root(outer**2 + line**4) - outer) / 2) ** 2)
    return jnp.where(kept, on_side, beyond)


def equivalence(distances: Float[Array, " piece"], order: int = 1) -> Scalar:
    """Zero where one of the distances is: (Σ φᵢ^-m)^(-1/m), normalised to order m.

    Written relative to the smallest one, which may be zero.
    """
    least = jnp.argmin(distances)
    smallest = distances[least]
    safe = jnp.where(distances > NEAR**2, distances, NEAR**2)
    ratio = jnp.where(jnp.arange(distances.size) == least, 1.0, smallest / safe)
    return smallest * jnp.sum(ratio**order) ** (-1.0 / order)
