"""The units of a heat plant: what they can do, hour by hour, from the temperatures around them.

Every unit delivers heat in one or more modes; at full load a mode delivers heat and power, and
draws power or burns fuel. The input of a unit that is on is affine in its load x,

    input(x) = full_input · (idle_share + (1 - idle_share) x)

which is its part load: the efficiency falls with the load, and nothing is used when it is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array
from pydantic import Field, model_validator

from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.systems.heat_plant.cop import defrost_factor, heat_pump_cop

Fuel = Literal["gas", "biomass", "waste"]
FUELS: tuple[Fuel, ...] = ("gas", "biomass", "waste")
AIR = "air"
SUN_W_PER_M2 = 1000.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Surroundings:
    """What a plant meets, at one time or over many; all arrays broadcast.

    Attributes
    ----------
    outdoor_degc
        Outdoor temperature [°C], the source of what draws on air.
    forward_degc, return_degc
        Water that leaves the plant and comes back to it [°C].
    irradiance_w_per_m2
        Sun on the plane of the collectors [W/m²].
    source_degc
        Other sources of heat pumps, by name [°C].
    """

    outdoor_degc: ArrayLike
    forward_degc: ArrayLike
    return_degc: ArrayLike
    irradiance_w_per_m2: ArrayLike = 0.0
    source_degc: dict[str, ArrayLike] = field(default_factory=dict)


class Mode(NamedTuple):
    """One way to run a unit, at full load [MW].

    `power_mw` is negative where power is drawn. Inputs are those of full load, idle share and all.
    """

    name: str
    heat_mw: Array
    power_mw: Array
    fuel_mw: Array


class Unit(StrictModel):
    """What all units have. `heat_mw` is the heat at full load, at rated conditions [MW]."""

    name: str = Field(min_length=1, description="Name, distinct within the plant")
    heat_mw: float = Field(gt=0, le=2000, description="Heat at full load [MW]")
    min_load: float = Field(default=0.0, ge=0, le=1, description="Least load when on [1]")
    ramp_per_h: float = Field(
        default=float("inf"), gt=0, description="Greatest change of load in an hour [1/h]"
    )
    start_cost_dkk: float = Field(default=0.0, ge=0, description="Cost of a start [DKK]")
    min_up_h: float = Field(default=0.0, ge=0, le=720, description="Stays on for [h]")
    min_down_h: float = Field(default=0.0, ge=0, le=720, description="Stays off for [h]")
    must_run: bool = Field(default=False, description="On whenever it is available")
    upkeep_dkk_per_mwh: float = Field(
        default=0.0, ge=0, description="Upkeep for each MWh of heat and power delivered [DKK/MWh]"
    )
    idle_share: float = Field(
        default=0.0, ge=0, lt=1, description="Input when on at no load over input at full load [1]"
    )

    @property
    def fuel_name(self) -> str:
        """The fuel it burns, or nothing."""
        return ""

    @property
    def makes_power(self) -> bool:
        """Whether it makes power beside heat."""
        return False

    @property
    def is_piston_engine(self) -> bool:
        """Whether it burns gas in a stationary piston engine."""
        return False

    @property
    def source_name(self) -> str:
        """The source of heat it needs beside the air, or nothing."""
        return ""

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Names of its modes."""
        return (self.name,)

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Its modes at full load."""
        raise NotImplementedError

    def share(self, at: Surroundings) -> Array:
        """Share of full load that the surroundings allow [1]."""
        return jnp.ones_like(jnp.asarray(at.forward_degc, float))

    def _mode(
        self, heat_mw: ArrayLike, power_mw: ArrayLike, fuel_mw: ArrayLike, at: Surroundings
    ) -> Mode:
        """A mode under the unit's own name, its arrays as long as `at`."""
        like = jnp.zeros_like(jnp.asarray(at.forward_degc, float))
        return Mode(self.name, *(jnp.asarray(each) + like for each in (heat_mw, power_mw, fuel_mw)))


