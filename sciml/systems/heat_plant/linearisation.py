"""A plant over a horizon in the form that an optimiser takes."""

import numpy as np

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.systems.heat_plant.conditions import Conditions
from tvilling.sciml.systems.heat_plant.costs import Split, cost, emission
from tvilling.sciml.systems.heat_plant.linear import LinearPlant, LinearTank
from tvilling.sciml.systems.heat_plant.plant import HeatPlant
from tvilling.sciml.systems.heat_plant.stratified_tank import linear_tank


def linearise(plant: HeatPlant, conditions: Conditions, dt_h: float = 1.0) -> LinearPlant:
    """Modes, costs and limits of `plant` in every step, and its tank as a reservoir.

    Efficiencies and capacities are those of each step's temperatures; what is left is linear in
    the load. The tank takes the mean forward, return and outdoor temperature of the horizon.

    Parameters
    ----------
    dt_h
        Length of a step [h].

    Raises
    ------
    InputError
        A series is missing, too short or impossible, or a name is not one of the plant.
    """
    _check(plant, conditions, dt_h)
    around, charges = conditions.surroundings, conditions.charges
    modes = [mode for unit in plant.units for mode in unit.modes(around)]
    owner = np.array(plant.mode_unit)
    pairs = [(plant.units[i], mode) for i, mode in zip(owner, modes, strict=True)]
    price, quota = conditions.price_dkk_per_kwh, plant.in_quota_system
    costs = [cost(unit, mode, price, charges, quota) for unit, mode in pairs]
    emissions = [emission(unit, mode, charges) for unit, mode in pairs]
    first = np.unique(owner, return_index=True)[1]  # being on is the same in all modes of a unit
    by_load = np.array([1.0 - unit.idle_share for unit, _ in pairs])[:, None]
    idle = np.array([unit.idle_share for unit in plant.units])[:, None]
    heat, power, fuel = (np.array([mode[at] for mode in modes]) for at in (1, 2, 3))
    return LinearPlant(
        units=plant.unit_names,
        modes=plant.mode_names,
        mode_unit=owner,
        heat_mw=heat,
        power_mw=np.where(power < 0, by_load * power, power),
        fuel_mw=by_load * fuel,
        cost_dkk_per_h=_rows(costs, "by_load"),
        co2_kg_per_h=_rows(emissions, "by_load"),
        available=_available(plant, conditions),
        no_load_dkk_per_h=_rows(costs, "on")[first],
        **{
            name: np.array([getattr(unit, name) for unit in plant.units])
            for name in (
                "min_load",
                "ramp_per_h",
                "start_cost_dkk",
                "min_up_h",
                "min_down_h",
                "must_run",
            )
        },
        tank=_tank(plant, conditions),
        dt_h=dt_h,
        no_load_power_mw=idle * np.minimum(power[first], 0.0),
        no_load_fuel_mw=idle * fuel[first],
        no_load_co2_kg_per_h=_rows(emissions, "on")[first],
    )


def _rows(splits: list[Split], part: str) -> np.ndarray:
    return np.array([getattr(split, part) for split in splits])


def _available(plant: HeatPlant, conditions: Conditions) -> np.ndarray:
    around, there = conditions.surroundings, np.ones(len(conditions.time))
    return np.array(
        [
            np.asarray(unit.share(around)) * conditions.available.get(unit.name, there)
            for unit in plant.units
        ]
    )


def _tank(plant: HeatPlant, conditions: Conditions) -> LinearTank:
    if plant.tank is None:
        return LinearTank()
    return linear_tank(
        plant.tank,
        float(np.mean(conditions.forward_degc)),
        float(np.mean(conditions.return_degc)),
        float(np.mean(conditions.outdoor_degc)),
    )


def _check(plant: HeatPlant, conditions: Conditions, dt_h: float) -> None:
    conditions.check()
    faults = [
        f"source_degc has no {name}, the source of {unit.name}"
        for unit in plant.units
        if (name := unit.source_name) and name not in conditions.source_degc
    ]
    faults += [
        f"available names {name}, expected a unit of {', '.join(plant.unit_names)}"
        for name in conditions.available
        if name not in plant.unit_names
    ]
    faults += [
        f"charges have no price of {fuel}"
        for fuel in sorted({unit.fuel_name for unit in plant.units} - {""})
        if fuel not in conditions.charges.fuel_dkk_per_mwh
    ]
    if not dt_h > 0:
        faults.append(f"dt_h is {dt_h:g} h, expected above 0")
    if faults:
        raise InputError("plant", faults)
