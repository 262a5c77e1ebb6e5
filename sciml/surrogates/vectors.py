"""Inputs and answers of a step as vectors, and how they are scaled."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from tvilling.sciml.core.system import Channel, System, Values

MIN_HALF = 1e-3  # of the middle: what an input that never changed may move
MIN_REST, MIN_SHARE = 1e-3, 1e-9  # of the spread, and of the size, of a target
INPUT_NOISE = 3e-3  # half widths; a slope that would magnify it is not taken from the data
STATE_MARGIN = 0.25  # half widths that a state may leave the training box by


def size(channels: tuple[Channel, ...]) -> int:
    """Numbers in all `channels` together."""
    return sum(int(np.prod(channel.shape)) for channel in channels)


def join(channels: tuple[Channel, ...], values: Values) -> Float[Array, " number"]:
    """`values` in the order of `channels`, one after another."""
    parts = [jnp.ravel(jnp.asarray(values[channel.name], float)) for channel in channels]
    return jnp.concatenate(parts) if parts else jnp.zeros(0)


def part(channels: tuple[Channel, ...], numbers: Float[Array, " number"]) -> Values:
    """The inverse of `join`."""
    values, start = {}, 0
    for channel in channels:
        count = int(np.prod(channel.shape))
        values[channel.name] = numbers[start : start + count].reshape(channel.shape)
        start += count
    return values


def inputs_of(system: System, state: Any, action: Values, drive: Values) -> Float[Array, " input"]:
    """State, actions and drives as one vector."""
    known = [ravel_pytree(state)[0], join(system.actions, action), join(system.drives, drive)]
    return jnp.concatenate(known)


def targets_of(
    system: System, state: Any, new_state: Any, output: Values
) -> Float[Array, " target"]:
    """The change of the state and the outputs as one vector."""
    change = ravel_pytree(new_state)[0] - ravel_pytree(state)[0]
    return jnp.concatenate([change, join(system.outputs, output)])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scaling:
    """The box of training inputs, and a linear model whose remainder is left to the nets.

    Attributes
    ----------
    middle, half
        Middle and half width of the training box of each input; scaled, it spans -1 to 1.
    slope, offset
        Targets by least squares from the scaled inputs.
    rest
        Standard deviation of what the linear model leaves, the unit of the nets' answers.
    """

    middle: Float[Array, " input"]
    half: Float[Array, " input"]
    slope: Float[Array, "input target"]
    offset: Float[Array, " target"]
    rest: Float[Array, " target"]

    def inputs(self, values: Float[Array, "*batch input"]) -> Float[Array, "*batch input"]:
        """Inputs as the nets see them."""
        return (values - self.middle) / self.half

    def linear(self, scaled: Float[Array, "*batch input"]) -> Float[Array, "*batch target"]:
        """Targets of the linear model."""
        return scaled @ self.slope + self.offset

    def state_limits(
        self, state: Float[Array, " entry"]
    ) -> tuple[Float[Array, " entry"], Float[Array, " entry"]]:
        """Limits of the state after a step: a quarter beyond the box, or where it is already.

        A net that was never told what happens there could otherwise feed on its own errors.
        """
        count = state.shape[0]
        middle, reach = self.middle[:count], (1.0 + STATE_MARGIN) * self.half[:count]
        return jnp.minimum(middle - reach, state), jnp.maximum(middle + reach, state)

    def answer(
        self, system: System, state: Any, targets: Float[Array, " target"]
    ) -> tuple[Any, Values]:
        """New state and outputs; the outputs keep to their channels, the state near the box."""
        before, unravel = ravel_pytree(state)
        count = before.shape[0]
        after = jnp.clip(before + targets[:count], *self.state_limits(before))
        output = part(system.outputs, targets[count:])
        clipped = {
            channel.name: jnp.clip(output[channel.name], channel.low, channel.high)
            for channel in system.outputs
        }
        return unravel(after), clipped

    def outside(self, scaled: Float[Array, " input"]) -> Float[Array, ""]:
        """Greatest distance from the training box, in half widths; 0 inside."""
        return jnp.clip(jnp.abs(scaled) - 1.0, 0.0, None).max(initial=0.0)


def scaling_of(
    inputs: Float[np.ndarray, "sample input"], targets: Float[np.ndarray, "sample target"]
) -> Scaling:
    """The scaling that training data ask for."""
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    middle = (low + high) / 2
    least = np.where(middle == 0, 1.0, MIN_HALF * np.abs(middle))
    half = np.where(high - low > 2e-9 * np.abs(middle), (high - low) / 2, least)
    scaled = (inputs - middle) / half
    with_one = np.column_stack([scaled, np.ones(len(scaled))])
    found = _ridge(with_one, targets)
    rest = (targets - with_one @ found).std(axis=0)
    size_of = np.maximum(np.abs(targets.mean(axis=0)), targets.std(axis=0))
    floor = np.maximum(MIN_REST * targets.std(axis=0), MIN_SHARE * np.maximum(size_of, 1e-6))
    return Scaling(
        *(jnp.asarray(a) for a in (middle, half, found[:-1], found[-1], np.maximum(rest, floor)))
    )


def _ridge(
    known: Float[np.ndarray, "sample term"], targets: Float[np.ndarray, "sample target"]
) -> Float[np.ndarray, "term target"]:
    """Least squares as if every term but the last carried a noise of `INPUT_NOISE`.

    Inputs that move together in the data, such as the cells of a pipe, would otherwise get large
    slopes of opposite sign, and a run of many steps would not be stable.
    """
    noise = np.full(known.shape[1], len(known) * INPUT_NOISE**2)
    noise[-1] = 0.0
    return np.asarray(np.linalg.solve(known.T @ known + np.diag(noise), known.T @ targets))
