"""A run to be made: where it starts and what drives it."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tvilling.sciml.core.short_repr import short_repr
from tvilling.sciml.core.system import Values


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scenario:
    """Start state and drives of one run, or of many when every array leads with a batch axis.

    Attributes
    ----------
    state
        State of the system at the start.
    drive
        Drives by channel name, each `[*batch, time, *channel]`, held over a step.
    dt_s
        Length of a step [s].
    forecast
        What a controller is told before each step, each `[*batch, time, ahead, *channel]`; the
        first entry ahead is the step itself. It may be wrong: the plant gets the drives. Of a
        drive without a forecast a controller sees the step itself and no more.
    """

    state: Any
    drive: Values
    dt_s: float = jax.tree.static()
    forecast: Values = field(default_factory=dict)

    __repr__ = short_repr

    def at(self, index: int) -> "Scenario":
        """One scenario of a batch."""
        return jax.tree.map(lambda values: values[index], self)

    def seen(self) -> Values:
        """What a controller is told in one scenario, each `[time, ahead, *channel]`."""
        now = {name: jnp.asarray(values)[:, None] for name, values in self.drive.items()}
        return now | self.forecast


def perfect_forecast(drive: Values, ahead: int) -> Values:
    """Each drive `[time, *channel]` as seen `ahead` steps at a time, `[time, ahead, *channel]`.

    Beyond the end of the drives their last value is repeated.
    """

    def windows(values: Array) -> Array:
        steps = values.shape[0]
        index = jnp.arange(steps)[:, None] + jnp.arange(ahead)
        return values[jnp.minimum(index, steps - 1)]

    return {name: windows(jnp.asarray(values)) for name, values in drive.items()}
