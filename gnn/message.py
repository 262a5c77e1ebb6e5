"""One round of messages between the nodes of a graph."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from tvilling.gnn.graph import Wiring

Activation = Callable[[Array], Array]


class Perceptron(nnx.Module):
    """Two linear maps with a smooth kink between them, on the last axis."""

    def __init__(
        self, size_in: int, hidden: int, size_out: int, dtype: DTypeLike, rngs: nnx.Rngs
    ) -> None:
        self.first = nnx.Linear(size_in, hidden, param_dtype=dtype, dtype=dtype, rngs=rngs)
        self.last = nnx.Linear(hidden, size_out, param_dtype=dtype, dtype=dtype, rngs=rngs)

    def __call__(self, values: Float[Array, "*batch size_in"]) -> Float[Array, "*batch size_out"]:
        """The image of every vector in `values`."""
        return applied(self.last, jax.nn.silu(applied(self.first, values)))


class MessageLayer(nnx.Module):
    """Edges look at their ends, nodes at the sum of what enters them; both keep what they had.

    e' = e + W₂ silu(W_e e + W_s h_sender + W_r h_receiver + b) + b₂ for every directed edge, then
    h' = h + V₂ silu(V [h, Σ e' of the edges that enter] + c) + c₂ for every node: the block of
    Battaglia et al. [1] without a global part, residual as in Sanchez-Gonzalez et al. [2]. The
    first map of an edge is split in three, so that it is applied to the nodes before their values
    are copied to the edges.

    [1] Relational inductive biases, deep learning, and graph networks, 2018, arXiv:1806.01261.
    [2] Learning to simulate complex physics with graph networks, ICML 2020, arXiv:2002.09405.
    """

    def __init__(self, size: int, dtype: DTypeLike, rngs: nnx.Rngs) -> None:
        def linear(bias: bool) -> nnx.Linear:
            return nnx.Linear(size, size, use_bias=bias, param_dtype=dtype, dtype=dtype, rngs=rngs)

        self.of_edge, self.of_sender, self.of_receiver = linear(True), linear(False), linear(False)
        self.message = linear(True)
        self.update = Perceptron(2 * size, size, size, dtype, rngs)

    def __call__(
        self,
        node: Float[Array, "*batch node size"],
        edge: Float[Array, "*batch edge size"],
        wiring: Wiring,
    ) -> tuple[Float[Array, "*batch node size"], Float[Array, "*batch edge size"]]:
        """Nodes and edges after the round."""
        sent = applied(self.of_sender, node)[..., wiring.sender, :]
        met = applied(self.of_receiver, node)[..., wiring.receiver, :]
        edge = edge + applied(self.message, jax.nn.silu(applied(self.of_edge, edge) + sent + met))
        inflow = summed(edge, wiring)
        return node + self.update(jnp.concatenate([node, inflow], -1)), edge


def summed(edge: Float[Array, "*batch edge size"], wiring: Wiring) -> Array:
    """Sum at every node over the edges that enter it, `[*batch, node, size]`."""

    def one(values: Array) -> Array:
        return jax.ops.segment_sum(values, wiring.receiver, wiring.nodes)

    for _ in edge.shape[:-2]:
        one = jax.vmap(one)
    return one(edge)


def applied(linear: nnx.Linear, values: Array) -> Array:
    """`linear` on the last axis, as one product of matrices.

    On a CPU the gradient is then a product of matrices as well, twice as fast as a contraction
    over several axes.
    """
    flat = linear(values.reshape(-1, values.shape[-1]))
    return flat.reshape(*values.shape[:-1], -1)
