"""An ensemble of small nets, evaluated together."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.core.short_repr import short_repr

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Ensemble:
    """Nets of one shape and different parameters; called with a vector it gives one a member.

    Attributes
    ----------
    weights
        One matrix a layer, each `[member, in, out]`.
    biases
        One vector a layer, each `[member, out]`.
    activation
        Name of the function between layers, one of `ACTIVATIONS`.
    """

    weights: tuple[Float[Array, "member into out"], ...]
    biases: tuple[Float[Array, "member out"], ...]
    activation: str = jax.tree.static(default="silu")

    __repr__ = short_repr

    @property
    def members(self) -> int:
        """Number of nets."""
        return int(self.weights[0].shape[0])

    def __call__(self, values: Float[Array, "*batch into"]) -> Float[Array, "member *batch out"]:
        """What each member answers."""
        bend = ACTIVATIONS[self.activation]

        def one(
            weights: tuple[Array, ...], biases: tuple[Array, ...]
        ) -> Float[Array, "*batch out"]:
            hidden = values
            for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
                hidden = bend(hidden @ weight + bias)
            return hidden @ weights[-1] + biases[-1]

        return jax.vmap(one)(self.weights, self.biases)


def random_ensemble(
    key: Array, sizes: tuple[int, ...], members: int, activation: str = "silu"
) -> Ensemble:
    """`members` nets with the layers `sizes`, drawn from `key`.

    Weights are normal with variance 2 / inputs [1]; those of the last layer are ten times
    smaller, so that training starts near zero.

    [1] He, Zhang, Ren, Sun, ICCV 2015, doi:10.1109/ICCV.2015.123.
    """
    keys = jax.random.split(key, len(sizes) - 1)
    last = len(sizes) - 2
    weights = tuple(
        jax.random.normal(keys[i], (members, sizes[i], sizes[i + 1]))
        * jnp.sqrt(2.0 / sizes[i])
        * (0.1 if i == last else 1.0)
        for i in range(len(sizes) - 1)
    )
    biases = tuple(jnp.zeros((members, size)) for size in sizes[1:])
    return Ensemble(weights, biases, activation)
