"""A heat plant as a user writes it: units, a tank, and whether it pays for allowances."""

from pydantic import Field, model_validator

from tvilling.sciml.io.strict_model import StrictModel
from tvilling.sciml.systems.heat_plant.stratified_tank import StratifiedTankConfig, tank_holding
from tvilling.sciml.systems.heat_plant.units import (
    AnyUnit,
    BackPressureChp,
    Boiler,
    ElectricBoiler,
    HeatPump,
    SolarField,
    duplicates,
)


class HeatPlant(StrictModel):
    """Units that feed one network, and a tank beside them."""

    units: tuple[AnyUnit, ...] = Field(min_length=1, description="The units")
    tank: StratifiedTankConfig | None = Field(default=None, description="Heat store, or none")
    in_quota_system: bool = Field(
        default=False, description="Takes part in the EU quota system (20 MW of fuel and more)"
    )

    @model_validator(mode="after")
    def _names_are_distinct(self) -> "HeatPlant":
        twice = duplicates(self.unit_names) or duplicates(self.mode_names)
        if twice:
            raise ValueError(f"names of units stand more than once: {', '.join(twice)}")
        return self

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names of the units."""
        return tuple(unit.name for unit in self.units)

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Names of the modes of all units, unit by unit."""
        return tuple(name for unit in self.units for name in unit.mode_names)

    @property
    def mode_unit(self) -> tuple[int, ...]:
        """Number of the unit of each mode."""
        return tuple(i for i, unit in enumerate(self.units) for _ in unit.mode_names)

    @property
    def source_names(self) -> tuple[str, ...]:
        """Sources of heat other than the air."""
        return tuple(sorted({unit.source_name for unit in self.units} - {""}))


def example_plant() -> HeatPlant:
    """A plant for 43 GWh a year: heat pump, electric boiler, gas boiler, gas engine, sun, tank.

    Sizes are those of a Danish town; efficiencies, start costs and upkeep are plausible numbers,
    not those of a maker.
    """
    return HeatPlant(
        units=(
            HeatPump(
                name="heat pump",
                heat_mw=3.0,
                min_load=0.3,
                defrost_loss=0.1,
                idle_share=0.05,
                start_cost_dkk=300.0,
                min_up_h=2.0,
                upkeep_dkk_per_mwh=18.0,
            ),
            ElectricBoiler(name="electric boiler", heat_mw=8.0, upkeep_dkk_per_mwh=8.0),
            Boiler(
                name="gas boiler",
                heat_mw=12.0,
                fuel="gas",
                efficiency=1.02,
                min_load=0.1,
                idle_share=0.005,
                start_cost_dkk=150.0,
                upkeep_dkk_per_mwh=8.0,
            ),
            BackPressureChp(
                name="gas engine",
                heat_mw=3.6,
                fuel="gas",
                power_ratio=3.0 / 3.6,
                efficiency=0.92,
                min_load=0.5,
                idle_share=0.08,
                start_cost_dkk=900.0,
                min_up_h=3.0,
                min_down_h=2.0,
                upkeep_dkk_per_mwh=35.0,
            ),
            SolarField(name="solar field", heat_mw=2.0, upkeep_dkk_per_mwh=4.0),
        ),
        tank=tank_holding(60.0, 12.0),
    )
