"""What the heat of a network costs when a heat pump makes it, and where a saving comes from.

    cost = sum over steps of (heat · c + pump · price) dt
    c = share · price / COP + (1 - share) · other

with COP after Lorentz from the source and from the network's own supply and return temperature.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from tvilling.sciml.core.system import Values
from tvilling.sciml.core.units import J_PER_KWH
from tvilling.sciml.systems.heat_plant.cop import heat_pump_cop

LORENTZ_EFFICIENCY = 0.5  # of a large unit; an assumption, see `heat_pump_cop`
AIR_COOLED_K = 5.0  # of the air that passes the coils; an assumption


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatCost:
    """What a step's heat and pumping cost, as arrays over time.

    Attributes
    ----------
    price_dkk_per_kwh
        Of power with all that is paid on it, for heat pump and circulation pump alike.
    source_in_degc, source_out_degc
        Temperature of the heat pump's source before and behind it.
    lorentz_efficiency
        Share of the COP after Lorentz that is reached; defrosting may be in it.
    heat_pump_share
        Part of the heat that the heat pump makes, 0 to 1.
    other_dkk_per_kwh
        What the rest of the heat costs.
    """

    price_dkk_per_kwh: Float[Array, " time"]
    source_in_degc: Float[Array, " time"]
    source_out_degc: Float[Array, " time"]
    lorentz_efficiency: Float[Array, " time"]
    heat_pump_share: Float[Array, " time"]
    other_dkk_per_kwh: Float[Array, " time"]

    @classmethod
    def air_heat_pump(
        cls,
        price_dkk_per_kwh: ArrayLike,
        outdoor_degc: ArrayLike,
        lorentz_efficiency: ArrayLike = LORENTZ_EFFICIENCY,
    ) -> "HeatCost":
        """All heat by a heat pump that cools outdoor air by 5 K; prices and weather `[time]`."""
        price = jnp.asarray(price_dkk_per_kwh, float)
        outdoor = jnp.asarray(outdoor_degc, float)
        efficiency = jnp.asarray(lorentz_efficiency, float)
        return cls(
            price_dkk_per_kwh=price,
            source_in_degc=outdoor,
            source_out_degc=outdoor - AIR_COOLED_K,
            lorentz_efficiency=jnp.broadcast_to(efficiency, price.shape),
            heat_pump_share=jnp.ones_like(price),
            other_dkk_per_kwh=jnp.zeros_like(price),
        )

    def repeated(self, times: int) -> "HeatCost":
        """The same in steps that are `times` shorter."""
        return jax.tree.map(lambda values: jnp.repeat(values, times), self)

    def cop(self, supply_degc: ArrayLike, return_degc: ArrayLike) -> Array:
        """COP of the heat pump at the network's temperatures [1]."""
        source = self.source_in_degc, self.source_out_degc
        return heat_pump_cop(*source, supply_degc, return_degc, self.lorentz_efficiency)

    def heat_dkk_per_kwh(self, supply_degc: ArrayLike, return_degc: ArrayLike) -> Array:
        """What a kWh of heat costs at the network's temperatures."""
        pumped = self.price_dkk_per_kwh / self.cop(supply_degc, return_degc)
        share = self.heat_pump_share
        return share * pumped + (1 - share) * self.other_dkk_per_kwh

    def dkk(self, plant: Values, dt_s: float) -> Float[Array, " time"]:
        """Cost of every step; `plant` as `supply_run.Run` holds it, `[time]`."""
        heat = self.heat_dkk_per_kwh(plant["supply_degc"], plant["return_degc"])
        paid = heat * plant["source_w"] + self.price_dkk_per_kwh * plant["pump_w"]
        return paid * dt_s / J_PER_KWH


@dataclass(frozen=True)
class Saving:
    """What a plan saves against the curve [DKK], in parts that add up to the whole.

    Attributes
    ----------
    curve_dkk
        What the curve costs in the planned hours.
    loss_dkk
        Less heat lost to the ground, at the mean of both heat prices of a step.
    cop_dkk
        Cheaper heat in a step, for the mean of both amounts of heat: what the temperature does to
        the COP.
    pump_dkk
        Power of the circulation pump.
    storage_dkk
        Heat put into the pipes in other steps than it is taken out, the difference left in them at
        the end included.
    """

    curve_dkk: float
    loss_dkk: float
    cop_dkk: float
    pump_dkk: float
    storage_dkk: float

    @property
    def total_dkk(self) -> float:
        """All parts together."""
        return self.loss_dkk + self.cop_dkk + self.pump_dkk + self.storage_dkk

    def percent(self) -> dict[str, float]:
        """Every part, and the total, over what the curve costs [%]."""
        names = ("total_dkk", "loss_dkk", "cop_dkk", "pump_dkk", "storage_dkk")
        over = 100.0 / self.curve_dkk
        return {name.removesuffix("_dkk"): getattr(self, name) * over for name in names}


@dataclass(frozen=True)
class Account:
    """How runs are paid for, and what of them counts.

    Attributes
    ----------
    cost
        Prices by step.
    dt_s
        Length of a step [s].
    planned
        Steps that are planned; those after them bring all runs back to the curve.
    credit_dkk_per_kwh
        Worth of heat that is left in the pipes at the end.
    """

    cost: HeatCost
    dt_s: float
    planned: int
    credit_dkk_per_kwh: float


def saving(account: Account, curve: Values, plan: Values) -> Saving:
    """The saving of `plan` over `curve`, both `[time]` on the grid of `account`, over all steps.

    With heat Q and its price c of the two runs, c_0 Q_0 - c_1 Q_1 is split without a rest into
    mean(c) (Q_0 - Q_1) + mean(Q) (c_0 - c_1); and Q differs by the loss and by what the pipes
    store, as both deliver the same. `stored_j` stands at the end of every step.
    """
    cost, hours = account.cost, account.dt_s / J_PER_KWH
    prices = [
        np.asarray(cost.heat_dkk_per_kwh(run["supply_degc"], run["return_degc"]))
        for run in (curve, plan)
    ]
    less = {name: np.asarray(curve[name] - plan[name]) for name in ("source_w", "loss_w", "pump_w")}
    mean_price, mean_w = sum(prices) / 2, np.asarray(curve["source_w"] + plan["source_w"]) / 2
    kept_j = float(plan["stored_j"][-1] - curve["stored_j"][-1])
    moved = np.sum(mean_price * (less["source_w"] - less["loss_w"])) * hours
    return Saving(
        curve_dkk=float(np.sum(cost.dkk(curve, account.dt_s)[: account.planned])),
        loss_dkk=float(np.sum(mean_price * less["loss_w"]) * hours),
        cop_dkk=float(np.sum(mean_w * (prices[0] - prices[1])) * hours),
        pump_dkk=float(np.sum(np.asarray(cost.price_dkk_per_kwh) * less["pump_w"]) * hours),
        storage_dkk=float(moved + account.credit_dkk_per_kwh * kept_j / J_PER_KWH),
    )
