"""Which of the rates that a plant is charged by were found in no source."""

from collections.abc import Collection

import numpy as np

from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.sciml.systems.heat_plant.tariffs import rates_in_force
from tvilling.sciml.systems.heat_plant.units import FUELS

IN_QUOTA_SYSTEM = ("quota", "emission_tax", "co2_tax_refund")
OF_PRICE = {"gas_price": "gas", "usd_dkk": "gas", "gas_transport": "gas",
            "biomass_price": "biomass", "waste_price": "waste"}  # fmt: skip


def unverified_rates(
    plant: HeatPlant,
    time_utc: np.ndarray,
    fuel_time_utc: np.ndarray | None = None,
    own_fuels: Collection[str] = (),
) -> list[str]:
    """Shipped rates that `plant` is charged by in these hours and that no source was found for.

    Parameters
    ----------
    time_utc, fuel_time_utc
        Hours whose taxes and tariffs hold, and those whose fuel prices do; by default the same.
    own_fuels
        Fuels whose price is the plant's own.

    Returns
    -------
    list of str
        One for each, with its values and where they are from:
        `transmission 7.4 øre/kWh (carried over, as 2024)`.
    """
    told: dict[tuple[str, str], list[str]] = {}
    prices = time_utc if fuel_time_utc is None else fuel_time_utc
    rows = [row for row in rates_in_force(time_utc) if row.what not in OF_PRICE]
    rows += [row for row in rates_in_force(prices) if row.what in OF_PRICE]
    for row in rows:
        if not row.verified and _concerns(row.what, row.payer, plant, own_fuels):
            why = f"{row.source}, {row.note}" if row.note.startswith("as ") else row.source
            told.setdefault((row.what, why), []).append(f"{row.value:g} {row.unit}")
    return [
        f"{what} {', '.join(dict.fromkeys(values))} ({why})" for (what, why), values in told.items()
    ]


def _concerns(what: str, payer: str, plant: HeatPlant, own_fuels: Collection[str]) -> bool:
    """Whether `plant` is charged by the rows of `what`."""
    buys = any(unit.kind in ("heat_pump", "electric_boiler") for unit in plant.units)
    sells = any(unit.makes_power for unit in plant.units)
    fuels = {unit.fuel_name for unit in plant.units}
    if payer.startswith("buyer of power") or what == "co2_grid":
        return buys
    if payer.startswith("seller of power"):
        return sells
    if what in IN_QUOTA_SYSTEM:
        return plant.in_quota_system
    if what in ("methane_tax_gas", "nox_tax_gas_engine"):
        return any(unit.is_piston_engine for unit in plant.units)
    if what == "nox_tax_gas":
        return any(unit.fuel_name == "gas" and not unit.is_piston_engine for unit in plant.units)
    if what in OF_PRICE:
        return OF_PRICE[what] in fuels - set(own_fuels)
    burnt = [fuel for fuel in FUELS if fuel in what.split("_")]
    return bool(burnt) and burnt[0] in fuels
