"""A heat plant in the form that a linear programme takes: modes, units, hours and a store.

A unit runs in one or more modes, each at a load between 0 and 1; the loads of the modes of a unit
add up to the load of the unit. A boiler has one mode; an extraction turbine has two (condensing
and full extraction), and any mix of them is allowed. At load x a mode delivers `heat_mw · x` and
`power_mw · x` (negative where it draws power) and burns `fuel_mw · x`. A unit that is on costs
`no_load_dkk_per_h` beside what its modes cost, so that input over output is affine: that is its
part load; what it draws, burns and emits at no load stands beside it, for accounts. A programme
without on and off has to spread the cost over the load, which costs least at full load, so its
optimum stays a lower bound.

With L_t the energy in the store at the end of step t, of length dt:

    sum heat_t + unserved_t - surplus_t = demand_t + q_t
    L_t = (1 - loss_share_per_h · dt) L_{t-1} + (q_t - loss_mw) dt
    -discharge_mw <= q_t <= charge_mw,   0 <= L_t <= capacity_mwh
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class LinearTank:
    """A heat store as a reservoir.

    Attributes
    ----------
    capacity_mwh
        Heat between empty and full [MWh]; 0 is no store.
    charge_mw, discharge_mw
        Greatest heat in and out [MW].
    loss_share_per_h
        Share of the content lost in an hour [1/h].
    loss_mw
        Loss that does not depend on the content [MW], that of the water at return temperature.
    """

    capacity_mwh: float = 0.0
    charge_mw: float = 0.0
    discharge_mw: float = 0.0
    loss_share_per_h: float = 0.0
    loss_mw: float = 0.0


@dataclass(frozen=True)
class LinearPlant:
    """What a plant can do and what it costs, hour by hour.

    Attributes
    ----------
    units, modes
        Names. A unit with one mode has it under its own name.
    mode_unit
        Number of the unit that each mode belongs to.
    heat_mw, power_mw, fuel_mw
        Heat delivered, power delivered (negative: drawn) and fuel burnt at full load [MW].
    cost_dkk_per_h
        What an hour at full load costs: fuel, power bought less sold, taxes, tariffs, upkeep.
        Without `no_load_dkk_per_h`. Negative where the sale of power pays for more.
    co2_kg_per_h
        Emission of an hour at full load [kg/h].
    available
        Share of full load that can be had, 0 for a unit out of service [1].
    no_load_dkk_per_h
        What a unit costs for being on, beyond its modes [DKK/h].
    min_load
        Least load of a unit that is on [1].
    ramp_per_h
        Greatest change of load in an hour [1/h]; infinite where there is no limit. A start may
        go to `min_load` at least, a stop come from it.
    start_cost_dkk
        Of each start.
    min_up_h, min_down_h
        How long a unit stays on once started, and off once stopped [h].
    must_run
        The unit is on whenever it is available.
    tank
        The store.
    dt_h
        Length of a step [h].
    no_load_power_mw, no_load_fuel_mw, no_load_co2_kg_per_h
        What being on draws (negative), burns and emits beyond the modes [MW, MW, kg/h]; None is
        nothing. Their cost is within `no_load_dkk_per_h`.
    """

    units: tuple[str, ...]
    modes: tuple[str, ...]
    mode_unit: Int[np.ndarray, " mode"]
    heat_mw: Float[np.ndarray, "mode time"]
    power_mw: Float[np.ndarray, "mode time"]
    fuel_mw: Float[np.ndarray, "mode time"]
    cost_dkk_per_h: Float[np.ndarray, "mode time"]
    co2_kg_per_h: Float[np.ndarray, "mode time"]
    available: Float[np.ndarray, "unit time"]
    no_load_dkk_per_h: Float[np.ndarray, "unit time"]
    min_load: Float[np.ndarray, " unit"]
    ramp_per_h: Float[np.ndarray, " unit"]
    start_cost_dkk: Float[np.ndarray, " unit"]
    min_up_h: Float[np.ndarray, " unit"]
    min_down_h: Float[np.ndarray, " unit"]
    must_run: Bool[np.ndarray, " unit"]
    tank: LinearTank
    dt_h: float = 1.0
    no_load_power_mw: Float[np.ndarray, "unit time"] | None = None
    no_load_fuel_mw: Float[np.ndarray, "unit time"] | None = None
    no_load_co2_kg_per_h: Float[np.ndarray, "unit time"] | None = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.heat_mw.shape[1]

    @property
    def must_on(self) -> Bool[np.ndarray, "unit time"]:
        """Where a unit has to be on: it must run, and its least load can be had."""
        there = self.available >= np.maximum(self.min_load, 1e-9)[:, None]
        found: Bool[np.ndarray, "unit time"] = self.must_run[:, None] & there
        return found

    def part(self, steps: slice) -> "LinearPlant":
        """The plant over some of its steps."""
        timed = {
            field.name: getattr(self, field.name)[:, steps]
            for field in fields(self)
            if getattr(getattr(self, field.name), "ndim", 0) == 2
        }
        return replace(self, **timed)

    def by_unit(self, load: Float[np.ndarray, "mode time"], of_mode: str) -> np.ndarray:
        """`of_mode` (`heat_mw`, `power_mw`, …) at `load`, summed by unit `[unit, time]`."""
        total = np.zeros((len(self.units), load.shape[1]))
        np.add.at(total, self.mode_unit, getattr(self, of_mode) * load)
        return total
