"""Members of a pandapower net out of a JSON file: numbers, tables, types and options, each checked.

`plain` made them plain data before; here each is held to what it has to be.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tvilling.datasets.readers.json.cells import is_word, shown
from tvilling.datasets.readers.json.table import Findings, read_table
from tvilling.datasets.readers.json.values import Foreign, RawTable
from tvilling.datasets.readers.pandapower.defaults import with_flags
from tvilling.datasets.readers.pandapower.schema import schemas, units

NUMBERS = {"f_hz": "Hz", "sn_mva": "MVA", "sn_kva": "kVA"}
STATES = ("converged", "OPF_converged")
VERSIONS = ("version", "format_version")
MEMBERS = {"name", "std_types", "user_pf_options", "profiles", *NUMBERS, *VERSIONS, *STATES}
TYPES = ("line", "line_dc", "trafo", "trafo3w", "fuse")
MAX_OPTIONS = 200


def read_members(found: Findings, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a net is filled with, by name; faults and notes go to `found`.

    Parameters
    ----------
    content
        Plain data by name.
    """
    members = _scalars(found, content) | _tables(found, content)
    if "std_types" in content:
        members["std_types"] = _types(found, content["std_types"])
    members["user_pf_options"] = _options(found, content.get("user_pf_options"))
    if "profiles" in content:
        members["profiles"] = _profiles(found, content["profiles"])
    return members


def _scalars(found: Findings, content: Mapping[str, Any]) -> dict[str, Any]:
    """Name, frequency, reference power and versions, as far as the file has them."""
    values: dict[str, Any] = {}
    name = content.get("name")
    if name is not None and not is_word(name):
        found.faults.append(f"name is {shown(name)}, expected text")
    values["name"] = name
    values |= {key: content[key] for key in STATES if isinstance(content.get(key), bool)}
    for key, unit in NUMBERS.items():
        if key not in content:
            continue
        value = content[key]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value < np.inf:
            found.faults.append(f"{key} is {shown(value)}, expected more than 0 {unit}")
        values[key] = value
    for key in VERSIONS:
        if key in content:
            values[key] = _version(found, key, content[key])
    return values


def _version(found: Findings, key: str, value: Any) -> str:
    from packaging.version import InvalidVersion, Version

    text = str(value) if isinstance(value, str | int | float) else ""
    try:
        Version(text[:50])
    except InvalidVersion:
        found.faults.append(f"{key} is {shown(value)}, expected a version such as 3.1.0")
    return text[:50]


def _tables(found: Findings, content: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Every table of elements, costs and results that the file has."""
    tables = {}
    for name, schema in schemas().items():
        value = content.get(name)
        if name not in content or (value is None and name != "bus"):
            continue
        if name.startswith("res_"):
            table = _result(found, name, value)
        else:
            table = read_table(found, name, value, schema, units(name))
        if table is not None:
            tables[name] = with_flags(found, name, table)
    return tables


def _result(found: Findings, name: str, value: Any) -> pd.DataFrame | None:
    """A table of results; one that cannot be read is left out with a note, for none is needed."""
    own = Findings(found.source, cells=found.cells)
    table = read_table(own, name, value, schemas()[name], {})
    found.cells = own.cells
    if own.faults:
        found.notes.append(f"table {name} is not used: {own.faults[0]}")
        return None
    return table


def _types(found: Findings, value: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """Standard types: numbers and words by parameter, by name, by table."""
    types: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in TYPES}
    if not isinstance(value, dict):
        found.notes.append("std_types hold no types and are not used")
        return types
    unread = []
    for table, by_name in value.items():
        for name, parameters in by_name.items() if isinstance(by_name, dict) else ():
            if table in types and isinstance(parameters, dict):
                types[table][name] = {
                    key: each
                    for key, each in parameters.items()
                    if is_word(key)
                    and (each is None or isinstance(each, str | bool | int | float | list))
                }
            else:
                unread.append(f"{table} {shown(name)}")
    if unread:
        found.notes.append(f"{len(unread)} standard types are not used: {', '.join(unread[:10])}")
    return types


def _options(found: Findings, value: Any) -> dict[str, Any]:
    """What the file asks of a power flow, as plain data."""
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_OPTIONS:
        found.faults.append("user_pf_options: expected an object of options")
        return {}
    foreign = [name for name, each in value.items() if isinstance(each, Foreign | RawTable)]
    found.faults += [
        f"user_pf_options: {shown(name)} is {shown(value[name])}, expected a number, word or flag"
        for name in foreign
    ]
    return value


def _profiles(found: Findings, value: Any) -> dict[str, pd.DataFrame]:
    """Profiles of SimBench, by name."""
    if not isinstance(value, dict):
        found.notes.append("profiles are not used: expected tables by name")
        return {}
    tables = {
        name: read_table(found, f"profiles.{name}", table, {}, {}) for name, table in value.items()
    }
    return {name: table for name, table in tables.items() if table is not None}
