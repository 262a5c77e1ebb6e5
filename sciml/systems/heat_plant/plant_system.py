"""A heat plant as a differentiable system: loads in, heat, power, fuel and tank out.

    sum of heat + unserved - surplus = demand + heat into the tank

Units run at the loads they are told; the tank takes what is over and gives what is missing, as
far as water and flow allow. What it cannot take is surplus and leaves through coolers; what it
cannot give is unserved, and the step says so.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from tvilling.sciml.core.physical import flag_where, with_checks
from tvilling.sciml.core.system import Channel, Status, Values
from tvilling.sciml.systems.example import Example
from tvilling.sciml.systems.heat_plant.layers import Layers
from tvilling.sciml.systems.heat_plant.plant import HeatPlant, example_plant
from tvilling.sciml.systems.heat_plant.stratified_tank import StratifiedTank
from tvilling.sciml.systems.heat_plant.units import SolarField, Surroundings, Unit

W_PER_MW = 1e6
MAX_INPUT = 20.0  # input or power of a unit over its heat, for the limits of channels
ROUNDING = 1e-12  # of heat and demand: what is neither surplus nor shortage

PerUnit = Float[Array, " unit"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatPlantSystem:
    """Units and a layered tank; the state is the temperature of each layer [°C].

    Attributes
    ----------
    input_factor
        Input of each unit over what its law says [1]: 1 when new; what a twin finds from meters.
    tank
        The tank, or none; without one the state is empty.
    plant
        The units as they were written.
    demand_max_w
        Greatest demand.

    Loads of a unit's modes add up to the load of the unit; above what is available they are cut
    back in proportion. A unit with any load is on, with its input at no load, so input and cost
    jump there. Least loads, ramps and times on and off are kept by whoever plans, not here
    (`verify.py` tells where they are broken). Differentiable away from the loads of 0.
    """

    input_factor: PerUnit
    tank: StratifiedTank | None
    plant: HeatPlant = jax.tree.static()
    demand_max_w: float = jax.tree.static()

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units."""
        return self.plant.units

    @property
    def actions(self) -> tuple[Channel, ...]:
        """What a controller may set: the load of each mode."""
        return (
            Channel(
                "load",
                "1",
                0.0,
                1.0,
                dims=("mode",),
                labels=(self.plant.mode_names,),
                description="Load of each operating mode",
            ),
        )

    @property
    def drives(self) -> tuple[Channel, ...]:
        """What the plant cannot choose."""
        channels = [
            Channel("demand_w", "W", 0.0, self.demand_max_w, description="Heat demand"),
            Channel("outdoor_degc", "°C", -40.0, 45.0, description="Outdoor temperature"),
            Channel(
                "forward_degc", "°C", 50.0, 130.0, description="Supply temperature of the plant"
            ),
            Channel("return_degc", "°C", 10.0, 49.0, description="Return temperature of the plant"),
            self._per_unit("available", "1", (0.0, 1.0), "Availability of each unit"),
        ]
        if any(isinstance(unit, SolarField) for unit in self.units):
            about = "Irradiance on the collectors"
            channels.append(Channel("irradiance_w_per_m2", "W/m²", 0.0, 1500.0, description=about))
        if self.plant.source_names:
            channels.append(
                Channel(
                    "source_degc",
                    "°C",
                    -10.0,
                    60.0,
                    dims=("source",),
                    labels=(self.plant.source_names,),
                    description="Source of heat pumps other than the air",
                )
            )
        return tuple(channels)

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """What comes out of a step: means over it, and the layers at its end."""
        most_w = W_PER_MW * sum(unit.heat_mw for unit in self.units)
        put_in_w = MAX_INPUT * W_PER_MW * max(unit.heat_mw for unit in self.units)
        bought_w = put_in_w * len(self.units)
        heat = "Heat of each unit"
        power = "Net electric power of each unit"
        channels = [
            self._per_unit("unit_heat_w", "W", (0.0, most_w), heat),
            self._per_unit("unit_power_w", "W", (-put_in_w, put_in_w), power),
            self._per_unit("unit_fuel_w", "W", (0.0, put_in_w), "Fuel of each unit"),
            Channel(
                "bought_w", "W", -bought_w, bought_w, description="Electricity bought less sold"
            ),
            Channel("delivered_w", "W", 0.0, self.demand_max_w, description="Heat delivered"),
            Channel("unserved_w", "W", 0.0, self.demand_max_w, description="Heat not delivered"),
            Channel("surplus_w", "W", 0.0, most_w, description="Surplus heat"),
        ]
        if self.tank is not None:
            channels += self.tank.outputs
        return tuple(channels)

    def _per_unit(self, name: str, unit: str, limits: tuple[float, float], about: str) -> Channel:
        names = (self.plant.unit_names,)
        return Channel(name, unit, *limits, dims=("unit",), labels=names, description=about)

    def init(self, key: jax.Array) -> Layers:
        """Layers of the tank, hot over cold, with a boundary drawn evenly [°C]."""
        return jnp.zeros(0) if self.tank is None else self.tank.init(key)

    def step(
        self, state: Layers, action: Values, drive: Values, dt_s: float
    ) -> tuple[Layers, Values]:
        """Layers [°C] after `dt_s` [s], and the outputs over the step."""
        around = self._surroundings(drive)
        produced = self._produced(action["load"], drive["available"], around)
        heat_w, demand_w = produced["unit_heat_w"].sum(), drive["demand_w"]
        after, given_w, stored = state, jnp.zeros(()), Values()
        if self.tank is not None:
            tank_drive = {name: drive[name] for name in ("forward_degc", "return_degc")}
            tank_drive["ambient_degc"] = drive["outdoor_degc"]
            after, stored = self.tank.exchange(state, heat_w - demand_w, tank_drive, dt_s)
            given_w = stored["tank_w"]
        over_w = heat_w - demand_w - given_w
        over_w = jnp.where(jnp.abs(over_w) > ROUNDING * (heat_w + demand_w), over_w, 0.0)
        unserved_w = jnp.maximum(-over_w, 0.0)
        output = {
            **produced,
            "bought_w": -produced["unit_power_w"].sum(),
            "delivered_w": demand_w - unserved_w,
            "unserved_w": unserved_w,
            "surplus_w": jnp.maximum(over_w, 0.0),
            **stored,
            "status": flag_where(Status.UNSERVED, unserved_w > 0),
        }
        return with_checks(self, state, (action, drive), (after, output), dt_s)

    def _surroundings(self, drive: Values) -> Surroundings:
        names = self.plant.source_names
        return Surroundings(
            drive["outdoor_degc"],
            drive["forward_degc"],
            drive["return_degc"],
            drive.get("irradiance_w_per_m2", jnp.zeros(())),
            {name: drive["source_degc"][i] for i, name in enumerate(names)},
        )

    def _produced(self, load: Array, available: PerUnit, around: Surroundings) -> Values:
        """Heat, power and fuel of each unit at the loads of its modes [W]."""
        owner = np.array(self.plant.mode_unit)
        heat, power, fuel = [], [], []
        for i, unit in enumerate(self.units):
            wanted = jnp.maximum(load[owner == i], 0.0)
            share = jnp.minimum(unit.share(around), 1.0) * available[i]
            total = wanted.sum()
            over = total > share
            kept = wanted * jnp.where(over, share / jnp.where(over, total, 1.0), 1.0)
            modes = unit.modes(around)
            idle = jnp.where(kept.sum() > 0, unit.idle_share, 0.0)
            used = self.input_factor[i] * (idle / len(modes) + (1.0 - unit.idle_share) * kept)
            heat.append(sum(x * mode.heat_mw for x, mode in zip(kept, modes, strict=True)))
            fuel.append(sum(x * mode.fuel_mw for x, mode in zip(used, modes, strict=True)))
            made = sum(x * jnp.maximum(m.power_mw, 0.0) for x, m in zip(kept, modes, strict=True))
            drawn = sum(x * jnp.maximum(-m.power_mw, 0.0) for x, m in zip(used, modes, strict=True))
            power.append(made - drawn)
        return {
            name: W_PER_MW * jnp.stack(values)
            for name, values in (
                ("unit_heat_w", heat),
                ("unit_power_w", power),
                ("unit_fuel_w", fuel),
            )
        }

    def stored_j(self, state: Layers) -> Float[Array, ""]:
        """Heat in the tank [J], against water at 0 °C."""
        return jnp.zeros(()) if self.tank is None else self.tank.stored_j(state)

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Heat of all units less that delivered, cooled away and lost, mean over the step [W]."""
        leaving = output["delivered_w"] + output["surplus_w"]
        if self.tank is not None:
            leaving = leaving + output["tank_loss_w"]
        return output["unit_heat_w"].sum() - leaving


def build_plant(plant: HeatPlant, demand_max_mw: float = 0.0) -> HeatPlantSystem:
    """The plant as a system.

    Parameters
    ----------
    demand_max_mw
        Greatest demand [MW]; without it twice the heat of all units.
    """
    most_mw = demand_max_mw or 2.0 * sum(unit.heat_mw for unit in plant.units)
    return HeatPlantSystem(
        input_factor=jnp.ones(len(plant.units)),
        tank=None if plant.tank is None else plant.tank.build(),
        plant=plant,
        demand_max_w=most_mw * W_PER_MW,
    )


def example() -> Example:
    """The plant of `plant.example_plant` on a cold, sunny morning, and a demand beyond it."""
    system = build_plant(example_plant())
    drive = {
        "demand_w": jnp.asarray(9e6),
        "outdoor_degc": jnp.asarray(4.0),
        "forward_degc": jnp.asarray(82.0),
        "return_degc": jnp.asarray(38.0),
        "available": jnp.full(len(system.units), 0.9),
        "irradiance_w_per_m2": jnp.asarray(450.0),
    }
    action = {"load": jnp.asarray([0.8, 0.15, 0.3, 0.6, 0.7])}
    return Example(
        system=system,
        action=action,
        drive=drive,
        dt_s=3600.0,
        failing=(action, drive | {"demand_w": jnp.asarray(5.5e7)}),
    )
