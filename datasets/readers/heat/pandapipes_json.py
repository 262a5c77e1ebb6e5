"""pandapipes' JSON files, read by a decoder of our own.

pandapipes' decoder imports the modules that a file names and calls what it finds there. Here a file
is parsed as plain JSON, the tables of its components are typed cell by cell, and a net is filled
with them; pandapipes converts older formats on that net. Of the fluid its name and kind are read,
of the standard types the polynomials of pumps.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.json import cells as json_cells
from tvilling.datasets.readers.json.cells import CellKind, is_word, shown
from tvilling.datasets.readers.json.foreign import foreign_faults
from tvilling.datasets.readers.json.table import Findings, Schema, object_names, read_table
from tvilling.datasets.readers.json.values import CLASS, CONTENT, Foreign, RawTable, plain
from tvilling.datasets.readers.power_grid.labels import listening
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.escape import printable
from tvilling.sciml.io.json_text import parse_json, read_json

if TYPE_CHECKING:
    from pandapipes import pandapipesNet

NETWORK = "a pandapipes network"
FLUID = ("pandapipes.properties.fluids", "Fluid")
PUMP_TYPES = ("pandapipes.std_types.std_type", "pandapipes.std_types.std_type_class")
NEEDED_FLAGS = {"in_service", "opened"}
GEODATA: dict[str, Schema] = {
    "junction_geodata": {"x": json_cells.NUMBER, "y": json_cells.NUMBER},
    "pipe_geodata": {"coords": json_cells.LIST},
}
OLD_NUMBERS = ("diameter_m", "alpha_w_per_m2k", "mdot_kg_per_s", "p_bar", "t_k")
OLD_ENDS = ("from_junction", "to_junction")  # of valves and circulation pumps
SECTORS = {"all", "heat", "gas", "water", "None"}
ADVICE = "expected the coefficients of a polynomial"


@dataclass(frozen=True)
class FluidData:
    """Name of a fluid, and whether it is a gas."""

    name: str
    is_gas: bool


@dataclass(frozen=True)
class PumpCurve:
    """Lift of a pump [bar] as a polynomial of its flow [m3/h], the highest power first."""

    reg_par: tuple[float, ...]


def load_pandapipes(path: Path) -> tuple["pandapipesNet", list[str]]:
    """The network in a pandapipes JSON file, and notes on what of it is not read.

    Raises
    ------
    InputError
        The file is missing, too large, not UTF-8, not JSON, not a pandapipes network, or holds
        tables or cells of the wrong type: each with its table, row, column and value.
    """
    content = _content(path)
    found = Findings(str(path))
    members: dict[str, Any] = {
        name: table
        for name, schema in schemas().items()
        if name in content
        and (table := read_table(found, name, content[name], schema, {})) is not None
    }
    members |= _scalars(found, content)
    members["fluid"] = _fluid(found, content.get("fluid"))
    types = content.get("std_types", content.get("std_type"))
    members["std_types"] = {"pump": _pump_types(found, types)}
    members |= _unread(found, content)
    found.check()
    return _converted(found, members), found.notes


def _content(path: Path) -> dict[str, Any]:
    content = read_json(path, NETWORK)
    name = content.get(CLASS, "no network")
    if name != "pandapipesNet":
        raise InputError(
            str(path), [f"is not {NETWORK}; its outermost object is {printable(str(name), 60)}"]
        )
    members = content.get(CONTENT)
    if isinstance(members, str):
        members = parse_json(members, str(path))
    if not isinstance(members, dict) or CLASS in members:
        raise InputError(str(path), [f"is not {NETWORK}: it is damaged and holds no tables"])
    faults = foreign_faults(members)
    if faults:
        raise InputError(str(path), faults)
    return {name: plain(value) for name, value in members.items()}


@functools.cache
def schemas() -> dict[str, Schema]:
    """Kind of each known column by table, of the components of the installed pandapipes."""
    with listening():
        import pandapipes

        empty = pandapipes.create_empty_network(fluid=None)
    found: dict[str, Schema] = {
        name: {column: _kind(column, table[column].dtype) for column in table}
        | dict.fromkeys(OLD_NUMBERS, json_cells.NUMBER)
        | dict.fromkeys(OLD_ENDS, json_cells.WHOLE)
        | {"geo": json_cells.GEOMETRY}
        for name, table in empty.items()
        if isinstance(table, pd.DataFrame) and not name.startswith("res_") and name != "controller"
    }
    return found | GEODATA


def _kind(column: str, dtype: Any) -> CellKind:
    if dtype.kind == "b":
        return json_cells.FLAG if column in NEEDED_FLAGS else json_cells.FLAG_OR_BLANK
    if dtype.kind in "iu":
        return json_cells.WHOLE_OR_BLANK if column == "sections" else json_cells.WHOLE
    return json_cells.NUMBER if dtype.kind == "f" else json_cells.WORD


def _scalars(found: Findings, content: Mapping[str, Any]) -> dict[str, Any]:
    """Name, versions, sector and options."""
    from packaging.version import InvalidVersion, Version

    name = content.get("name")
    if name is not None and not is_word(name):
        found.faults.append(f"name is {shown(name)}, expected text")
    members: dict[str, Any] = {"name": name}
    for key in ("version", "format_version"):
        if key not in content:
            continue
        members[key] = str(content[key])[:50]
        try:
            Version(members[key])
        except InvalidVersion:
            said = f"{key} is {shown(content[key])}, expected a version such as 0.14.0"
            found.faults.append(said)
    if content.get("sector", "") not in ("", *SECTORS):
        kinds = ", ".join(sorted(SECTORS))
        found.faults.append(f"sector is {shown(content['sector'])}, expected one of {kinds}")
    options = content.get("user_pf_options") or {}
    if not isinstance(options, dict):
        found.faults.append("user_pf_options: expected an object of options")
    else:
        members["user_pf_options"] = options
        ambient = options.get("ambient_temperature", 0.0)
        if isinstance(ambient, bool) or not isinstance(ambient, int | float):
            said = (
                f"user_pf_options: ambient_temperature is {shown(ambient)}, expected a number [K]"
            )
            found.faults.append(said)
    return members


def _fluid(found: Findings, value: Any) -> FluidData | None:
    """Name and kind of the fluid; its properties are not used."""
    if value is None:
        return None
    parts = _parts(found, value) if isinstance(value, Foreign) else None
    if parts is None or (value.module, value.name) != FLUID:
        found.faults.append(f"fluid is {shown(value)}, expected a fluid of pandapipes")
        return None
    name, is_gas = parts.get("name"), plain(parts.get("is_gas", parts.get("fluid_type") == "gas"))
    if not is_word(name) or not isinstance(is_gas, bool):
        found.faults.append("fluid: expected a name, and whether it is a gas")
        return None
    return FluidData(str(name), is_gas)


def _pump_types(found: Findings, value: Any) -> dict[str, PumpCurve]:
    """Polynomials of the pumps' standard types by name; others stay without one."""
    pumps = value.get("pump") if isinstance(value, dict) else None
    curves = {}
    for name, each in pumps.items() if isinstance(pumps, dict) else ():
        parts = _parts(found, each) if isinstance(each, Foreign) else None
        if parts is None or each.module not in PUMP_TYPES:
            found.notes.append(f"standard type {shown(name)[1:-1]} of pumps is not read")
            continue
        powers = plain(parts.get("reg_par"))
        if powers is None:
            continue  # given by points, which a pump that has this type is refused for
        numbers = isinstance(powers, list) and all(
            isinstance(power, int | float) and not isinstance(power, bool) and np.isfinite(power)
            for power in powers
        )
        if not numbers:
            found.faults.append(f"pump type {shown(name)}: reg_par is {shown(powers)}, {ADVICE}")
            continue
        curves[name] = PumpCurve(tuple(float(power) for power in powers))
    return curves


