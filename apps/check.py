"""Check a network or a case as far as it goes without running it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tvilling.sciml.errors import InputError

if TYPE_CHECKING:
    from tvilling.sciml.systems.heat_network.summary import Summary

CASE_SUFFIXES = (".yaml", ".yml")


def check_file(file: str, tell: Callable[[str], None]) -> "tuple[Summary, list[str]]":
    """The summary of the network in `file`, a network or a case, and what else there is to say.

    Raises
    ------
    InputError
        With every fault.
    """
    from tvilling.sciml.systems.heat_network.summary import summarise

    if Path(file).suffix.lower() in CASE_SUFFIXES:
        return _check_case(Path(file), tell)
    from tvilling.datasets.readers.network import read_network
    from tvilling.sciml.systems.heat_network.build import build
    from tvilling.sciml.systems.heat_network.connectivity import connectivity

    tell("reading the network")
    tables = read_network(file).checked()
    faults = connectivity(tables).faults
    if faults:
        raise InputError(file, faults)
    build(tables)
    return summarise(tables), []


def _check_case(path: Path, tell: Callable[[str], None]) -> "tuple[Summary, list[str]]":
    from tvilling.apps.case_file import read_case
    from tvilling.apps.heat_network_case import prepare
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
