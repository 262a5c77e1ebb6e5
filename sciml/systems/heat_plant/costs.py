"""What an hour of a unit costs and emits, in a part that follows the load and one of being on.

Fuel for heat is taxed. A unit that makes power as well pays the energy tax on

    fuel for heat = heat / 1.2, no more than its fuel

one of the two ways that Danish rules leave to choose between [1]; the other, fuel less power over
0.67, is left out, and so is any change between them. The CO2 tax is due on fuel for heat within
the EU quota system, less a refund from 2025 on, and on all fuel outside it [1]. Within the system
every emission takes an allowance and, from 2025 on, pays the emission tax [2]. Gas pays the tax on
NOx, by the standard emission, and in a piston engine the methane tax [3].

[1] PwC, Afgiftsvejledningen 2024, Kraftvarmeværker og fjernvarmeværker.
[2] Lov om afgift af CO2e-emissioner fra kvoteomfattede sektorer (emissionsafgiftsloven), § 2.
[3] Skatteministeriet, CO2-afgiftsloven, satser, and Kvælstofoxiderafgiftsloven, satser.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tvilling.sciml.systems.heat_plant.charges import Charges
from tvilling.sciml.systems.heat_plant.units import Mode, Unit

HEAT_EFFICIENCY = 1.2
KWH_PER_MWH = 1000.0

Hourly = Float[np.ndarray, " time"]


class Split(NamedTuple):
    """A quantity of an hour at full load: `by_load` follows the load, `on` is there at any load."""

    by_load: Hourly
    on: Hourly


def cost(
    unit: Unit, mode: Mode, price_dkk_per_kwh: Hourly, charges: Charges, in_quota_system: bool
) -> Split:
    """Fuel, power bought less sold, tariffs, taxes, allowances and upkeep [DKK/h]."""
    heat, power, burnt = (np.asarray(each) for each in mode[1:])
    drawn, sold = np.maximum(-power, 0.0), np.maximum(power, 0.0)
    made = unit.upkeep_dkk_per_mwh * (heat + sold)
    made -= sold * KWH_PER_MWH * (price_dkk_per_kwh - charges.sold_dkk_per_kwh)
    used = drawn * KWH_PER_MWH * (price_dkk_per_kwh + charges.bought_dkk_per_kwh)
    fuel = unit.fuel_name
    if fuel:
        used = used + burnt * charges.fuel_dkk_per_mwh[fuel]
        chimney = (
            charges.engine_tax_dkk_per_mwh
            if unit.is_piston_engine
            else charges.burner_tax_dkk_per_mwh
        )
        used = used + burnt * chimney.get(fuel, 0.0)
        energy_tax = charges.energy_tax_dkk_per_mwh.get(fuel, 0.0)
        co2_tax = charges.co2_tax_dkk_per_mwh.get(fuel, 0.0)
        if in_quota_system:
            emitted = charges.co2_kg_per_mwh.get(fuel, 0.0)
            by_kg = charges.quota_dkk_per_kg + charges.emission_tax_dkk_per_kg
            used = used + burnt * emitted * by_kg
            co2_tax = co2_tax * (1.0 - charges.co2_tax_refund)
        if unit.makes_power:
            for_heat = np.minimum(burnt, heat / HEAT_EFFICIENCY)
            made = made + for_heat * energy_tax
            if in_quota_system:
                made = made + for_heat * co2_tax
            else:
                used = used + burnt * co2_tax
        else:
            used = used + burnt * (energy_tax + co2_tax)
    return Split(made + (1.0 - unit.idle_share) * used, unit.idle_share * used)


def emission(unit: Unit, mode: Mode, charges: Charges) -> Split:
    """CO2 from the chimney and of power bought [kg/h]; nothing is taken off for power sold."""
    _, power, burnt = (np.asarray(each) for each in mode[1:])
    drawn = np.maximum(-power, 0.0)
    used = drawn * charges.grid_co2_kg_per_mwh
    if unit.fuel_name:
        used = used + burnt * charges.co2_kg_per_mwh.get(unit.fuel_name, 0.0)
    return Split((1.0 - unit.idle_share) * used, unit.idle_share * used)
