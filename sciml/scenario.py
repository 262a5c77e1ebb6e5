"""A run to be made: where it starts and what drives it."""

from dataclasses import dataclass
from typing import Any

import jax

from tvilling.sciml.system import Values


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
    """

    state: Any
    drive: Values
    dt_s: float = jax.tree.static()
