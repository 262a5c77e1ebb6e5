"""One member of an ensemble as a vector: its state, and the logarithms of its unknowns."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from tvilling.sciml.core.system import System
from tvilling.twins.naming import float_leaves, replace_leaves


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Model:
    """What all members share: the plant, how uncertain a step is, and what is unknown.

    Attributes
    ----------
    system
        The plant, with nominal values for what is unknown.
    state_noise
        Standard deviation that each float of the state gains in an hour [its unit/√h].
    unknown_walk
        Relative standard deviation that each unknown gains in a day [1/√day].
    relaxation
        Share of the spread taken by an update that is given back [1]; 0 gives none.
    gate_sd
        Standard deviations of (spread + noise) beyond which a reading is left out.
    rotate
        Whether the members are rotated after an update.
    estimated
        Which elements of the unknown fields are estimated; those that are zero are not.
    start_log_sd
        Standard deviation of the logarithm of each unknown at the start.
    sources
        How many numbers of a member are uncertain of their own, by their start or their noise.
    unknown
        Names of the unknown fields of `system`.
    dt_s
        Length of a step [s].
    """

    system: System
    state_noise: Float[Array, " float"]
    unknown_walk: Float[Array, " unknown"]
    relaxation: Float[Array, ""]
    gate_sd: Float[Array, ""]
    rotate: Bool[Array, ""]
    estimated: Bool[Array, " unknown"]
    start_log_sd: Float[Array, " unknown"]
    sources: Int[Array, ""]
    unknown: tuple[str, ...] = jax.tree.static()
    dt_s: float = jax.tree.static()

    def noise_per_step(self) -> Float[Array, " entry"]:
        """Standard deviation that each entry of a member's vector gains in a step."""
        hours = self.dt_s / 3600.0
        parts = [self.state_noise * hours**0.5, self.unknown_walk * (hours / 24.0) ** 0.5]
        return jnp.concatenate(parts)

    def with_unknown(self, log_unknown: Float[Array, " unknown"]) -> System:
        """The plant of a member."""
        nominal, values, start = float_leaves(self.system), {}, 0
        for name in self.unknown:
            leaf = nominal[name]
            part = log_unknown[start : start + leaf.size]
            found = jnp.where(self.estimated[start : start + leaf.size], jnp.exp(part), 0.0)
            values[name] = found.reshape(leaf.shape).astype(leaf.dtype)
            start += leaf.size
        return replace_leaves(self.system, values)


def state_vector(state: Any) -> Float[Array, " float"]:
    """The floats of one state, one after the other; other leaves are left out."""
    parts = [jnp.ravel(leaf).astype(jnp.float64) for leaf in float_leaves(state).values()]
    return jnp.concatenate(parts) if parts else jnp.zeros(0)


def put_vector(state: Any, vector: Float[Array, " float"]) -> Any:
    """`state` with the floats of `vector`."""
    values, start = {}, 0
    for name, leaf in float_leaves(state).items():
        part = vector[start : start + leaf.size]
        values[name] = part.reshape(leaf.shape).astype(leaf.dtype)
        start += leaf.size
    return replace_leaves(state, values)


def entries(tree: Any, names: tuple[str, ...] | None = None) -> list[tuple[str, tuple[int, ...]]]:
    """Name and shape of the float leaves of `tree`, all or those named, in order."""
    leaves = float_leaves(tree)
    return [(name, np.shape(leaves[name])) for name in (leaves if names is None else names)]


def reading_places(system: System, names: tuple[str, ...]) -> np.ndarray:
    """Where the numbers of the outputs `names` lie among those of all outputs, in order."""
    places, start = {}, 0
    for channel in system.outputs:
        size = int(np.prod(channel.shape, dtype=int))
        places[channel.name] = np.arange(start, start + size)
        start += size
    parts = [places[name] for name in names]
    return np.concatenate(parts) if parts else np.zeros(0, int)
