"""The Lorenz system of 1963: three chaotic numbers, all read with a variance of 2."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from tvilling.sciml.core.system import Channel, Values, ok_status

SIGMA = 2**0.5
NAMES = ("x", "y", "z")
SUBSTEPS, SUBSTEP = 25, 0.01  # a step is 0.25 units of time, as in Sakov et al., Tellus 64A, 2012


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Lorenz:
    """x' = 10 (y - x), y' = x (28 - z) - y, z' = x y - 8/3 z, by Runge–Kutta of order four."""

    @property
    def actions(self) -> tuple[Channel, ...]:
        return ()

    @property
    def drives(self) -> tuple[Channel, ...]:
        return ()

    @property
    def outputs(self) -> tuple[Channel, ...]:
        return (Channel("xyz", "1", -100.0, 100.0, ("i",), (NAMES,)),)

    def init(self, key: Array) -> Float[Array, "3"]:
        """Near the attractor, as DAPPER starts its ensembles."""
        return jnp.array([1.509, -1.531, 25.46]) + SIGMA * jax.random.normal(key, (3,))

    def step(
        self, state: Array, action: Values, drive: Values, dt_s: float
    ) -> tuple[Array, Values]:
        def slope(u: Array) -> Array:
            x, y, z = u
            return jnp.stack([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

        def substep(u: Array, _: None) -> tuple[Array, None]:
            a = slope(u)
            b = slope(u + SUBSTEP / 2 * a)
            c = slope(u + SUBSTEP / 2 * b)
            d = slope(u + SUBSTEP * c)
            return u + SUBSTEP / 6 * (a + 2 * b + 2 * c + d), None

        state = jax.lax.scan(substep, state, None, SUBSTEPS)[0]
        return state, {"xyz": state, "status": ok_status()}

    def stored_j(self, state: Array) -> Array:
        return jnp.zeros(())

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Array:
        return jnp.zeros(())
