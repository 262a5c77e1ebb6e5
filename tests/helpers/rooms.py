"""A linear plant with a state in several arrays: rooms in a row."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from tvilling.sciml.core.system import Channel, Status, Values

ROOMS = ("kitchen", "hall", "bedroom")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rooms:
    """Air and wall of three rooms, x' = A x + heat.

    Above `fails_above` [°C] in the kitchen a step has not converged, above `breaks_above` the
    outputs are not numbers.
    """

    exchange: jax.Array  # share of a difference that is exchanged in a step
    fails_above: float = jax.tree.static(default=np.inf)
    breaks_above: float = jax.tree.static(default=np.inf)

    @property
    def actions(self) -> tuple[Channel, ...]:
        return (Channel("heat_w", "W", 0.0, 1e4, ("room",), (ROOMS,)),)

    @property
    def drives(self) -> tuple[Channel, ...]:
        return (Channel("outdoor_degc", "°C", -20.0, 40.0),)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        return (
            Channel("air_degc", "°C", -50.0, 90.0, ("room",), (ROOMS,)),
            Channel("wall_degc", "°C", -50.0, 90.0, ("room",), (ROOMS,)),
            Channel("mean_degc", "°C", -50.0, 90.0),
        )

    def init(self, key: jax.Array) -> dict[str, jax.Array]:
        draws = jax.random.normal(key, (2, 3))
        return {"count": jnp.zeros((), int), "air_degc": 20 + draws[0], "wall_degc": 18 + draws[1]}

    def matrix(self) -> np.ndarray:
        """A of the vector (air, wall) in one step, without outdoor and heat."""
        share = float(self.exchange)
        inside = np.eye(3) * (1 - 2 * share) + share / 2 * (np.eye(3, k=1) + np.eye(3, k=-1))
        return np.block(
            [[inside, share * np.eye(3)], [share * np.eye(3), (1 - 2 * share) * np.eye(3)]]
        )

    def step(self, state: dict, action: Values, drive: Values, dt_s: float) -> tuple[dict, Values]:
        share, air, wall = self.exchange, state["air_degc"], state["wall_degc"]
        beside = jnp.pad(air, 1)
        new_air = (1 - 2 * share) * air + share / 2 * (beside[2:] + beside[:-2]) + share * wall
        new_air = new_air + action["heat_w"] / 1e3
        new_wall = (1 - 2 * share) * wall + share * air + share * drive["outdoor_degc"]
        failed = new_air[0] > self.fails_above
        new_air = jnp.where(new_air[0] > self.breaks_above, jnp.nan, new_air)
        return {"count": state["count"] + 1, "air_degc": new_air, "wall_degc": new_wall}, {
            "air_degc": new_air,
            "wall_degc": new_wall,
            "mean_degc": new_air.mean(),
            "status": jnp.where(failed, int(Status.NOT_CONVERGED), int(Status.OK)),
        }

    def stored_j(self, state: dict) -> jax.Array:
        return jnp.zeros(())

    def net_power_w(self, action: Values, drive: Values, output: Values) -> jax.Array:
        return jnp.zeros(())
