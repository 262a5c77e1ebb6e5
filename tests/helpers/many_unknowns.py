"""A plant without a state: many unknown levels, read as sums of neighbours."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.system import Channel, Values, ok_status


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Levels:
    """The reading of a meter is the mean of the logarithms of five levels in a row.

    So it is linear in what a twin estimates, and the Kalman filter is exact. The last level is
    seen by no meter.
    """

    level: Float[Array, " level"]
    meters: int = jax.tree.static(default=10)

    @property
    def actions(self) -> tuple[Channel, ...]:
        return ()

    @property
    def drives(self) -> tuple[Channel, ...]:
        return ()

    @property
    def outputs(self) -> tuple[Channel, ...]:
        names = tuple(f"M{number}" for number in range(self.meters))
        return (Channel("mean_log", "1", -20.0, 20.0, ("meter",), (names,)),)

    def matrix(self) -> np.ndarray:
        """Readings from the logarithms of the levels."""
        levels = self.level.shape[0]
        rows = np.zeros((self.meters, levels))
        for number, first in enumerate(np.linspace(0, levels - 6, self.meters).round().astype(int)):
            rows[number, first : first + 5] = 0.2
        return rows

    def init(self, key: Array) -> tuple[()]:
        return ()

    def step(
        self, state: tuple[()], action: Values, drive: Values, dt_s: float
    ) -> tuple[tuple[()], Values]:
        logs = jnp.log(jnp.where(self.level > 0, self.level, 1.0))
        return (), {"mean_log": jnp.asarray(self.matrix()) @ logs, "status": ok_status()}

    def stored_j(self, state: tuple[()]) -> Array:
        return jnp.zeros(())

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Array:
        return jnp.zeros(())
