"""Linear systems known by products with their matrix alone: GMRES, one product at a time.

Saad and Schultz, SIAM J. Sci. Stat. Comput. 7, 1986, doi 10.1137/0907058.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Vector = Float[Array, " unknown"]
Apply = Callable[[Vector], Vector]

MAX_VECTORS = 30
RIDGE = 1e-26  # of the greatest squared entry; keeps an exhausted space solvable
TOLERANCE = 1e-10


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Krylov:
    """Orthonormal vectors that span the products so far, and the matrix as they see it.

    Quick where few singular values of the matrix differ from one. Each vector is orthogonalised
    twice, and the least squares of the small matrix are solved anew with every product.
    """

    basis: Float[Array, "one_more unknown"]
    image: Float[Array, "one_more vector"]
    weights: Float[Array, " vector"]
    size: Float[Array, ""]
    miss: Float[Array, ""]
    count: Int[Array, ""]

    @classmethod
    def start(cls, right: Vector) -> "Krylov":
        """Before the first product, for the right-hand side `right`."""
        vectors = min(len(right), MAX_VECTORS)
        size = jnp.linalg.norm(right)
        return cls(
            basis=jnp.zeros((vectors + 1, len(right))).at[0].set(right * _inverse(size)),
            image=jnp.zeros((vectors + 1, vectors)),
            weights=jnp.zeros(vectors),
            size=size,
            miss=size,
            count=jnp.array(0),
        )

    @property
    def vector(self) -> Vector:
        """What the matrix is to be applied to next."""
        return self.basis[self.count]

    @property
    def solution(self) -> Vector:
        """The best solution in the space so far."""
        return self.weights @ self.basis[:-1]

    def is_done(self, tolerance: float) -> Array:
        """Whether the residual is below `tolerance` of the right-hand side, or the space full."""
        return (self.miss <= tolerance * self.size) | (self.count >= len(self.weights))

    def after(self, product: Vector) -> "Krylov":
        """With the `product` of the matrix and `vector`."""
        first = self.basis @ product
        new = product - first @ self.basis
        second = self.basis @ new
        new = new - second @ self.basis
        length = jnp.linalg.norm(new)
        image = self.image.at[:, self.count].set((first + second).at[self.count + 1].set(length))
        wanted = jnp.zeros(len(image)).at[0].set(self.size)
        normal = image.T @ image
        unused = jnp.where(jnp.arange(len(self.weights)) > self.count, 1.0, 0.0)
        normal = normal + jnp.diag(unused + RIDGE * jnp.max(normal))
        weights = jnp.linalg.solve(normal, image.T @ wanted)
        return Krylov(
            self.basis.at[self.count + 1].set(new * _inverse(length)),
            image,
            weights,
            self.size,
            jnp.linalg.norm(wanted - image @ weights),
            self.count + 1,
        )


def solve_linear(apply: Apply, right: Vector) -> Vector:
    """Solve `apply(x) = right`; derivatives with respect to `right`, the matrix taken as constant.

    The residual is below `TOLERANCE` of `right`, if `MAX_VECTORS` suffice.
    """

    def solve(product: Apply, vector: Vector) -> Vector:
        return jax.lax.while_loop(
            lambda space: ~space.is_done(TOLERANCE),
            lambda space: space.after(product(space.vector)),
            Krylov.start(vector),
        ).solution

    return jax.lax.custom_linear_solve(apply, right, solve, transpose_solve=solve)


def _inverse(value: Array) -> Array:
    return jnp.where(value > 0, 1.0 / jnp.where(value > 0, value, 1.0), 0.0)
