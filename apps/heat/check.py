"""Check a network or a case as far as it goes without running it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network.summary import Summary

CASE_SUFFIXES = (".yaml", ".yml")


def check_file(file: str, tell: Callable[[str], None]) -> "tuple[Summary | None, list[str]]":
    """The summary of the network in `file`, a network or a case, and what else there is to say.

    A case of a heat plant has no summary of a network.

    Raises
    ------
    InputError
        With every fault.
    """
    from tvilling.apps.shared.case_file import system_of
    from tvilling.sciml.systems.heat_network.summary import summarise

    if Path(file).suffix.lower() in CASE_SUFFIXES:
        path = Path(file)
        if system_of(path) == "heat_plant":
            return None, _check_plant(path, tell)
        return _check_case(path, tell)
    from tvilling.datasets.readers.heat.network import read_network
    from tvilling.sciml.systems.heat_network.builder import build
    from tvilling.sciml.systems.heat_network.topology.connectivity import connectivity

    tell("reading the network")
    tables = read_network(file).checked()
    faults = connectivity(tables).faults
    if faults:
        raise InputError(file, faults)
    build(tables)
    return summarise(tables), []


def _check_plant(path: Path, tell: Callable[[str], None]) -> list[str]:
    """What a case of a heat plant holds, its records read as far as they reach."""
    from tvilling.apps.plant.case import PlantCase
    from tvilling.apps.plant.inputs.known import HOUR, gather, moment_of, to_local
    from tvilling.apps.plant.inputs.supply_network import read_town
    from tvilling.apps.shared.case_file import read_case

    case = read_case(path, (), PlantCase)
    moment = moment_of(case, None)
    tell("reading the records")
    facts = gather(case, path, moment, moment + case.plan.horizon_h * HOUR)
    read_town(case, path, tell)
    record = facts.record
    begin, end = to_local(record["time"].values[[0, -1]])
    units = ", ".join(f"{unit.name} {unit.heat_mw:g} MW" for unit in case.plant.units)
    tank = "no tank" if case.plant.tank is None else f"a tank of {case.plant.tank.volume_m3:g} m³"
    past = facts.before(moment)
    missing = {name: int(past[name].isnull().sum()) for name in record.data_vars}
    return [
        f"{path}: {units}; {tank}",
        f"plan from {to_local(moment.reshape(1))[0]:%Y-%m-%d %H:%M} for {case.plan.horizon_h} h",
        f"records from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, Danish clock",
        *(f"{kind}: {record.attrs[kind]}" for kind in ("load", "weather", "prices")),
        *(
            f"note: {name} is missing in {count} hours before"
            for name, count in missing.items()
            if count
        ),
    ]


def _check_case(path: Path, tell: Callable[[str], None]) -> "tuple[Summary, list[str]]":
    from tvilling.apps.heat.network_case import prepare
    from tvilling.apps.shared.case_file import read_case
    from tvilling.sciml.systems.heat_network.summary import summarise

    case = read_case(path)
    prepared = prepare(case, path, tell)
    horizon = case.horizon
    lines = [
        f"{path}: {horizon.steps} steps of {horizon.step_min:g} min from "
        f"{horizon.start:%Y-%m-%d %H:%M}, under {', '.join(case.controllers)}",
        f"outdoor temperature: {prepared.weather.attrs['source']}",
    ]
    return summarise(prepared.tables), lines