class HeatPump(Unit):
    """A compression heat pump: COP and capacity follow its source.

    COP: the law of Lorentz (`cop.heat_pump_cop`) at a constant efficiency, the source cooled by
    `source_cooling_k`. Capacity: `heat_mw` down to `rated_source_degc`, and less by
    `capacity_per_k` of it for each kelvin below, as the gas that the compressor draws gets
    thinner. Defrosting takes `defrost_loss` of COP and capacity in cold air
    (`cop.defrost_factor`); 0 leaves it out, or says that it is in `lorentz_efficiency`.
    Out of service where the source is below `min_source_degc` or the water has to leave above
    `max_forward_degc`: no topping-up by another unit is assumed.
    """

    kind: Literal["heat_pump"] = "heat_pump"
    source: str = Field(
        default=AIR, min_length=1, description="`air`, or a name of Conditions.source_degc"
    )
    lorentz_efficiency: float = Field(default=0.5, gt=0, lt=1, description="COP over Lorentz [1]")
    source_cooling_k: float = Field(default=5.0, ge=0, le=30, description="Cooling of source [K]")
    rated_source_degc: float = Field(default=7.0, ge=-30, le=60, description="Full heat from [°C]")
    capacity_per_k: float = Field(default=0.02, ge=0, le=0.1, description="Loss of heat [1/K]")
    defrost_loss: float = Field(default=0.0, ge=0, lt=1, description="Loss where coils frost [1]")
    min_source_degc: float = Field(default=-20.0, ge=-30, le=60, description="Stops below [°C]")
    max_forward_degc: float = Field(default=90.0, ge=30, le=110, description="Stops above [°C]")

    @property
    def source_name(self) -> str:
        """The source, where it is not the air."""
        return "" if self.source == AIR else self.source

    def source_degc(self, at: Surroundings) -> Array:
        """Temperature of its source [°C]."""
        return jnp.asarray(
            at.outdoor_degc if self.source == AIR else at.source_degc[self.source], float
        )

    def cop(self, at: Surroundings) -> Array:
        """Heat over power at full load [1]."""
        source = self.source_degc(at)
        cop = heat_pump_cop(
            source,
            source - self.source_cooling_k,
            at.forward_degc,
            at.return_degc,
            self.lorentz_efficiency,
        )
        return cop * self._kept(source)

    def _kept(self, source_degc: Array) -> Array:
        return defrost_factor(source_degc, self.defrost_loss if self.source == AIR else 0.0)

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Heat from source and power."""
        source = self.source_degc(at)
        below_k = jnp.maximum(self.rated_source_degc - source, 0.0)
        share = jnp.maximum(1.0 - self.capacity_per_k * below_k, 0.0) * self._kept(source)
        heat = self.heat_mw * share
        return (self._mode(heat, -heat / self.cop(at), 0.0, at),)

    def share(self, at: Surroundings) -> Array:
        """1 between the limits of source and forward temperature, else 0."""
        runs = (self.source_degc(at) >= self.min_source_degc) & (
            jnp.asarray(at.forward_degc) <= self.max_forward_degc
        )
        return runs.astype(float)


class ElectricBoiler(Unit):
    """Heat from power: electrode or resistance boiler."""

    kind: Literal["electric_boiler"] = "electric_boiler"
    efficiency: float = Field(default=0.99, gt=0, le=1, description="Heat over power [1]")

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Heat from power."""
        return (self._mode(self.heat_mw, -self.heat_mw / self.efficiency, 0.0, at),)


class Boiler(Unit):
    """A boiler for gas, biomass or waste.

    `efficiency` is over the lower heating value; flue-gas condensation brings it above 1. It does
    not follow the return temperature here.
    """

    kind: Literal["boiler"] = "boiler"
    fuel: Fuel = Field(description="gas, biomass or waste")
    efficiency: float = Field(default=0.95, gt=0, le=1.15, description="Heat over fuel [1]")

    @property
    def fuel_name(self) -> str:
        """The fuel it burns."""
        return self.fuel

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Heat from fuel."""
        return (self._mode(self.heat_mw, 0.0, self.heat_mw / self.efficiency, at),)


class BackPressureChp(Unit):
    """Engine or back-pressure turbine: power and heat in a fixed ratio.

    power = power_ratio · heat,   fuel = (heat + power) / efficiency
    """

    kind: Literal["back_pressure_chp"] = "back_pressure_chp"
    fuel: Fuel = Field(description="gas, biomass or waste")
    power_ratio: float = Field(gt=0, le=3, description="Power over heat [1]")
    efficiency: float = Field(gt=0, le=1.15, description="Heat and power over fuel [1]")
    piston_engine: bool = Field(
        default=True, description="Of one that burns gas: an engine, no turbine; pays methane tax"
    )

    @property
    def is_piston_engine(self) -> bool:
        """Where it burns gas, unless it is a turbine."""
        return self.piston_engine and self.fuel == "gas"

    @property
    def fuel_name(self) -> str:
        """The fuel it burns."""
        return self.fuel

    @property
    def makes_power(self) -> bool:
        """It does."""
        return True

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Heat and power from fuel."""
        power = self.power_ratio * self.heat_mw
        return (self._mode(self.heat_mw, power, (self.heat_mw + power) / self.efficiency, at),)


