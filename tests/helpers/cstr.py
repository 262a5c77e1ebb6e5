"""A cooled stirred-tank reactor: exothermic, stiff, and explosive where its step is too long.

    dc/dt = q/V (c_f - c) - k c,     k = k0 exp(-E/(R T))
    dT/dt = q/V (T_f - T) + (-dH)/(rho cp) k c + UA/(V rho cp) (T_c - T)

with the numbers of Seborg, Edgar and Mellichamp, Process Dynamics and Control. Runge-Kutta of
fourth order with `substeps` a step.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tvilling.sciml.core.system import Channel, ok_status
from tvilling.sciml.systems.example import Example

MIN_S = 60.0
VOLUME_M3, RHO_CP_J_PER_M3K, HEAT_J_PER_MOL, ACTIVATION_K = 0.1, 2.39e5, 5e4, 8750.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cstr:
    """State [2]: concentration [mol/m3], temperature [K]."""

    flow_m3_per_s: jax.Array
    k0_per_s: jax.Array
    ua_w_per_k: jax.Array
    substeps: int = jax.tree.static(default=1000)
    low_k: float = jax.tree.static(default=250.0)

    @property
    def actions(self):
        return (Channel("coolant_k", "K", 280.0, 320.0, description="Coolant"),)

    @property
    def drives(self):
        return (
            Channel("feed_k", "K", 330.0, 370.0, description="Feed temperature"),
            Channel("feed_mol_per_m3", "mol/m³", 500.0, 1500.0, description="Feed"),
        )

    @property
    def outputs(self):
        return (
            Channel("reactor_k", "K", self.low_k, 600.0, description="Temperature"),
            Channel("reactor_mol_per_m3", "mol/m³", 0.0, 2000.0, description="Concentration"),
        )

    def init(self, key):
        share = jax.random.uniform(key, (2,))
        return jnp.array([400.0, 315.0]) + share * jnp.array([550.0, 45.0])

    def step(self, state, action, drive, dt_s):
        dilution = self.flow_m3_per_s / VOLUME_M3

        def slope(y):
            rate = self.k0_per_s * jnp.exp(-ACTIVATION_K / y[1]) * y[0]
            cooling_w = self.ua_w_per_k * (y[1] - action["coolant_k"])
            return jnp.stack(
                [
                    dilution * (drive["feed_mol_per_m3"] - y[0]) - rate,
                    dilution * (drive["feed_k"] - y[1])
                    + HEAT_J_PER_MOL / RHO_CP_J_PER_M3K * rate
                    - cooling_w / (VOLUME_M3 * RHO_CP_J_PER_M3K),
                ]
            )

        h = dt_s / self.substeps

        def rk4(y, _):
            a = slope(y)
            b = slope(y + h / 2 * a)
            c = slope(y + h / 2 * b)
            d = slope(y + h * c)
            return y + h / 6 * (a + 2 * b + 2 * c + d), None

        y, _ = jax.lax.scan(rk4, state, None, self.substeps)
        return y, {"reactor_k": y[1], "reactor_mol_per_m3": y[0], "status": ok_status()}

    def stored_j(self, state):
        return VOLUME_M3 * (RHO_CP_J_PER_M3K * state[1] + HEAT_J_PER_MOL * state[0])

    def net_power_w(self, action, drive, output):
        raise NotImplementedError("no test needs it")


def cstr_example(substeps: int = 1000) -> Example:
    """At its unstable steady state; with few substeps an ignited reactor explodes."""
    return Example(
        Cstr(*map(jnp.asarray, (0.1 / MIN_S, 7.2e10 / MIN_S, 5e4 / MIN_S)), substeps),
        {"coolant_k": jnp.asarray(300.0)},
        {"feed_k": jnp.asarray(350.0), "feed_mol_per_m3": jnp.asarray(1000.0)},
        30.0,
    )
