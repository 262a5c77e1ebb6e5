"""What power and fuel cost a plant beyond the spot price, and what they emit."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from tvilling.sciml.systems.heat_plant.tariffs import feed_in_tariff, rate, tariff

Hourly = Float[np.ndarray, " time"]


@dataclass(frozen=True)
class Charges:
    """Prices, taxes and emission factors over time; kroner of the year that the time lies in.

    Attributes
    ----------
    bought_dkk_per_kwh
        On top of the spot price of power that makes heat: tariffs and tax.
    sold_dkk_per_kwh
        Taken from the spot price of power sold.
    fuel_dkk_per_mwh
        Price of fuel delivered, by fuel, over its lower heating value.
    energy_tax_dkk_per_mwh, co2_tax_dkk_per_mwh
        Taxes by fuel; a fuel that is not named pays none.
    burner_tax_dkk_per_mwh, engine_tax_dkk_per_mwh
        Taxes on what leaves the chimney beside CO2, on all fuel: NOx, and in a piston engine NOx
        and methane.
    co2_kg_per_mwh
        Emission by fuel.
    grid_co2_kg_per_mwh
        Emission of power bought, the mean of the year.
    quota_dkk_per_kg
        Price of an emission allowance.
    emission_tax_dkk_per_kg, co2_tax_refund
        Within the quota system: tax on every emission, and the share of the CO2 tax on heat that
        is given back for it [1].
    """

    bought_dkk_per_kwh: Hourly
    sold_dkk_per_kwh: Hourly
    fuel_dkk_per_mwh: dict[str, Hourly]
    energy_tax_dkk_per_mwh: dict[str, Hourly] = field(default_factory=dict)
    co2_tax_dkk_per_mwh: dict[str, Hourly] = field(default_factory=dict)
    co2_kg_per_mwh: dict[str, Hourly] = field(default_factory=dict)
    grid_co2_kg_per_mwh: Hourly | float = 0.0
    quota_dkk_per_kg: Hourly | float = 0.0
    burner_tax_dkk_per_mwh: dict[str, Hourly] = field(default_factory=dict)
    engine_tax_dkk_per_mwh: dict[str, Hourly] = field(default_factory=dict)
    emission_tax_dkk_per_kg: Hourly | float = 0.0
    co2_tax_refund: Hourly | float = 0.0


def danish_charges(time_utc: np.ndarray) -> Charges:
    """The charges that ship (`tariffs.csv`, `emissions.csv`) for every step.

    `dataclasses.replace` puts a contract's own prices in their place.

    Raises
    ------
    InputError
        A time lies outside the rows, 2020 to 2026.
    """
    gas = rate("gas_price", time_utc) * rate("usd_dkk", time_utc) + rate("gas_transport", time_utc)
    return Charges(
        bought_dkk_per_kwh=tariff(time_utc),
        sold_dkk_per_kwh=feed_in_tariff(time_utc),
        fuel_dkk_per_mwh={
            "gas": gas,
            "biomass": rate("biomass_price", time_utc),
            "waste": rate("waste_price", time_utc),
        },
        energy_tax_dkk_per_mwh={"gas": rate("energy_tax_gas", time_utc)},
        co2_tax_dkk_per_mwh={"gas": rate("co2_tax_gas", time_utc)},
        co2_kg_per_mwh={
            fuel: rate(f"co2_{fuel}", time_utc) for fuel in ("gas", "biomass", "waste")
        },
        grid_co2_kg_per_mwh=rate("co2_grid", time_utc),
        quota_dkk_per_kg=rate("quota", time_utc),
        burner_tax_dkk_per_mwh={"gas": rate("nox_tax_gas", time_utc)},
        engine_tax_dkk_per_mwh={
            "gas": rate("nox_tax_gas_engine", time_utc) + rate("methane_tax_gas", time_utc)
        },
        emission_tax_dkk_per_kg=rate("emission_tax", time_utc),
        co2_tax_refund=rate("co2_tax_refund", time_utc),
    )