class ExtractionChp(Unit):
    """Steam turbine with extraction: between condensing and full extraction at one fuel flow.

    At full load with heat Q from 0 to `heat_mw`, and P_c the power without heat,

        power = P_c - power_loss · Q,   power = power_ratio · heat_mw at Q = heat_mw

    so P_c = (power_ratio + power_loss) heat_mw, and fuel = P_c / condensing_efficiency. These are
    the lines of constant fuel and of back pressure, c_v and c_b, of the Danish technology data.
    """

    kind: Literal["extraction_chp"] = "extraction_chp"
    fuel: Fuel = Field(description="gas, biomass or waste")
    power_ratio: float = Field(gt=0, le=3, description="c_b, power over heat at full extraction")
    power_loss: float = Field(gt=0, lt=1, description="c_v, power given up for heat [1]")
    condensing_efficiency: float = Field(gt=0, le=0.65, description="Power over fuel, no heat [1]")

    @model_validator(mode="after")
    def _no_more_out_than_in(self) -> "ExtractionChp":
        fuel = (self.power_ratio + self.power_loss) / self.condensing_efficiency
        total = (1.0 + self.power_ratio) / fuel
        if total > 1.15:
            raise ValueError(f"heat and power are {total:.3g} of the fuel, expected 1.15 at most")
        return self

    @property
    def fuel_name(self) -> str:
        """The fuel it burns."""
        return self.fuel

    @property
    def makes_power(self) -> bool:
        """It does."""
        return True

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Condensing, and full extraction."""
        return f"{self.name} condensing", f"{self.name} extraction"

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Power alone, and heat and power, at the same fuel."""
        condensing = (self.power_ratio + self.power_loss) * self.heat_mw
        fuel = condensing / self.condensing_efficiency
        names = self.mode_names
        return (
            self._mode(0.0, condensing, fuel, at)._replace(name=names[0]),
            self._mode(self.heat_mw, self.power_ratio * self.heat_mw, fuel, at)._replace(
                name=names[1]
            ),
        )


class SolarField(Unit):
    """Flat-plate collectors, by the steady efficiency of ISO 9806 [1].

        heat = area · max(eta0 G - a1 (T_m - T_a) - a2 (T_m - T_a)², 0)

    with irradiance G on the plane, T_m the mean of forward and return, T_a the air. `heat_mw` is
    the most that is taken, and sets the area: it is reached at G = 1000 W/m² and T_m = T_a.
    Pumps, the heat capacity of the field and the angle of the sun are left out. A load below 1
    is sun that is not used.

    [1] ISO 9806, Solar energy, solar thermal collectors, test methods.
    """

    kind: Literal["solar"] = "solar"
    eta0: float = Field(default=0.8, gt=0, le=1, description="Efficiency at no loss [1]")
    a1_w_per_m2k: float = Field(default=2.5, ge=0, le=20, description="Linear loss [W/(m²·K)]")
    a2_w_per_m2k2: float = Field(default=0.01, ge=0, le=1, description="Loss [W/(m²·K²)]")

    @property
    def area_m2(self) -> float:
        """Collector area [m²]."""
        return self.heat_mw * 1e6 / (self.eta0 * SUN_W_PER_M2)

    def modes(self, at: Surroundings) -> tuple[Mode, ...]:
        """Heat from the sun."""
        mean = 0.5 * (jnp.asarray(at.forward_degc) + jnp.asarray(at.return_degc))
        above = jnp.maximum(mean - jnp.asarray(at.outdoor_degc), 0.0)
        lost = self.a1_w_per_m2k * above + self.a2_w_per_m2k2 * above**2
        gained = self.eta0 * jnp.asarray(at.irradiance_w_per_m2) - lost
        heat = self.area_m2 * jnp.maximum(gained, 0.0) / 1e6
        return (self._mode(jnp.minimum(heat, self.heat_mw), 0.0, 0.0, at),)


AnyUnit = Annotated[
    HeatPump | ElectricBoiler | Boiler | BackPressureChp | ExtractionChp | SolarField,
    Field(discriminator="kind"),
]


def duplicates(names: Sequence[str]) -> list[str]:
    """Names that stand more than once."""
    return sorted({name for name in names if list(names).count(name) > 1})
