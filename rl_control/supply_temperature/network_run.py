"""Runs of a network along a course of supply temperatures, and their derivatives."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from tvilling.rl_control.supply_temperature.cost import HeatCost
from tvilling.rl_control.supply_temperature.limits import SupplyLimits
from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.systems.heat_network import HeatNetwork, HeatState


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Conditions:
    """All that a run depends on beside the supply temperature.

    Attributes
    ----------
    network, state
        The network, and its state at the start.
    drive
        `heat_w` and `ground_degc`, each led by time.
    cost
        What heat and pumping cost.
    limits
        What must be kept.
    credit_dkk_per_kwh
        Worth of the heat that is left in the pipes at the end.
    dt_s
        Length of a step [s].
    """

    network: HeatNetwork
    state: HeatState
    drive: Values
    cost: HeatCost
    limits: SupplyLimits
    credit_dkk_per_kwh: float
    dt_s: float = jax.tree.static()

    def finer(self, times: int) -> "Conditions":
        """The same in steps that are `times` shorter, over which drives and prices hold."""
        drive = {name: jnp.repeat(values, times, axis=0) for name, values in self.drive.items()}
        cost, dt_s = self.cost.repeated(times), self.dt_s / times
        return replace(self, drive=drive, cost=cost, dt_s=dt_s)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Run:
    """What a run shows, by step.

    Attributes
    ----------
    plant
        `supply_degc`, `return_degc`, `source_w`, `source_kg_per_s`, `lift_bar`, `pump_w`,
        `loss_w` and, at the end of the step, `stored_j`.
    coldest_degc, least_dp_bar
        Of the consumers that draw heat.
    excess
        By how much each limit is missed, in the units of `supply_limits.KINDS`.
    cost_dkk
        Of the step; the last holds the credit for what is left in the pipes.
    status
        Of the network.
    state
        Of the network, at the end of every step.
    """

    plant: Values
    coldest_degc: Float[Array, " time"]
    least_dp_bar: Float[Array, " time"]
    excess: Float[Array, "time row"]
    cost_dkk: Float[Array, " time"]
    status: Int[Array, " time"]
    state: HeatState


def run_along(conditions: Conditions, supply_degc: Float[Array, " time"]) -> Run:
    """Simulate the network along `supply_degc`, the temperature sent in each step."""
    network, limits = conditions.network, conditions.limits

    def advance(state: HeatState, now: tuple[Array, Values]) -> tuple[HeatState, dict]:
        sent, drive = now
        state, output = network.step(state, {"supply_degc": sent[None]}, drive, conditions.dt_s)
        draws = drive["heat_w"] > 0
        return state, {
            "plant": {
                "supply_degc": sent,
                "return_degc": output["source_return_degc"][0],
                "source_w": output["source_w"][0],
                "source_kg_per_s": output["source_kg_per_s"][0],
                "lift_bar": output["source_lift_bar"][0],
                "pump_w": output["pump_w"][0],
                "loss_w": output["loss_w"],
                "stored_j": network.stored_j(state),
            },
            "coldest_degc": jnp.min(jnp.where(draws, output["consumer_supply_degc"], jnp.inf)),
            "least_dp_bar": jnp.min(jnp.where(draws, output["consumer_dp_bar"], jnp.inf)),
            "excess": limits.excess(network, output, drive["heat_w"]),
            "status": output["status"],
            "state": state,
        }

    _, shown = jax.lax.scan(advance, conditions.state, (supply_degc, conditions.drive))
    cost = conditions.cost.dkk(shown["plant"], conditions.dt_s)
    kept_j = shown["plant"]["stored_j"][-1] - network.stored_j(conditions.state)
    credit = conditions.credit_dkk_per_kwh * kept_j / J_PER_KWH
    return Run(**shown, cost_dkk=cost.at[-1].add(-credit))


simulated = jax.jit(run_along)


@jax.jit
def linearised(
    conditions: Conditions,
    supply_degc: Float[Array, " time"],
    directions: Float[Array, "group time"],
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Cost and excess by step, and what they change by in each of `directions`.

    Forward mode: a direction costs a fraction of a run, as all share its linearisation.
    """

    def value(supply: Array) -> tuple[Array, Array]:
        run = run_along(conditions, supply)
        return run.cost_dkk, run.excess

    def along(direction: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        return jax.jvp(value, (supply_degc,), (direction,))

    return jax.vmap(along, out_axes=(None, 0))(directions)


@jax.jit
def cost_gradient(
    conditions: Conditions, supply_degc: Float[Array, " time"]
) -> tuple[Float[Array, ""], Float[Array, " time"]]:
    """Cost [DKK] and its gradient by the supply temperature of each step [DKK/K], reverse mode."""
    return jax.value_and_grad(lambda supply: run_along(conditions, supply).cost_dkk.sum())(
        supply_degc
    )


def as_numpy(run: Run) -> Run:
    """The same as numpy arrays, waited for."""
    return jax.tree.map(np.asarray, jax.block_until_ready(run))