def _parts(found: Findings, value: Foreign) -> dict[str, Any] | None:
    """Members of an object of pandapipes, which writes them as text."""
    content = value.content
    if isinstance(content, str):
        content = parse_json(content, found.source, shown(value))
    return content if isinstance(content, dict) else None


def _unread(found: Findings, content: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Empty tables with the rows of those that are not read, so that they can be counted."""
    return {
        name: pd.DataFrame(index=range(object_names(found, shown(name)[1:-1], value)[0]))
        for name, value in content.items()
        if isinstance(value, RawTable) and name not in schemas() and not name.startswith("res_")
    }


def _converted(found: Findings, members: dict[str, Any]) -> "pandapipesNet":
    """A net filled with `members`, in the format of the installed pandapipes."""
    unread = {name: members.pop(name) for name in ("controller",) if name in members}
    try:
        with listening():
            import pandapipes
            from pandapipes.io.convert_format import convert_format

            net = pandapipes.create_empty_network(fluid=None, add_stdtypes=False)
            net.update({"version": "0", **members})
            net["format_version"] = members.get("format_version", net["version"])
            convert_format(net)
    except Exception as fault:  # whatever an old table makes pandapipes raise
        reason = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
        raise InputError(found.source, [f"pandapipes cannot convert it ({reason})"]) from fault
    net.update(unread)
    return net
