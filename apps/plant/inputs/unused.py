"""What a case states and a plan cannot use: told, so that nothing is dropped in silence."""

from typing import TYPE_CHECKING

from tvilling.apps.plant.case import CityLoad, FileLoad, PlantCase, PlantPrices, PlantWeather
from tvilling.datasets.prices import RECORDED

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tvilling.apps.plant.inputs.known import PlantInputs

WITHOUT_STARTS = ("min_load", "start_cost_dkk", "min_up_h", "min_down_h")


def unused(case: PlantCase, facts: "PlantInputs") -> list[str]:
    """One line for each field that differs from what it is without the user, and has no effect."""
    return [
        *_of_records(case, facts),
        *_of_units(case),
        *_of_tank(case),
    ]


def _of_records(case: PlantCase, facts: "PlantInputs") -> list[str]:
    """Of weather and prices, where others go first."""
    lines = []
    if isinstance(case.load, FileLoad | CityLoad):
        whose = "the file's own" if isinstance(case.load, FileLoad) else "that of the city"
        lines += _set(case.weather, PlantWeather(), "weather", ("source",), f"{whose} is taken")
    if facts.own_weather:
        lines += _set(
            case.weather, PlantWeather(), "weather", ("ahead",), "the file's own values stand"
        )
    free = PlantPrices()
    if facts.own_prices:
        names = ("source", "seed")
        lines += _set(case.prices, free, "prices", names, "the file's own prices are taken")
    else:
        lines += _set(case.prices, free, "prices", ("beyond",), "the file has no prices")
        if facts.record.attrs["prices"] == RECORDED:
            lines += _set(case.prices, free, "prices", ("seed",), "recorded prices are taken")
    return lines


def _of_units(case: PlantCase) -> list[str]:
    units = case.plant.units
    burnt = {unit.fuel_name for unit in units}
    lines = [
        f"charges.fuel_dkk_per_mwh: no unit burns {fuel}, its price is not used"
        for fuel in case.charges.fuel_dkk_per_mwh
        if fuel not in burnt
    ]
    lines += [
        f"sources_degc: no heat pump draws on {name}, its temperature is not used"
        for name in case.sources_degc
        if name not in case.plant.source_names
    ]
    lines += [
        f"{unit.name} must run and has no min_load: it may stand by at no load"
        for unit in units
        if unit.must_run and unit.min_load == 0
    ]
    lines += [
        f"{unit.name}: defrost_loss is not used, its source {unit.source_name} does not frost"
        for unit in units
        if unit.kind == "heat_pump" and unit.source_name and unit.defrost_loss
    ]
    lines += [
        f"{unit.name}: idle_share is not used, it draws no power and burns nothing"
        for unit in units
        if unit.kind == "solar" and unit.idle_share
    ]
    lines += [
        f"{unit.name}: piston_engine is not used, {unit.fuel_name} pays no methane tax"
        for unit in units
        if unit.kind == "back_pressure_chp" and unit.fuel != "gas" and not unit.piston_engine
    ]
    if not case.plan.commitment:
        for name in WITHOUT_STARTS:
            held = [
                unit.name
                for unit in units
                if getattr(unit, name) and not (name == "min_load" and unit.must_run)
            ]
            if held:
                lines.append(f"plan.commitment is false: {name} of {', '.join(held)} is left out")
    return lines


def _of_tank(case: PlantCase) -> list[str]:
    if case.plant.tank is None and case.plan.tank_mwh is not None:
        return ["plan.tank_mwh is not used, the plant has no tank"]
    return []


def _set(
    block: "BaseModel", free: "BaseModel", name: str, fields: tuple[str, ...], why: str
) -> list[str]:
    """Fields of a block that differ from those of a free one, not used for the reason `why`."""
    return [
        f"{name}.{field} is {getattr(block, field)} and not used: {why}"
        for field in fields
        if getattr(block, field) != getattr(free, field)
    ]
